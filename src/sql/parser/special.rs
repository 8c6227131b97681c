//! Functions with a syntax of their own: CAST, EXTRACT, TRIM and their kind.

use super::Parser;
use crate::error::{Error, Result, Span};
use crate::sql::ast::{
    ArgValue, Cast, CastKind, Expr, ExprKind, FunctionArg, FunctionCall, Ident, Overlay, Position, Substring,
    TimestampArithmetic, Trim, TrimSide,
};
use crate::sql::keyword::Keyword as K;
use crate::sql::token::{Token, TokenKind};

impl Parser<'_> {
    /// Whether `keyword` before a parenthesis has a syntax of its own.
    pub(super) fn is_special(keyword: K) -> bool {
        matches!(
            keyword,
            K::CAST
                | K::TRY_CAST
                | K::SAFE_CAST
                | K::EXTRACT
                | K::FLOOR
                | K::CEIL
                | K::CEILING
                | K::POSITION
                | K::SUBSTRING
                | K::TRIM
                | K::OVERLAY
                | K::CONVERT
                | K::TRANSLATE
                | K::TIMESTAMPADD
                | K::TIMESTAMPDIFF
                | K::DATE_DIFF
                | K::DATETIME_DIFF
                | K::TIMESTAMP_DIFF
                | K::TIME_DIFF
                | K::DATE_TRUNC
                | K::TIMESTAMP_TRUNC
                | K::TIME_TRUNC
                | K::DATETIME_TRUNC
                | K::CLASSIFIER
                | K::MATCH_NUMBER
                | K::PREV
                | K::NEXT
                | K::CONTAINS_SUBSTR
                | K::DATE
                | K::TIME
                | K::TIMESTAMP
                | K::DATETIME
                | K::JSON_EXISTS
                | K::JSON_VALUE
                | K::JSON_QUERY
                | K::JSON_OBJECT
                | K::JSON_ARRAY
                | K::JSON_OBJECTAGG
                | K::JSON_ARRAYAGG
        )
    }

    /// The call of `keyword`, which [is special](Self::is_special) and the current token, before a parenthesis.
    pub(super) fn special_call(&mut self, keyword: K) -> Result<Expr> {
        match keyword {
            K::CAST => self.cast(CastKind::Cast),
            K::TRY_CAST => self.cast(CastKind::TryCast),
            K::SAFE_CAST => self.cast(CastKind::SafeCast),
            K::EXTRACT => self.extract(),
            K::FLOOR => self.round(false),
            K::CEIL | K::CEILING => self.round(true),
            K::POSITION => self.position(),
            K::SUBSTRING => self.substring(),
            K::TRIM => self.trim(),
            K::OVERLAY => self.overlay(),
            K::CONVERT => self.transcode(false),
            K::TRANSLATE => self.transcode(true),
            K::TIMESTAMPADD => self.timestamp_arithmetic(false),
            K::TIMESTAMPDIFF => self.timestamp_arithmetic(true),
            K::DATE_DIFF | K::DATETIME_DIFF | K::TIMESTAMP_DIFF | K::TIME_DIFF => self.call_with_unit(2),
            K::DATE_TRUNC | K::TIMESTAMP_TRUNC | K::TIME_TRUNC | K::DATETIME_TRUNC => self.call_with_unit(1),
            K::JSON_EXISTS => self.json_exists(),
            K::JSON_VALUE => self.json_value(),
            K::JSON_QUERY => self.json_query(),
            K::JSON_OBJECT => self.json_object(),
            K::JSON_ARRAY => self.json_array(),
            K::JSON_OBJECTAGG => self.json_object_agg(),
            K::JSON_ARRAYAGG => self.json_array_agg(),
            _ => self.plain_call(),
        }
    }

    /// Takes a function's name and its opening parenthesis.
    pub(super) fn open_call(&mut self) -> Result<Token> {
        let name = self.next();
        self.expect_kind(TokenKind::LeftParen)?;
        Ok(name)
    }

    /// Takes the closing parenthesis; the span of the whole call.
    pub(super) fn close_call(&mut self, start: Span) -> Result<Span> {
        self.expect_kind(TokenKind::RightParen)?;
        Ok(self.span_from(start))
    }

    /// An ordinary call whose name is the word `name`, without arguments so far.
    fn call_of_word(&self, name: Token) -> Box<FunctionCall> {
        let ident = Ident::new(self.text_of(name), false, name.span);
        Box::new(self.new_call(ident.into(), name.span))
    }

    /// A call with an ordinary syntax whose name is a reserved word.
    fn plain_call(&mut self) -> Result<Expr> {
        let name = self.next();
        let mut call = self.call_of_word(name);
        self.call_args(&mut call)?;
        call.span = self.span_from(name.span);
        match name.kind {
            TokenKind::Keyword(K::CLASSIFIER | K::MATCH_NUMBER) if !call.args.is_empty() => {
                Err(Error::syntax("this function has no arguments", call.span))
            }
            TokenKind::Keyword(K::PREV | K::NEXT) if !matches!(call.args.len(), 1 | 2) => {
                Err(Error::syntax("this function has one or two arguments", call.span))
            }
            _ => self.node(ExprKind::Function(call), name.span),
        }
    }

    fn cast(&mut self, kind: CastKind) -> Result<Expr> {
        let start = self.open_call()?.span;
        let operand = self.expr()?;
        self.expect(K::AS)?;
        let ty = self.cast_type()?;
        let span = self.close_call(start)?;
        self.node(ExprKind::Cast(Box::new(Cast { operand, ty, kind, span })), start)
    }

    fn extract(&mut self) -> Result<Expr> {
        let start = self.open_call()?.span;
        let unit = self.time_unit()?;
        self.expect(K::FROM)?;
        let operand = Box::new(self.expr()?);
        self.close_call(start)?;
        self.node(ExprKind::Extract { unit, operand }, start)
    }

    /// FLOOR and CEIL, with `TO unit` or without.
    fn round(&mut self, up: bool) -> Result<Expr> {
        let name = self.open_call()?;
        let operand = self.expr()?;
        if self.eat(K::TO) {
            let unit = self.time_unit()?;
            self.close_call(name.span)?;
            return self.node(ExprKind::RoundTime { up, operand: Box::new(operand), unit }, name.span);
        }
        self.round_number(name, operand)
    }

    fn round_number(&mut self, name: Token, operand: Expr) -> Result<Expr> {
        let mut call = self.call_of_word(name);
        push(&mut call, ArgValue::Expr(operand));
        self.close_call(name.span)?;
        self.over_opt(&mut call)?;
        call.span = self.span_from(name.span);
        self.node(ExprKind::Function(call), name.span)
    }

    fn position(&mut self) -> Result<Expr> {
        let begin = self.open_call()?.span;
        // Not any expression: IN would be taken for the operator.
        let needle = self.nested(Self::primary)?;
        self.expect(K::IN)?;
        let haystack = self.expr()?;
        let start = if self.eat(K::FROM) { Some(self.expr()?) } else { None };
        let span = self.close_call(begin)?;
        self.node(ExprKind::Position(Box::new(Position { needle, haystack, start, span })), begin)
    }

    fn substring(&mut self) -> Result<Expr> {
        let begin = self.open_call()?.span;
        let operand = self.expr()?;
        if !self.eat(K::FROM) {
            self.expect_kind(TokenKind::Comma)?;
        }
        let start = self.expr()?;
        let more = self.eat(K::FOR) || self.eat_kind(TokenKind::Comma);
        let length = if more { Some(self.expr()?) } else { None };
        let span = self.close_call(begin)?;
        self.node(ExprKind::Substring(Box::new(Substring { operand, start, length, span })), begin)
    }

    fn trim(&mut self) -> Result<Expr> {
        let start = self.open_call()?.span;
        let side = self.trim_side();
        let mut chars = None;
        if side.is_none() || !self.eat(K::FROM) {
            chars = Some(self.expr()?);
            if !self.eat(K::FROM) {
                return self.trim_spaces(side, chars, start);
            }
        }
        let operand = self.expr()?;
        let span = self.close_call(start)?;
        let side = side.unwrap_or(TrimSide::Both);
        self.node(ExprKind::Trim(Box::new(Trim { side, chars, operand, span })), start)
    }

    fn trim_side(&mut self) -> Option<TrimSide> {
        if self.eat(K::BOTH) {
            Some(TrimSide::Both)
        } else if self.eat(K::LEADING) {
            Some(TrimSide::Leading)
        } else if self.eat(K::TRAILING) {
            Some(TrimSide::Trailing)
        } else {
            None
        }
    }

    /// `TRIM(x)`, `TRIM(BOTH x)`: what looked like the characters is the string.
    fn trim_spaces(&mut self, side: Option<TrimSide>, string: Option<Expr>, start: Span) -> Result<Expr> {
        let operand = string.expect("an expression was parsed");
        let span = self.close_call(start)?;
        let side = side.unwrap_or(TrimSide::Both);
        self.node(ExprKind::Trim(Box::new(Trim { side, chars: None, operand, span })), start)
    }

    fn overlay(&mut self) -> Result<Expr> {
        let begin = self.open_call()?.span;
        let operand = self.expr()?;
        self.expect(K::PLACING)?;
        let replacement = self.expr()?;
        self.expect(K::FROM)?;
        let start = self.expr()?;
        let length = if self.eat(K::FOR) { Some(self.expr()?) } else { None };
        let span = self.close_call(begin)?;
        self.node(ExprKind::Overlay(Box::new(Overlay { operand, replacement, start, length, span })), begin)
    }

    /// CONVERT and TRANSLATE, with USING or as ordinary calls.
    fn transcode(&mut self, translate: bool) -> Result<Expr> {
        let name = self.open_call()?;
        let operand = self.expr()?;
        if self.eat(K::USING) {
            let charset = self.ident_as("a character set")?;
            self.close_call(name.span)?;
            let kind = ExprKind::Transcode { translate, operand: Box::new(operand), charset };
            return self.node(kind, name.span);
        }
        self.translate_call(name, operand)
    }

    fn translate_call(&mut self, name: Token, first: Expr) -> Result<Expr> {
        let mut call = self.call_of_word(name);
        push(&mut call, ArgValue::Expr(first));
        while self.eat_kind(TokenKind::Comma) {
            let argument = self.expr()?;
            push(&mut call, ArgValue::Expr(argument));
        }
        call.span = self.close_call(name.span)?;
        self.node(ExprKind::Function(call), name.span)
    }

    fn timestamp_arithmetic(&mut self, difference: bool) -> Result<Expr> {
        let start = self.open_call()?.span;
        let unit = self.time_unit()?;
        self.expect_kind(TokenKind::Comma)?;
        let first = self.expr()?;
        self.expect_kind(TokenKind::Comma)?;
        let second = self.expr()?;
        let span = self.close_call(start)?;
        let arithmetic = Box::new(TimestampArithmetic { difference, unit, first, second, span });
        self.node(ExprKind::TimestampArithmetic(arithmetic), start)
    }

    /// BigQuery's `DATE_DIFF(a, b, DAY)`, `DATE_TRUNC(a, MONTH)`: ordinary calls but for the unit, which comes behind
    /// `before` arguments.
    fn call_with_unit(&mut self, before: usize) -> Result<Expr> {
        let name = self.open_call()?;
        let mut call = self.call_of_word(name);
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
        call.span = self.close_call(name.span)?;
        self.node(ExprKind::Function(call), name.span)
    }

    // ---- {fn …}

    /// `{fn f(args)}`.
    pub(super) fn jdbc_function(&mut self) -> Result<Expr> {
        let start = self.expect_kind(TokenKind::LeftBrace)?.span;
        let word = self.peek();
        if !self.text_of(word).eq_ignore_ascii_case("fn") {
            return Err(self.expected_here("fn, or d, t, ts before a string"));
        }
        self.next();
        let function = Box::new(self.jdbc_call()?);
        self.expect_kind(TokenKind::RightBrace)?;
        self.node(ExprKind::JdbcFunction(function), start)
    }

    fn jdbc_call(&mut self) -> Result<Expr> {
        match self.kind() {
            TokenKind::Keyword(K::CONVERT) => self.jdbc_convert(),
            // {fn substring(…)} and the like have no syntax of their own.
            TokenKind::Keyword(K::SUBSTRING | K::FLOOR | K::CEIL | K::CEILING) => self.jdbc_plain_call(),
            TokenKind::Keyword(keyword)
                if Self::is_special(keyword) && self.kind_at(1) == TokenKind::LeftParen =>
            {
                self.special_call(keyword)
            }
            TokenKind::Word | TokenKind::QuotedName | TokenKind::Keyword(_) => self.jdbc_plain_call(),
            _ => Err(self.expected_here("a function name")),
        }
    }

    fn jdbc_plain_call(&mut self) -> Result<Expr> {
        let token = self.next();
        let name = self.ident_of(token)?;
        let mut call = Box::new(self.new_call(name.into(), token.span));
        self.call_args(&mut call)?;
        call.span = self.span_from(token.span);
        self.node(ExprKind::Function(call), token.span)
    }

    /// `CONVERT(x, SQL_INTEGER)`: the second argument is a type's name, which may be a reserved word.
    fn jdbc_convert(&mut self) -> Result<Expr> {
        let name = self.open_call()?;
        let mut call = self.call_of_word(name);
        let argument = self.expr()?;
        push(&mut call, ArgValue::Expr(argument));
        self.expect_kind(TokenKind::Comma)?;
        if !matches!(self.kind(), TokenKind::Word | TokenKind::QuotedName | TokenKind::Keyword(_)) {
            return Err(self.expected_here("a type"));
        }
        let token = self.next();
        let ty = self.ident_of(token)?;
        push(&mut call, ArgValue::Expr(Expr::new(ExprKind::Name(ty.into()), token.span)));
        call.span = self.close_call(name.span)?;
        self.node(ExprKind::Function(call), name.span)
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
