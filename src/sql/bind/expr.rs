//! Expressions: one method a construct. Everything ends in a [`Expr`] with casts inserted, or in an error that points at it.
//!
//! Constant parts are evaluated at once, so that functions see the values of their arguments; a constant that fails stays as it is until
//! the rules run, where `1 / 0` is a planning error, and the rows, where it fails.

use super::Binder;
use super::aggregate::AggregateUse;
use super::coerce;
use super::literal;
use super::scope::{Scope, fields};
use crate::batch::{DataType, Field, IntervalUnits, TypeKind};
use crate::error::{Error, Result, Span};
use crate::expr::{Expr, ExprKind};
use crate::plan::logical::same_expr;
use crate::sql::ast::{self, BinaryOp, ExprKind as Ast, InSet, IsTest, LikeKind, UnaryOp};

/// Where an expression stands.
pub(super) struct ExprContext<'s> {
    /// The columns it can name.
    pub(super) scope: &'s Scope,
    /// The clause, for messages: `WHERE clause`.
    pub(super) clause: &'static str,
    /// Where aggregate calls go; `None`: not allowed here. Call `i` is column `scope.len() + i` of the bound expression.
    pub(super) aggregates: Option<&'s mut Vec<AggregateUse>>,
    /// Number of grouping keys, and whether the expression is inside an aggregate's arguments.
    pub(super) keys: usize,
    pub(super) inside_aggregate: bool,
    /// Where calls with OVER go; `None`: not allowed here.
    pub(super) over: Option<&'s mut Vec<super::over::OverUse>>,
    /// The WINDOW clause.
    pub(super) windows: &'s [ast::NamedWindow],
}

impl<'s> ExprContext<'s> {
    /// Without aggregates.
    pub(super) fn plain(scope: &'s Scope, clause: &'static str) -> Self {
        Self { scope, clause, aggregates: None, keys: 0, inside_aggregate: false, over: None, windows: &[] }
    }
}

