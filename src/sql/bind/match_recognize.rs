//! MATCH_RECOGNIZE: from the clause to a relation, and every rule by which Flink refuses a pattern.
//!
//! Flink's validator looks at names, its planner at the pattern: a pattern is variables in sequence, each once, with a quantifier; no groups,
//! alternatives, exclusions or anchors. What it cannot decide without rows to come it refuses: a greedy quantifier at the end, and
//! something optional behind a greedy one.

use super::Binder;
use super::literal;
use super::pattern::PatternScope;
use super::query::sort_key;
use super::scope::Scope;
use crate::batch::{Field, Schema, TimeAttribute, TypeKind};
use crate::error::{Error, Result, Span};
use crate::expr::{Expr, ExprKind};
use crate::plan::logical::{AggregateCall, Rel, RelKind};
use crate::plan::{Match, MatchTime, PatternExprs, PatternVariable, Skip, SortKey};
use crate::sql::ast::{
    self, AfterMatch, ExprKind as Ast, Ident, MatchRecognize, Pattern, PatternKind, PatternQuantifier,
    RowsPerMatch,
};

/// A variable in the pattern.
struct Placed {
    name: Ident,
    quantifier: PatternQuantifier,
    span: Span,
}

impl Binder<'_> {
    /// The matches in the rows of `input`.
    pub(super) fn match_recognize(&mut self, input: Rel, m: &MatchRecognize) -> Result<Rel> {
        let variables = variables_of(m);
        check_definitions(m)?;
        if let Some(s) = m.subsets.first() {
            return Err(Error::unsupported("SUBSET", s.span)
                .hint("Flink takes it and gives NULL: name the variables one by one"));
        }
        let (time, then) = self.match_order(&input, m)?;
        let partition = m.partition_by.iter().map(|e| column(&input, e)).collect::<Result<Vec<_>>>()?;
        let mut scope = PatternScope::new(variables, input.schema.clone(), time);
        let mut conditions: Vec<(String, PatternExprs<AggregateCall>)> = vec![];
        for d in &m.definitions {
            let bound = self.over_cells(&mut scope, Some(&d.name.name), |binder, cx| {
                Ok(vec![binder.condition(&d.condition, cx)?])
            })?;
            conditions.push((d.name.name.clone(), bound));
        }
        let mut fields: Vec<Field> = partition.iter().map(|&c| input.schema.fields[c].clone()).collect();
        let of_partition: Vec<Field> = fields.clone();
        let measures = self.match_measures(&mut scope, m, &partition, &of_partition)?;
        for (measure, e) in m.measures.iter().zip(&measures.exprs[partition.len()..]) {
            if fields.iter().any(|f| f.name == measure.alias.name) {
                let message = format!("two columns of the match are called '{}'", measure.alias);
                // Flink's validator sees the partition's columns, its planner the measures.
                let e = if of_partition.iter().any(|f| f.name == measure.alias.name) {
                    Error::validation(message, measure.alias.span)
                } else {
                    Error::planning(message, measure.alias.span)
                };
                return Err(
                    e.hint("the columns of PARTITION BY are there already: name the measure otherwise")
                );
            }
            fields.push(Field::new(&measure.alias.name, e.ty.clone()));
        }
        if fields.is_empty() {
            return Err(Error::validation("the match has no columns", m.span)
                .hint("say what to tell of it: MEASURES LAST(A.x) AS x"));
        }
        let within_ms = m.within.as_ref().map(within_ms).transpose()?.filter(|ms| *ms > 0);
        let mut placed = vec![];
        place(&m.pattern, &mut placed, &|p| self.text(p.span))?;
        let variables = quantified(placed, conditions)?;
        refuse_endless(&variables, m)?;
        let skip = skip(m.after_match.as_ref(), &variables)?;
        let time = match input.schema.ty(time).time {
            TimeAttribute::Proctime => MatchTime::Proctime,
            _ => MatchTime::Rowtime(time),
        };
        let spec = Match { partition, time, then, variables, skip, within_ms, measures };
        let input = with_computed(input, scope.into_computed(), |e| self.text(e.span));
        let kind = RelKind::Match { input: Box::new(input), spec: Box::new(spec) };
        Ok(Rel { kind, schema: Schema::new(fields), span: m.span })
    }

    /// The partition's columns, then the measures.
    fn match_measures(
        &mut self,
        scope: &mut PatternScope,
        m: &MatchRecognize,
        partition: &[usize],
        fields: &[Field],
    ) -> Result<PatternExprs<AggregateCall>> {
        self.over_cells(scope, None, |binder, cx| {
            let own = binder.pattern.as_mut().expect("over cells");
            let mut exprs: Vec<Expr> =
                partition.iter().zip(fields).map(|(&c, f)| own.last(c, f.ty.clone(), m.span)).collect();
            for measure in &m.measures {
                exprs.push(binder.expr(&measure.expr, cx)?);
            }
            Ok(exprs)
        })
    }

    /// The time attribute that orders the rows, and what orders those of equal time.
    fn match_order(&mut self, input: &Rel, m: &MatchRecognize) -> Result<(usize, Vec<SortKey>)> {
        let keys = m
            .order_by
            .iter()
            .map(|item| Ok(sort_key(item, column(input, &item.expr)?)))
            .collect::<Result<Vec<SortKey>>>()?;
        let Some((first, then)) = keys.split_first() else {
            return Err(Error::planning("MATCH_RECOGNIZE over a stream needs an ORDER BY", m.span)
                .hint("order by the time attribute of the rows"));
        };
        let at = m.order_by[0].span;
        if input.schema.ty(first.column).time == TimeAttribute::None {
            return Err(Error::planning("the first column of ORDER BY must be a time attribute", at)
                .hint("a pattern is found as time goes on"));
        }
        if first.descending {
            return Err(Error::planning("the time attribute orders rows ascending", at)
                .hint("rows come in the order of time: take DESC away"));
        }
        Ok((first.column, then.to_vec()))
    }
}

