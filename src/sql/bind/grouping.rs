//! GROUPING SETS, ROLLUP, CUBE, and the functions that tell their rows apart: GROUPING and GROUPING_ID.
//!
//! The elements of GROUP BY multiply: each set of the result joins one set of every element. When there is more than one, rows are
//! repeated, once a set ([`RelKind::Expand`]), and grouped by all keys and the number of the set. A GROUPING call stands in
//! expressions as a column with a number that no relation reaches ([`FIRST`]) until the rows are grouped; its value is the same for
//! all rows of a set, so it becomes a key too.

use super::expr::ExprContext;
use super::{Binder, group_window, literal};
use crate::batch::{Field, Schema, TypeKind};
use crate::error::{Error, Result, Span};
use crate::expr::{Expr, ExprKind};
use crate::plan::logical::{Rel, RelKind, same_expr};
use crate::plan::{Expand, GroupingSet};
use crate::sql::ast::{self, ArgValue, ExprKind as Ast, FunctionCall, GroupingElementKind};

/// The columns of GROUPING calls, until it is known where they stand.
pub(super) const FIRST: usize = group_window::FIRST >> 1;

/// More sets are a mistake: CUBE of 12 keys has them.
const MAX_SETS: usize = 4096;

/// The grouping of the SELECT at hand.
#[derive(Default)]
pub(crate) struct Grouping {
    /// Keys by number, ascending; one set: a plain GROUP BY.
    sets: Vec<Vec<usize>>,
    /// The arguments of the GROUPING calls.
    calls: Vec<Vec<Expr>>,
}

