//! Batches of columns: the form in which rows move.
//!
//! [`types`] has Flink's logical types, [`Column`] their buffers, [`Batch`] the rows with what belongs to them, [`Pool`] the
//! memory that is used again. Nothing here knows SQL, operators or I/O.

#[allow(clippy::module_inception)]
mod batch;
mod bitmap;
mod buffer;
pub mod codec;
mod column;
pub mod decimal;
pub mod key;
pub mod number_set;
pub mod order;
pub mod parcel;
mod pieces;
mod selection;
pub mod sort_bytes;
mod strings;
pub mod text;
pub mod types;
pub mod watermark;

pub use batch::{Batch, Home, MAX_ROWS, Old, Origin, Parts, Pool, Provenance, RowKind};
pub use bitmap::{Bitmap, Validity};
pub use buffer::Buffer;
pub use codec::{Decoder, Encoder};
pub use column::{Column, ColumnData, Native};
pub use parcel::Parcel;
pub use pieces::Pieces;
pub use selection::{Sel, run_of};
pub use strings::{BufferMap, ByteColumn, ByteWriter, INLINE, View};
pub use types::{DataType, Field, IntervalUnits, Physical, TimeAttribute, TypeKind};
pub use watermark::{BEFORE_TIME, END_OF_TIME, Watermarks};

/// A column shared by reference count. `triomphe`'s `Arc` has no weak references, so asking whether a column is unshared, which
/// every operator does, is a plain load where the standard library's takes a locked instruction (some 6 ns each).
pub type ColumnRef = triomphe::Arc<Column>;

/// The columns of a stream: their names and types, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    /// The columns.
    pub fields: Vec<Field>,
}

impl Schema {
    /// A schema of these fields.
    pub fn new(fields: Vec<Field>) -> Self {
        Self { fields }
    }

    /// Number of columns.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// No columns.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The type of column `i`.
    pub fn ty(&self, i: usize) -> &DataType {
        &self.fields[i].ty
    }
}