impl Binder<'_> {
    /// Binds an expression.
    pub(super) fn expr(&mut self, e: &ast::Expr, cx: &mut ExprContext<'_>) -> Result<Expr> {
        let at = e.span;
        match &e.kind {
            Ast::Name(name) => self.name(name, at, cx),
            Ast::Literal(l) => literal::literal(l, false, &self.session.time_zone),
            Ast::Unary { op, operand } => self.unary(*op, operand, at, cx),
            Ast::Binary { op, left, right } => self.binary(*op, left, right, at, cx),
            Ast::And(parts) => self.logic(true, parts, at, cx),
            Ast::Or(parts) => self.logic(false, parts, at, cx),
            Ast::Between(b) => self.between(b, at, cx),
            Ast::In { operand, negated, set } => self.in_set(operand, *negated, set, at, cx),
            Ast::Like(l) => self.like(l, at, cx),
            Ast::Is { operand, negated, test } => self.is(operand, *negated, *test, at, cx),
            Ast::Case(c) => self.case(c, at, cx),
            Ast::Cast(c) => self.cast(c, at, cx),
            Ast::Subscript { base, index } => self.call_of("ITEM", &[base, index], at, cx),
            Ast::Field { base, name } => {
                let base = self.expr(base, cx)?;
                fields(base, std::slice::from_ref(name), at)
            }
            Ast::Row { values, .. } => self.call_of("ROW", &values.iter().collect::<Vec<_>>(), at, cx),
            Ast::Array(values) => self.call_of("ARRAY", &values.iter().collect::<Vec<_>>(), at, cx),
            Ast::Map(values) => self.call_of("MAP", &values.iter().collect::<Vec<_>>(), at, cx),
            Ast::Niladic(name) => self.call_bound(&name.name.to_uppercase(), vec![], at),
            Ast::Function(call) => self.function(call, at, cx),
            Ast::JdbcFunction(e) => self.expr(e, cx),
            Ast::Interval { negative, amount, qualifier } => {
                self.computed_interval(*negative, amount, qualifier, at, cx)
            }
            _ => self.special(e, cx),
        }
    }

    /// A condition: BOOLEAN, or an error that says which clause wanted one.
    pub(super) fn condition(&mut self, e: &ast::Expr, cx: &mut ExprContext<'_>) -> Result<Expr> {
        let bound = self.expr(e, cx)?;
        match bound.ty.kind {
            TypeKind::Boolean => Ok(bound),
            TypeKind::Null => Ok(literal::null(TypeKind::Boolean.nullable(), bound.span)),
            _ => Err(Error::validation(
                format!("the {} must be a condition, but its type is {}", cx.clause, bound.ty.kind),
                e.span,
            )
            .hint("compare with something: a condition is BOOLEAN")),
        }
    }

    fn name(&mut self, name: &ast::ObjectName, at: Span, cx: &ExprContext<'_>) -> Result<Expr> {
        let found = if self.pattern.is_some() { self.pattern_name(name, at) } else { cx.scope.resolve(name) };
        match (found, name.as_simple()) {
            (Err(e), Some(simple)) if e.kind() == crate::ErrorKind::Validation => {
                // CURRENT_DATE and its like may come as plain names.
                if self.registry.scalar(&simple.name).is_some() && is_niladic(&simple.name) {
                    return self.call_bound(&simple.name.to_uppercase(), vec![], at);
                }
                self.outer_name(name).unwrap_or(Err(e))
            }
            (Err(e), None) if e.kind() == crate::ErrorKind::Validation => {
                self.outer_name(name).unwrap_or(Err(e))
            }
            (found, _) => found,
        }
    }

    fn unary(
        &mut self,
        op: UnaryOp,
        operand: &ast::Expr,
        at: Span,
        cx: &mut ExprContext<'_>,
    ) -> Result<Expr> {
        if op == UnaryOp::Minus
            && let Ast::Literal(l) = &operand.kind
            && let ast::LiteralKind::Number(_) = l.kind
        {
            let folded = literal::literal(l, true, &self.session.time_zone)?;
            return Ok(Expr { span: at, ..folded });
        }
        let value = self.expr(operand, cx)?;
        match op {
            UnaryOp::Minus => self.call_bound("-", vec![value], at),
            UnaryOp::Not => {
                let value = coerce::boolean("NOT", value)?;
                self.call_bound("NOT", vec![value], at)
            }
            UnaryOp::Plus if value.ty.kind.is_numeric() || value.ty.kind.is_interval() => {
                Ok(Expr { span: at, ..value })
            }
            UnaryOp::Plus => Err(Error::validation(
                format!("cannot apply '+' to an argument of type {}", value.ty.kind),
                at,
            )),
        }
    }

    fn binary(
        &mut self,
        op: BinaryOp,
        left: &ast::Expr,
        right: &ast::Expr,
        at: Span,
        cx: &mut ExprContext<'_>,
    ) -> Result<Expr> {
        if op == BinaryOp::Overlaps {
            return self.overlaps(left, right, at, cx);
        }
        if matches!(op, BinaryOp::Eq | BinaryOp::NotEq)
            && let (Some((a, a_type)), Some((b, b_type))) = (written_row(left), written_row(right))
            && a.len() == b.len()
        {
            // Rows that are written out are compared value by value: NULL where that is NULL.
            let equal = if a_type.or(b_type).is_none() {
                let pairs = a.iter().zip(b).map(|(a, b)| self.binary(BinaryOp::Eq, a, b, at, cx));
                pairs.collect::<Result<Vec<_>>>()?
            } else {
                let a = self.row_values(a, a_type, cx)?;
                let b = self.row_values(b, b_type, cx)?;
                let pairs = a.into_iter().zip(b).map(|(a, b)| self.call_bound("=", vec![a, b], at));
                pairs.collect::<Result<Vec<_>>>()?
            };
            return self.negate(op == BinaryOp::NotEq, logic(true, equal, at), at);
        }
        let name = operator_name(op, at)?;
        let l = self.expr(left, cx)?;
        let r = self.expr(right, cx)?;
        if let Some(known) = self.same_on_both_sides(op, &l, &r, at)? {
            return Ok(known);
        }
        let time = l.ty.time;
        let shifts_time = matches!(op, BinaryOp::Plus | BinaryOp::Minus) && r.ty.kind.is_interval();
        let mut bound = self.call_bound(name, vec![l, r], at)?;
        if shifts_time && bound.ty.kind.is_timestamp() {
            // Flink derives `ts - INTERVAL …` as still a time attribute, which shows in result headers.
            bound.ty.time = time;
        }
        Ok(bound)
    }

    /// The values of a row that is written out, cast to the fields of `to`.
    fn row_values(
        &mut self,
        values: &[ast::Expr],
        to: Option<&ast::TypeName>,
        cx: &mut ExprContext<'_>,
    ) -> Result<Vec<Expr>> {
        let bound = values.iter().map(|v| self.expr(v, cx)).collect::<Result<Vec<_>>>()?;
        let Some(to) = to else { return Ok(bound) };
        let TypeKind::Row(fields) = super::types::data_type(to)?.kind else {
            return Err(Error::validation("a row cannot be cast to this type", to.span));
        };
        if fields.len() != bound.len() {
            let text = format!("a row of {} values cannot have {} fields", bound.len(), fields.len());
            return Err(Error::validation(text, to.span));
        }
        let cast = |(v, f): (Expr, Field)| {
            let at = v.span;
            self.explicit_cast(v, f.ty, false, at)
        };
        bound.into_iter().zip(fields).map(cast).collect()
    }

    /// Two periods, each of two ends or a start and a length, have a moment in common; touching is enough.
    fn overlaps(
        &mut self,
        left: &ast::Expr,
        right: &ast::Expr,
        at: Span,
        cx: &mut ExprContext<'_>,
    ) -> Result<Expr> {
        let mut ends = Vec::with_capacity(4);
        for side in [left, right] {
            let Ast::Row { values, .. } = &side.kind else {
                return Err(
                    Error::validation("OVERLAPS compares periods", side.span).hint("write (start, end)")
                );
            };
            let [start, end] = &values[..] else {
                return Err(Error::validation("a period has a start and an end or length", side.span));
            };
            let (start, mut end) = (self.expr(start, cx)?, self.expr(end, cx)?);
            if end.ty.kind.is_interval() {
                end = self.call_bound("+", vec![start.clone(), end], at)?;
            }
            let test = self.call_bound("<=", vec![start.clone(), end.clone()], at)?;
            ends.push(self.case_of(vec![(test.clone(), start.clone())], end.clone(), at)?);
            ends.push(self.case_of(vec![(test, end)], start, at)?);
        }
        let [s0, e0, s1, e1] = <[Expr; 4]>::try_from(ends).expect("two ends a side");
        let first = self.call_bound(">=", vec![e0, s1], at)?;
        let second = self.call_bound(">=", vec![e1, s0], at)?;
        Ok(logic(true, vec![first, second], at))
    }

    fn logic(&mut self, and: bool, parts: &[ast::Expr], at: Span, cx: &mut ExprContext<'_>) -> Result<Expr> {
        let name = if and { "AND" } else { "OR" };
        let args = parts
            .iter()
            .map(|p| self.expr(p, cx).and_then(|v| coerce::boolean(name, v)))
            .collect::<Result<Vec<_>>>()?;
        Ok(logic(and, args, at))
    }

    fn between(&mut self, b: &ast::Between, at: Span, cx: &mut ExprContext<'_>) -> Result<Expr> {
        let value = self.expr(&b.operand, cx)?;
        let low = self.expr(&b.low, cx)?;
        let high = self.expr(&b.high, cx)?;
        let mut range = |low: &Expr, high: &Expr| -> Result<Expr> {
            let above = self.call_bound(">=", vec![value.clone(), low.clone()], at)?;
            let below = self.call_bound("<=", vec![value.clone(), high.clone()], at)?;
            Ok(logic(true, vec![above, below], at))
        };
        let mut bound = range(&low, &high)?;
        if b.symmetric {
            bound = logic(false, vec![bound, range(&high, &low)?], at);
        }
        self.negate(b.negated, bound, at)
    }

    /// NOT, when asked.
    fn negate(&mut self, negated: bool, e: Expr, at: Span) -> Result<Expr> {
        if negated { self.call_bound("NOT", vec![e], at) } else { Ok(e) }
    }

    fn in_set(
        &mut self,
        operand: &ast::Expr,
        negated: bool,
        set: &InSet,
        at: Span,
        cx: &mut ExprContext<'_>,
    ) -> Result<Expr> {
        let list = match set {
            InSet::List(list) => list,
            InSet::Query(q) => {
                let found = self.in_subquery(operand, q, at, cx)?;
                return self.negate(negated, found, at);
            }
        };
        if written_row(operand).is_some() && list.iter().all(|item| written_row(item).is_some()) {
            let tests = list.iter().map(|item| self.binary(BinaryOp::Eq, operand, item, at, cx));
            let tests = tests.collect::<Result<Vec<_>>>()?;
            return self.negate(negated, logic(false, tests, at), at);
        }
        let value = self.expr(operand, cx)?;
        let mut items = Vec::with_capacity(list.len());
        for item in list {
            let mut bound = self.expr(item, cx)?;
            let fits = coerce::comparable(&value.ty, &bound.ty);
            if !fits {
                return Err(Error::validation(
                    format!(
                        "values passed to IN must have compatible types: {} and {}",
                        value.ty.kind, bound.ty.kind
                    ),
                    item.span,
                ));
            }
            // Flink casts the right side to the type of the left one, whatever is lost (`1 IN (1.5)` is true).
            if std::mem::discriminant(&bound.ty.kind) != std::mem::discriminant(&value.ty.kind)
                && !(value.ty.kind.is_character() && bound.ty.kind.is_character())
            {
                let to = value.ty.clone().with_nullable(bound.ty.nullable);
                bound = self.cast_to(bound, &to)?;
            }
            items.push(bound);
        }
        let all_literals = items.iter().all(|i| matches!(i.kind, ExprKind::Literal(_)));
        let bound = if all_literals && self.registry.scalar("IN").is_some() {
            let args = std::iter::once(value).chain(items).collect();
            self.call_bound("IN", args, at)?
        } else {
            let tests = items
                .into_iter()
                .map(|i| self.call_bound("=", vec![value.clone(), i], at))
                .collect::<Result<Vec<_>>>()?;
            logic(false, tests, at)
        };
        self.negate(negated, bound, at)
    }

    fn like(&mut self, l: &ast::Like, at: Span, cx: &mut ExprContext<'_>) -> Result<Expr> {
        let name = match l.kind {
            LikeKind::Like => "LIKE",
            LikeKind::SimilarTo => "SIMILAR TO",
            LikeKind::ILike => {
                return Err(Error::validation("ILIKE is not a predicate of Flink SQL", at)
                    .hint("write LOWER(x) LIKE 'pattern'"));
            }
            LikeKind::RLike => {
                return Err(Error::validation("RLIKE is not a predicate of Flink SQL", at)
                    .hint("write REGEXP(x, 'pattern')"));
            }
        };
        let mut args = vec![self.expr(&l.operand, cx)?, self.expr(&l.pattern, cx)?];
        if let Some(escape) = &l.escape {
            args.push(self.expr(escape, cx)?);
        }
        let bound = self.call_bound(name, args, at)?;
        self.negate(l.negated, bound, at)
    }

    fn is(
        &mut self,
        operand: &ast::Expr,
        negated: bool,
        test: IsTest,
        at: Span,
        cx: &mut ExprContext<'_>,
    ) -> Result<Expr> {
        let name = match test {
            IsTest::Null => "IS NULL",
            IsTest::True => "IS TRUE",
            IsTest::False => "IS FALSE",
            IsTest::Unknown => "IS UNKNOWN",
            IsTest::JsonValue => "IS JSON VALUE",
            IsTest::JsonObject => "IS JSON OBJECT",
            IsTest::JsonArray => "IS JSON ARRAY",
            IsTest::JsonScalar => "IS JSON SCALAR",
            IsTest::ASet => return Err(Error::unsupported("IS A SET", at)),
            IsTest::Empty => return Err(Error::unsupported("IS EMPTY", at)),
        };
        let mut value = self.expr(operand, cx)?;
        let boolean_test = matches!(test, IsTest::True | IsTest::False | IsTest::Unknown);
        if boolean_test {
            value = coerce::boolean(name, value)?;
        }
        let name = if test == IsTest::Unknown { "IS NULL" } else { name };
        let opposite = format!("IS NOT{}", &name[2..]);
        if negated && self.registry.scalar(&opposite).is_some() {
            return self.call_bound(&opposite, vec![value], at);
        }
        let bound = self.call_bound(name, vec![value], at)?;
        self.negate(negated, bound, at)
    }

    fn case(&mut self, c: &ast::Case, at: Span, cx: &mut ExprContext<'_>) -> Result<Expr> {
        let operand = c.operand.as_ref().map(|o| self.expr(o, cx)).transpose()?;
        let mut branches = vec![];
        for b in &c.branches {
            let tests = b
                .when
                .iter()
                .map(|w| {
                    let bound = self.expr(w, cx)?;
                    match &operand {
                        Some(o) => self.call_bound("=", vec![o.clone(), bound], w.span),
                        None => coerce::boolean("CASE WHEN", bound),
                    }
                })
                .collect::<Result<Vec<_>>>()?;
            let test = match <[Expr; 1]>::try_from(tests) {
                Ok([one]) => one,
                Err(many) => logic(false, many, b.span),
            };
            branches.push((test, self.expr(&b.then, cx)?));
        }
        let otherwise = match &c.otherwise {
            Some(e) => self.expr(e, cx)?,
            None => literal::null(TypeKind::Null.nullable(), at),
        };
        self.case_of(branches, otherwise, at)
    }

    /// CASE over bound parts, with the common type of its values.
    pub(super) fn case_of(&mut self, branches: Vec<(Expr, Expr)>, otherwise: Expr, at: Span) -> Result<Expr> {
        let types: Vec<&DataType> = branches.iter().map(|b| &b.1.ty).chain([&otherwise.ty]).collect();
        if types.iter().all(|t| t.kind == TypeKind::Null) {
            return Err(Error::validation("every branch of the CASE is NULL: it has no type", at)
                .hint("cast one of them: CAST(NULL AS INT)"));
        }
        let ty = coerce::common_type(&types).ok_or_else(|| {
            let shown: Vec<String> = types.iter().map(|t| t.kind.to_string()).collect();
            Error::validation(format!("the branches of CASE have no common type: {}", shown.join(", ")), at)
                .hint("cast them to one type")
        })?;
        let to = |e: &Expr| ty.clone().with_nullable(e.ty.nullable);
        let branches = branches
            .into_iter()
            .map(|(c, v)| {
                let to = to(&v);
                Ok((c, self.cast_to(v, &to)?))
            })
            .collect::<Result<Vec<_>>>()?;
        let to = to(&otherwise);
        let otherwise = Box::new(self.cast_to(otherwise, &to)?);
        Ok(Expr { kind: ExprKind::Case { branches, otherwise }, ty, span: at })
    }

    fn cast(&mut self, c: &ast::Cast, at: Span, cx: &mut ExprContext<'_>) -> Result<Expr> {
        let is_try = match c.kind {
            ast::CastKind::Cast => false,
            ast::CastKind::TryCast => true,
            ast::CastKind::SafeCast => {
                return Err(
                    Error::validation("SAFE_CAST is not a function of Flink SQL", at).hint("write TRY_CAST")
                );
            }
        };
        let value = self.expr(&c.operand, cx)?;
        let to = super::types::data_type(&c.ty)?;
        if value.ty.kind == TypeKind::Variant {
            // There is no cast of it, not even to itself.
            crate::expr::bind_cast(&value.ty, &to, is_try, &self.session, at)?;
        }
        self.explicit_cast(value, to, is_try, at)
    }

    fn computed_interval(
        &mut self,
        negative: bool,
        amount: &ast::Expr,
        qualifier: &ast::IntervalQualifier,
        at: Span,
        cx: &mut ExprContext<'_>,
    ) -> Result<Expr> {
        if qualifier.to.is_some() {
            return Err(Error::validation("a computed interval has one unit", qualifier.span));
        }
        let count = self.expr(amount, cx)?;
        let one = literal::interval_constant(qualifier, literal::unit_size(qualifier.from), qualifier.span);
        let bound = self.call_bound("*", vec![one, count], at)?;
        debug_assert!(matches!(
            bound.ty.kind,
            TypeKind::IntervalMonths(IntervalUnits::Month) | TypeKind::IntervalMillis(_)
        ));
        if negative { self.call_bound("-", vec![bound], at) } else { Ok(bound) }
    }

    /// What has a syntax of its own and is a function underneath, and what is refused.
    fn special(&mut self, e: &ast::Expr, cx: &mut ExprContext<'_>) -> Result<Expr> {
        let at = e.span;
        let refuse = |what: &str| Err(Error::unsupported(what, at));
        match &e.kind {
            Ast::Extract { unit, operand } => self.unit_call("EXTRACT", unit, &[operand], at, cx),
            Ast::RoundTime { up, operand, unit } => {
                let value = self.expr(rounded_once(*up, unit, operand), cx)?;
                let unit = unit_literal(unit);
                self.call_bound(if *up { "CEIL" } else { "FLOOR" }, vec![value, unit], at)
            }
            Ast::TimestampArithmetic(t) => {
                let name = if t.difference { "TIMESTAMPDIFF" } else { "TIMESTAMPADD" };
                self.unit_call(name, &t.unit, &[&t.first, &t.second], at, cx)
            }
            Ast::Position(p) => {
                let args = [Some(&p.needle), Some(&p.haystack), p.start.as_ref()];
                self.call_of("POSITION", &args.into_iter().flatten().collect::<Vec<_>>(), at, cx)
            }
            Ast::Substring(s) => {
                let args = [Some(&s.operand), Some(&s.start), s.length.as_ref()];
                self.call_of("SUBSTRING", &args.into_iter().flatten().collect::<Vec<_>>(), at, cx)
            }
            Ast::Trim(t) => self.trim(t, at, cx),
            Ast::Overlay(o) => {
                let args = [Some(&o.operand), Some(&o.replacement), Some(&o.start), o.length.as_ref()];
                self.call_of("OVERLAY", &args.into_iter().flatten().collect::<Vec<_>>(), at, cx)
            }
            Ast::MinusInterval { left, right, qualifier } => {
                let args = [self.expr(left, cx)?, self.expr(right, cx)?];
                let unit =
                    literal::string(if literal::is_months(qualifier.from) { "MONTH" } else { "SECOND" }, at);
                self.call_bound("MINUS_INTERVAL", args.into_iter().chain([unit]).collect(), at)
            }
            Ast::Star(_) => Err(Error::validation("'*' stands only in a select list or in COUNT(*)", at)),
            Ast::Parameter => refuse("a parameter '?'"),
            Ast::Default => Err(Error::validation("DEFAULT is not a value here", at)),
            Ast::Quantified { quantifier, .. } => refuse(match quantifier {
                ast::Quantifier::Any => "comparison with ANY",
                ast::Quantifier::All => "comparison with ALL",
            }),
            Ast::FormatJson { .. } => refuse("FORMAT JSON"),
            Ast::Exists(of) => match &of.kind {
                Ast::Subquery(q) => self.exists(q, at, cx),
                _ => Err(Error::validation("EXISTS asks about a query", of.span)),
            },
            Ast::Unique(_) => refuse("UNIQUE"),
            Ast::Transcode { .. } => refuse("CONVERT … USING"),
            Ast::ArrayQuery(_) => refuse("ARRAY of a subquery"),
            Ast::MapQuery(_) => refuse("MAP of a subquery"),
            Ast::Multiset(_) => refuse("the MULTISET constructor"),
            Ast::MultisetQuery(_) => refuse("MULTISET of a subquery"),
            Ast::Period(_) => refuse("PERIOD"),
            Ast::Method { .. } => refuse("a method call"),
            Ast::Subquery(q) => self.scalar_subquery(q, at, cx),
            Ast::Cursor(_) => refuse("CURSOR"),
            Ast::MatchSemantics { is_final, .. } => Err(self.match_semantics(*is_final, at)),
            Ast::JsonExists(j) => self.json_exists(j, at, cx),
            Ast::JsonValue(j) => self.json_value(j, at, cx),
            Ast::JsonQuery(j) => self.json_query(j, at, cx),
            Ast::JsonConstructor(j) => self.json_constructor(j, at, cx),
            Ast::JsonAggregate(a) => self.json_aggregate(a, at, cx),
            Ast::Sequence { .. } => refuse("NEXT VALUE FOR"),
            Ast::New(_) => refuse("NEW"),
            Ast::Model(_) => refuse("MODEL"),
            _ => unreachable!("bound by Binder::expr"),
        }
    }

    fn unit_call(
        &mut self,
        name: &str,
        unit: &ast::TimeUnit,
        args: &[&ast::Expr],
        at: Span,
        cx: &mut ExprContext<'_>,
    ) -> Result<Expr> {
        let mut bound = vec![unit_literal(unit)];
        for a in args {
            bound.push(self.expr(a, cx)?);
        }
        self.call_bound(name, bound, at)
    }

    fn trim(&mut self, t: &ast::Trim, at: Span, cx: &mut ExprContext<'_>) -> Result<Expr> {
        let side = match t.side {
            ast::TrimSide::Both => "BOTH",
            ast::TrimSide::Leading => "LEADING",
            ast::TrimSide::Trailing => "TRAILING",
        };
        let chars = match &t.chars {
            Some(c) => self.expr(c, cx)?,
            None => literal::string(" ", at),
        };
        let text = self.expr(&t.operand, cx)?;
        self.call_bound("TRIM", vec![literal::string(side, at), chars, text], at)
    }

    /// Flink's planner knows the answer where both sides are the same expression, which shows for NaN and for NULLs inside.
    fn same_on_both_sides(&mut self, op: BinaryOp, l: &Expr, r: &Expr, at: Span) -> Result<Option<Expr>> {
        use BinaryOp::*;
        let answer = match op {
            Eq | LtEq | GtEq => true,
            NotEq | Lt | Gt => false,
            _ => return Ok(None),
        };
        if !l.is_deterministic() || l.is_constant() || !same_expr(l, r) {
            return Ok(None);
        }
        if !l.ty.nullable {
            let mut known = literal::boolean(answer, at);
            // Its type is that of a comparison of all the values in it.
            known.ty.nullable =
                matches!(&l.ty.kind, TypeKind::Row(fields) if fields.iter().any(|f| f.ty.nullable));
            return Ok(Some(known));
        }
        // NULL for NULL, the answer elsewhere.
        let test = self.call_bound(if answer { "IS NOT NULL" } else { "IS NULL" }, vec![l.clone()], at)?;
        let null = literal::null(TypeKind::Boolean.nullable(), at);
        Ok(Some(logic(!answer, vec![test, null], at)))
    }

    /// Binds the arguments, then the call.
    pub(super) fn call_of(
        &mut self,
        name: &str,
        args: &[&ast::Expr],
        at: Span,
        cx: &mut ExprContext<'_>,
    ) -> Result<Expr> {
        let args = args.iter().map(|a| self.expr(a, cx)).collect::<Result<Vec<_>>>()?;
        self.call_bound(name, args, at)
    }
}

