//! Operands: names, calls, literals, parentheses, constructors, CASE.
//!
//! Expressions nest, so that what is between two levels decides how much stack a level takes. Hence the shape of this
//! file and of `special.rs` and `json.rs`: functions that only choose the next function, and small functions for one
//! construct each.

use super::Parser;
use crate::error::{Error, Result, Span};
use crate::sql::ast::{BinaryOp, Case, CaseBranch, Expr, ExprKind, ObjectName, Query};
use crate::sql::keyword::Keyword as K;
use crate::sql::token::TokenKind;

/// What kind of operand begins at a token.
enum Operand {
    Literal,
    Interval,
    Parentheses,
    Parameter,
    Jdbc,
    Case,
    Row,
    Array,
    Map,
    Multiset,
    Period,
    Cursor,
    Sequence,
    New,
    Model,
    MatchSemantics,
    Special(K),
    Call,
    Niladic,
    Name,
    None,
}

impl Parser<'_> {
    /// An expression without operators at its ends. Fields and subscripts are operators here.
    pub(super) fn primary(&mut self) -> Result<Expr> {
        match self.operand() {
            Operand::Literal => self.literal_expr(),
            Operand::Interval => self.interval(),
            Operand::Parentheses => self.parenthesised(),
            Operand::Parameter => self.parameter(),
            Operand::Jdbc => self.jdbc_function(),
            Operand::Case => self.case(),
            Operand::Row => self.row(),
            Operand::Array => self.array(),
            Operand::Map => self.map(),
            Operand::Multiset => self.multiset(),
            Operand::Period => self.period(),
            Operand::Cursor => self.cursor(),
            Operand::Sequence => self.sequence(),
            Operand::New => self.new_expr(),
            Operand::Model => self.model(),
            Operand::MatchSemantics => self.match_semantics(),
            Operand::Special(keyword) => self.special_call(keyword),
            Operand::Call => self.call_expr(),
            Operand::Niladic => self.niladic(),
            Operand::Name => self.name_expr(),
            Operand::None => Err(self.expected_here("an expression")),
        }
    }

    fn operand(&self) -> Operand {
        let next = self.kind_at(1);
        let paren = next == TokenKind::LeftParen;
        if self.literal_starts() {
            return Operand::Literal;
        }
        match self.kind() {
            TokenKind::LeftParen => Operand::Parentheses,
            TokenKind::Question => Operand::Parameter,
            TokenKind::LeftBrace => Operand::Jdbc,
            TokenKind::Keyword(keyword) => match keyword {
                K::INTERVAL => Operand::Interval,
                K::CASE => Operand::Case,
                K::ROW => Operand::Row,
                K::ARRAY => Operand::Array,
                K::MAP if next == TokenKind::LeftBracket || paren && self.query_starts_at(2) => Operand::Map,
                K::MULTISET => Operand::Multiset,
                K::PERIOD => Operand::Period,
                K::CURSOR => Operand::Cursor,
                K::NEXT | K::CURRENT if next == TokenKind::Keyword(K::VALUE) => Operand::Sequence,
                K::NEW => Operand::New,
                K::MODEL if Self::is_name(next) => Operand::Model,
                K::RUNNING => Operand::MatchSemantics,
                K::FINAL if self.expression_starts_at(1) => Operand::MatchSemantics,
                _ if paren && Self::is_special(keyword) => Operand::Special(keyword),
                K::SPECIFIC | K::ARRAY_CONCAT_AGG => Operand::Call,
                _ if paren && keyword.is_function() => Operand::Call,
                _ if keyword.is_niladic() => Operand::Niladic,
                _ if keyword.is_reserved() => Operand::None,
                _ if self.call_starts() => Operand::Call,
                _ => Operand::Name,
            },
            kind if !Self::is_name(kind) => Operand::None,
            _ if self.call_starts() => Operand::Call,
            _ => Operand::Name,
        }
    }

    /// Whether a token can begin an operand (not an operator with one).
    pub(super) fn expression_starts_at(&self, ahead: usize) -> bool {
        use TokenKind::*;
        match self.kind_at(ahead) {
            LeftParen | Integer | Decimal | Approximate | String | UnicodeString | EscapedString
            | PrefixedString | BinaryString | Question | LeftBrace => true,
            Keyword(keyword) if keyword.is_function() || keyword.is_niladic() => true,
            Keyword(
                K::ARRAY
                | K::CASE
                | K::CAST
                | K::TRY_CAST
                | K::SAFE_CAST
                | K::EXTRACT
                | K::POSITION
                | K::CONVERT
                | K::TRANSLATE
                | K::OVERLAY
                | K::CEIL
                | K::SUBSTRING
                | K::TRIM
                | K::INTERVAL
                | K::ROW
                | K::MULTISET
                | K::PERIOD
                | K::NEW
                | K::NULL
                | K::TRUE
                | K::FALSE
                | K::UNKNOWN
                | K::DATE
                | K::TIME
                | K::TIMESTAMP
                | K::DATETIME
                | K::DECIMAL
                | K::CLASSIFIER
                | K::MATCH_NUMBER
                | K::PREV
                | K::NEXT
                | K::CURRENT
                | K::CURSOR
                | K::JSON_EXISTS
                | K::JSON_VALUE
                | K::JSON_QUERY
                | K::JSON_OBJECT
                | K::JSON_ARRAY
                | K::JSON_OBJECTAGG
                | K::JSON_ARRAYAGG
                | K::SPECIFIC
                | K::RUNNING
                | K::ARRAY_CONCAT_AGG
                | K::CONTAINS_SUBSTR
                | K::TIMESTAMP_DIFF
                | K::TIME_DIFF
                | K::DATE_TRUNC
                | K::TIMESTAMP_TRUNC
                | K::TIME_TRUNC
                | K::DATETIME_TRUNC,
            ) => true,
            kind => Self::is_name(kind),
        }
    }

    /// An expression that ends here.
    pub(super) fn node(&mut self, kind: ExprKind, start: Span) -> Result<Expr> {
        self.deepen()?;
        Ok(Expr::new(kind, self.span_from(start)))
    }

    // ---- names

    /// Whether a dotted name and an opening parenthesis come next.
    fn call_starts(&self) -> bool {
        let mut ahead = 0;
        loop {
            if !Self::is_name(self.kind_at(ahead)) {
                return false;
            }
            match self.kind_at(ahead + 1) {
                TokenKind::LeftParen => return true,
                TokenKind::Dot => ahead += 2,
                _ => return false,
            }
        }
    }

    /// A name, perhaps with a star behind it.
    fn name_expr(&mut self) -> Result<Expr> {
        let start = self.here();
        let mut parts = vec![self.ident()?];
        while self.kind() == TokenKind::Dot {
            if self.kind_at(1) == TokenKind::Star {
                self.at += 2;
                return self.node(ExprKind::Star(Some(ObjectName(parts))), start);
            }
            self.next();
            parts.push(self.ident_as("a field name or *")?);
        }
        self.node(ExprKind::Name(ObjectName(parts)), start)
    }

    fn niladic(&mut self) -> Result<Expr> {
        let token = self.next();
        let name = self.ident_of(token)?;
        self.node(ExprKind::Niladic(name), token.span)
    }

    fn parameter(&mut self) -> Result<Expr> {
        let start = self.next().span;
        self.node(ExprKind::Parameter, start)
    }

    // ---- parentheses

    /// `(query)`, `(expression)`, `(a, b)`, `(a - b) DAY`.
    fn parenthesised(&mut self) -> Result<Expr> {
        let start = self.expect_kind(TokenKind::LeftParen)?.span;
        let inner = self.query_or_expr()?;
        if self.eat_kind(TokenKind::Comma) {
            return self.row_after(inner, start);
        }
        self.expect_kind(TokenKind::RightParen)?;
        if Self::interval_unit_of(self.kind()).is_some() {
            return self.minus_interval(inner, start);
        }
        Ok(Expr { span: self.span_from(start), ..inner })
    }

    /// Behind `(a,`.
    fn row_after(&mut self, first: Expr, start: Span) -> Result<Expr> {
        let mut values = vec![first];
        self.more_exprs(&mut values)?;
        self.expect_kind(TokenKind::RightParen)?;
        self.node(ExprKind::Row { explicit: false, values }, start)
    }

    /// `b, c` behind a comma.
    fn more_exprs(&mut self, values: &mut Vec<Expr>) -> Result<()> {
        loop {
            values.push(self.expr()?);
            if !self.eat_kind(TokenKind::Comma) {
                return Ok(());
            }
        }
    }

    /// Behind `(a - b)`, before a unit of time.
    fn minus_interval(&mut self, inner: Expr, start: Span) -> Result<Expr> {
        let reserved = matches!(self.kind(), TokenKind::Keyword(keyword) if keyword.is_reserved());
        match inner.kind {
            ExprKind::Binary { op: BinaryOp::Minus, left, right } => {
                let qualifier = self.interval_qualifier(true)?;
                self.node(ExprKind::MinusInterval { left, right, qualifier }, start)
            }
            _ if reserved => {
                let error =
                    Error::syntax("only a difference in parentheses can have a unit of time", self.here());
                Err(error.hint("write INTERVAL (amount) DAY for a computed interval"))
            }
            kind => Ok(Expr::new(kind, self.span_from(start))),
        }
    }

    /// `(a, b)` or `(query)`: what ROW and UNNEST take.
    pub(super) fn paren_values(&mut self) -> Result<Vec<Expr>> {
        self.expect_kind(TokenKind::LeftParen)?;
        let mut values = vec![self.query_or_expr()?];
        if self.eat_kind(TokenKind::Comma) {
            self.more_exprs(&mut values)?;
        }
        self.expect_kind(TokenKind::RightParen)?;
        Ok(values)
    }

    /// A query, without parentheses needed, or an expression. A query in parentheses with more query behind it,
    /// `(SELECT …) UNION …`, is a query.
    pub(super) fn query_or_expr(&mut self) -> Result<Expr> {
        if self.query_starts_at(0) {
            return self.subquery();
        }
        let expr = self.expr()?;
        if self.query_goes_on() { self.subquery_after(expr) } else { Ok(expr) }
    }

    fn subquery(&mut self) -> Result<Expr> {
        let start = self.here();
        let query = Box::new(self.query()?);
        self.node(ExprKind::Subquery(query), start)
    }

    /// Behind an expression, before a word that goes on with a query.
    fn subquery_after(&mut self, expr: Expr) -> Result<Expr> {
        let start = expr.span;
        match expr.kind {
            ExprKind::Subquery(query) => {
                let query = Box::new(self.query_after(query, start)?);
                self.node(ExprKind::Subquery(query), start)
            }
            kind => Ok(Expr::new(kind, start)),
        }
    }

    // ---- constructors

    fn row(&mut self) -> Result<Expr> {
        let start = self.next().span;
        let values = self.paren_values()?;
        self.node(ExprKind::Row { explicit: true, values }, start)
    }

    fn array(&mut self) -> Result<Expr> {
        let start = self.next().span;
        if self.at_kind(TokenKind::LeftParen) {
            return self.constructor_query(ExprKind::ArrayQuery, start);
        }
        let values = self.brackets()?;
        self.node(ExprKind::Array(values), start)
    }

    fn map(&mut self) -> Result<Expr> {
        let start = self.next().span;
        if self.at_kind(TokenKind::LeftParen) {
            return self.constructor_query(ExprKind::MapQuery, start);
        }
        let values = self.brackets()?;
        self.node(ExprKind::Map(values), start)
    }

    fn multiset(&mut self) -> Result<Expr> {
        let start = self.next().span;
        if self.at_kind(TokenKind::LeftParen) {
            return self.constructor_query(ExprKind::MultisetQuery, start);
        }
        let values = self.brackets()?;
        if values.is_empty() {
            return Err(Error::syntax("MULTISET[] needs a value", self.span_from(start)));
        }
        self.node(ExprKind::Multiset(values), start)
    }

    /// `[a, b]`, perhaps empty.
    fn brackets(&mut self) -> Result<Vec<Expr>> {
        self.expect_kind(TokenKind::LeftBracket)?;
        let mut values = Vec::new();
        if self.kind() != TokenKind::RightBracket {
            self.more_exprs(&mut values)?;
        }
        self.expect_kind(TokenKind::RightBracket)?;
        Ok(values)
    }

    /// The query of `ARRAY(…)`, `MAP(…)`, `MULTISET(…)`.
    fn constructor_query(&mut self, make: fn(Box<Query>) -> ExprKind, start: Span) -> Result<Expr> {
        self.expect_kind(TokenKind::LeftParen)?;
        let inner = self.query_or_expr()?;
        self.expect_kind(TokenKind::RightParen)?;
        match inner.kind {
            ExprKind::Subquery(query) => self.node(make(query), start),
            _ => Err(Error::validation("only a query stands in parentheses here", inner.span)
                .hint("list values in brackets: ARRAY[1, 2]")),
        }
    }

    fn period(&mut self) -> Result<Expr> {
        let start = self.next().span;
        self.expect_kind(TokenKind::LeftParen)?;
        let from = self.expr()?;
        self.expect_kind(TokenKind::Comma)?;
        let to = self.expr()?;
        self.expect_kind(TokenKind::RightParen)?;
        self.node(ExprKind::Period(Box::new((from, to))), start)
    }

    fn cursor(&mut self) -> Result<Expr> {
        let start = self.next().span;
        let operand = Box::new(self.nested(Self::primary)?);
        self.node(ExprKind::Cursor(operand), start)
    }

    fn match_semantics(&mut self) -> Result<Expr> {
        let is_final = self.is(K::FINAL);
        let start = self.next().span;
        let operand = Box::new(self.nested(Self::primary)?);
        self.node(ExprKind::MatchSemantics { is_final, operand }, start)
    }

    fn sequence(&mut self) -> Result<Expr> {
        let next = self.is(K::NEXT);
        let start = self.here();
        self.at += 2;
        self.expect(K::FOR)?;
        let name = self.object_name()?;
        self.node(ExprKind::Sequence { next, name }, start)
    }

    fn new_expr(&mut self) -> Result<Expr> {
        let start = self.next().span;
        let call = Box::new(self.routine_call()?);
        self.node(ExprKind::New(call), start)
    }

    fn model(&mut self) -> Result<Expr> {
        let start = self.next().span;
        let name = self.object_name()?;
        self.node(ExprKind::Model(name), start)
    }

    // ---- CASE

    fn case(&mut self) -> Result<Expr> {
        let start = self.next().span;
        let mut case = Box::new(Case { operand: None, branches: Vec::new(), otherwise: None, span: start });
        if !self.at(K::WHEN) {
            case.operand = Some(self.expr()?);
        }
        while case.branches.is_empty() || self.at(K::WHEN) {
            self.case_branch(&mut case.branches)?;
        }
        if self.eat(K::ELSE) {
            case.otherwise = Some(self.expr()?);
        }
        self.expect(K::END)?;
        case.span = self.span_from(start);
        self.node(ExprKind::Case(case), start)
    }

    fn case_branch(&mut self, branches: &mut Vec<CaseBranch>) -> Result<()> {
        let start = self.expect(K::WHEN)?.span;
        let mut when = Vec::new();
        self.more_exprs(&mut when)?;
        self.expect(K::THEN)?;
        let then = self.expr()?;
        branches.push(CaseBranch { when, then, span: self.span_from(start) });
        Ok(())
    }

    // ---- fields and subscripts

    /// Behind `x`, at a bracket.
    pub(super) fn subscript(&mut self, base: Expr) -> Result<Expr> {
        let start = base.span;
        let base = Box::new(base);
        self.next();
        let index = Box::new(self.expr()?);
        self.expect_kind(TokenKind::RightBracket)?;
        self.node(ExprKind::Subscript { base, index }, start)
    }

    /// Behind `x`, at a dot.
    pub(super) fn field_or_method(&mut self, base: Expr) -> Result<Expr> {
        let start = base.span;
        let base = Box::new(base);
        self.next();
        let at = self.here();
        let name = self.ident()?;
        if self.kind() != TokenKind::LeftParen {
            return self.node(ExprKind::Field { base, name }, start);
        }
        let mut call = Box::new(self.new_call(name.into(), at));
        self.call_args(&mut call)?;
        call.span = self.span_from(at);
        self.node(ExprKind::Method { base, call }, start)
    }
}
