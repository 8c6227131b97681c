//! Operators, by precedence climbing.
//!
//! The levels are Calcite's and differ from most languages' in places: `LIKE`, `IN` and `BETWEEN` bind tighter than
//! `=`, which binds tighter than `IS NULL`; `||` is on the level of `*`.

use super::Parser;
use crate::error::Result;
use crate::sql::ast::{
    Between, BinaryOp, Expr, ExprKind, InSet, IsTest, JsonEncoding, Like, LikeKind, Quantifier, UnaryOp,
};
use crate::sql::keyword::Keyword as K;
use crate::sql::token::TokenKind;

/// How tightly operators bind; a higher level binds tighter. The printer sets its parentheses by them.
pub(in crate::sql) mod level {
    pub(in crate::sql) const LOWEST: u8 = 0;
    pub(in crate::sql) const MULTISET_UNION: u8 = 14;
    pub(in crate::sql) const MULTISET_INTERSECT: u8 = 18;
    pub(in crate::sql) const OR: u8 = 22;
    pub(in crate::sql) const AND: u8 = 24;
    pub(in crate::sql) const NOT: u8 = 26;
    pub(in crate::sql) const IS: u8 = 28;
    pub(in crate::sql) const COMPARISON: u8 = 30;
    pub(in crate::sql) const LIKE: u8 = 32;
    pub(in crate::sql) const SUM: u8 = 40;
    pub(in crate::sql) const PRODUCT: u8 = 60;
    pub(in crate::sql) const SIGN: u8 = 80;
    pub(in crate::sql) const PRIMARY: u8 = 100;
}

/// The level of a binary operator.
pub(in crate::sql) fn level_of(op: BinaryOp) -> u8 {
    use BinaryOp::*;
    match op {
        Plus | Minus => level::SUM,
        Multiply | Divide | Modulo | Concat => level::PRODUCT,
        MultisetIntersect | MultisetIntersectDistinct => level::MULTISET_INTERSECT,
        MultisetUnion | MultisetUnionDistinct | MultisetExcept | MultisetExceptDistinct => {
            level::MULTISET_UNION
        }
        _ => level::COMPARISON,
    }
}

/// An operator behind its left operand.
enum Operator {
    /// With how many tokens it has.
    Binary(BinaryOp, usize),
    Quantified(BinaryOp, Quantifier),
    Subscript,
    Dot,
    And,
    Or,
    Is,
    FormatJson,
    /// NOT before it.
    In(bool),
    Between(bool),
    Like(LikeKind, bool),
}

