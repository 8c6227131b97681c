//! What users read when a WITH clause is wrong, and files written and read back through the registry.

use super::*;
use crate::ErrorKind;
use crate::batch::text::{Style, write_value};
use crate::batch::{Batch, Column, ColumnRef, DataType, Decoder, Encoder, Field, Pool, Schema, TypeKind};
use crate::error::Span;
use crate::plan::connector::{ConnectorSpec, OptionValue};
use crate::shard::{IoContext, Polled};
use crate::sinks::Target;
use jiff::tz::TimeZone;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

const INT: TypeKind = TypeKind::Int;
const S: TypeKind = TypeKind::STRING;

/// A table; each option's span is its number times ten.
fn table(connector: &str, options: &[(&str, &str)], columns: &[(&str, DataType)]) -> TableSpec {
    let options = options
        .iter()
        .enumerate()
        .map(|(i, (k, v))| {
            let span = Span::new(i as u32 * 10, i as u32 * 10 + 9);
            ((*k).to_owned(), OptionValue { value: (*v).to_owned(), span, pair: span })
        })
        .collect();
    TableSpec {
        name: "c.d.t".into(),
        connector: ConnectorSpec { connector: connector.into(), options, span: Span::new(900, 999) },
        schema: Schema::new(columns.iter().map(|(n, t)| Field::new(*n, t.clone())).collect()),
        partition_keys: vec![],
        primary_key: vec![],
        settings: Default::default(),
        time_zone: TimeZone::UTC,
    }
}

fn columns() -> Vec<(&'static str, DataType)> {
    vec![("id", INT.nullable()), ("s", S.nullable())]
}

fn scan(table: TableSpec, read: &[usize], metadata: &[&str]) -> SourceSpec {
    let info = ConnectorRegistry::default().source(&table).unwrap();
    let metadata = metadata
        .iter()
        .map(|k| info.metadata.iter().find(|m| m.0 == *k).expect("a known key").clone())
        .collect();
    SourceSpec { table, columns: read.to_vec(), leaves: vec![], metadata, info }
}

/// Rows in changelog form, the provenance (partition, offset) of each, and the error.
type Read = (Vec<String>, Vec<(u32, u64)>, Option<Error>);

fn types(spec: &SourceSpec) -> Vec<DataType> {
    let own = spec.columns.iter().map(|&c| spec.table.schema.ty(c).clone());
    own.chain(spec.metadata.iter().map(|m| m.1.clone())).collect()
}

fn show(batch: &Batch, types: &[DataType], to: &mut Read) {
    for row in batch.sel().iter() {
        let mut text = vec![];
        for (i, (c, t)) in batch.columns.iter().zip(types).enumerate() {
            text.extend_from_slice(if i > 0 { b" " } else { b"" });
            write_value(c, row, t, &TimeZone::UTC, Style::Changelog, &mut text);
        }
        to.0.push(String::from_utf8(text).unwrap());
        let origin = batch.provenance.of(row).expect("rows of files have an origin");
        to.1.push((origin.partition, origin.offset));
    }
}

/// Polls to the end. `stop` after so many rows.
fn drain(input: &mut dyn Input, types: &[DataType], max_rows: usize, stop: usize) -> Read {
    let mut pool = Pool::default();
    let mut out = Read::default();
    loop {
        match input.poll(max_rows, &mut IoContext { pool: &mut pool, now_us: 7 }) {
            Ok(Polled::Batch(b)) => {
                assert!(b.selected() <= max_rows);
                show(&b, types, &mut out);
                pool.recycle(b);
                if out.0.len() >= stop {
                    return out;
                }
            }
            Ok(Polled::Pending) => std::thread::yield_now(),
            Ok(Polled::End) => return out,
            Err(e) => {
                out.2 = Some(e);
                return out;
            }
        }
    }
}

fn read(spec: &SourceSpec, max_rows: usize) -> Read {
    let mut inputs = ConnectorRegistry::default().open_input(spec, 0, 1).unwrap();
    assert_eq!(inputs.len(), 1);
    drain(&mut *inputs[0], &types(spec), max_rows, usize::MAX)
}

fn source_error(connector: &str, options: &[(&str, &str)]) -> Error {
    ConnectorRegistry::default().source(&table(connector, options, &columns())).unwrap_err()
}

