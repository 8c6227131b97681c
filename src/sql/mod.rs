//! From SQL text to a plan, Flink's dialect.
//!
//! The front half is here: [`ast`] holds the syntax tree.

pub mod ast;

/// How deep a syntax tree may nest. The parser refuses deeper text by name, so that recursion over a tree (print,
/// bind, drop) needs a bounded stack.
pub const MAX_DEPTH: usize = 200;
