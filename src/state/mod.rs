//! Keyed state: what operators remember, held by columns over dense slots.
//!
//! [`KeyTable`] finds the slot of a key; whatever is kept for a key (accumulators, counts) stands in columns at that slot.
//! [`Slices`] hold the open windows, [`Sessions`] those that grow with their rows, [`Rows`] keep whole rows, [`RowQueues`] the rows
//! of sliding frames, [`KeyedRows`] those of a side of a join, and [`DistinctView`] counts the values of a group, for DISTINCT aggregates.
//! [`RowTree`] keeps the rows of a key that come out of order. [`blocks`] is memory for many small queues.

pub mod blocks;
mod distinct;
mod flat;
mod key_layout;
mod key_table;
mod keyed_rows;
mod narrow;
mod probed;
mod row_queues;
mod row_tree;
mod rows;
mod seeds;
mod sessions;
mod slices;
mod tagged;
mod texts;
mod wide;

pub use distinct::{DistinctView, Joined, Taken, VARIANTS};
pub use key_table::KeyTable;
pub use keyed_rows::{KeyedRows, NO_ROW};
pub use row_queues::RowQueues;
pub use row_tree::{Piece, RowTree};
pub use rows::{Rows, decode_row, encode_row};
pub use sessions::{Place, Session, Sessions};
pub use slices::{SliceKey, Slices};
