//! What tells whether both sides give the same rows: a sum over them of the hash of their values' bytes, in which a row that is taken back
//! counts against. The order of rows does not matter, their number and every value does.

use pelton::batch::Batch;
use pelton::batch::key::encode_key;
use xxhash_rust::xxh3::xxh3_64;

/// Rows, changes counted each, and their sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) rows: u64,
    pub(crate) sum: u64,
}

/// A value of the hand-written side.
#[derive(Clone, Copy)]
pub(crate) enum Value<'a> {
    Int(i64),
    Decimal(i128),
    Text(&'a [u8]),
    Null,
}

impl Sum {
    /// Adds a row.
    fn add(&mut self, bytes: &[u8], adds: bool) {
        let hash = xxh3_64(bytes);
        self.rows += 1;
        self.sum = if adds { self.sum.wrapping_add(hash) } else { self.sum.wrapping_sub(hash) };
    }

    /// The rows of a batch of the engine's.
    pub(crate) fn batch(&mut self, batch: &Batch, bytes: &mut Vec<u8>) {
        for row in batch.sel().iter() {
            bytes.clear();
            let columns: Vec<&pelton::batch::Column> = batch.columns.iter().map(|c| &**c).collect();
            encode_key(&columns, row, bytes);
            self.add(bytes, batch.kind(row).is_add());
        }
    }

    /// A row of values, in the form of a key's bytes.
    pub(crate) fn row(&mut self, values: &[Value<'_>], adds: bool, bytes: &mut Vec<u8>) {
        bytes.clear();
        for value in values {
            bytes.push(u8::from(!matches!(value, Value::Null)));
            match value {
                Value::Int(v) => bytes.extend_from_slice(&v.to_le_bytes()),
                Value::Decimal(v) => bytes.extend_from_slice(&v.to_le_bytes()),
                Value::Text(v) => {
                    bytes.extend_from_slice(&(v.len() as u32).to_le_bytes());
                    bytes.extend_from_slice(v);
                }
                Value::Null => {}
            }
        }
        self.add(bytes, adds);
    }
}
