//! JSON as SQL's functions see it: documents read in place, paths compiled once, values written as Flink writes them.

mod document;
mod path;
mod walk;
mod write;

pub use document::{Document, Kind, Node, Syntax, unescape};
pub use path::{Filter, Function, Operand, Path, PathSpec, Relation, Step};
pub use walk::{Found, Item, Missing, Root, evaluate};
pub use write::{JsonWriter, write_big_decimal, write_string};