/// The input with the arguments of aggregates behind its columns.
fn with_computed(input: Rel, computed: Vec<Expr>, text: impl Fn(&Expr) -> String) -> Rel {
    if computed.is_empty() {
        return input;
    }
    let span = input.span;
    let fields = &input.schema.fields;
    let names = fields.iter().map(|f| f.name.clone()).chain(computed.iter().map(text)).collect();
    let own = fields.iter().enumerate().map(|(n, f)| Expr::column(n, f.ty.clone(), span));
    let exprs = own.chain(computed).collect();
    input.project(exprs, names, span)
}

/// A column of the input: what PARTITION BY and ORDER BY take.
fn column(input: &Rel, e: &ast::Expr) -> Result<usize> {
    let Ast::Name(name) = &e.kind else {
        return Err(Error::validation("PARTITION BY and ORDER BY of MATCH_RECOGNIZE take columns", e.span)
            .hint("compute the value in a subquery before it"));
    };
    match Scope::of(&input.schema, vec![]).resolve(name)?.kind {
        ExprKind::Column(c) => Ok(c),
        _ => Err(Error::validation("PARTITION BY and ORDER BY of MATCH_RECOGNIZE take columns", e.span)
            .hint("take the field apart in a subquery before it")),
    }
}

/// The variables, each once, in order of the pattern, and whether each has a row in every match; then those that are defined and not in the pattern:
/// they have none, in Flink too.
fn variables_of(m: &MatchRecognize) -> Vec<(String, bool)> {
    fn add(p: &Pattern, sure: bool, to: &mut Vec<(String, bool)>) {
        match &p.kind {
            PatternKind::Variable(v) if !to.iter().any(|t| t.0 == v.name) => to.push((v.name.clone(), sure)),
            PatternKind::Variable(_) => {}
            PatternKind::Concat(parts) | PatternKind::Permute(parts) => {
                parts.iter().for_each(|p| add(p, sure, to));
            }
            PatternKind::Alternation(parts) => parts.iter().for_each(|p| add(p, false, to)),
            PatternKind::Repeat { pattern, quantifier } => {
                add(pattern, sure && quantifier.min.unwrap_or(0) > 0, to);
            }
            PatternKind::Exclude(pattern) => add(pattern, sure, to),
        }
    }
    let mut variables = vec![];
    add(&m.pattern, true, &mut variables);
    for d in &m.definitions {
        if !variables.iter().any(|v| v.0 == d.name.name) {
            variables.push((d.name.name.clone(), false));
        }
    }
    variables
}

/// A variable is defined once. One that the pattern has not may be, as in Flink.
fn check_definitions(m: &MatchRecognize) -> Result<()> {
    for (n, d) in m.definitions.iter().enumerate() {
        if m.definitions[..n].iter().any(|other| other.name.name == d.name.name) {
            return Err(Error::validation(format!("'{}' is defined twice", d.name), d.name.span)
                .hint("join the conditions by AND"));
        }
    }
    Ok(())
}

/// WITHIN in ms.
fn within_ms(interval: &ast::IntervalLiteral) -> Result<i64> {
    let bound = literal::interval(interval, interval.qualifier.span)?;
    match (&bound.kind, &bound.ty.kind) {
        (ExprKind::Literal(v), TypeKind::IntervalMillis(_)) if v.is_valid(0) => Ok(v.slice::<i64>()[0]),
        _ => Err(Error::planning(
            "WITHIN is in days, hours, minutes or seconds: months differ in length",
            interval.qualifier.span,
        )),
    }
}

