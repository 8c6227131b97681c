//! Functions that give rows: `FROM t, LATERAL TABLE(split(t.text, ' ')) AS w (word)`.
//!
//! A function is bound as a scalar one is: it sees its argument types, and says which it wants and which columns it gives. Its kernel is
//! handed columns of arguments and appends to columns of results.

use super::function::{Call, Determinism, FunctionDoc};
use super::kernel::{Arg, EvalContext, RowError};
use crate::batch::{Column, DataType, Field, Sel};
use crate::error::Result;
use std::sync::Arc;

/// A function that gives any number of rows for each row of its arguments.
///
/// ```
/// # fn main() -> pelton::Result<()> {
/// use pelton::batch::{Field, Sel, TypeKind};
/// use pelton::expr::{
///     Arg, BoundTableFunction, Call, Determinism, EvalContext, FunctionDoc, RowError, TableFunction, TableKernel,
///     TableRows,
/// };
/// use pelton::{Engine, Result, testing::Test};
/// use std::sync::Arc;
///
/// struct Words;
///
/// impl TableFunction for Words {
///     fn doc(&self) -> &FunctionDoc {
///         const DOC: FunctionDoc = FunctionDoc {
///             names: &["WORDS"],
///             family: "table",
///             signatures: &["words(text)"],
///             text: "The words of a text, one a row.",
///             examples: &[],
///         };
///         &DOC
///     }
///
///     fn bind(&self, call: &Call<'_>) -> Result<BoundTableFunction> {
///         let [text] = call.args else { return Err(call.wrong_count("1")) };
///         if !text.ty.kind.is_character() {
///             return Err(call.wrong_types(&["CHARACTER_STRING"]));
///         }
///         Ok(BoundTableFunction {
///             args: vec![text.ty.clone()],
///             columns: vec![Field::new("word", TypeKind::STRING.not_null())],
///             determinism: Determinism::Deterministic,
///             kernel: Arc::new(|| Box::new(Split)),
///         })
///     }
/// }
///
/// struct Split;
///
/// impl TableKernel for Split {
///     fn eval(
///         &mut self,
///         args: &[Arg<'_>],
///         sel: Sel<'_>,
///         out: &mut TableRows,
///         _cx: &mut EvalContext<'_>,
///     ) -> Result<(), RowError> {
///         for row in sel.iter().filter(|&row| args[0].is_valid(row)) {
///             for word in args[0].bytes(row).split(|b| *b == b' ') {
///                 out.columns[0].byte_column_mut().push(word);
///                 out.columns[0].validity.push(true);
///                 out.of.push(row as u32);
///             }
///         }
///         Ok(())
///     }
/// }
///
/// let engine = Engine::builder().table_function(Arc::new(Words)).build()?;
/// let sql = "SELECT n, word FROM (VALUES (1, 'a b'), (2, 'c')) AS t (n, line), LATERAL TABLE(words(line))";
/// assert_eq!(Test::new(&engine, sql)?.finish()?, ["+I[1, a]", "+I[1, b]", "+I[2, c]"]);
/// # Ok(())
/// # }
/// ```
pub trait TableFunction: Send + Sync {
    /// Names, signatures and text.
    fn doc(&self) -> &FunctionDoc;

    /// Checks the argument types and fixes the columns.
    ///
    /// # Errors
    /// Number or types of the arguments do not fit.
    fn bind(&self, call: &Call<'_>) -> Result<BoundTableFunction>;
}

/// A call of a [`TableFunction`] that is bound.
#[derive(Clone)]
pub struct BoundTableFunction {
    /// The types that the kernel wants, one an argument. The binder casts where they differ in kind.
    pub args: Vec<DataType>,
    /// The columns of the rows that it gives, with the names that they have without an alias.
    pub columns: Vec<Field>,
    /// See [`Determinism`]. Rows that change need a function that gives the same again.
    pub determinism: Determinism,
    /// Makes its kernels.
    pub kernel: TableKernelFactory,
}

/// Makes kernels: one for each shard and place in a plan.
pub type TableKernelFactory = Arc<dyn Fn() -> Box<dyn TableKernel> + Send + Sync>;

/// Computes a function that gives rows.
pub trait TableKernel: Send {
    /// Appends the rows for each row of `sel`, in that order. It is handed few rows at a time, so that its results need little memory.
    ///
    /// # Errors
    /// The first selected row whose rows cannot be computed. Those of the rows before it must be in `out`.
    fn eval(
        &mut self,
        args: &[Arg<'_>],
        sel: Sel<'_>,
        out: &mut TableRows,
        cx: &mut EvalContext<'_>,
    ) -> Result<(), RowError>;
}

/// Rows that a [`TableKernel`] gives.
#[derive(Debug, Default)]
pub struct TableRows {
    /// The function's columns, of equal length.
    pub columns: Vec<Column>,
    /// For each of the rows: which row of the arguments it is for.
    pub of: Vec<u32>,
}
