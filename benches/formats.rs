//! Bytes a second of decoding and encoding on Nexmark rows. Informs: decode in two passes (docs/decisions), our own tokenizers
//! instead of a crate's tree, and the bar of 300 MB/s a core.
//!
//! Run with `cargo bench --bench formats`. Throughput is bytes of text per second of the thread's CPU time, so that other load on the
//! machine does not count.

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use nexmark::EventGenerator;
use nexmark::config::NexmarkConfig;
use pelton::batch::text::civil::{Moment, write_timestamp};
use pelton::batch::{Batch, Column, ColumnRef, DataType, Field, MAX_ROWS, Schema, TypeKind};
use pelton::formats::{Format, Rows};
use std::hint::black_box;

const EVENTS: usize = 100_000;

/// CPU time of the calling thread.
struct CpuTime;

fn cpu_ns() -> u64 {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}

impl Measurement for CpuTime {
    type Intermediate = u64;
    type Value = u64;
    fn start(&self) -> u64 {
        cpu_ns()
    }
    fn end(&self, start: u64) -> u64 {
        cpu_ns() - start
    }
    fn add(&self, a: &u64, b: &u64) -> u64 {
        a + b
    }
    fn zero(&self) -> u64 {
        0
    }
    fn to_f64(&self, ns: &u64) -> f64 {
        *ns as f64
    }
    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

fn generator() -> EventGenerator {
    EventGenerator::new(NexmarkConfig { base_time: 1_700_000_000_000, ..NexmarkConfig::default() })
}

fn time(ms: u64) -> String {
    let mut out = vec![];
    write_timestamp(Moment::from_millis(ms as i64), 3, &mut out);
    String::from_utf8(out).unwrap()
}

/// All events, nested, as `tests/sql` has them.
fn json_events() -> String {
    use nexmark::event::Event;
    let line = |e: Event| match e {
        Event::Person(p) => format!(
            r#"{{"event_type":0,"person":{{"id":{},"name":"{}","emailAddress":"{}","creditCard":"{}","city":"{}","state":"{}","dateTime":"{}","extra":"{}"}},"auction":null,"bid":null}}"#,
            p.id,
            p.name,
            p.email_address,
            p.credit_card,
            p.city,
            p.state,
            time(p.date_time),
            p.extra
        ),
        Event::Auction(a) => format!(
            r#"{{"event_type":1,"person":null,"auction":{{"id":{},"itemName":"{}","description":"{}","initialBid":{},"reserve":{},"dateTime":"{}","expires":"{}","seller":{},"category":{},"extra":"{}"}},"bid":null}}"#,
            a.id,
            a.item_name,
            a.description,
            a.initial_bid,
            a.reserve,
            time(a.date_time),
            time(a.expires),
            a.seller,
            a.category,
            a.extra
        ),
        Event::Bid(b) => format!(
            r#"{{"event_type":2,"person":null,"auction":null,"bid":{{"auction":{},"bidder":{},"price":{},"channel":"{}","url":"{}","dateTime":"{}","extra":"{}"}}}}"#,
            b.auction,
            b.bidder,
            b.price,
            b.channel,
            b.url,
            time(b.date_time),
            b.extra
        ),
    };
    generator().take(EVENTS).map(|e| line(e) + "\n").collect()
}

fn bids() -> Vec<nexmark::event::Bid> {
    let bid = |e| if let nexmark::event::Event::Bid(b) = e { Some(b) } else { None };
    generator().take(EVENTS).filter_map(bid).collect()
}

fn csv_bids() -> String {
    let line = |b: &nexmark::event::Bid| {
        format!(
            "{},{},{},{},{},{},{}\n",
            b.auction,
            b.bidder,
            b.price,
            b.channel,
            b.url,
            time(b.date_time),
            b.extra
        )
    };
    bids().iter().map(line).collect()
}

fn json_bids() -> String {
    let line = |b: &nexmark::event::Bid| {
        format!(
            "{{\"auction\":{},\"bidder\":{},\"price\":{},\"channel\":\"{}\",\"url\":\"{}\",\"dateTime\":\"{}\",\"extra\":\"{}\"}}\n",
            b.auction,
            b.bidder,
            b.price,
            b.channel,
            b.url,
            time(b.date_time),
            b.extra
        )
    };
    bids().iter().map(line).collect()
}

/// Short rows with few strings: `id,sym,side,px,qty,ts`.
fn csv_trades() -> String {
    let line = |(i, b): (usize, nexmark::event::Bid)| {
        let side = if i % 2 == 0 { "B" } else { "S" };
        let (px, ms) = (b.price, time(b.date_time));
        format!("{i},AAA,{side},{}.{:02},{},{ms}\n", px / 100, px % 100, b.bidder)
    };
    bids().into_iter().enumerate().map(line).collect()
}

fn columns(list: Vec<(&str, TypeKind)>) -> Schema {
    Schema::new(list.into_iter().map(|(n, k)| Field::new(n, k.nullable())).collect())
}

fn bid_columns() -> Vec<(&'static str, TypeKind)> {
    vec![
        ("auction", TypeKind::BigInt),
        ("bidder", TypeKind::BigInt),
        ("price", TypeKind::BigInt),
        ("channel", TypeKind::STRING),
        ("url", TypeKind::STRING),
        ("dateTime", TypeKind::Timestamp(3)),
        ("extra", TypeKind::STRING),
    ]
}

fn trade_columns() -> Vec<(&'static str, TypeKind)> {
    vec![
        ("id", TypeKind::Int),
        ("sym", TypeKind::STRING),
        ("side", TypeKind::STRING),
        ("px", TypeKind::Decimal(10, 2)),
        ("qty", TypeKind::Int),
        ("ts", TypeKind::Timestamp(3)),
    ]
}

fn format(name: &str) -> Format {
    Format::from_options(name, |_| None).unwrap()
}

/// Decodes all of the text, batch by batch, and gives the rows.
fn decode(format: &Format, schema: &Schema, read: &[usize], text: &[u8], kept: &mut Vec<ColumnRef>) -> usize {
    let mut decoder = format.decoder(schema, read);
    let types: Vec<&DataType> = read.iter().map(|&c| schema.ty(c)).collect();
    let mut rows = Rows::default();
    let (mut at, mut total, mut line) = (0, 0, 1);
    while at < text.len() {
        let mut list = std::mem::take(kept);
        if list.is_empty() {
            list.extend(types.iter().map(|t| ColumnRef::new(Column::new(t))));
        }
        list.iter_mut().for_each(|c| ColumnRef::get_mut(c).unwrap().clear());
        rows.start(list);
        at += decoder.decode(&text[at..], true, MAX_ROWS, &mut line, &mut rows).unwrap();
        total += rows.rows;
        *kept = std::mem::take(&mut rows.columns);
        black_box(&kept);
    }
    total
}

fn decoding(c: &mut Criterion<CpuTime>) {
    let events = pelton::sources::nexmark::schema();
    let cases = [
        ("json/events/all", "json", json_events(), events.clone(), vec![0, 1, 2, 3]),
        ("json/events/bid", "json", json_events(), events, vec![0, 3]),
        ("json/bids/all", "json", json_bids(), columns(bid_columns()), (0..7).collect()),
        ("json/bids/three", "json", json_bids(), columns(bid_columns()), vec![0, 2, 5]),
        ("csv/bids/all", "csv", csv_bids(), columns(bid_columns()), (0..7).collect()),
        ("csv/bids/three", "csv", csv_bids(), columns(bid_columns()), vec![0, 2, 5]),
        ("csv/trades/all", "csv", csv_trades(), columns(trade_columns()), (0..6).collect()),
    ];
    let mut group = c.benchmark_group("decode");
    group.sample_size(20);
    for (name, kind, text, schema, read) in cases {
        let format = format(kind);
        let mut kept = vec![];
        let expected = text.lines().count();
        assert_eq!(decode(&format, &schema, &read, text.as_bytes(), &mut kept), expected);
        group.throughput(Throughput::Bytes(text.len() as u64));
        group
            .bench_function(name, |b| b.iter(|| decode(&format, &schema, &read, text.as_bytes(), &mut kept)));
    }
    group.finish();
}

/// The bids as an Avro file without compression.
fn avro_bids() -> Vec<u8> {
    let schema = apache_avro::Schema::parse_str(
        r#"{"type": "record", "name": "bid", "fields": [
            {"name": "auction", "type": "long"}, {"name": "bidder", "type": "long"}, {"name": "price", "type": "long"},
            {"name": "channel", "type": "string"}, {"name": "url", "type": "string"},
            {"name": "dateTime", "type": {"type": "long", "logicalType": "timestamp-millis"}},
            {"name": "extra", "type": "string"}]}"#,
    )
    .unwrap();
    let mut writer = apache_avro::Writer::new(&schema, vec![]);
    for b in bids() {
        let mut record = apache_avro::types::Record::new(&schema).unwrap();
        record.put("auction", b.auction as i64);
        record.put("bidder", b.bidder as i64);
        record.put("price", b.price as i64);
        record.put("channel", b.channel);
        record.put("url", b.url);
        record.put("dateTime", apache_avro::types::Value::TimestampMillis(b.date_time as i64));
        record.put("extra", b.extra);
        writer.append(record).unwrap();
    }
    writer.into_inner().unwrap()
}

