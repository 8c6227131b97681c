//! From SQL text to a plan, Flink's dialect.
//!
//! The front half: [`lexer`] cuts text into [`token`]s, the parser ([`parse_statements`]) makes an [`ast`] of them by
//! recursive descent.

pub mod ast;
pub mod keyword;
pub mod lexer;
mod parser;
mod print;
pub mod token;

pub use parser::{Statements, parse_expr, parse_query, parse_statements, parse_type_name, statements};

/// How deep a syntax tree may nest. The parser refuses deeper text by name, so that recursion over a tree (print,
/// bind, drop) needs a bounded stack.
pub const MAX_DEPTH: usize = 200;

pub mod bind;
pub mod optimise;
mod planner;

pub use planner::{Outcome, Plan, Planner};
