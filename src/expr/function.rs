//! Functions: one trait over columns for scalar functions and operators, one for aggregates, and the registry where built-in and
//! users' functions stand side by side.
//!
//! A function is found by name, then *bound*: it sees its argument types (and the values of constant arguments), decides which
//! types it wants, what it returns, and hands out a factory of kernels. The binder casts arguments to the wanted types. SQL
//! operators are functions too, under their symbol (`+`, `=`, `LIKE`, `IS NULL`); what evaluates lazily (AND, OR, CASE,
//! COALESCE) is a form of [`Expr`](super::Expr).

use super::kernel::{AccumulatorFactory, KernelFactory};
use crate::batch::{ColumnRef, DataType};
use crate::error::{Error, Result, Span};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What binding depends on besides the call.
#[derive(Clone, Debug)]
pub struct Session {
    /// `table.local-time-zone`.
    pub time_zone: jiff::tz::TimeZone,
    /// When the query was planned, µs since the epoch (the driver's clock).
    pub start_us: i64,
    /// The current database.
    pub database: String,
}

impl Default for Session {
    fn default() -> Self {
        Self { time_zone: jiff::tz::TimeZone::UTC, start_us: 0, database: "default_database".into() }
    }
}

/// An argument as the binder knows it.
#[derive(Clone, Debug)]
pub struct Argument {
    /// Its type.
    pub ty: DataType,
    /// Its value as a one-row column, when it is a literal or folds to one.
    pub literal: Option<ColumnRef>,
    /// Flink has it in its binary form, as ARRAY[…] and MAP[…] make it: arrays of that form are compared by bytes.
    pub packed: bool,
    /// Where it stands.
    pub span: Span,
}

/// A call to bind.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The name as written.
    pub name: &'a str,
    /// The arguments.
    pub args: &'a [Argument],
    /// Where the call stands.
    pub span: Span,
    /// The session.
    pub session: &'a Session,
}

impl Call<'_> {
    /// Flink's error for a call whose argument types do not fit; `forms` are the supported signatures.
    pub fn wrong_types(&self, forms: &[&str]) -> Error {
        let types: Vec<String> = self.args.iter().map(|a| format!("<{}>", a.ty.kind)).collect();
        Error::validation(
            format!("cannot apply '{0}' to arguments of type {0}({1})", self.name, types.join(", ")),
            self.span,
        )
        .hint(format!("supported: {}", forms.join(", ")))
    }

    /// Flink's error for a wrong number of arguments; `wanted` says how many.
    pub fn wrong_count(&self, wanted: &str) -> Error {
        Error::validation(
            format!(
                "invalid number of arguments to function '{}': {wanted} expected, {} given",
                self.name,
                self.args.len()
            ),
            self.span,
        )
    }
}

/// When a function gives the same value again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Determinism {
    /// Always, for the same arguments: it may be folded.
    Deterministic,
    /// Within a query (`CURRENT_TIMESTAMP` in batch mode).
    PerQuery,
    /// Never: `RAND`, `UUID`, `NOW` in streaming mode.
    PerRow,
}

/// A call that is bound.
#[derive(Clone)]
pub struct BoundFunction {
    /// The types that the kernel wants, one an argument. The binder casts where they differ in kind.
    pub args: Vec<DataType>,
    /// The type of the result.
    pub ty: DataType,
    /// See [`Determinism`].
    pub determinism: Determinism,
    /// Makes its kernels.
    pub kernel: KernelFactory,
}

/// What the reference says about a function. `docs/reference/functions.md` is generated from these.
#[derive(Clone, Debug, Default)]
pub struct FunctionDoc {
    /// The names in upper case, the first being the usual one.
    pub names: &'static [&'static str],
    /// The family: `comparison`, `arithmetic`, `string`, `temporal`, …
    pub family: &'static str,
    /// How it is called, with argument names.
    pub signatures: &'static [&'static str],
    /// What it does, in a sentence or two.
    pub text: &'static str,
    /// An expression and its result as text, which a test runs.
    pub examples: &'static [(&'static str, &'static str)],
}

/// A function of a row.
pub trait ScalarFunction: Send + Sync {
    /// Names, signatures and text.
    fn doc(&self) -> &FunctionDoc;

    /// Checks the argument types and fixes the result type.
    ///
    /// # Errors
    /// Number or types of the arguments do not fit.
    fn bind(&self, call: &Call<'_>) -> Result<BoundFunction>;
}

/// An aggregate call that is bound.
#[derive(Clone)]
pub struct BoundAggregate {
    /// The types that the accumulator wants.
    pub args: Vec<DataType>,
    /// The type of the result.
    pub ty: DataType,
    /// DISTINCT changes nothing (MIN, MAX).
    pub ignores_distinct: bool,
    /// Flink can merge two groups. Where not, it refuses windows that need it: HOP, CUMULATE, SESSION.
    pub merges: bool,
    /// Makes accumulators for insert-only input.
    pub accumulator: AccumulatorFactory,
    /// Makes accumulators that can take rows back.
    pub retracting: AccumulatorFactory,
    /// Makes accumulators whose rows leave in the order in which they joined: those of frames.
    pub sliding: AccumulatorFactory,
}

/// A function of a group of rows. DISTINCT and FILTER are the operators' affair.
pub trait AggregateFunction: Send + Sync {
    /// Names, signatures and text.
    fn doc(&self) -> &FunctionDoc;

    /// Checks the argument types and fixes the result type. A global aggregate (`grouped` false) over no rows may be NULL where a
    /// grouped one is not.
    ///
    /// # Errors
    /// Number or types of the arguments do not fit.
    fn bind(&self, call: &Call<'_>, grouped: bool) -> Result<BoundAggregate>;
}

/// All functions that SQL can name. Names are matched without case, as in Flink.
#[derive(Clone, Default)]
pub struct Registry {
    scalars: BTreeMap<String, Arc<dyn ScalarFunction>>,
    aggregates: BTreeMap<String, Arc<dyn AggregateFunction>>,
}

impl Registry {
    /// Adds a scalar function under all its names, replacing older ones.
    pub fn add_scalar(&mut self, function: Arc<dyn ScalarFunction>) {
        for name in function.doc().names {
            self.scalars.insert(name.to_uppercase(), function.clone());
        }
    }

    /// Adds an aggregate function under all its names, replacing older ones.
    pub fn add_aggregate(&mut self, function: Arc<dyn AggregateFunction>) {
        for name in function.doc().names {
            self.aggregates.insert(name.to_uppercase(), function.clone());
        }
    }

    /// The scalar function of that name.
    pub fn scalar(&self, name: &str) -> Option<&Arc<dyn ScalarFunction>> {
        self.scalars.get(name).or_else(|| self.scalars.get(&name.to_uppercase()))
    }

    /// The aggregate function of that name.
    pub fn aggregate(&self, name: &str) -> Option<&Arc<dyn AggregateFunction>> {
        self.aggregates.get(name).or_else(|| self.aggregates.get(&name.to_uppercase()))
    }

    /// All names of scalar functions, for suggestions and the reference.
    pub fn scalar_names(&self) -> impl Iterator<Item = &str> {
        self.scalars.keys().map(String::as_str)
    }

    /// All names of aggregate functions.
    pub fn aggregate_names(&self) -> impl Iterator<Item = &str> {
        self.aggregates.keys().map(String::as_str)
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Registry({} scalar, {} aggregate names)", self.scalars.len(), self.aggregates.len())
    }
}
