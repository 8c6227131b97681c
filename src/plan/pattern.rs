//! A pattern of rows: what `MATCH_RECOGNIZE` looks for and what it tells of a match, as plain data.
//!
//! Conditions and measures are ordinary expressions over **cells**: values that stand for something of the match so far (the price of the
//! last row of `A`, the sum over the rows of `B`). The operator fills a row of cells and lets the ordinary kernels compute; there is no
//! second way to evaluate an expression.
//!
//! The logical and the physical form differ in how they say an aggregate alone, hence the parameter.

use super::SortKey;
use crate::batch::{DataType, Field, Schema};
use crate::expr::Expr;

/// What is looked for in the rows of each partition, and what a match gives: the partition's columns, then the measures.
#[derive(Clone, Debug)]
pub struct Match<A> {
    /// The columns that make the partition; none: all rows are one.
    pub partition: Vec<usize>,
    /// What decides the order of rows before all else.
    pub time: MatchTime,
    /// What decides among rows of equal time, before arrival does.
    pub then: Vec<SortKey>,
    /// The pattern: variables in sequence, each for rows that follow each other.
    pub variables: Vec<PatternVariable<A>>,
    /// Where the search goes on after a match.
    pub skip: Skip,
    /// A match spans less than this, ms.
    pub within_ms: Option<i64>,
    /// What a match tells, one output column an expression; the partition's columns among them.
    pub measures: PatternExprs<A>,
}

/// The time by which rows are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchTime {
    /// The event time in this column: rows wait for the watermark.
    Rowtime(usize),
    /// Arrival.
    Proctime,
}

/// A variable of a pattern with its quantifier.
#[derive(Clone, Debug)]
pub struct PatternVariable<A> {
    /// As written.
    pub name: String,
    /// At least so many rows.
    pub min: u32,
    /// At most so many; none: without limit.
    pub max: Option<u32>,
    /// As many as possible; else as few as possible.
    pub greedy: bool,
    /// When a row is one of it: one expression. None: always.
    pub condition: Option<PatternExprs<A>>,
}

/// Expressions whose columns are cells.
#[derive(Clone, Debug)]
pub struct PatternExprs<A> {
    /// What the columns stand for.
    pub cells: Vec<Cell<A>>,
    /// The expressions.
    pub exprs: Vec<Expr>,
}

/// A value of the match so far. `of`: the variable among whose rows; none: among all rows.
#[derive(Clone, Debug)]
pub struct Cell<A> {
    /// What it is.
    pub kind: CellKind<A>,
    /// Its type.
    pub ty: DataType,
}

/// See [`Cell`].
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub enum CellKind<A> {
    /// A column of the `offset`th row from the first or the last; NULL where there are not so many.
    Value { of: Option<usize>, column: usize, first: bool, offset: u32 },
    /// An aggregate of the rows.
    Aggregate { of: Option<usize>, call: A },
    /// The time at which the match was found: of the row that decided it.
    Time,
}

/// Where the search goes on after a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// Behind its last row.
    PastLast,
    /// Behind its first row.
    ToNext,
    /// At the first row of the variable.
    ToFirst(usize),
    /// At the last row of the variable.
    ToLast(usize),
}

impl<A> Match<A> {
    /// The same with other columns of the input and other aggregates.
    pub fn map<B>(self, column: &impl Fn(usize) -> usize, call: &impl Fn(A) -> B) -> Match<B> {
        Match {
            partition: self.partition.into_iter().map(column).collect(),
            time: match self.time {
                MatchTime::Rowtime(c) => MatchTime::Rowtime(column(c)),
                MatchTime::Proctime => MatchTime::Proctime,
            },
            then: self.then.into_iter().map(|k| SortKey { column: column(k.column), ..k }).collect(),
            variables: self.variables.into_iter().map(|v| v.map(column, call)).collect(),
            skip: self.skip,
            within_ms: self.within_ms,
            measures: self.measures.map(column, call),
        }
    }

    /// The cells of all conditions and of the measures.
    pub fn cells(&self) -> impl Iterator<Item = &Cell<A>> {
        let conditions = self.variables.iter().filter_map(|v| v.condition.as_ref());
        conditions.chain([&self.measures]).flat_map(|e| &e.cells)
    }

    /// The expressions of each condition, then the measures.
    pub fn expr_lists(&self) -> impl Iterator<Item = &[Expr]> {
        let conditions = self.variables.iter().filter_map(|v| v.condition.as_ref());
        conditions.chain([&self.measures]).map(|e| &e.exprs[..])
    }

    /// All expressions, to change.
    pub fn exprs_mut(&mut self) -> impl Iterator<Item = &mut Expr> {
        let conditions = self.variables.iter_mut().filter_map(|v| v.condition.as_mut());
        conditions.chain([&mut self.measures]).flat_map(|e| &mut e.exprs)
    }
}

