//! Expressions of MATCH_RECOGNIZE: what the names in a condition or measure mean, and the functions that stand there alone.
//!
//! Such an expression is bound as any other, but its columns are [cells](crate::plan::Cell): `A.price`, `LAST(price, 1)` and `SUM(A.price)`
//! each become a cell, the same ones one cell, and stand in the expression as a column of that number.
//!
//! A name without variable is of the rows of all variables. The offset of FIRST and LAST belongs to every name inside them. The argument of an
//! aggregate is an expression over the input itself, which a projection before the match computes.

use super::Binder;
use super::expr::ExprContext;
use super::names::did_you_mean;
use super::scope::{Scope, fields};
use crate::batch::{DataType, Schema, TimeAttribute};
use crate::error::{Error, Result, Span};
use crate::expr::{Expr, ExprKind};
use crate::plan::logical::{AggregateCall, same_expr};
use crate::plan::{Cell, CellKind, PatternExprs};
use crate::sql::ast::{self, ArgValue, ExprKind as Ast, FunctionCall, ObjectName};

/// The names in the condition or measure at hand.
pub(super) struct PatternScope {
    /// The variables, in order of the pattern.
    variables: Vec<String>,
    /// Parallel to them: it has a row in every match.
    sure: Vec<bool>,
    /// The input.
    input: Schema,
    /// Number of the time attribute by which the rows are ordered.
    time: usize,
    /// What the expressions so far stand on.
    cells: Vec<Cell<AggregateCall>>,
    /// Arguments of aggregates: columns behind the input's.
    computed: Vec<Expr>,
    inside: Inside,
    /// It is a condition.
    define: bool,
    /// Of that variable.
    current: Option<usize>,
}

/// The function around the name at hand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Nothing,
    /// FIRST or LAST with that offset, of the rows of the variable that a name in it has said.
    Navigation {
        first: bool,
        offset: u32,
        of: Option<Option<usize>>,
    },
    /// An aggregate, likewise.
    Aggregate {
        of: Option<Option<usize>>,
    },
}

impl PatternScope {
    /// `variables`: the names, and whether each has a row in every match.
    pub(super) fn new(variables: Vec<(String, bool)>, input: Schema, time: usize) -> Self {
        let (variables, sure) = variables.into_iter().unzip();
        Self {
            variables,
            sure,
            input,
            time,
            cells: vec![],
            computed: vec![],
            inside: Inside::Nothing,
            define: false,
            current: None,
        }
    }

    /// The arguments of aggregates.
    pub(super) fn into_computed(self) -> Vec<Expr> {
        self.computed
    }

    /// The value of a column of the last row, for columns of the partition.
    pub(super) fn last(&mut self, column: usize, ty: DataType, span: Span) -> Expr {
        self.value(None, column, false, 0, ty, span)
    }

    fn value(
        &mut self,
        of: Option<usize>,
        column: usize,
        first: bool,
        offset: u32,
        ty: DataType,
        span: Span,
    ) -> Expr {
        let same = |c: &Cell<AggregateCall>| matches!(c.kind, CellKind::Value { of: o, column: n, first: f, offset: k } if (o, n, f, k) == (of, column, first, offset));
        // A row that may not be there: what is NULL then is nullable, whatever the column is.
        let there = offset == 0
            && match of {
                None => true,
                Some(v) if self.define => self.current == Some(v) || (self.sure[v] && self.current > Some(v)),
                Some(v) => self.sure[v],
            };
        let ty = ty.clone().with_nullable(ty.nullable || !there);
        let known = self.cells.iter().position(same);
        let kind = CellKind::Value { of, column, first, offset };
        let number = known.unwrap_or_else(|| self.add(kind, ty.clone()));
        Expr::column(number, ty, span)
    }

    fn add(&mut self, kind: CellKind<AggregateCall>, ty: DataType) -> usize {
        self.cells.push(Cell { kind, ty });
        self.cells.len() - 1
    }

    /// The column in which the argument of an aggregate stands.
    fn column_of(&mut self, e: Expr) -> usize {
        if let ExprKind::Column(c) = e.kind {
            return c;
        }
        let known = self.computed.iter().position(|c| same_expr(c, &e) && c.is_deterministic());
        self.input.len()
            + known.unwrap_or_else(|| {
                self.computed.push(e);
                self.computed.len() - 1
            })
    }

    fn variable(&self, name: &str) -> Option<usize> {
        self.variables.iter().position(|v| v == name)
    }
}