/// AND or OR of bound conditions; constants that decide nothing are left out.
pub(super) fn logic(and: bool, args: Vec<Expr>, at: Span) -> Expr {
    let nullable = args.iter().any(|a| a.ty.nullable);
    let ty = DataType { kind: TypeKind::Boolean, nullable, time: Default::default() };
    let kind = if and { ExprKind::And(args) } else { ExprKind::Or(args) };
    Expr { kind, ty, span: at }
}

/// What is rounded to `unit`: as in Flink a time that was rounded the same way to a part of that unit is taken as it was before, which shows
/// where rounding twice goes further (CEIL TO QUARTER of the first of April is the first of July).
fn rounded_once<'a>(up: bool, unit: &ast::TimeUnit, operand: &'a ast::Expr) -> &'a ast::Expr {
    match &operand.kind {
        Ast::RoundTime { up: same, operand: inner, unit: finer }
            if *same == up && is_part_of(finer, unit) =>
        {
            rounded_once(up, unit, inner)
        }
        _ => operand,
    }
}

/// Every `whole` is made of whole `part`s, among the units that Flink's planner rolls up.
fn is_part_of(part: &ast::TimeUnit, whole: &ast::TimeUnit) -> bool {
    use ast::TimeUnitKind::*;
    let size = |unit: &ast::TimeUnit| {
        let units = [Microsecond, Millisecond, Second, Minute, Hour, Day, Month, Quarter, Year];
        units.iter().position(|u| *u == unit.kind)
    };
    matches!((size(part), size(whole)), (Some(p), Some(w)) if p <= w)
}

