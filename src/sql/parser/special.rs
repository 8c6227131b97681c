//! Functions with a syntax of their own: CAST, EXTRACT, TRIM and their kind.

use super::Parser;
use crate::error::{Error, Result};
use crate::sql::ast::{
    ArgValue, Cast, CastKind, Expr, ExprKind, FunctionArg, FunctionCall, Overlay, Position, Substring,
    TimestampArithmetic, Trim, TrimSide,
};
use crate::sql::keyword::Keyword as K;
use crate::sql::token::TokenKind;

impl Parser<'_> {
    /// The call of `keyword`, which is the current token before a parenthesis, if it has a syntax of its own.
    pub(super) fn special_call(&mut self, keyword: K) -> Result<Option<ExprKind>> {
        Ok(Some(match keyword {
            K::CAST => self.cast(CastKind::Cast)?,
            K::TRY_CAST => self.cast(CastKind::TryCast)?,
            K::SAFE_CAST => self.cast(CastKind::SafeCast)?,
            K::EXTRACT => self.extract()?,
            K::FLOOR | K::CEIL | K::CEILING => self.round(keyword != K::FLOOR)?,
            K::POSITION => self.position()?,
            K::SUBSTRING => self.substring()?,
            K::TRIM => self.trim()?,
            K::OVERLAY => self.overlay()?,
            K::CONVERT | K::TRANSLATE => self.transcode(keyword == K::TRANSLATE)?,
            K::TIMESTAMPADD => self.timestamp_arithmetic(false)?,
            K::TIMESTAMPDIFF => self.timestamp_arithmetic(true)?,
            K::DATE_DIFF | K::DATETIME_DIFF | K::TIMESTAMP_DIFF | K::TIME_DIFF => self.call_with_unit(2)?,
            K::DATE_TRUNC | K::TIMESTAMP_TRUNC | K::TIME_TRUNC | K::DATETIME_TRUNC => {
                self.call_with_unit(1)?
            }
            K::CLASSIFIER | K::MATCH_NUMBER | K::PREV | K::NEXT | K::CONTAINS_SUBSTR => self.plain_call()?,
            K::DATE | K::TIME | K::TIMESTAMP | K::DATETIME => self.plain_call()?,
            K::JSON_EXISTS => self.json_exists()?,
            K::JSON_VALUE => self.json_value()?,
            K::JSON_QUERY => self.json_query()?,
            K::JSON_OBJECT => self.json_object()?,
            K::JSON_ARRAY => self.json_array()?,
            K::JSON_OBJECTAGG => self.json_object_agg()?,
            K::JSON_ARRAYAGG => self.json_array_agg()?,
            _ => return Ok(None),
        }))
    }

    /// A call with an ordinary syntax whose name is a reserved word.
    fn plain_call(&mut self) -> Result<ExprKind> {
        let start = self.here();
        let token = self.next();
        let mut call = self.new_call(self.ident_of_word(token).into(), start);
        self.call_args(&mut call)?;
        match token.kind {
            TokenKind::Keyword(K::CLASSIFIER | K::MATCH_NUMBER) if !call.args.is_empty() => {
                return Err(Error::syntax("this function has no arguments", self.span_from(start)));
            }
            TokenKind::Keyword(K::PREV | K::NEXT) if !matches!(call.args.len(), 1 | 2) => {
                return Err(Error::syntax("this function has one or two arguments", self.span_from(start)));
            }
            _ => {}
        }
        call.span = self.span_from(start);
        Ok(ExprKind::Function(Box::new(call)))
    }

    fn ident_of_word(&self, token: crate::sql::token::Token) -> crate::sql::ast::Ident {
        crate::sql::ast::Ident::new(self.text_of(token), false, token.span)
    }

    fn cast(&mut self, kind: CastKind) -> Result<ExprKind> {
        let start = self.next().span;
        let (operand, ty) = self.parens(|p| {
            let operand = p.expr()?;
            p.expect(K::AS)?;
            Ok((operand, p.cast_type()?))
        })?;
        Ok(ExprKind::Cast(Box::new(Cast { operand, ty, kind, span: self.span_from(start) })))
    }

    fn extract(&mut self) -> Result<ExprKind> {
        self.next();
        self.parens(|p| {
            let unit = p.time_unit()?;
            p.expect(K::FROM)?;
            Ok(ExprKind::Extract { unit, operand: Box::new(p.expr()?) })
        })
    }

    /// FLOOR and CEIL, with `TO unit` or without.
    fn round(&mut self, up: bool) -> Result<ExprKind> {
        let start = self.here();
        let token = self.next();
        let (operand, unit) = self.parens(|p| {
            let operand = p.expr()?;
            let unit = if p.eat(K::TO) { Some(p.time_unit()?) } else { None };
            Ok((operand, unit))
        })?;
        if let Some(unit) = unit {
            return Ok(ExprKind::RoundTime { up, operand: Box::new(operand), unit });
        }
        let mut call = self.new_call(self.ident_of_word(token).into(), start);
        push(&mut call, ArgValue::Expr(operand));
        self.over_opt(&mut call)?;
        call.span = self.span_from(start);
        Ok(ExprKind::Function(Box::new(call)))
    }

    fn position(&mut self) -> Result<ExprKind> {
        let start = self.next().span;
        let (needle, haystack, from) = self.parens(|p| {
            // Not any expression: IN would be taken for the operator.
            let needle = p.nested(Self::primary)?;
            p.expect(K::IN)?;
            let haystack = p.expr()?;
            let from = if p.eat(K::FROM) { Some(p.expr()?) } else { None };
            Ok((needle, haystack, from))
        })?;
        let span = self.span_from(start);
        Ok(ExprKind::Position(Box::new(Position { needle, haystack, start: from, span })))
    }

    fn substring(&mut self) -> Result<ExprKind> {
        let begin = self.next().span;
        let (operand, start, length) = self.parens(|p| {
            let operand = p.expr()?;
            if !p.eat(K::FROM) {
                p.expect_kind(TokenKind::Comma)?;
            }
            let start = p.expr()?;
            let more = p.eat(K::FOR) || p.eat_kind(TokenKind::Comma);
            Ok((operand, start, if more { Some(p.expr()?) } else { None }))
        })?;
        Ok(ExprKind::Substring(Box::new(Substring { operand, start, length, span: self.span_from(begin) })))
    }

    fn trim(&mut self) -> Result<ExprKind> {
        let start = self.next().span;
        let (side, chars, operand) = self.parens(|p| {
            let side = if p.eat(K::BOTH) {
                Some(TrimSide::Both)
            } else if p.eat(K::LEADING) {
                Some(TrimSide::Leading)
            } else if p.eat(K::TRAILING) {
                Some(TrimSide::Trailing)
            } else {
                None
            };
            if side.is_some() && p.eat(K::FROM) {
                return Ok((side, None, p.expr()?));
            }
            let first = p.expr()?;
            if p.eat(K::FROM) { Ok((side, Some(first), p.expr()?)) } else { Ok((side, None, first)) }
        })?;
        let side = side.unwrap_or(TrimSide::Both);
        Ok(ExprKind::Trim(Box::new(Trim { side, chars, operand, span: self.span_from(start) })))
    }

    fn overlay(&mut self) -> Result<ExprKind> {
        let begin = self.next().span;
        let (operand, replacement, start, length) = self.parens(|p| {
            let operand = p.expr()?;
            p.expect(K::PLACING)?;
            let replacement = p.expr()?;
            p.expect(K::FROM)?;
            let start = p.expr()?;
            let length = if p.eat(K::FOR) { Some(p.expr()?) } else { None };
            Ok((operand, replacement, start, length))
        })?;
        let span = self.span_from(begin);
        Ok(ExprKind::Overlay(Box::new(Overlay { operand, replacement, start, length, span })))
    }

    /// CONVERT and TRANSLATE, with USING or as ordinary calls.
    fn transcode(&mut self, translate: bool) -> Result<ExprKind> {
        let start = self.here();
        let token = self.next();
        self.expect_kind(TokenKind::LeftParen)?;
        let operand = self.expr()?;
        if self.eat(K::USING) {
            let charset = self.ident_as("a character set")?;
            self.expect_kind(TokenKind::RightParen)?;
            return Ok(ExprKind::Transcode { translate, operand: Box::new(operand), charset });
        }
        let mut call = self.new_call(self.ident_of_word(token).into(), start);
        push(&mut call, ArgValue::Expr(operand));
        while self.eat_kind(TokenKind::Comma) {
            let argument = self.expr()?;
            push(&mut call, ArgValue::Expr(argument));
        }
        self.expect_kind(TokenKind::RightParen)?;
        call.span = self.span_from(start);
        Ok(ExprKind::Function(Box::new(call)))
    }

    fn timestamp_arithmetic(&mut self, difference: bool) -> Result<ExprKind> {
        let start = self.next().span;
        let (unit, first, second) = self.parens(|p| {
            let unit = p.time_unit()?;
            p.expect_kind(TokenKind::Comma)?;
            let first = p.expr()?;
            p.expect_kind(TokenKind::Comma)?;
            Ok((unit, first, p.expr()?))
        })?;
        let span = self.span_from(start);
        Ok(ExprKind::TimestampArithmetic(Box::new(TimestampArithmetic {
            difference,
            unit,
            first,
            second,
            span,
        })))
    }

    /// BigQuery's `DATE_DIFF(a, b, DAY)`, `DATE_TRUNC(a, MONTH)`: ordinary calls but for the unit, which comes behind
    /// `before` arguments.
    fn call_with_unit(&mut self, before: usize) -> Result<ExprKind> {
        let start = self.here();
        let token = self.next();
        let mut call = self.new_call(self.ident_of_word(token).into(), start);
        self.expect_kind(TokenKind::LeftParen)?;
        for _ in 0..before {
            let argument = self.expr()?;
            push(&mut call, ArgValue::Expr(argument));
            self.expect_kind(TokenKind::Comma)?;
        }
        let unit = match self.time_unit_opt()? {
            Some(unit) => ArgValue::Unit(unit),
            None => ArgValue::Expr(self.expr()?),
        };
        push(&mut call, unit);
        self.expect_kind(TokenKind::RightParen)?;
        call.span = self.span_from(start);
        Ok(ExprKind::Function(Box::new(call)))
    }

    /// `{fn f(args)}`.
    pub(super) fn jdbc_function(&mut self) -> Result<ExprKind> {
        self.expect_kind(TokenKind::LeftBrace)?;
        let word = self.peek();
        if !self.text_of(word).eq_ignore_ascii_case("fn") {
            return Err(self.expected_here("fn, or d, t, ts before a string"));
        }
        self.next();
        let start = self.here();
        let token = self.peek();
        let special = match token.kind {
            TokenKind::Keyword(K::CONVERT) | TokenKind::Word | TokenKind::QuotedName => None,
            TokenKind::Keyword(K::SUBSTRING | K::FLOOR | K::CEIL | K::CEILING) => None,
            TokenKind::Keyword(keyword) if self.kind_at(1) == TokenKind::LeftParen => {
                self.special_call(keyword)?
            }
            _ => None,
        };
        let kind = match special {
            Some(kind) => kind,
            None => {
                if !matches!(token.kind, TokenKind::Word | TokenKind::QuotedName | TokenKind::Keyword(_)) {
                    return Err(self.expected_here("a function name"));
                }
                let token = self.next();
                let name = self.ident_of(token)?;
                let mut call = self.new_call(name.into(), start);
                if token.kind == TokenKind::Keyword(K::CONVERT) {
                    self.jdbc_convert_args(&mut call)?;
                } else {
                    self.call_args(&mut call)?;
                }
                call.span = self.span_from(start);
                ExprKind::Function(Box::new(call))
            }
        };
        let function = Expr::new(kind, self.span_from(start));
        self.expect_kind(TokenKind::RightBrace)?;
        Ok(ExprKind::JdbcFunction(Box::new(function)))
    }

    /// `(x, SQL_INTEGER)`: the second argument is a type's name, which may be a reserved word.
    fn jdbc_convert_args(&mut self, call: &mut FunctionCall) -> Result<()> {
        self.expect_kind(TokenKind::LeftParen)?;
        let argument = self.expr()?;
        push(call, ArgValue::Expr(argument));
        self.expect_kind(TokenKind::Comma)?;
        if !matches!(self.kind(), TokenKind::Word | TokenKind::QuotedName | TokenKind::Keyword(_)) {
            return Err(self.expected_here("a type"));
        }
        let token = self.next();
        let name = self.ident_of(token)?;
        let ty = Expr::new(ExprKind::Name(name.into()), token.span);
        push(call, ArgValue::Expr(ty));
        self.expect_kind(TokenKind::RightParen)?;
        Ok(())
    }
}

/// Adds a positional argument.
fn push(call: &mut FunctionCall, value: ArgValue) {
    let span = match &value {
        ArgValue::Expr(expr) => expr.span,
        ArgValue::Unit(unit) => unit.span,
        ArgValue::Table(table) => table.span,
    };
    call.args.push(FunctionArg { name: None, value, span });
}