/// Our decoder into columns beside the `apache-avro` crate, of which only the values are made.
fn avro(c: &mut Criterion<CpuTime>) {
    let (file, rows, schema) = (avro_bids(), bids().len(), columns(bid_columns()));
    let format = format("avro");
    let mut group = c.benchmark_group("decode/avro");
    group.sample_size(20).throughput(Throughput::Bytes(file.len() as u64));
    for (name, read) in [("all", (0..7).collect::<Vec<_>>()), ("three", vec![0, 2, 5])] {
        let mut kept = vec![];
        assert_eq!(decode(&format, &schema, &read, &file, &mut kept), rows);
        group.bench_function(name, |b| b.iter(|| decode(&format, &schema, &read, &file, &mut kept)));
    }
    group.bench_function("crate", |b| {
        b.iter(|| {
            let values = apache_avro::Reader::new(&file[..]).unwrap();
            assert_eq!(values.filter(|v| black_box(v).is_ok()).count(), rows);
        });
    });
    group.finish();
}

fn encoding(c: &mut Criterion<CpuTime>) {
    let schema = columns(bid_columns());
    let all: Vec<usize> = (0..7).collect();
    let text = json_bids();
    let mut rows = Rows::default();
    rows.start(schema.fields.iter().map(|f| ColumnRef::new(Column::new(&f.ty))).collect());
    let mut decoder = format("json").decoder(&schema, &all);
    decoder.decode(text.as_bytes(), true, MAX_ROWS, &mut 1, &mut rows).unwrap();
    let batch = Batch::new(rows.columns, rows.rows);
    let mut group = c.benchmark_group("encode");
    for kind in ["csv", "json"] {
        let mut encoder = format(kind).encoder(&schema, &all);
        let mut out = vec![];
        (0..batch.rows()).for_each(|r| encoder.encode(&batch, r, &mut out).unwrap());
        group.throughput(Throughput::Bytes(out.len() as u64));
        group.bench_function(format!("{kind}/bids"), |b| {
            b.iter_batched_ref(
                || Vec::with_capacity(out.len()),
                |to| (0..batch.rows()).for_each(|r| encoder.encode(&batch, r, to).unwrap()),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(CpuTime);
    targets = decoding, avro, encoding
}
criterion_main!(benches);