impl<A> PatternVariable<A> {
    fn map<B>(self, column: &impl Fn(usize) -> usize, call: &impl Fn(A) -> B) -> PatternVariable<B> {
        let Self { name, min, max, greedy, condition } = self;
        PatternVariable { name, min, max, greedy, condition: condition.map(|c| c.map(column, call)) }
    }

    /// It may have no row.
    pub fn is_optional(&self) -> bool {
        self.min == 0
    }

    /// `+`, `{2,3}?`: as written behind the variable.
    pub fn quantifier(&self) -> String {
        let times = match (self.min, self.max) {
            (1, Some(1)) => return String::new(),
            (0, Some(1)) => return "?".into(),
            (0, None) => "*".to_owned(),
            (1, None) => "+".to_owned(),
            (n, None) => format!("{{{n},}}"),
            (n, Some(m)) if n == m => return format!("{{{n}}}"),
            (n, Some(m)) => format!("{{{n},{m}}}"),
        };
        if self.greedy { times } else { times + "?" }
    }
}

impl<A> PatternExprs<A> {
    fn map<B>(self, column: &impl Fn(usize) -> usize, call: &impl Fn(A) -> B) -> PatternExprs<B> {
        let cell = |c: Cell<A>| Cell {
            kind: match c.kind {
                CellKind::Value { of, column: c, first, offset } => {
                    CellKind::Value { of, column: column(c), first, offset }
                }
                CellKind::Aggregate { of, call: c } => CellKind::Aggregate { of, call: call(c) },
                CellKind::Time => CellKind::Time,
            },
            ty: c.ty,
        };
        PatternExprs { cells: self.cells.into_iter().map(cell).collect(), exprs: self.exprs }
    }
}

impl<A> Match<A> {
    /// For `explain`. `call`: an aggregate of the input's columns as text, `expr`: an expression over columns of that schema.
    pub(super) fn describe(
        &self,
        input: &Schema,
        output: &Schema,
        call: &impl Fn(&A) -> String,
        expr: &impl Fn(&Expr, &Schema) -> String,
    ) -> String {
        let name = |c: usize| input.fields.get(c).map_or_else(|| format!("${c}"), |f| f.name.clone());
        let texts = |e: &PatternExprs<A>| -> Vec<String> {
            let cells = Schema::new(
                e.cells.iter().map(|c| Field::new(self.cell_text(c, &name, call), c.ty.clone())).collect(),
            );
            e.exprs.iter().map(|e| expr(e, &cells)).collect()
        };
        let pattern: Vec<String> =
            self.variables.iter().map(|v| format!("{}{}", v.name, v.quantifier())).collect();
        let mut out =
            format!("by [{}] ", self.partition.iter().map(|&c| name(c)).collect::<Vec<_>>().join(", "));
        out.push_str(&match self.time {
            MatchTime::Rowtime(c) => name(c),
            MatchTime::Proctime => "arrival".into(),
        });
        for k in &self.then {
            out.push_str(&format!(", {}{}", name(k.column), if k.descending { " DESC" } else { "" }));
        }
        out.push_str(&format!(": ({})", pattern.join(" ")));
        if let Some(ms) = self.within_ms {
            out.push_str(&format!(" within {ms} ms"));
        }
        let of = |v: usize| &self.variables[v].name;
        out.push_str(&match self.skip {
            Skip::PastLast => ", then past the last row".to_owned(),
            Skip::ToNext => ", then from the next row".to_owned(),
            Skip::ToFirst(v) => format!(", then from the first {}", of(v)),
            Skip::ToLast(v) => format!(", then from the last {}", of(v)),
        });
        for v in &self.variables {
            if let Some(condition) = &v.condition {
                out.push_str(&format!("; {} is {}", v.name, texts(condition).join(", ")));
            }
        }
        let measures: Vec<String> = texts(&self.measures)
            .iter()
            .zip(&output.fields)
            .map(|(text, f)| format!("{text} AS {}", f.name))
            .collect();
        format!("{out}; gives {}", measures.join(", "))
    }

    fn cell_text(
        &self,
        cell: &Cell<A>,
        name: &impl Fn(usize) -> String,
        call: &impl Fn(&A) -> String,
    ) -> String {
        // One that is defined alone is not among the variables.
        let of = |v: Option<usize>| {
            let name = v.map(|v| self.variables.get(v).map_or("?", |v| &v.name));
            name.map_or(String::new(), |name| format!("{name}."))
        };
        match &cell.kind {
            CellKind::Value { of: v, column, first, offset } => {
                let what = format!("{}{}", of(*v), name(*column));
                match (first, offset) {
                    (false, 0) => what,
                    (true, 0) => format!("FIRST({what})"),
                    (false, n) => format!("LAST({what}, {n})"),
                    (true, n) => format!("FIRST({what}, {n})"),
                }
            }
            CellKind::Aggregate { call: c, .. } => call(c),
            CellKind::Time => "MATCH_ROWTIME()".into(),
        }
    }
}