/// The variables in sequence, with their quantifiers as written.
fn place(p: &Pattern, to: &mut Vec<Placed>, text: &impl Fn(&Pattern) -> String) -> Result<()> {
    let once = || PatternQuantifier { min: Some(1), max: Some(1), reluctant: false };
    let refuse =
        |what: &str| Err(Error::planning(format!("a pattern cannot have {what}: {}", text(p)), p.span));
    match &p.kind {
        PatternKind::Variable(name) => add_variable(to, name, once(), p.span),
        PatternKind::Concat(parts) => parts.iter().try_for_each(|p| place(p, to, text)),
        PatternKind::Repeat { pattern, quantifier } => match &pattern.kind {
            PatternKind::Variable(name) => add_variable(to, name, quantifier.clone(), p.span),
            _ => refuse("a quantifier behind a group"),
        },
        PatternKind::Alternation(_) => refuse("alternatives"),
        PatternKind::Permute(_) => refuse("PERMUTE"),
        PatternKind::Exclude(_) => refuse("exclusions {- -}"),
    }
}

fn add_variable(to: &mut Vec<Placed>, name: &Ident, quantifier: PatternQuantifier, span: Span) -> Result<()> {
    if to.iter().any(|v| v.name.name == name.name) {
        return Err(Error::planning(format!("the variable '{name}' stands in the pattern twice"), span)
            .hint("give the second one another name, with the same condition in DEFINE"));
    }
    to.push(Placed { name: name.clone(), quantifier, span });
    Ok(())
}

/// The variables as they run.
fn quantified(
    placed: Vec<Placed>,
    mut conditions: Vec<(String, PatternExprs<AggregateCall>)>,
) -> Result<Vec<PatternVariable<AggregateCall>>> {
    let mut variables: Vec<PatternVariable<AggregateCall>> = vec![];
    for Placed { name, quantifier: PatternQuantifier { min, max, reluctant }, span } in placed {
        let Some(min) = min else {
            return Err(Error::planning("a quantifier without its first number", span)
                .hint(format!("write {{0,{}}}: Flink takes that alone", max.unwrap_or(1))));
        };
        let single = (min, max) == (0, Some(1));
        if let Some(max) = max
            && max < min.max(1)
        {
            return Err(Error::planning(
                format!("a quantifier of at least {min} and at most {max} rows"),
                span,
            )
            .hint("the second number is the larger one"));
        }
        let behind_greedy = variables.last().is_some_and(|v| v.greedy);
        if behind_greedy && min == 0 && (max.is_none() || single) {
            return Err(Error::planning(format!("'{name}' is optional behind a greedy quantifier"), span)
                .hint("make the quantifier before it reluctant by a '?' behind it"));
        }
        if single && reluctant {
            return Err(Error::planning(format!("'{name}??': a reluctant optional variable"), span)
                .hint(format!("write {name}?")));
        }
        let greedy = !reluctant && !single && max != Some(min);
        let condition = conditions.iter().position(|c| c.0 == name.name).map(|k| conditions.swap_remove(k).1);
        variables.push(PatternVariable { name: name.name, min, max, greedy, condition });
    }
    Ok(variables)
}

/// What could match no row, or never be known to have ended; and what Flink has not.
fn refuse_endless(variables: &[PatternVariable<AggregateCall>], m: &MatchRecognize) -> Result<()> {
    if variables.iter().all(PatternVariable::is_optional) {
        return Err(Error::planning("the pattern can match no row at all", m.pattern.span)
            .hint("let one variable have a row at least"));
    }
    if variables.last().is_some_and(|v| v.greedy) {
        return Err(Error::planning(
            "a greedy quantifier ends the pattern: a row to come could always belong to it",
            m.pattern.span,
        )
        .hint("make it reluctant by a '?' behind it, or end with a variable alone"));
    }
    if m.rows_per_match == Some(RowsPerMatch::All) {
        return Err(Error::planning("ALL ROWS PER MATCH has no plan over a stream in Flink either", m.span)
            .hint("write ONE ROW PER MATCH and tell of the rows in MEASURES"));
    }
    Ok(())
}

fn skip(after: Option<&AfterMatch>, variables: &[PatternVariable<AggregateCall>]) -> Result<Skip> {
    let find = |name: &Ident| {
        variables.iter().position(|v| v.name == name.name).ok_or_else(|| {
            Error::validation(
                format!("AFTER MATCH skips to '{name}', which is not in the pattern"),
                name.span,
            )
        })
    };
    Ok(match after {
        None | Some(AfterMatch::ToNextRow) => Skip::ToNext,
        Some(AfterMatch::PastLastRow) => Skip::PastLast,
        Some(AfterMatch::ToFirst(name)) => Skip::ToFirst(find(name)?),
        Some(AfterMatch::ToLast(name)) => Skip::ToLast(find(name)?),
    })
}
