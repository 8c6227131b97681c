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

impl Parser<'_> {
    /// An expression.
    pub(super) fn expr(&mut self) -> Result<Expr> {
        self.expr_above(level::LOWEST)
    }

    /// An expression whose operators all bind at least as tightly as `floor`.
    fn expr_above(&mut self, floor: u8) -> Result<Expr> {
        self.nested(|p| {
            let left = p.prefixed()?;
            p.operators(left, floor)
        })
    }

    /// Prefix operators and what they stand before.
    fn prefixed(&mut self) -> Result<Expr> {
        let start = self.here();
        let kind = match self.kind() {
            TokenKind::Plus => self.unary(UnaryOp::Plus, level::SIGN)?,
            TokenKind::Minus => self.unary(UnaryOp::Minus, level::SIGN)?,
            TokenKind::Keyword(K::NOT) => self.unary(UnaryOp::Not, level::NOT)?,
            TokenKind::Keyword(K::EXISTS) => {
                self.next();
                ExprKind::Exists(Box::new(self.expr_above(level::SUM)?))
            }
            TokenKind::Keyword(K::UNIQUE) => {
                self.next();
                ExprKind::Unique(Box::new(self.expr_above(level::SUM)?))
            }
            _ => return self.primary(),
        };
        Ok(Expr::new(kind, self.span_from(start)))
    }

    fn unary(&mut self, op: UnaryOp, floor: u8) -> Result<ExprKind> {
        self.next();
        Ok(ExprKind::Unary { op, operand: Box::new(self.expr_above(floor)?) })
    }

    /// All operators behind `left` that bind at least as tightly as `floor`.
    fn operators(&mut self, mut left: Expr, floor: u8) -> Result<Expr> {
        loop {
            let before = self.at;
            let start = left.span;
            let kind = match self.operator(&mut left, floor)? {
                Some(kind) => kind,
                None => return Ok(left),
            };
            debug_assert!(self.at > before);
            self.deepen()?;
            left = Expr::new(kind, self.span_from(start));
        }
    }

    /// One operator behind `left`, which it takes, if there is one of the level.
    fn operator(&mut self, left: &mut Expr, floor: u8) -> Result<Option<ExprKind>> {
        let take = |left: &mut Expr| {
            Box::new(std::mem::replace(left, Expr::new(ExprKind::Default, Default::default())))
        };
        if let Some((op, words)) = self.binary_op() {
            let level = level_of(op);
            if level < floor {
                return Ok(None);
            }
            if op.is_comparison() {
                let quantifier = match self.kind_at(1) {
                    TokenKind::Keyword(K::ANY) => Some(Quantifier::Any),
                    TokenKind::Keyword(K::SOME) if self.kind_at(2) == TokenKind::LeftParen => {
                        Some(Quantifier::Any)
                    }
                    TokenKind::Keyword(K::ALL) => Some(Quantifier::All),
                    _ => None,
                };
                if let Some(quantifier) = quantifier {
                    let operand = take(left);
                    self.at += 2;
                    let set = self.in_set()?;
                    return Ok(Some(ExprKind::Quantified { operand, op, quantifier, set }));
                }
            }
            let left = take(left);
            self.at += words;
            let right = Box::new(self.expr_above(level + 1)?);
            return Ok(Some(ExprKind::Binary { op, left, right }));
        }
        let (keyword, negated) = match self.kind() {
            TokenKind::LeftBracket if floor <= level::PRIMARY => {
                let base = take(left);
                self.next();
                let index = Box::new(self.expr()?);
                self.expect_kind(TokenKind::RightBracket)?;
                return Ok(Some(ExprKind::Subscript { base, index }));
            }
            TokenKind::Dot if floor <= level::PRIMARY && Self::is_name(self.kind_at(1)) => {
                let base = take(left);
                self.next();
                return Ok(Some(self.field_or_method(base)?));
            }
            TokenKind::Keyword(K::NOT) => match self.kind_at(1) {
                TokenKind::Keyword(keyword) => (keyword, true),
                _ => return Ok(None),
            },
            TokenKind::Keyword(keyword) => (keyword, false),
            _ => return Ok(None),
        };
        let words = 1 + usize::from(negated);
        match keyword {
            K::AND if !negated && floor <= level::AND => {
                Ok(Some(ExprKind::And(self.chain(*take(left), K::AND, level::AND)?)))
            }
            K::OR if !negated && floor <= level::OR => {
                Ok(Some(ExprKind::Or(self.chain(*take(left), K::OR, level::OR)?)))
            }
            K::IS if !negated && floor <= level::IS => {
                let operand = take(left);
                self.next();
                let negated = self.eat(K::NOT);
                let test = self.is_test()?;
                Ok(Some(ExprKind::Is { operand, negated, test }))
            }
            K::FORMAT if !negated && floor <= level::IS && self.kind_at(1) == TokenKind::Keyword(K::JSON) => {
                let operand = take(left);
                let encoding = self.format_json()?;
                Ok(Some(ExprKind::FormatJson { operand, encoding }))
            }
            K::IN if floor <= level::LIKE => {
                let operand = take(left);
                self.at += words;
                let set = self.in_set()?;
                Ok(Some(ExprKind::In { operand, negated, set }))
            }
            K::BETWEEN if floor <= level::LIKE => {
                let operand = *take(left);
                self.at += words;
                Ok(Some(ExprKind::Between(Box::new(self.between(operand, negated)?))))
            }
            K::LIKE | K::ILIKE | K::RLIKE | K::SIMILAR if floor <= level::LIKE => {
                let kind = match keyword {
                    K::LIKE => LikeKind::Like,
                    K::ILIKE => LikeKind::ILike,
                    K::RLIKE => LikeKind::RLike,
                    _ => LikeKind::SimilarTo,
                };
                let operand = *take(left);
                self.at += words;
                Ok(Some(ExprKind::Like(Box::new(self.like(operand, negated, kind)?))))
            }
            _ => Ok(None),
        }
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

    /// `first AND b AND c`: flat, because users generate these by the thousand.
    fn chain(&mut self, first: Expr, keyword: K, level: u8) -> Result<Vec<Expr>> {
        let mut operands = vec![first];
        while self.take(keyword) {
            operands.push(self.expr_above(level + 1)?);
        }
        Ok(operands)
    }

    /// Behind BETWEEN.
    fn between(&mut self, operand: Expr, negated: bool) -> Result<Between> {
        let start = operand.span;
        let symmetric = self.take(K::SYMMETRIC);
        if !symmetric {
            self.take(K::ASYMMETRIC);
        }
        // The lower bound reaches to the next AND, whatever stands between.
        let mut low = self.expr_above(level::AND + 1)?;
        if self.is(K::OR) {
            let span = low.span;
            let operands = self.chain(low, K::OR, level::AND)?;
            self.deepen()?;
            low = Expr::new(ExprKind::Or(operands), self.span_from(span));
        }
        self.expect(K::AND)?;
        let high = self.expr_above(level::LIKE + 1)?;
        Ok(Between { operand, negated, symmetric, low, high, span: self.span_from(start) })
    }

    /// Behind LIKE, ILIKE, RLIKE, SIMILAR.
    fn like(&mut self, operand: Expr, negated: bool, kind: LikeKind) -> Result<Like> {
        let start = operand.span;
        if kind == LikeKind::SimilarTo {
            self.expect(K::TO)?;
        }
        let pattern = self.expr_above(level::LIKE)?;
        let escape = if self.take(K::ESCAPE) { Some(self.expr_above(level::LIKE + 1)?) } else { None };
        Ok(Like { operand, negated, kind, pattern, escape, span: self.span_from(start) })
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

    /// `FORMAT JSON [ENCODING UTF8]`.
    pub(super) fn format_json(&mut self) -> Result<Option<JsonEncoding>> {
        self.expect_all(&[K::FORMAT, K::JSON])?;
        if !self.is(K::ENCODING) {
            return Ok(None);
        }
        let encoding = match self.kind_at(1) {
            TokenKind::Keyword(K::UTF8) => JsonEncoding::Utf8,
            TokenKind::Keyword(K::UTF16) => JsonEncoding::Utf16,
            TokenKind::Keyword(K::UTF32) => JsonEncoding::Utf32,
            _ => return Ok(None), // an alias
        };
        self.at += 2;
        Ok(Some(encoding))
    }

    /// What IN, ANY and ALL look in: `(query)` or `(a, b)`.
    fn in_set(&mut self) -> Result<InSet> {
        self.expect_kind(TokenKind::LeftParen)?;
        let first = self.query_or_expr()?;
        if self.at_kind(TokenKind::Comma) {
            let mut list = vec![first];
            while self.eat_kind(TokenKind::Comma) {
                list.push(self.expr()?);
            }
            self.expect_kind(TokenKind::RightParen)?;
            return Ok(InSet::List(list));
        }
        self.expect_kind(TokenKind::RightParen)?;
        Ok(match first.kind {
            ExprKind::Subquery(query) => InSet::Query(query),
            _ => InSet::List(vec![first]),
        })
    }
}
