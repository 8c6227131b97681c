//! `datagen`: rows of random or counted values, with Flink's options.
//!
//! Every value follows from the seed, the column and the row's number alone. So which columns are read, how rows are cut into batches and
//! where a restored source goes on never changes a value, and two runs give the same rows. Only dates and times depend on the
//! driver's clock, as in Flink. `seed` is Pelton's own option.

mod fields;
mod input;

pub use input::DatagenInput;

use crate::error::{Error, Result};
use crate::plan::Changelog;
use crate::plan::connector::{SourceInfo, SourceSpec, TableSpec};
use crate::plan::options::{Options, nearest};
use crate::shard::Input;
use fields::Generator;
use std::collections::BTreeSet;

/// The options, checked.
#[derive(Clone, Debug)]
pub struct DatagenSource {
    /// Rows a second, over all inputs. Flink's default: 10,000.
    pub rows_per_second: u64,
    /// Rows in all; `None`: no end.
    pub rows: Option<u64>,
    /// What the values follow from.
    pub seed: u64,
    /// One for each column of the table.
    generators: Vec<Generator>,
}

/// The options that are Pelton's own.
pub const EXTENSIONS: &[&str] = &["seed"];

const OPTIONS: &[&str] =
    &["connector", "number-of-rows", "property-version", "rows-per-second", "scan.parallelism", "seed"];

impl DatagenSource {
    /// Checks the options of a table.
    ///
    /// # Errors
    /// An option that is unknown or malformed, or a column's type that cannot be generated.
    pub fn of(table: &TableSpec) -> Result<Self> {
        let options = Options::of(&table.connector);
        options.check_source_names(OPTIONS, &["fields."])?;
        options.integer("scan.parallelism", 1..=i64::MAX)?;
        let mut used = BTreeSet::new();
        let mut generators = vec![];
        for f in &table.schema.fields {
            generators.push(Generator::of(options, &format!("fields.{}", f.name), &f.ty, &mut used)?);
        }
        for (key, value) in table.connector.options.iter().filter(|(k, _)| k.starts_with("fields.")) {
            if !used.contains(key) {
                let e = Error::validation(
                    format!("Unsupported option '{key}' for connector 'datagen'"),
                    value.pair,
                );
                return Err(match nearest(key, used.iter().map(String::as_str)) {
                    Some(name) => e.hint(format!("did you mean '{name}'?")),
                    None => e.hint("a field's options are fields.<column>.<kind, min, max, length, …> of a column of the table"),
                });
            }
        }
        // A sequence ends the source when it has ended.
        let counted = generators.iter().filter_map(Generator::rows).min();
        let rows = options.integer("number-of-rows", 0..=i64::MAX)?.map(|n| n as u64);
        Ok(Self {
            rows_per_second: options.integer("rows-per-second", 1..=i64::MAX)?.map_or(10_000, |n| n as u64),
            rows: match (rows, counted) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            },
            seed: options.integer("seed", i64::MIN..=i64::MAX)?.map_or(0, |n| n as u64),
            generators,
        })
    }

    /// What the planner may know.
    pub fn info(&self) -> SourceInfo {
        SourceInfo {
            bounded: self.rows.is_some(),
            changelog: Changelog::INSERT,
            metadata: vec![],
            nested: false,
        }
    }

    /// Opens `parallelism` inputs, which share the rows out.
    pub fn open(&self, spec: &SourceSpec, source: u32, parallelism: usize) -> Vec<Box<dyn Input>> {
        let parts = parallelism.max(1) as u64;
        (0..parts)
            .map(|p| Box::new(DatagenInput::new(self, spec, source, p, parts)) as Box<dyn Input>)
            .collect()
    }
}

#[cfg(test)]
mod tests;