impl Parser<'_> {
    /// An expression.
    pub(super) fn expr(&mut self) -> Result<Expr> {
        self.expr_above(level::LOWEST)
    }

    /// An expression whose operators all bind at least as tightly as `floor`.
    fn expr_above(&mut self, floor: u8) -> Result<Expr> {
        self.nested(|p| p.operators(floor))
    }

    /// An operand and all operators behind it that bind at least as tightly as `floor`.
    fn operators(&mut self, floor: u8) -> Result<Expr> {
        let mut left = self.prefixed()?;
        while let Some(operator) = self.operator(floor) {
            left = self.apply(operator, left)?;
        }
        Ok(left)
    }

    /// Prefix operators and what they stand before.
    fn prefixed(&mut self) -> Result<Expr> {
        match self.kind() {
            TokenKind::Plus => self.unary(UnaryOp::Plus, level::SIGN),
            TokenKind::Minus => self.unary(UnaryOp::Minus, level::SIGN),
            TokenKind::Keyword(K::NOT) => self.unary(UnaryOp::Not, level::NOT),
            TokenKind::Keyword(K::EXISTS) => self.exists(ExprKind::Exists),
            TokenKind::Keyword(K::UNIQUE) => self.exists(ExprKind::Unique),
            _ => self.primary(),
        }
    }

    fn unary(&mut self, op: UnaryOp, floor: u8) -> Result<Expr> {
        let start = self.next().span;
        let operand = Box::new(self.expr_above(floor)?);
        self.node(ExprKind::Unary { op, operand }, start)
    }

    /// EXISTS and UNIQUE.
    fn exists(&mut self, make: fn(Box<Expr>) -> ExprKind) -> Result<Expr> {
        let start = self.next().span;
        let operand = Box::new(self.expr_above(level::SUM)?);
        self.node(make(operand), start)
    }

    /// The operator that comes next, if it binds at least as tightly as `floor`.
    fn operator(&self, floor: u8) -> Option<Operator> {
        if let Some((op, words)) = self.binary_op() {
            let quantifier = match self.kind_at(1) {
                _ if !op.is_comparison() => None,
                TokenKind::Keyword(K::ANY) => Some(Quantifier::Any),
                TokenKind::Keyword(K::SOME) if self.kind_at(2) == TokenKind::LeftParen => {
                    Some(Quantifier::Any)
                }
                TokenKind::Keyword(K::ALL) => Some(Quantifier::All),
                _ => None,
            };
            let operator = match quantifier {
                Some(quantifier) => Operator::Quantified(op, quantifier),
                None => Operator::Binary(op, words),
            };
            return (level_of(op) >= floor).then_some(operator);
        }
        let (keyword, negated) = match (self.kind(), self.kind_at(1)) {
            (TokenKind::LeftBracket, _) => return Some(Operator::Subscript),
            (TokenKind::Dot, next) => return Self::is_name(next).then_some(Operator::Dot),
            (TokenKind::Keyword(K::NOT), TokenKind::Keyword(keyword)) => (keyword, true),
            (TokenKind::Keyword(keyword), _) => (keyword, false),
            _ => return None,
        };
        let (operator, level) = match keyword {
            K::AND if !negated => (Operator::And, level::AND),
            K::OR if !negated => (Operator::Or, level::OR),
            K::IS if !negated => (Operator::Is, level::IS),
            K::FORMAT if !negated && self.kind_at(1) == TokenKind::Keyword(K::JSON) => {
                (Operator::FormatJson, level::IS)
            }
            K::IN => (Operator::In(negated), level::LIKE),
            K::BETWEEN => (Operator::Between(negated), level::LIKE),
            K::LIKE => (Operator::Like(LikeKind::Like, negated), level::LIKE),
            K::ILIKE => (Operator::Like(LikeKind::ILike, negated), level::LIKE),
            K::RLIKE => (Operator::Like(LikeKind::RLike, negated), level::LIKE),
            K::SIMILAR => (Operator::Like(LikeKind::SimilarTo, negated), level::LIKE),
            _ => return None,
        };
        (level >= floor).then_some(operator)
    }

    /// Takes the operator that comes next, with its right side.
    fn apply(&mut self, operator: Operator, left: Expr) -> Result<Expr> {
        match operator {
            Operator::Binary(op, words) => self.binary(left, op, words),
            Operator::Quantified(op, quantifier) => self.quantified(left, op, quantifier),
            Operator::Subscript => self.subscript(left),
            Operator::Dot => self.field_or_method(left),
            Operator::And => self.and(left),
            Operator::Or => self.or(left),
            Operator::Is => self.is_operator(left),
            Operator::FormatJson => self.format_json(left),
            Operator::In(negated) => self.in_operator(left, negated),
            Operator::Between(negated) => self.between(left, negated),
            Operator::Like(kind, negated) => self.like(left, kind, negated),
        }
    }

    fn binary(&mut self, left: Expr, op: BinaryOp, words: usize) -> Result<Expr> {
        let start = left.span;
        let left = Box::new(left);
        self.at += words;
        let right = Box::new(self.expr_above(level_of(op) + 1)?);
        self.node(ExprKind::Binary { op, left, right }, start)
    }

    fn quantified(&mut self, operand: Expr, op: BinaryOp, quantifier: Quantifier) -> Result<Expr> {
        let start = operand.span;
        let operand = Box::new(operand);
        self.at += 2;
        let set = self.in_set()?;
        self.node(ExprKind::Quantified { operand, op, quantifier, set }, start)
    }

    /// The binary operator at the current token and how many tokens it has.
    fn binary_op(&self) -> Option<(BinaryOp, usize)> {
        use BinaryOp::*;
        let keyword_at = |ahead: usize| match self.kind_at(ahead) {
            TokenKind::Keyword(keyword) => Some(keyword),
            _ => None,
        };
        Some(match self.kind() {
            TokenKind::Plus => (Plus, 1),
            TokenKind::Minus => (Minus, 1),
            TokenKind::Star => (Multiply, 1),
            TokenKind::Slash => (Divide, 1),
            TokenKind::Percent => (Modulo, 1),
            TokenKind::Concat => (Concat, 1),
            TokenKind::Eq => (Eq, 1),
            TokenKind::NotEq => (NotEq, 1),
            TokenKind::Lt => (Lt, 1),
            TokenKind::LtEq => (LtEq, 1),
            TokenKind::Gt => (Gt, 1),
            TokenKind::GtEq => (GtEq, 1),
            TokenKind::Keyword(keyword) => match (keyword, keyword_at(1), keyword_at(2), keyword_at(3)) {
                (K::IS, Some(K::DISTINCT), Some(K::FROM), _) => (IsDistinctFrom, 3),
                (K::IS, Some(K::NOT), Some(K::DISTINCT), Some(K::FROM)) => (IsNotDistinctFrom, 4),
                (K::MEMBER, Some(K::OF), ..) => (MemberOf, 2),
                (K::SUBMULTISET, Some(K::OF), ..) => (SubmultisetOf, 2),
                (K::NOT, Some(K::SUBMULTISET), Some(K::OF), _) => (NotSubmultisetOf, 3),
                (K::CONTAINS, ..) => (Contains, 1),
                (K::OVERLAPS, ..) => (Overlaps, 1),
                (K::EQUALS, ..) => (PeriodEquals, 1),
                (K::PRECEDES, ..) => (Precedes, 1),
                (K::SUCCEEDS, ..) => (Succeeds, 1),
                (K::IMMEDIATELY, Some(K::PRECEDES), ..) => (ImmediatelyPrecedes, 2),
                (K::IMMEDIATELY, Some(K::SUCCEEDS), ..) => (ImmediatelySucceeds, 2),
                (K::MULTISET, Some(set), third, _) => {
                    let (all, distinct) = match set {
                        K::UNION => (MultisetUnion, MultisetUnionDistinct),
                        K::INTERSECT => (MultisetIntersect, MultisetIntersectDistinct),
                        K::EXCEPT => (MultisetExcept, MultisetExceptDistinct),
                        _ => return None,
                    };
                    match third {
                        Some(K::ALL) => (all, 3),
                        Some(K::DISTINCT) => (distinct, 3),
                        _ => (all, 2),
                    }
                }
                _ => return None,
            },
            _ => return None,
        })
    }

    fn and(&mut self, first: Expr) -> Result<Expr> {
        let start = first.span;
        let operands = self.chain(first, K::AND, level::AND)?;
        self.node(ExprKind::And(operands), start)
    }

    fn or(&mut self, first: Expr) -> Result<Expr> {
        let start = first.span;
        let operands = self.chain(first, K::OR, level::OR)?;
        self.node(ExprKind::Or(operands), start)
    }

    /// `first AND b AND c`: flat, because users generate these by the thousand.
    fn chain(&mut self, first: Expr, keyword: K, level: u8) -> Result<Vec<Expr>> {
        let mut operands = vec![first];
        while self.take(keyword) {
            operands.push(self.expr_above(level + 1)?);
        }
        Ok(operands)
    }

    fn between(&mut self, operand: Expr, negated: bool) -> Result<Expr> {
        let start = operand.span;
        self.at += 1 + usize::from(negated);
        let symmetric = self.take(K::SYMMETRIC);
        if !symmetric {
            self.take(K::ASYMMETRIC);
        }
        let low = self.lower_bound()?;
        self.expect(K::AND)?;
        let high = self.expr_above(level::LIKE + 1)?;
        let span = self.span_from(start);
        let between = Box::new(Between { operand, negated, symmetric, low, high, span });
        self.node(ExprKind::Between(between), start)
    }

    /// The lower bound of BETWEEN reaches to the next AND, whatever stands between.
    fn lower_bound(&mut self) -> Result<Expr> {
        let low = self.expr_above(level::AND + 1)?;
        if !self.is(K::OR) {
            return Ok(low);
        }
        let start = low.span;
        let operands = self.chain(low, K::OR, level::AND)?;
        self.node(ExprKind::Or(operands), start)
    }

    fn like(&mut self, operand: Expr, kind: LikeKind, negated: bool) -> Result<Expr> {
        let start = operand.span;
        self.at += 1 + usize::from(negated);
        if kind == LikeKind::SimilarTo {
            self.expect(K::TO)?;
        }
        let pattern = self.expr_above(level::LIKE)?;
        let escape = if self.take(K::ESCAPE) { Some(self.expr_above(level::LIKE + 1)?) } else { None };
        let span = self.span_from(start);
        self.node(ExprKind::Like(Box::new(Like { operand, negated, kind, pattern, escape, span })), start)
    }

    fn is_operator(&mut self, operand: Expr) -> Result<Expr> {
        let start = operand.span;
        let operand = Box::new(operand);
        self.next();
        let negated = self.eat(K::NOT);
        let test = self.is_test()?;
        self.node(ExprKind::Is { operand, negated, test }, start)
    }

    /// Behind IS [NOT].
    fn is_test(&mut self) -> Result<IsTest> {
        for (keyword, test) in [
            (K::NULL, IsTest::Null),
            (K::TRUE, IsTest::True),
            (K::FALSE, IsTest::False),
            (K::UNKNOWN, IsTest::Unknown),
            (K::EMPTY, IsTest::Empty),
        ] {
            if self.eat(keyword) {
                return Ok(test);
            }
        }
        if self.eat_all(&[K::A, K::SET]) {
            return Ok(IsTest::ASet);
        }
        if self.eat(K::JSON) {
            return Ok(if self.take(K::OBJECT) {
                IsTest::JsonObject
            } else if self.take(K::ARRAY) {
                IsTest::JsonArray
            } else if self.take(K::SCALAR) {
                IsTest::JsonScalar
            } else {
                self.take(K::VALUE);
                IsTest::JsonValue
            });
        }
        self.note("DISTINCT FROM");
        Err(self.unexpected())
    }

    /// `x FORMAT JSON [ENCODING UTF8]`.
    fn format_json(&mut self, operand: Expr) -> Result<Expr> {
        let start = operand.span;
        let operand = Box::new(operand);
        self.at += 2;
        let encoding = match (self.is(K::ENCODING), self.kind_at(1)) {
            (true, TokenKind::Keyword(K::UTF8)) => Some(JsonEncoding::Utf8),
            (true, TokenKind::Keyword(K::UTF16)) => Some(JsonEncoding::Utf16),
            (true, TokenKind::Keyword(K::UTF32)) => Some(JsonEncoding::Utf32),
            _ => None, // ENCODING alone is an alias.
        };
        if encoding.is_some() {
            self.at += 2;
        }
        self.node(ExprKind::FormatJson { operand, encoding }, start)
    }

    fn in_operator(&mut self, operand: Expr, negated: bool) -> Result<Expr> {
        let start = operand.span;
        let operand = Box::new(operand);
        self.at += 1 + usize::from(negated);
        let set = self.in_set()?;
        self.node(ExprKind::In { operand, negated, set }, start)
    }

    /// What IN, ANY and ALL look in: `(query)` or `(a, b)`.
    fn in_set(&mut self) -> Result<InSet> {
        let mut values = self.paren_values()?;
        Ok(match values.as_slice() {
            [Expr { kind: ExprKind::Subquery(_), .. }] => match values.remove(0).kind {
                ExprKind::Subquery(query) => InSet::Query(query),
                _ => unreachable!("just matched"),
            },
            _ => InSet::List(values),
        })
    }
}