#[test]
fn a_wrong_clause_is_told_at_its_place_with_what_to_write() {
    let e = source_error("carrier-pigeon", &[]);
    assert_eq!(e.message(), "Could not find any connector 'carrier-pigeon'");
    assert_eq!(e.kind(), ErrorKind::Validation);
    assert!(e.advice().unwrap().contains("filesystem"), "{e}");
    assert_eq!(source_error("filesytem", &[]).advice(), Some("did you mean 'filesystem'?"));
    assert_eq!(source_error("kafka", &[]).kind(), ErrorKind::Unsupported);
    assert!(source_error("print", &[]).message().contains("cannot be read"));

    let e = source_error("filesystem", &[("path", "x")]);
    assert_eq!((e.message(), e.span()), ("Missing required option 'format'", Some(Span::new(900, 999))));
    let e = source_error("filesystem", &[("path", "x"), ("format", "xml")]);
    assert_eq!((e.message(), e.span()), ("Could not find any format 'xml'", Some(Span::new(10, 19))));
    let e = source_error("filesystem", &[("format", "csv")]);
    assert_eq!(e.message(), "Missing required option 'path' of connector 'filesystem'");
    let e =
        source_error("filesystem", &[("path", "x"), ("format", "csv"), ("source.monitor-intervall", "1 s")]);
    assert_eq!(e.advice(), Some("did you mean 'source.monitor-interval'?"));
    let e =
        source_error("filesystem", &[("path", "-"), ("format", "csv"), ("source.monitor-interval", "1 s")]);
    assert!(e.message().contains("standard input"), "{e}");
    let e =
        source_error("filesystem", &[("path", "x"), ("format", "csv"), ("source.monitor-interval", "0 s")]);
    assert!(e.message().contains("longer than nothing"), "{e}");
    let e = source_error("filesystem", &[("path", "x"), ("format", "csv"), ("csv.null-litteral", "x")]);
    assert_eq!(e.advice(), Some("did you mean 'csv.null-literal'?"));
    let e = source_error("filesystem", &[("path", "x"), ("format", "csv"), ("csv.allow-comments", "yes")]);
    assert!(e.message().contains("'yes' is not a BOOLEAN") && e.span() == Some(Span::new(20, 29)), "{e}");
    let e = source_error("filesystem", &[("path", "x"), ("format", "csv"), ("csv.field-delimiter", "ab")]);
    assert!(e.message().contains("single character"), "{e}");

    let e = ConnectorRegistry::default().sink(&table("datagen", &[], &columns())).unwrap_err();
    assert!(e.message().contains("'datagen'"), "{e}");
}