/// The values of a row that is written out, and the type that it is cast to.
fn written_row(e: &ast::Expr) -> Option<(&[ast::Expr], Option<&ast::TypeName>)> {
    match &e.kind {
        Ast::Row { values, .. } => Some((values, None)),
        Ast::Cast(c) if c.kind == ast::CastKind::Cast => match &c.operand.kind {
            Ast::Row { values, .. } => Some((values, Some(&c.ty))),
            _ => None,
        },
        _ => None,
    }
}

fn is_niladic(name: &str) -> bool {
    ["CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP"]
        .iter()
        .any(|n| n.eq_ignore_ascii_case(name))
}

fn operator_name(op: BinaryOp, at: Span) -> Result<&'static str> {
    use BinaryOp::*;
    Ok(match op {
        Plus => "+",
        Minus => "-",
        Multiply => "*",
        Divide => "/",
        Modulo => "%",
        Concat => "||",
        Eq => "=",
        NotEq => "<>",
        Lt => "<",
        LtEq => "<=",
        Gt => ">",
        GtEq => ">=",
        IsDistinctFrom => "IS DISTINCT FROM",
        IsNotDistinctFrom => "IS NOT DISTINCT FROM",
        Overlaps => "OVERLAPS",
        MemberOf => return Err(Error::unsupported("MEMBER OF", at)),
        SubmultisetOf | NotSubmultisetOf => return Err(Error::unsupported("SUBMULTISET OF", at)),
        Contains | PeriodEquals | Precedes | Succeeds | ImmediatelyPrecedes | ImmediatelySucceeds => {
            return Err(Error::unsupported("the period predicates but OVERLAPS", at));
        }
        MultisetUnion
        | MultisetUnionDistinct
        | MultisetIntersect
        | MultisetIntersectDistinct
        | MultisetExcept
        | MultisetExceptDistinct => {
            return Err(Error::unsupported("MULTISET UNION, INTERSECT and EXCEPT", at));
        }
    })
}

fn unit_literal(unit: &ast::TimeUnit) -> Expr {
    use ast::TimeUnitKind::*;
    let name = match &unit.kind {
        Nanosecond => "NANOSECOND",
        Microsecond => "MICROSECOND",
        Millisecond => "MILLISECOND",
        Second => "SECOND",
        Minute => "MINUTE",
        Hour => "HOUR",
        Day => "DAY",
        DayOfWeek => "DOW",
        DayOfYear => "DOY",
        IsoDayOfWeek => "ISODOW",
        IsoYear => "ISOYEAR",
        Week => "WEEK",
        WeekFrom(day) => return literal::string(&format!("WEEK({})", day.name.to_uppercase()), unit.span),
        Month => "MONTH",
        Quarter => "QUARTER",
        Year => "YEAR",
        Epoch => "EPOCH",
        Decade => "DECADE",
        Century => "CENTURY",
        Millennium => "MILLENNIUM",
        Name(name) => return literal::string(&name.name.to_uppercase(), unit.span),
    };
    literal::string(name, unit.span)
}
