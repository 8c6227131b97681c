//! Functions: one trait over columns for scalar functions and operators, one for aggregates, and the registry where built-in and
//! users' functions stand side by side.
//!
//! A function is found by name, then *bound*: it sees its argument types (and the values of constant arguments), decides which
//! types it wants, what it returns, and hands out a factory of kernels. The binder casts arguments to the wanted types. SQL
//! operators are functions too, under their symbol (`+`, `=`, `LIKE`, `IS NULL`); what evaluates lazily (AND, OR, CASE,
//! COALESCE) is a form of [`Expr`](super::Expr).

use super::kernel::{AccumulatorFactory, KernelFactory};
use super::table_function::TableFunction;
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
    /// Its elements are in that form, whatever it is in itself.
    pub packed_inside: bool,
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
///
/// ```
/// # fn main() -> pelton::Result<()> {
/// use pelton::batch::{Column, Sel, TypeKind};
/// use pelton::expr::{Arg, BoundFunction, Call, Determinism, FunctionDoc, Infallible, Kernel, ScalarFunction};
/// use pelton::{Engine, Error, Result, testing::Test};
/// use std::sync::Arc;
///
/// struct Half;
///
/// impl ScalarFunction for Half {
///     fn doc(&self) -> &FunctionDoc {
///         const DOC: FunctionDoc = FunctionDoc {
///             names: &["HALF"],
///             family: "arithmetic",
///             signatures: &["half(n)"],
///             text: "Half of a whole number, rounded down.",
///             examples: &[("half(5)", "2")],
///         };
///         &DOC
///     }
///
///     fn bind(&self, call: &Call<'_>) -> Result<BoundFunction> {
///         let [n] = call.args else { return Err(call.wrong_count("1")) };
///         if !n.ty.kind.is_numeric() {
///             return Err(call.wrong_types(&["NUMERIC"]));
///         }
///         let ty = TypeKind::BigInt.nullable().with_nullable(n.ty.nullable);
///         let kernel = Arc::new(|| -> Box<dyn Kernel> { Box::new(Infallible(half)) });
///         // The binder casts the argument to the type that is wanted.
///         Ok(BoundFunction { args: vec![ty.clone()], ty, determinism: Determinism::Deterministic, kernel })
///     }
/// }
///
/// fn half(args: &[Arg<'_>], sel: Sel<'_>, _rows: usize, out: &mut Column) {
///     sel.for_each(|row| {
///         if args[0].is_valid(row) {
///             let n = args[0].column.slice::<i64>()[args[0].at(row)];
///             out.buffer_mut::<i64>()[row] = n.div_euclid(2);
///         } else {
///             out.validity.set(row, false);
///         }
///     });
/// }
///
/// let engine = Engine::builder().scalar_function(Arc::new(Half)).build()?;
/// let mut test = Test::new(&engine, "SELECT half(n) FROM (VALUES (5), (-3)) AS t(n)")?;
/// assert_eq!(test.finish()?, ["+I[2]", "+I[-2]"]);
/// # Ok(())
/// # }
/// ```
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
///
/// ```
/// # fn main() -> pelton::Result<()> {
/// use pelton::batch::{Column, Decoder, Encoder, TypeKind};
/// use pelton::expr::{
///     Accumulator, AccumulatorFactory, AggregateFunction, BoundAggregate, Call, FunctionDoc, RowError, Updates,
/// };
/// use pelton::{Engine, Result, testing::Test};
/// use std::sync::Arc;
///
/// /// XOR of whole numbers: a row that leaves is taken out as it was put in.
/// struct Xor;
///
/// impl AggregateFunction for Xor {
///     fn doc(&self) -> &FunctionDoc {
///         const DOC: FunctionDoc = FunctionDoc {
///             names: &["XOR"],
///             family: "aggregate",
///             signatures: &["xor(n)"],
///             text: "The numbers' bits, each set where an odd number of them has it.",
///             examples: &[],
///         };
///         &DOC
///     }
///
///     fn bind(&self, call: &Call<'_>, _grouped: bool) -> Result<BoundAggregate> {
///         let [n] = call.args else { return Err(call.wrong_count("1")) };
///         if !n.ty.kind.is_numeric() {
///             return Err(call.wrong_types(&["NUMERIC"]));
///         }
///         let made: AccumulatorFactory = Arc::new(|| Box::new(Groups(vec![])));
///         Ok(BoundAggregate {
///             args: vec![TypeKind::BigInt.nullable()],
///             ty: TypeKind::BigInt.not_null(),
///             ignores_distinct: false,
///             merges: true,
///             accumulator: made.clone(),
///             retracting: made.clone(),
///             sliding: made,
///         })
///     }
/// }
///
/// struct Groups(Vec<i64>);
///
/// impl Accumulator for Groups {
///     fn grow(&mut self, slots: usize) {
///         self.0.resize(slots.max(self.0.len()), 0);
///     }
///     fn reset(&mut self, slot: u32) {
///         self.0[slot as usize] = 0;
///     }
///     fn update(&mut self, updates: &Updates<'_>) -> Result<(), RowError> {
///         let n = &updates.args[0];
///         for (&row, &slot) in updates.rows.iter().zip(updates.slots) {
///             if n.is_valid(row as usize) {
///                 self.0[slot as usize] ^= n.column.slice::<i64>()[n.at(row as usize)];
///             }
///         }
///         Ok(())
///     }
///     fn merge(&mut self, into: &[u32], other: &dyn Accumulator, from: &[u32]) {
///         let other = other.same::<Groups>();
///         into.iter().zip(from).for_each(|(&i, &f)| self.0[i as usize] ^= other.0[f as usize]);
///     }
///     fn emit(&self, slots: &[u32], out: &mut Column) {
///         for &slot in slots {
///             out.buffer_mut::<i64>().push(self.0[slot as usize]);
///             out.validity.push(true);
///         }
///     }
///     fn encode(&self, slots: &[u32], to: &mut Encoder) {
///         slots.iter().for_each(|&slot| to.i64(self.0[slot as usize]));
///     }
///     fn decode(&mut self, slots: usize, from: &mut Decoder<'_>) -> Result<()> {
///         self.0 = (0..slots).map(|_| from.i64()).collect::<Result<_>>()?;
///         Ok(())
///     }
///     fn bytes(&self) -> usize {
///         self.0.capacity() * 8
///     }
/// }
///
/// let engine = Engine::builder().aggregate_function(Arc::new(Xor)).build()?;
/// let mut test = Test::new(&engine, "SELECT xor(n) FROM (VALUES (5), (3)) AS t(n)")?;
/// assert_eq!(test.finish()?.last().map(String::as_str), Some("+U[6]"));
/// # Ok(())
/// # }
/// ```
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
    tables: BTreeMap<String, Arc<dyn TableFunction>>,
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

    /// Adds a table function under all its names, replacing older ones.
    pub fn add_table(&mut self, function: Arc<dyn TableFunction>) {
        for name in function.doc().names {
            self.tables.insert(name.to_uppercase(), function.clone());
        }
    }

    /// The table function of that name, if it is a program's own.
    pub fn table(&self, name: &str) -> Option<&Arc<dyn TableFunction>> {
        self.tables.get(name).or_else(|| self.tables.get(&name.to_uppercase()))
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