fn files(list: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in list {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

fn csv_table(path: &Path, more: &[(&str, &str)]) -> TableSpec {
    let path = path.to_string_lossy().into_owned();
    let mut options = vec![("path", path.as_str()), ("format", "csv")];
    options.extend_from_slice(more);
    table("filesystem", &options, &columns())
}

#[test]
fn a_folder_is_read_by_name_without_hidden_files() {
    let dir = files(&[
        ("b.csv", "3,c\n"),
        ("a.csv", "1,a\n2,b"),
        ("_tmp", "9,x\n"),
        (".part", "9,x\n"),
        ("sub/a.csv", "4,d\n"),
        ("_sub/a.csv", "9,x\n"),
    ]);
    let spec = scan(csv_table(dir.path(), &[]), &[0, 1], &["file.name", "file.size"]);
    let got = read(&spec, 1024);
    assert_eq!(got.0, ["1 a a.csv 7", "2 b a.csv 7", "3 c b.csv 4", "4 d a.csv 4"]);
    assert_eq!(got.1, [(0, 1), (0, 2), (1, 1), (2, 1)]);
    let spec = scan(csv_table(&dir.path().join("*.csv"), &[]), &[1], &[]);
    assert_eq!(read(&spec, 1024).0, ["a", "b", "c"]);
    let spec = scan(csv_table(dir.path(), &[("source.path.regex-pattern", ".*/sub/.*")]), &[1], &[]);
    assert_eq!(read(&spec, 1024).0, ["d"]);
    let spec = scan(csv_table(dir.path(), &[]), &[], &[]);
    assert_eq!(read(&spec, 2).0.len(), 4);
}

#[test]
fn an_absent_file_is_an_input_error() {
    let dir = files(&[]);
    let spec = scan(csv_table(&dir.path().join("missing.csv"), &[]), &[0], &[]);
    let e = ConnectorRegistry::default().open_input(&spec, 0, 1).map(|_| ()).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Input);
    assert!(e.message().contains("missing.csv does not exist or"), "{e}");
    let spec = scan(csv_table(dir.path(), &[]), &[0], &[]);
    assert_eq!(read(&spec, 9).0.len(), 0, "an empty folder has no rows");
}

#[test]
fn a_bad_record_ends_the_input_behind_the_rows_before_it() {
    let dir = files(&[("a.csv", "1,a\n2,b\nx,c\n4,d\n")]);
    let spec = scan(csv_table(dir.path(), &[]), &[0, 1], &[]);
    for max_rows in [1, 2, 3, 1024] {
        let got = read(&spec, max_rows);
        assert_eq!(got.0, ["1 a", "2 b"]);
        let e = got.2.unwrap();
        assert_eq!(e.kind(), ErrorKind::Input);
        assert!(
            e.message().contains(
                "a.csv, line 3, column 1: Fail to deserialize at field: id. For input string: \"x\""
            ),
            "{e}"
        );
    }
}

#[test]
fn compressed_files_and_byte_order_marks() {
    let dir = files(&[("b.csv", "\u{feff}2,b\n")]);
    let gz = fs::File::create(dir.path().join("a.csv.gz")).unwrap();
    let mut gz = flate2::write::GzEncoder::new(gz, flate2::Compression::fast());
    gz.write_all(b"1,a\n").unwrap();
    gz.finish().unwrap();
    fs::write(dir.path().join("c.csv.zst"), zstd::encode_all(&b"3,c\n"[..], 1).unwrap()).unwrap();
    let spec = scan(csv_table(dir.path(), &[]), &[0, 1], &[]);
    assert_eq!(read(&spec, 1024).0, ["1 a", "2 b", "3 c"]);
}

#[test]
fn partition_columns_come_from_folders() {
    let dir =
        files(&[("day=2024-03-10/k=a%3Db/x", "1\n"), ("day=2024-03-11/k=__DEFAULT_PARTITION__/x", "2\n")]);
    let path = dir.path().to_string_lossy().into_owned();
    let columns = [("k", S.nullable()), ("id", INT.nullable()), ("day", TypeKind::Date.nullable())];
    let mut t = table("filesystem", &[("path", &path), ("format", "csv")], &columns);
    t.partition_keys = vec![2, 0];
    assert_eq!(read(&scan(t.clone(), &[0, 1, 2], &[]), 9).0, ["a=b 1 2024-03-10", "\\N 2 2024-03-11"]);
    assert_eq!(read(&scan(t, &[2], &[]), 9).0, ["2024-03-10", "2024-03-11"]);
}

/// Rows enough to cross blocks, some of them with line ends in quotes.
fn long_text(rows: usize) -> String {
    let mut out = String::new();
    for i in 0..rows {
        match i % 7 {
            0 => out.push_str(&format!("{i},\"a\n{}\"\n", "x".repeat(i % 300))),
            3 => out.push_str(&format!("{i},\"q\"\"{i}\"\r\n")),
            _ => out.push_str(&format!("{i},row number {i}\n")),
        }
    }
    out
}

#[test]
fn any_batch_size_and_any_restore_gives_the_same_rows() {
    let text = long_text(20_000);
    assert!(text.len() > 600 << 10, "several blocks");
    let dir = files(&[("a.csv", &text), ("b.csv", &long_text(50)), ("c.csv", "")]);
    let spec = scan(csv_table(dir.path(), &[]), &[0, 1], &["file.name"]);
    let types = types(&spec);
    let whole = read(&spec, 1024);
    assert_eq!((whole.0.len(), whole.2.is_none()), (20_050, true));
    for (max_rows, stops) in [(1, 20_050), (7, 333), (1024, 5000)] {
        let mut got = Read::default();
        let registry = ConnectorRegistry::default();
        let mut input = registry.open_input(&spec, 0, 1).unwrap().remove(0);
        // Stop after so many rows, write the position, go on from it with a new input.
        loop {
            let part = drain(&mut *input, &types, max_rows, stops);
            let ended = part.0.len() < stops;
            got.0.extend(part.0);
            got.1.extend(part.1);
            if ended {
                break;
            }
            let mut to = Encoder::default();
            input.snapshot(&mut to);
            let bytes = to.finish();
            input = registry.open_input(&spec, 0, 1).unwrap().remove(0);
            input.restore(&mut Decoder::new(&bytes)).unwrap();
        }
        assert!(got.0 == whole.0 && got.1 == whole.1, "{max_rows} rows a batch");
    }
}

#[test]
fn a_json_array_is_given_out_and_restored_in_parts() {
    let items: Vec<String> = (0..50).map(|i| format!("{{\"id\":{i},\"s\":\"v{i}\"}}")).collect();
    let dir = files(&[("a.json", &format!("{{\"id\":-1}}\n[{}]\n{{\"id\":99}}\n", items.join(",")))]);
    let path = dir.path().to_string_lossy().into_owned();
    let spec = scan(table("filesystem", &[("path", &path), ("format", "json")], &columns()), &[0, 1], &[]);
    let whole = read(&spec, 1024);
    assert_eq!(whole.0.len(), 52);
    for stop in 1..52 {
        let registry = ConnectorRegistry::default();
        let mut input = registry.open_input(&spec, 0, 1).unwrap().remove(0);
        let mut got = drain(&mut *input, &types(&spec), 3, stop);
        let mut to = Encoder::default();
        input.snapshot(&mut to);
        let bytes = to.finish();
        let mut input = registry.open_input(&spec, 0, 1).unwrap().remove(0);
        input.restore(&mut Decoder::new(&bytes)).unwrap();
        got.0.extend(drain(&mut *input, &types(&spec), 7, usize::MAX).0);
        assert_eq!(got.0, whole.0, "stopped after {stop}");
    }
}

#[test]
fn files_are_dealt_out_to_several_inputs() {
    let dir = files(&[("a", "1,a\n"), ("b", "2,b\n"), ("c", "3,c\n")]);
    let spec = scan(csv_table(dir.path(), &[]), &[1], &[]);
    let inputs = ConnectorRegistry::default().open_input(&spec, 0, 2).unwrap();
    let rows: Vec<_> = inputs.into_iter().map(|mut i| drain(&mut *i, &types(&spec), 9, usize::MAX)).collect();
    assert_eq!((&rows[0].0[..], &rows[1].0[..]), (&["a".to_owned(), "c".into()][..], &["b".to_owned()][..]));
    assert_eq!(rows[0].1, [(0, 1), (2, 1)]);
}

fn batch(ids: &[Option<i32>], texts: &[Option<&str>]) -> Batch {
    let mut id = Column::of_kind(&INT);
    let mut s = Column::of_kind(&S);
    for (i, t) in ids.iter().zip(texts) {
        id.validity.push(i.is_some());
        id.buffer_mut::<i32>().push(i.unwrap_or(0));
        s.validity.push(t.is_some());
        s.byte_column_mut().push(t.unwrap_or_default().as_bytes());
    }
    Batch::new(vec![ColumnRef::new(id), ColumnRef::new(s)], ids.len())
}

fn sink(table: TableSpec) -> SinkSpec {
    let schema = Schema::new(columns().into_iter().map(|(n, t)| Field::new(n, t)).collect());
    SinkSpec { table: Some(table), schema, drop_nulls: false, any_key: true }
}

const ALONE: Connection = Connection { shard: 0, shards: 1 };

/// Offers until taken.
fn offer(output: &mut dyn Output, batch: Batch) -> Result<()> {
    let mut pool = Pool::default();
    let mut next = Some(batch);
    while let Some(b) = next {
        next = output.offer(b, &mut IoContext { pool: &mut pool, now_us: 0 })?;
        if next.is_some() {
            std::thread::yield_now();
        }
    }
    Ok(())
}

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Memory {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

fn streams() -> (ConnectorRegistry, Memory, Memory) {
    let (out, err) = (Memory::default(), Memory::default());
    let streams = Streams { out: Target::new(out.clone()), err: Target::new(err.clone()) };
    (ConnectorRegistry::with_streams(streams), out, err)
}

#[test]
fn print_writes_what_flink_writes() {
    use crate::batch::RowKind::*;
    let (registry, out, err) = streams();
    for (options, memory, expected) in [
        (&[("print-identifier", "P")][..], &out, "P> +I[1, a]\nP> -U[2, null]\nP> +U[null, c, d]\n"),
        (&[("standard-error", "true")], &err, "+I[1, a]\n-U[2, null]\n+U[null, c, d]\n"),
    ] {
        let spec = sink(table("print", options, &columns()));
        let mut output = registry.open_output(&spec, ALONE, None).unwrap();
        let mut b = batch(&[Some(1), Some(2), Some(3), None], &[Some("a"), None, Some("x"), Some("c, d")]);
        b.set_kinds(Some(vec![Insert, UpdateBefore, Delete, UpdateAfter]));
        b.select(Some(vec![0, 1, 3]));
        offer(&mut *output, b).unwrap();
        assert_eq!(output.rows(), 3);
        output.finish().unwrap();
        assert_eq!(memory.text(), expected);
    }
}

/// Visible files below a folder with their lines, and the number of hidden ones.
fn listing(dir: &Path) -> (Vec<(String, Vec<String>)>, usize) {
    fn walk(dir: &Path, root: &Path, out: &mut Vec<(String, Vec<String>)>, hidden: &mut usize) {
        for path in fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()) {
            if path.is_dir() {
                walk(&path, root, out, hidden);
            } else if path.file_name().unwrap().to_string_lossy().starts_with('.') {
                *hidden += 1;
            } else {
                let folder =
                    path.parent().unwrap().strip_prefix(root).unwrap().to_string_lossy().into_owned();
                let text = fs::read_to_string(&path).unwrap();
                out.push((folder, text.lines().map(str::to_owned).collect()));
            }
        }
    }
    let (mut out, mut hidden) = (vec![], 0);
    walk(dir, dir, &mut out, &mut hidden);
    out.sort();
    (out, hidden)
}

#[test]
fn files_are_seen_when_the_job_has_finished_and_not_before() {
    let dir = files(&[]);
    let registry = ConnectorRegistry::default();
    let target = dir.path().join("out");
    let spec = sink(csv_table(&target, &[("csv.null-literal", "n/a")]));
    let mut output = registry.open_output(&spec, ALONE, None).unwrap();
    offer(&mut *output, batch(&[Some(1), None], &[Some("a b"), None])).unwrap();
    assert!(listing(&target).0.is_empty());
    output.finish().unwrap();
    assert_eq!(listing(&target), (vec![(String::new(), vec!["1,\"a b\"".into(), "n/a,n/a".into()])], 0));
    // A second job adds its own file; one that fails leaves nothing.
    let mut output = registry.open_output(&spec, ALONE, None).unwrap();
    offer(&mut *output, batch(&[Some(2)], &[Some("b")])).unwrap();
    output.finish().unwrap();
    let mut output = registry.open_output(&spec, ALONE, None).unwrap();
    offer(&mut *output, batch(&[Some(3)], &[Some("c")])).unwrap();
    drop(output);
    let (found, hidden) = listing(&target);
    assert_eq!((found.len(), hidden), (2, 0));
}

#[test]
fn partitions_are_folders_and_files_roll() {
    let dir = files(&[]);
    let registry = ConnectorRegistry::default();
    let mut t = csv_table(dir.path(), &[("sink.rolling-policy.file-size", "1 b")]);
    t.partition_keys = vec![1];
    let spec = sink(t.clone());
    let mut output = registry.open_output(&spec, ALONE, None).unwrap();
    let b = || batch(&[Some(1), Some(2), Some(3)], &[Some("a/b"), None, Some("a/b")]);
    offer(&mut *output, b()).unwrap();
    output.finish().unwrap();
    let folder = |f: &str, lines: &[&str]| (f.to_owned(), lines.iter().map(|l| (*l).to_owned()).collect());
    assert_eq!(
        listing(dir.path()).0,
        vec![folder("s=__DEFAULT_PARTITION__", &["2"]), folder("s=a%2Fb", &["1", "3"])]
    );
    assert_eq!(read(&scan(t, &[0, 1], &[]), 9).0, ["2 \\N", "1 a/b", "3 a/b"]);

    let dir = files(&[]);
    let spec = sink(csv_table(dir.path(), &[("sink.rolling-policy.file-size", "100 kb")]));
    let mut output = registry.open_output(&spec, ALONE, None).unwrap();
    let long = "x".repeat(1000);
    for i in 0..400 {
        offer(&mut *output, batch(&[Some(i)], &[Some(&long)])).unwrap();
    }
    output.finish().unwrap();
    let (found, _) = listing(dir.path());
    assert_eq!((found.len(), found.iter().map(|f| f.1.len()).sum::<usize>()), (4, 400));
}

#[test]
fn a_partition_that_is_committed_has_its_success_file() {
    let dir = files(&[]);
    let registry = ConnectorRegistry::default();
    let kind = ("sink.partition-commit.policy.kind", "success-file");
    let mut t = csv_table(dir.path(), &[kind]);
    t.partition_keys = vec![1];
    let write = |t: &TableSpec, last: bool| {
        let mut output = registry.open_output(&sink(t.clone()), ALONE, None).unwrap();
        offer(&mut *output, batch(&[Some(1), Some(2)], &[Some("a"), Some("b")])).unwrap();
        if last {
            output.finish().unwrap();
        }
    };
    let has = |name: &str| ["s=a", "s=b"].map(|p| dir.path().join(p).join(name).exists());
    write(&t, false);
    assert_eq!(has("_SUCCESS"), [false; 2], "the job has failed");
    write(&t, true);
    assert_eq!(has("_SUCCESS"), [true; 2]);
    assert_eq!(read(&scan(t, &[0, 1], &[]), 9).0, ["1 a", "2 b"], "it is no file of rows");
    let mut named = csv_table(dir.path(), &[kind, ("sink.partition-commit.success-file.name", "_done")]);
    named.partition_keys = vec![1];
    write(&named, true);
    assert_eq!(has("_done"), [true; 2]);
    write(&csv_table(dir.path(), &[kind]), true);
    assert!(!dir.path().join("_SUCCESS").exists(), "a table without partitions commits none");
    let other = sink(csv_table(dir.path(), &[("sink.partition-commit.policy.kind", "success")]));
    assert!(registry.open_output(&other, ALONE, None).is_err_and(|e| e.to_string().contains("not a policy")));
}

#[test]
fn null_in_a_not_null_column_fails_or_drops_the_row() {
    let (registry, out, _) = streams();
    let strict = [("id", INT.nullable()), ("s", S.not_null())];
    let mut spec = sink(table("print", &[], &strict));
    let b = || batch(&[Some(1), Some(2), Some(3)], &[Some("a"), None, Some("c")]);
    let mut output = registry.open_output(&spec, ALONE, None).unwrap();
    let e = offer(&mut *output, b()).unwrap_err();
    assert!(
        e.message().starts_with("Column 's' is NOT NULL, however, a null value is being written into it."),
        "{e}"
    );
    drop(output);
    assert_eq!(out.text(), "+I[1, a]\n", "the rows before it are seen");
    spec.drop_nulls = true;
    let mut output = registry.open_output(&spec, ALONE, None).unwrap();
    offer(&mut *output, b()).unwrap();
    output.finish().unwrap();
    assert_eq!(out.text(), "+I[1, a]\n+I[1, a]\n+I[3, c]\n");
}

#[test]
fn a_query_without_a_table_gives_its_batches_to_the_caller() {
    let got = Arc::new(Mutex::new(0));
    let sum = got.clone();
    let receiver: Receiver = Box::new(move |b, _| {
        *sum.lock().unwrap() += b.selected();
        Ok(None)
    });
    let spec = SinkSpec { table: None, schema: Schema::default(), drop_nulls: false, any_key: true };
    let registry = ConnectorRegistry::default();
    let mut output = registry.open_output(&spec, ALONE, Some(receiver)).unwrap();
    offer(&mut *output, batch(&[Some(1), None], &[None, None])).unwrap();
    assert_eq!((*got.lock().unwrap(), output.rows()), (2, 2));
    assert!(registry.open_output(&spec, ALONE, None).is_err());
}