impl Binder<'_> {
    /// Binds the condition of the variable `define`, or else the measures, by `bind`, over cells.
    pub(super) fn over_cells(
        &mut self,
        scope: &mut PatternScope,
        define: Option<&str>,
        bind: impl FnOnce(&mut Self, &mut ExprContext<'_>) -> Result<Vec<Expr>>,
    ) -> Result<PatternExprs<AggregateCall>> {
        let own = std::mem::replace(scope, PatternScope::new(vec![], Schema::default(), 0));
        let current = define.and_then(|name| own.variable(name));
        let inside = Inside::Nothing;
        let around = self.pattern.replace(PatternScope { define: define.is_some(), current, inside, ..own });
        let nothing = Scope::default();
        let clause = if define.is_some() { "DEFINE clause" } else { "MEASURES clause" };
        let subqueries = self.subqueries.take();
        let exprs = bind(self, &mut ExprContext::plain(&nothing, clause));
        self.subqueries = subqueries;
        *scope = std::mem::replace(&mut self.pattern, around).expect("put there above");
        let cells = std::mem::take(&mut scope.cells);
        Ok(PatternExprs { cells, exprs: exprs? })
    }

    fn pattern_scope(&mut self) -> &mut PatternScope {
        self.pattern.as_mut().expect("asked for inside MATCH_RECOGNIZE alone")
    }

    /// `A.price`, `price`, with fields of ROW values behind it.
    pub(super) fn pattern_name(&mut self, name: &ObjectName, at: Span) -> Result<Expr> {
        let scope = self.pattern_scope();
        let parts = &name.0;
        let position = |n: &str| scope.input.fields.iter().position(|f| f.name == n);
        let (of, column, rest) = match (scope.variable(&parts[0].name), parts.get(1)) {
            (Some(variable), Some(column)) => match position(&column.name) {
                Some(c) => (Some(variable), c, &parts[2..]),
                None => return Err(self.no_column(&column.name, column.span)),
            },
            _ => match position(&parts[0].name) {
                Some(c) => (None, c, &parts[1..]),
                None if parts.len() > 1 => {
                    let known = scope.variables.iter().map(String::as_str);
                    let e = Error::validation(format!("there is no pattern variable '{}'", parts[0]), at);
                    return Err(match did_you_mean(&parts[0].name, known) {
                        Some(hint) => e.hint(hint),
                        None => e.hint(format!("PATTERN names {}", scope.variables.join(", "))),
                    });
                }
                None => return Err(self.no_column(&parts[0].name, at)),
            },
        };
        let ty = scope.input.ty(column).clone();
        let said = match &mut scope.inside {
            Inside::Nothing => None,
            Inside::Navigation { of, .. } | Inside::Aggregate { of } => Some(of),
        };
        if let Some(said) = said
            && *said.get_or_insert(of) != of
        {
            return Err(Error::validation("an aggregate, FIRST or LAST is of the rows of one variable", at)
                .hint("take the part of each variable apart: SUM(A.x) + SUM(B.x)"));
        }
        let base = match scope.inside {
            Inside::Aggregate { .. } => Expr::column(column, ty, at),
            Inside::Navigation { first, offset, .. } => scope.value(of, column, first, offset, ty, at),
            Inside::Nothing => scope.value(of, column, false, 0, ty, at),
        };
        fields(base, rest, at)
    }

    fn no_column(&mut self, name: &str, at: Span) -> Error {
        let e = Error::validation(format!("column '{name}' not found in the rows to match"), at);
        let known = self.pattern_scope().input.fields.iter().map(|f| f.name.as_str());
        match did_you_mean(name, known) {
            Some(hint) => e.hint(hint),
            None => e,
        }
    }

    /// A call of a function that has a meaning in MATCH_RECOGNIZE alone; `None`: it is another.
    pub(super) fn pattern_function(
        &mut self,
        name: &str,
        call: &FunctionCall,
        at: Span,
        cx: &mut ExprContext<'_>,
    ) -> Option<Result<Expr>> {
        self.pattern.as_ref()?;
        Some(match name {
            "FIRST" | "LAST" => self.navigation(name == "FIRST", call, at, cx),
            "PREV" | "NEXT" => {
                let message = format!("{name} goes to rows whether they are of the match or not");
                let e = if self.pattern_scope().define {
                    Error::planning(message, at)
                } else {
                    Error::validation(message, at)
                };
                Err(e.hint(
                    "FIRST and LAST go to rows of the match: LAST(A.price, 1) is the row of A before the last",
                ))
            }
            "CLASSIFIER" => Err(Error::planning("CLASSIFIER has no plan, in Flink neither", at)
                .hint("tell of each variable in a measure of its own: LAST(A.x) AS a, LAST(B.x) AS b")),
            "MATCH_NUMBER" => Err(Error::validation("there is no MATCH_NUMBER, in Flink neither", at)
                .hint("number the matches around it: ROW_NUMBER() OVER (PARTITION BY … ORDER BY …)")),
            "MATCH_ROWTIME" => self.match_rowtime(call, at),
            "MATCH_PROCTIME" if call.args.is_empty() => self.call_bound("PROCTIME", vec![], at),
            "MATCH_PROCTIME" => Err(Error::validation("MATCH_PROCTIME takes no argument", at)),
            _ => return None,
        })
    }

    fn navigation(
        &mut self,
        first: bool,
        call: &FunctionCall,
        at: Span,
        cx: &mut ExprContext<'_>,
    ) -> Result<Expr> {
        let name = if first { "FIRST" } else { "LAST" };
        let usage = || {
            Error::validation(format!("{name} takes an expression, and an offset if need be"), at)
                .hint(format!("write {name}(A.x) or {name}(A.x, 1)"))
        };
        let args: Option<Vec<&ast::Expr>> = call
            .args
            .iter()
            .map(|a| match &a.value {
                ArgValue::Expr(e) => Some(e),
                _ => None,
            })
            .collect();
        let (value, offset) = match args.as_deref() {
            Some([value]) => (*value, 0),
            Some([value, offset]) => (*value, literal_offset(offset)?),
            _ => return Err(usage()),
        };
        let scope = self.pattern_scope();
        if scope.inside != Inside::Nothing {
            return Err(Error::validation(
                format!("{name} cannot stand in an aggregate, or in another FIRST or LAST"),
                at,
            ));
        }
        scope.inside = Inside::Navigation { first, offset, of: None };
        let bound = self.expr(value, cx);
        self.pattern_scope().inside = Inside::Nothing;
        Ok(Expr { span: at, ..bound? })
    }

    /// The time at which the match was found, as a time attribute.
    fn match_rowtime(&mut self, call: &FunctionCall, at: Span) -> Result<Expr> {
        let scope = self.pattern_scope();
        let time = &scope.input.fields[scope.time].name;
        let is_time = |a: &ast::FunctionArg| match &a.value {
            ArgValue::Expr(ast::Expr { kind: Ast::Name(name), .. }) => name.last().name == *time,
            _ => false,
        };
        if call.args.len() > 1 || !call.args.iter().all(is_time) {
            return Err(Error::validation("MATCH_ROWTIME takes at most the time attribute of the rows", at)
                .hint(format!("write MATCH_ROWTIME() or MATCH_ROWTIME({time})")));
        }
        let ty = scope.input.ty(scope.time).clone();
        if ty.time != TimeAttribute::Rowtime {
            return Err(Error::validation("MATCH_ROWTIME needs rows ordered by event time", at)
                .hint("MATCH_PROCTIME is there for processing time"));
        }
        let ty = ty.clone().with_nullable(ty.nullable && !call.args.is_empty());
        let number = scope.add(CellKind::Time, ty.clone());
        Ok(Expr::column(number, ty, at))
    }

    /// An aggregate over the rows of a variable, or of all.
    pub(super) fn pattern_aggregate(
        &mut self,
        name: &str,
        call: &FunctionCall,
        at: Span,
        cx: &mut ExprContext<'_>,
    ) -> Result<Expr> {
        let scope = self.pattern_scope();
        if scope.inside != Inside::Nothing {
            return Err(Error::validation("an aggregate cannot stand in another, or in FIRST or LAST", at));
        }
        if call.quantifier == Some(ast::SetQuantifier::Distinct) {
            return Err(Error::validation("DISTINCT is not for aggregates of MATCH_RECOGNIZE", at)
                .hint("match first, and count what is distinct in a query around it"));
        }
        if let Some(filter) = &call.filter {
            return Err(Error::planning("FILTER is not for aggregates of MATCH_RECOGNIZE", filter.span)
                .hint("put the condition inside: SUM(CASE WHEN … THEN … END)"));
        }
        if let [ast::FunctionArg { value: ArgValue::Expr(e), .. }] = &call.args[..]
            && let Ast::Star(Some(of)) = &e.kind
        {
            return Err(Error::validation(format!("'{of}.*' is no value"), e.span)
                .hint("count a column that is never NULL: COUNT(A.id)"));
        }
        scope.inside = Inside::Aggregate { of: None };
        let used = self.aggregate_use(name, call, at, false, cx);
        let inside = std::mem::replace(&mut self.pattern_scope().inside, Inside::Nothing);
        let used = used?;
        let of = match inside {
            Inside::Aggregate { of } => of.flatten(),
            _ => None,
        };
        let ty = used.ty().clone();
        let scope = self.pattern_scope();
        let call = used.over(|e| scope.column_of(e));
        let number = scope.add(CellKind::Aggregate { of, call }, ty.clone());
        Ok(Expr::column(number, ty, at))
    }

    /// RUNNING or FINAL before a call.
    pub(super) fn match_semantics(&self, is_final: bool, at: Span) -> Error {
        let word = if is_final { "FINAL" } else { "RUNNING" };
        match &self.pattern {
            None => Error::validation(format!("{word} belongs to MATCH_RECOGNIZE"), at),
            Some(scope) if is_final && scope.define => {
                Error::validation("FINAL has no place in DEFINE: the match has not ended there", at)
            }
            Some(_) => Error::planning(format!("{word} has no plan, in Flink neither"), at)
                .hint("leave it out: with ONE ROW PER MATCH measures are of the whole match"),
        }
    }
}

/// The offset of FIRST or LAST.
fn literal_offset(e: &ast::Expr) -> Result<u32> {
    if let Ast::Literal(l) = &e.kind
        && let ast::LiteralKind::Number(n) = &l.kind
        && let Ok(offset) = n.text.parse::<u32>()
    {
        return Ok(offset);
    }
    Err(Error::validation("the offset of FIRST and LAST is a number from 0", e.span)
        .hint("write LAST(A.x, 1)"))
}
