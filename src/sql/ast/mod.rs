//! The syntax tree: what the text says, before any name or type is looked up.
//!
//! The tree follows Flink 2.3's grammar (Calcite's, with Flink's additions), not Pelton's abilities: a construct
//! that Flink parses has a node here even when the binder refuses it, so that the refusal can name it and point at
//! it. Three rules hold for all nodes.
//!
//! * Every node has a `span`, and **equality ignores spans**: `a+1` and `a + 1` are equal. The property
//!   parse → print → parse rests on this, and so may a binder that looks for the same expression twice.
//! * There are no nodes for parentheses. The shape of the tree is the grouping; the printer writes the
//!   parentheses that the shape needs.
//! * Trees are shallow. Whatever users generate by the thousand (`AND`, `OR`, `UNION`, joins, lists) is a flat
//!   vector; all other nesting is at most [`MAX_DEPTH`](crate::sql::MAX_DEPTH) levels, so that recursion over a
//!   tree, its drop included, fits any thread's stack.
//!
//! Start at [`Statement`]; [`Query`] and [`Expr`] are the other two roots.

/// Defines a syntax node: the struct as written plus its `span`, which equality leaves out.
macro_rules! node {
    ($(#[$attr:meta])* pub struct $name:ident { $($(#[$field_attr:meta])* pub $field:ident: $ty:ty,)* }) => {
        $(#[$attr])*
        #[derive(Clone, Debug)]
        pub struct $name {
            $($(#[$field_attr])* pub $field: $ty,)*
            /// The text it was parsed from. Not part of equality.
            pub span: $crate::error::Span,
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                let _ = other;
                true $(&& self.$field == other.$field)*
            }
        }

        impl Eq for $name {}
    };
}

mod ddl;
mod expr;
mod function;
mod literal;
mod match_recognize;
mod name;
mod query;
mod statement;
mod table;
mod types;

pub use ddl::*;
pub use expr::*;
pub use function::*;
pub use literal::*;
pub use match_recognize::*;
pub use name::*;
pub use query::*;
pub use statement::*;
pub use table::*;
pub use types::*;
