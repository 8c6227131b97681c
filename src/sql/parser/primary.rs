//! Operands: names, calls, literals, parentheses, constructors, CASE.

use super::Parser;
use crate::error::{Error, Result, Span};
use crate::sql::ast::{BinaryOp, Case, CaseBranch, Expr, ExprKind, ObjectName, Query};
use crate::sql::keyword::Keyword as K;
use crate::sql::token::TokenKind;

impl Parser<'_> {
    /// An expression without operators at its ends, but for fields and subscripts, which [`operators`] of the same
    /// level add.
    ///
    /// [`operators`]: Self::expr
    pub(super) fn primary(&mut self) -> Result<Expr> {
        let start = self.here();
        if let Some(literal) = self.literal_opt()? {
            let span = literal.span;
            return Ok(Expr::new(ExprKind::Literal(literal), span));
        }
        let kind = match self.kind() {
            TokenKind::LeftParen => return self.parenthesised(),
            TokenKind::Question => {
                self.next();
                ExprKind::Parameter
            }
            TokenKind::LeftBrace => self.jdbc_function()?,
            TokenKind::Keyword(keyword) => match self.keyword_primary(keyword)? {
                Some(expr) => return Ok(expr),
                None if keyword.is_reserved() => return Err(self.no_expression()),
                None => return self.name_or_call(),
            },
            kind if Self::is_name(kind) => return self.name_or_call(),
            _ => return Err(self.no_expression()),
        };
        Ok(Expr::new(kind, self.span_from(start)))
    }

    fn no_expression(&mut self) -> Error {
        self.expected_here("an expression")
    }

    /// What begins with a keyword and is no plain name or call.
    fn keyword_primary(&mut self, keyword: K) -> Result<Option<Expr>> {
        let start = self.here();
        let paren = self.kind_at(1) == TokenKind::LeftParen;
        let kind = match keyword {
            K::INTERVAL => return self.interval().map(Some),
            K::CASE => ExprKind::Case(Box::new(self.case()?)),
            K::ROW => {
                self.next();
                let values = self.parens(Self::query_or_exprs)?;
                ExprKind::Row { explicit: true, values }
            }
            K::ARRAY => {
                self.next();
                if self.at_kind(TokenKind::LeftParen) {
                    self.constructor_query(ExprKind::ArrayQuery)?
                } else {
                    ExprKind::Array(self.brackets()?)
                }
            }
            K::MAP if self.kind_at(1) == TokenKind::LeftBracket => {
                self.next();
                ExprKind::Map(self.brackets()?)
            }
            K::MAP if paren && self.query_starts_at(2) => {
                self.next();
                self.constructor_query(ExprKind::MapQuery)?
            }
            K::MULTISET => {
                self.next();
                if self.at_kind(TokenKind::LeftParen) {
                    self.constructor_query(ExprKind::MultisetQuery)?
                } else {
                    let at = self.here();
                    let values = self.brackets()?;
                    if values.is_empty() {
                        return Err(Error::syntax("MULTISET[] needs a value", self.span_from(at)));
                    }
                    ExprKind::Multiset(values)
                }
            }
            K::PERIOD => {
                self.next();
                let period = self.parens(|p| {
                    let from = p.expr()?;
                    p.expect_kind(TokenKind::Comma)?;
                    Ok((from, p.expr()?))
                })?;
                ExprKind::Period(Box::new(period))
            }
            K::CURSOR => {
                self.next();
                ExprKind::Cursor(Box::new(self.primary()?))
            }
            K::NEXT | K::CURRENT if self.kind_at(1) == TokenKind::Keyword(K::VALUE) => {
                self.at += 2;
                self.expect(K::FOR)?;
                ExprKind::Sequence { next: keyword == K::NEXT, name: self.object_name()? }
            }
            K::NEW => {
                self.next();
                ExprKind::New(Box::new(self.routine_call()?))
            }
            K::MODEL if Self::is_name(self.kind_at(1)) => {
                self.next();
                ExprKind::Model(self.object_name()?)
            }
            K::RUNNING | K::FINAL if keyword == K::RUNNING || self.expression_starts_at(1) => {
                self.next();
                let operand = Box::new(self.nested(Self::primary)?);
                ExprKind::MatchSemantics { is_final: keyword == K::FINAL, operand }
            }
            K::SPECIFIC | K::ARRAY_CONCAT_AGG => return self.call_expr().map(Some),
            _ if keyword.is_function() && paren && !matches!(keyword, K::FLOOR | K::CEILING) => {
                return self.call_expr().map(Some);
            }
            _ if keyword.is_niladic() => {
                let token = self.next();
                ExprKind::Niladic(self.ident_of(token)?)
            }
            _ if paren => match self.special_call(keyword)? {
                Some(kind) => kind,
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        Ok(Some(Expr::new(kind, self.span_from(start))))
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

    /// A name, a star behind a name, or a call.
    fn name_or_call(&mut self) -> Result<Expr> {
        let start = self.here();
        if self.call_starts() {
            return self.call_expr();
        }
        let mut parts = vec![self.ident()?];
        while self.kind() == TokenKind::Dot {
            if self.kind_at(1) == TokenKind::Star {
                self.at += 2;
                return Ok(Expr::new(ExprKind::Star(Some(ObjectName(parts))), self.span_from(start)));
            }
            if !Self::is_name(self.kind_at(1)) {
                self.next();
                return Err(self.expected_here("a field name or *"));
            }
            self.next();
            parts.push(self.ident()?);
        }
        Ok(Expr::new(ExprKind::Name(ObjectName(parts)), self.span_from(start)))
    }

    /// Whether a dotted name and an opening parenthesis come next. A word that has a syntax of its own as a function
    /// counts, and is sorted out later.
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

    /// `(query)`, `(expression)`, `(a, b)`, `(a - b) DAY`.
    fn parenthesised(&mut self) -> Result<Expr> {
        let start = self.here();
        let mut values = self.parens(Self::query_or_exprs)?;
        if values.len() > 1 {
            return Ok(Expr::new(ExprKind::Row { explicit: false, values }, self.span_from(start)));
        }
        let inner = values.pop().expect("parentheses hold a value");
        if Self::interval_unit_of(self.kind()).is_some() {
            let reserved = matches!(self.kind(), TokenKind::Keyword(keyword) if keyword.is_reserved());
            if let ExprKind::Binary { op: BinaryOp::Minus, left, right } = inner.kind {
                let qualifier = self.interval_qualifier(true)?;
                return Ok(Expr::new(
                    ExprKind::MinusInterval { left, right, qualifier },
                    self.span_from(start),
                ));
            } else if reserved {
                let error =
                    Error::syntax("only a difference in parentheses can have a unit of time", self.here());
                return Err(error.hint("write INTERVAL (amount) DAY for a computed interval"));
            }
        }
        Ok(Expr { span: self.span_from(start), ..inner })
    }

    /// A query or expressions: what parentheses may hold. A query is alone or, in parentheses of its own, one of the
    /// values.
    pub(super) fn query_or_exprs(&mut self) -> Result<Vec<Expr>> {
        let mut values = vec![self.query_or_expr()?];
        while self.eat_kind(TokenKind::Comma) {
            values.push(self.expr()?);
        }
        Ok(values)
    }

    /// A query, without parentheses needed, or an expression. A query in parentheses with more query behind it,
    /// `(SELECT …) UNION …`, is a query.
    pub(super) fn query_or_expr(&mut self) -> Result<Expr> {
        let start = self.here();
        if self.query_starts_at(0) {
            let query = self.query()?;
            return Ok(Expr::new(ExprKind::Subquery(Box::new(query)), self.span_from(start)));
        }
        let expr = self.expr()?;
        if !matches!(expr.kind, ExprKind::Subquery(_)) || !self.query_goes_on() {
            return Ok(expr);
        }
        let ExprKind::Subquery(query) = expr.kind else { unreachable!("just matched") };
        let query = self.nested(|p| p.query_after(*query, start))?;
        Ok(Expr::new(ExprKind::Subquery(Box::new(query)), self.span_from(start)))
    }

    /// `[a, b]`, perhaps empty.
    fn brackets(&mut self) -> Result<Vec<Expr>> {
        self.expect_kind(TokenKind::LeftBracket)?;
        if self.eat_kind(TokenKind::RightBracket) {
            return Ok(Vec::new());
        }
        let values = self.comma_list(Self::expr)?;
        self.expect_kind(TokenKind::RightBracket)?;
        Ok(values)
    }

    /// The query of `ARRAY(…)`, `MAP(…)`, `MULTISET(…)`.
    fn constructor_query(&mut self, make: fn(Box<Query>) -> ExprKind) -> Result<ExprKind> {
        let at = self.here();
        let inner = self.parens(Self::query_or_expr)?;
        match inner.kind {
            ExprKind::Subquery(query) => Ok(make(query)),
            _ => Err(Error::validation("only a query stands in parentheses here", self.span_from(at))
                .hint("list values in brackets: ARRAY[1, 2]")),
        }
    }

    fn case(&mut self) -> Result<Case> {
        let start = self.expect(K::CASE)?.span;
        let operand = if self.at(K::WHEN) { None } else { Some(self.expr()?) };
        let mut branches = Vec::new();
        while branches.is_empty() || self.at(K::WHEN) {
            let at = self.expect(K::WHEN)?.span;
            let when = self.comma_list(Self::expr)?;
            self.expect(K::THEN)?;
            let then = self.expr()?;
            branches.push(CaseBranch { when, then, span: self.span_from(at) });
        }
        let otherwise = if self.eat(K::ELSE) { Some(self.expr()?) } else { None };
        self.expect(K::END)?;
        Ok(Case { operand, branches, otherwise, span: self.span_from(start) })
    }

    /// Behind the dot of `x.`.
    pub(super) fn field_or_method(&mut self, base: Box<Expr>) -> Result<ExprKind> {
        if self.kind_at(1) != TokenKind::LeftParen {
            return Ok(ExprKind::Field { base, name: self.ident()? });
        }
        let start: Span = self.here();
        let name = self.ident()?;
        let mut call = self.new_call(name.into(), start);
        self.call_args(&mut call)?;
        call.span = self.span_from(start);
        Ok(ExprKind::Method { base, call: Box::new(call) })
    }
}
