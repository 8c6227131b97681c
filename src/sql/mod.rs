//! From SQL text to a plan, Flink's dialect.
//!
//! The front half: [`lexer`] cuts text into [`token`]s, the parser ([`parse_statements`]) makes an [`ast`] of them by
//! recursive descent, and every node prints itself back to canonical SQL.

pub mod ast;
pub mod bind;
pub mod keyword;
pub mod lexer;
pub mod optimise;
mod parser;
mod planner;
mod print;
mod show;
#[cfg(test)]
mod spread_tests;
pub mod token;

pub use parser::{Statements, parse_expr, parse_query, parse_statements, parse_type_name, statements};
pub use planner::{Outcome, Plan, Planner};

/// How many levels a syntax tree may have. The parser refuses deeper text by name, so that recursion over a tree (print,
/// bind, drop) needs a bounded stack.
pub const MAX_DEPTH: usize = 200;

/// How deep constructs may nest in a text: every parenthesis, call and operand that is parsed inside another counts, a
/// query in FROM counts three times. The parser needs some kilobytes of stack a level.
pub const MAX_NESTING: usize = 100;