impl Binder<'_> {
    /// The keys of GROUP BY over the scope's columns, without repetitions.
    pub(super) fn group_keys(
        &mut self,
        group_by: &ast::GroupBy,
        cx: &mut ExprContext<'_>,
    ) -> Result<Vec<Expr>> {
        let mut keys: Vec<Expr> = vec![];
        let mut sets: Vec<Vec<usize>> = vec![vec![]];
        for element in &group_by.elements {
            let own = self.grouping_sets(element, &mut keys, cx)?;
            if sets.len() * own.len() > MAX_SETS {
                return Err(Error::planning(
                    format!("GROUP BY has more than {MAX_SETS} grouping sets"),
                    element.span,
                ));
            }
            sets = sets.iter().flat_map(|s| own.iter().map(|o| [&s[..], o].concat())).collect();
        }
        for set in &mut sets {
            set.sort_unstable();
            set.dedup();
        }
        // Larger sets first, then by their first different key: the order in which a row is repeated.
        sets.sort_by(|a, b| {
            let differ = a.iter().zip(b).find(|(a, b)| a != b);
            differ.map_or(b.len().cmp(&a.len()), |(a, b)| a.cmp(b))
        });
        // A set that is written twice stays: its rows come twice, as in Flink.
        self.grouping.sets = sets;
        Ok(keys)
    }

    /// The sets of one element.
    fn grouping_sets(
        &mut self,
        element: &ast::GroupingElement,
        keys: &mut Vec<Expr>,
        cx: &mut ExprContext<'_>,
    ) -> Result<Vec<Vec<usize>>> {
        let mut parts = |binder: &mut Self, list: &[ast::Expr]| {
            list.iter().map(|e| binder.grouping_expr(e, keys, cx)).collect::<Result<Vec<_>>>()
        };
        Ok(match &element.kind {
            GroupingElementKind::Empty => vec![vec![]],
            GroupingElementKind::Expr(e) => vec![self.grouping_expr(e, keys, cx)?],
            GroupingElementKind::Rollup(list) => {
                let parts = parts(self, list)?;
                (0..=parts.len()).rev().map(|n| parts[..n].concat()).collect()
            }
            GroupingElementKind::Cube(list) => {
                let parts = parts(self, list)?;
                if parts.len() > MAX_SETS.ilog2() as usize {
                    return Err(Error::planning(
                        format!("CUBE of {} keys has more than {MAX_SETS} grouping sets", parts.len()),
                        element.span,
                    ));
                }
                let set = |mask: usize| {
                    let has = |n: &usize| mask >> n & 1 == 1;
                    (0..parts.len()).filter(has).flat_map(|n| parts[n].clone()).collect()
                };
                (0..1 << parts.len()).map(set).collect()
            }
            GroupingElementKind::GroupingSets(elements) => {
                let mut all = vec![];
                for e in elements {
                    all.extend(self.grouping_sets(e, keys, cx)?);
                }
                all
            }
        })
    }

    /// The numbers of the keys that an expression of GROUP BY is; `(a, b)` is several.
    fn grouping_expr(
        &mut self,
        e: &ast::Expr,
        keys: &mut Vec<Expr>,
        cx: &mut ExprContext<'_>,
    ) -> Result<Vec<usize>> {
        let parts = match &e.kind {
            Ast::Row { explicit: false, values } => values.iter().collect(),
            _ => vec![e],
        };
        let mut numbers = vec![];
        for part in parts {
            let bound = match group_window::form_of(part) {
                Some((form, call)) => self.group_window(form, call, cx)?.into(),
                None => vec![self.expr(part, cx)?],
            };
            for key in bound {
                if key.ty.kind == TypeKind::Null {
                    return Err(Error::validation("NULL has no type and cannot be a key", key.span));
                }
                numbers.push(keys.iter().position(|k| same_expr(k, &key)).unwrap_or_else(|| {
                    keys.push(key);
                    keys.len() - 1
                }));
            }
        }
        Ok(numbers)
    }

    /// `GROUPING(a)`, `GROUPING_ID(a, b)`.
    pub(super) fn grouping_call(
        &mut self,
        name: &str,
        call: &FunctionCall,
        at: Span,
        cx: &mut ExprContext<'_>,
    ) -> Result<Expr> {
        let Some(found) = cx.aggregates.take() else {
            return Err(Error::validation(format!("{name} is not allowed in the {}", cx.clause), at));
        };
        let mut args = vec![];
        let mut bind = || {
            for a in &call.args {
                match &a.value {
                    ArgValue::Expr(e) => args.push(self.expr(e, cx)?),
                    _ => return Err(Error::validation(format!("{name} takes keys of GROUP BY"), a.span)),
                }
            }
            Ok(())
        };
        let bound = bind();
        cx.aggregates = Some(found);
        bound?;
        if args.is_empty() {
            return Err(Error::validation(format!("{name} takes the keys to tell apart"), at));
        }
        self.grouping.calls.push(args);
        Ok(Expr::column(FIRST + self.grouping.calls.len() - 1, TypeKind::BigInt.not_null(), at))
    }

    /// Rows are grouped by several sets.
    pub(super) fn has_sets(&self) -> bool {
        self.grouping.sets.len() > 1
    }

    /// As Flink has no plan for grouping sets over a window of GROUP BY.
    pub(super) fn refuse_sets(&self, span: Span) -> Result<()> {
        if !self.has_sets() {
            return Ok(());
        }
        Err(Error::planning("grouping sets over a window of GROUP BY", span)
            .hint("write FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), …)) GROUP BY window_start, window_end, ROLLUP (…)"))
    }

    /// What a GROUPING call gives for each set: a bit an argument, set where the key is left out.
    fn grouping_values(&self, args: &[Expr], keys: &[Expr], sets: &[Vec<usize>]) -> Result<Vec<i64>> {
        let mut numbers = vec![];
        for a in args {
            numbers.push(keys.iter().position(|k| same_expr(k, a)).ok_or_else(|| {
                Error::validation(format!("'{}' is not a key of GROUP BY", self.text(a.span)), a.span)
            })?);
        }
        let value = |set: &Vec<usize>| numbers.iter().fold(0, |v, n| v << 1 | i64::from(!set.contains(n)));
        Ok(sets.iter().map(value).collect())
    }

    /// Repeats the rows of `rel`, whose first columns are `keys`, once for each grouping set, and gives the columns that were added;
    /// none for a plain GROUP BY. GROUPING calls in `exprs` are known values then.
    pub(super) fn expand(
        &mut self,
        rel: Rel,
        keys: &[Expr],
        exprs: &mut [&mut Expr],
        span: Span,
    ) -> Result<(Rel, Vec<usize>)> {
        let Grouping { mut sets, calls } = std::mem::take(&mut self.grouping);
        if sets.is_empty() {
            sets.push((0..keys.len()).collect());
        }
        // Keys that every set has are no matter of the sets: those of a window among them.
        let in_all = |k: &usize| sets.iter().all(|s| s.contains(k)) || !sets.iter().any(|s| s.contains(k));
        let left_out: Vec<usize> = (0..keys.len()).filter(|k| !in_all(k)).collect();
        let values =
            calls.iter().map(|args| self.grouping_values(args, keys, &sets)).collect::<Result<Vec<_>>>()?;
        if sets.len() == 1 {
            for e in exprs {
                replace_calls(e, &|n, at| {
                    let value = literal::bigint(values[n][0], at);
                    value.kind
                });
            }
            return Ok((rel, vec![]));
        }
        // Equal sets stand together; the number of the copy keeps their groups apart.
        let copy_of = |i: usize| sets[..i].iter().rev().take_while(|s| **s == sets[i]).count() as i64;
        let sets = sets.iter().enumerate().map(|(i, set)| GroupingSet {
            keys: left_out.iter().map(|k| set.contains(k)).collect(),
            numbers: [left_out.iter().fold(copy_of(i), |v, k| v << 1 | i64::from(!set.contains(k)))]
                .into_iter()
                .chain(values.iter().map(|v| v[i]))
                .collect(),
        });
        let mut fields = rel.schema.fields.clone();
        left_out.iter().for_each(|&k| fields[k].ty.nullable = true);
        let first = fields.len();
        fields.push(Field::new("$set", TypeKind::BigInt.not_null()));
        fields.extend(
            (0..calls.len()).map(|i| Field::new(format!("$grouping{i}"), TypeKind::BigInt.not_null())),
        );
        let added = (first..fields.len()).collect();
        let spec = Expand { sets: sets.collect(), keys: left_out };
        let kind = RelKind::Expand { input: Box::new(rel), spec };
        Ok((Rel { kind, schema: Schema::new(fields), span }, added))
    }
}

fn replace_calls(e: &mut Expr, with: &impl Fn(usize, Span) -> ExprKind) {
    match e.kind {
        ExprKind::Column(c) if (FIRST..group_window::FIRST).contains(&c) => e.kind = with(c - FIRST, e.span),
        _ => e.children_mut().into_iter().for_each(|c| replace_calls(c, with)),
    }
}
