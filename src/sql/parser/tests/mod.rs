//! Parser tests by grammar area: text in, printed text out; bad text in, rendered error out.

mod depth;
