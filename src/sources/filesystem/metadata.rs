//! Columns whose value is the same for all rows of a file: metadata and partition columns.

use super::FilesystemSource;
use super::files::File;
use crate::batch::{Column, ColumnRef, DataType, Schema};
use crate::error::{Error, Result};
use crate::formats::Rows;
use crate::formats::csv::CsvOptions;
use crate::formats::{Decoder, csv::CsvDecoder};

/// A column of one row with a file's value for a metadata key.
pub(super) fn metadata(file: &File, key: &str, ty: &DataType) -> ColumnRef {
    let mut c = Column::new(ty);
    match key {
        "file.path" => c.byte_column_mut().push(file.path.to_string_lossy().as_bytes()),
        "file.name" => c.byte_column_mut().push(file.name().as_bytes()),
        "file.size" => c.buffer_mut::<i64>().push(file.size as i64),
        "file.modification-time" => c.buffer_mut::<i64>().push(file.modified_ms * 1000),
        _ => unreachable!("the planner asks for keys that the source announced"),
    }
    c.validity.push(true);
    ColumnRef::new(c)
}

/// A column of one row with the value that a file's folders give a partition column.
pub(super) fn partition(
    source: &FilesystemSource,
    file: &File,
    name: &str,
    ty: &DataType,
) -> Result<ColumnRef> {
    let Some((_, text)) = file.partition.iter().find(|(k, _)| k == name) else {
        return Err(Error::input(format!(
            "{}: no folder above the file is named '{name}=…', and the table is partitioned by '{name}'",
            file.shown()
        )));
    };
    let mut column = Column::new(ty);
    if *text == source.default_partition {
        column.push_null();
        return Ok(ColumnRef::new(column));
    }
    // Values are read as those of a csv file are; no byte of it is special.
    let options = CsvOptions { delimiter: 0, quote: None, ..CsvOptions::default() };
    let schema = Schema::new(vec![crate::batch::Field::new(name, ty.clone())]);
    let mut rows = Rows::default();
    rows.start(vec![ColumnRef::new(column)]);
    let decoded =
        CsvDecoder::new(&options, &schema, &[0]).decode(text.as_bytes(), true, 2, &mut 1, &mut rows);
    match decoded {
        Ok(_) if rows.rows == 1 => Ok(rows.columns.remove(0)),
        Ok(_) => {
            Err(Error::input(format!("{}: '{text}' is not a value of partition '{name}'", file.shown())))
        }
        Err(e) => Err(Error::input(format!("{}: partition '{name}': {}", file.shown(), e.message))),
    }
}
