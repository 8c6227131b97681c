//! Literals.

use super::Parser;
use crate::error::{Error, Result, Span};
use crate::sql::ast::{
    Expr, ExprKind, IntervalLiteral, IntervalQualifier, IntervalUnit, Literal, LiteralKind, Number,
    NumberKind, StringLiteral, TemporalKind, TimeUnit, TimeUnitKind, UnaryOp,
};
use crate::sql::keyword::Keyword as K;
use crate::sql::token::{Token, TokenKind};

impl Parser<'_> {
    /// Whether a literal begins here. INTERVAL is not one, because it may be computed.
    pub(super) fn literal_starts(&self) -> bool {
        use TokenKind::*;
        match (self.kind(), self.kind_at(1)) {
            (Integer | Decimal | Approximate | BinaryString, _) => true,
            (String | UnicodeString | EscapedString | PrefixedString, _) => true,
            (Keyword(K::NULL | K::TRUE | K::FALSE | K::UNKNOWN), _) => true,
            (Keyword(K::DECIMAL | K::DATE | K::TIME | K::DATETIME | K::TIMESTAMP), String) => true,
            (Keyword(K::TIMESTAMP), Keyword(K::WITH)) => true,
            (LeftBrace, _) => self.jdbc_temporal_kind().is_some(),
            _ => false,
        }
    }

    /// The literal that begins here.
    pub(super) fn literal_expr(&mut self) -> Result<Expr> {
        match self.literal_opt()? {
            Some(literal) => {
                let span = literal.span;
                self.node(ExprKind::Literal(literal), span)
            }
            None => Err(self.expected_here("a literal")),
        }
    }

    /// A literal that begins at the current token, if one does. Signs are operators, and INTERVAL is parsed by
    /// [`interval`](Self::interval).
    pub(super) fn literal_opt(&mut self) -> Result<Option<Literal>> {
        use TokenKind::*;
        let start = self.here();
        let kind = match self.kind() {
            Integer | Decimal | Approximate => LiteralKind::Number(self.number()?),
            Keyword(K::DECIMAL) if self.kind_at(1) == String => LiteralKind::Number(self.number()?),
            BinaryString => LiteralKind::Binary(self.binary_string()?),
            String | UnicodeString | EscapedString | PrefixedString => {
                LiteralKind::String(self.string_literal()?)
            }
            Keyword(K::NULL) => self.constant(LiteralKind::Null),
            Keyword(K::TRUE) => self.constant(LiteralKind::Boolean(true)),
            Keyword(K::FALSE) => self.constant(LiteralKind::Boolean(false)),
            Keyword(K::UNKNOWN) => self.constant(LiteralKind::Unknown),
            Keyword(K::DATE) if self.kind_at(1) == String => self.temporal(TemporalKind::Date)?,
            Keyword(K::TIME) if self.kind_at(1) == String => self.temporal(TemporalKind::Time)?,
            Keyword(K::DATETIME) if self.kind_at(1) == String => self.temporal(TemporalKind::Datetime)?,
            Keyword(K::TIMESTAMP) if self.kind_at(1) == String => self.temporal(TemporalKind::Timestamp)?,
            Keyword(K::TIMESTAMP) if self.kind_at(1) == Keyword(K::WITH) => {
                self.next();
                self.expect_all(&[K::WITH, K::LOCAL, K::TIME, K::ZONE])?;
                let text = self.plain_string("a string")?;
                LiteralKind::Temporal { kind: TemporalKind::TimestampLtz, text }
            }
            LeftBrace => match self.jdbc_temporal_kind() {
                Some(kind) => {
                    self.next();
                    let literal = self.temporal(kind)?;
                    self.expect_kind(RightBrace)?;
                    literal
                }
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        Ok(Some(Literal { kind, span: self.span_from(start) }))
    }

    fn constant(&mut self, kind: LiteralKind) -> LiteralKind {
        self.next();
        kind
    }

    /// The keyword and the string behind it.
    fn temporal(&mut self, kind: TemporalKind) -> Result<LiteralKind> {
        self.next();
        let text = self.plain_string("a string")?;
        Ok(LiteralKind::Temporal { kind, text })
    }

    /// Of `{d '…'}`, `{t '…'}`, `{ts '…'}`.
    fn jdbc_temporal_kind(&self) -> Option<TemporalKind> {
        let word = self.tokens.get(self.at + 1)?;
        if self.kind_at(2) != TokenKind::String {
            return None;
        }
        match self.text_of(*word).to_ascii_lowercase().as_str() {
            "d" => Some(TemporalKind::Date),
            "t" => Some(TemporalKind::Time),
            "ts" => Some(TemporalKind::Timestamp),
            _ => None,
        }
    }

    /// A number without sign.
    pub(super) fn number(&mut self) -> Result<Number> {
        let token = self.peek();
        let kind = match token.kind {
            TokenKind::Integer => NumberKind::Integer,
            TokenKind::Decimal => NumberKind::Decimal,
            TokenKind::Approximate => NumberKind::Approximate,
            TokenKind::Keyword(K::DECIMAL) => {
                self.next();
                let start = self.here();
                let text = self.plain_string("a string")?;
                return if is_decimal(&text) {
                    Ok(Number { text, kind: NumberKind::DecimalString })
                } else {
                    Err(Error::syntax(format!("'{text}' is not a decimal number"), start))
                };
            }
            _ => return Err(self.expected_here("a number")),
        };
        self.next();
        Ok(Number { text: self.text_of(token).to_owned(), kind })
    }

    /// Digits that fit 32 bits: a precision, a count.
    pub(super) fn small_integer(&mut self) -> Result<u32> {
        if self.kind() != TokenKind::Integer {
            return Err(self.expected_here("a whole number"));
        }
        let token = self.next();
        let value = self.text_of(token).parse::<u32>().ok().filter(|value| i32::try_from(*value).is_ok());
        value.ok_or_else(|| Error::syntax("the number is too large here", token.span))
    }

    /// A literal, perhaps a number under a sign: what PARTITION (a = …) takes.
    pub(super) fn signed_literal(&mut self) -> Result<Expr> {
        let start = self.here();
        let sign = match self.kind() {
            TokenKind::Plus => Some(UnaryOp::Plus),
            TokenKind::Minus => Some(UnaryOp::Minus),
            _ => None,
        };
        if let Some(op) = sign {
            self.next();
            let at = self.here();
            let number = LiteralKind::Number(self.number()?);
            let span = self.span_from(at);
            let operand = Expr::new(ExprKind::Literal(Literal { kind: number, span }), span);
            return Ok(Expr::new(ExprKind::Unary { op, operand: Box::new(operand) }, self.span_from(start)));
        }
        let literal = if self.at(K::INTERVAL) {
            let interval = LiteralKind::Interval(self.interval_literal()?);
            Literal { kind: interval, span: self.span_from(start) }
        } else {
            match self.literal_opt()? {
                Some(literal) => literal,
                None => return Err(self.expected_here("a literal")),
            }
        };
        let span = literal.span;
        Ok(Expr::new(ExprKind::Literal(literal), span))
    }

    // ---- strings

    /// Any character string, its value.
    pub(super) fn string(&mut self) -> Result<String> {
        use TokenKind::*;
        match self.kind() {
            String | UnicodeString | EscapedString | PrefixedString => Ok(self.string_literal()?.value),
            _ => Err(self.expected_here("a string")),
        }
    }

    /// One `'…'` and nothing fancier.
    pub(super) fn plain_string(&mut self, what: &'static str) -> Result<String> {
        if self.kind() != TokenKind::String {
            return Err(self.expected_here(what));
        }
        let token = self.next();
        Ok(self.string_value(token))
    }

    /// The value of a `'…'` token.
    fn string_value(&self, token: Token) -> String {
        let text = self.text_of(token);
        text[1..text.len() - 1].replace("''", "'")
    }

    /// A character string with its continuations.
    fn string_literal(&mut self) -> Result<StringLiteral> {
        let token = self.next();
        let text = self.text_of(token);
        let quote = text.find('\'').expect("a string has a quote");
        let body = &text[quote + 1..text.len() - 1];
        if token.kind == TokenKind::EscapedString {
            let value = unescape_c(body)
                .ok_or_else(|| Error::syntax("a malformed escape in the string", token.span))?;
            return Ok(StringLiteral { value, charset: None });
        }
        let mut value = body.replace("''", "'");
        let mut last = token;
        while self.kind() == TokenKind::String {
            let next = self.next();
            self.check_new_line(last, next)?;
            value.push_str(&self.string_value(next));
            last = next;
        }
        if token.kind == TokenKind::UnicodeString {
            let escape = self.unicode_escape()?;
            let value = self.unescape_unicode(&value, escape, token.span)?;
            return Ok(StringLiteral { value, charset: None });
        }
        if self.kind() == TokenKind::Keyword(K::UESCAPE) {
            return Err(Error::syntax("UESCAPE belongs to strings that begin with U&", self.here()));
        }
        let charset = match &text[..quote] {
            "" => None,
            "n" => Some("N".to_owned()),
            prefix => Some(prefix.trim_start_matches('_').to_owned()),
        };
        Ok(StringLiteral { value, charset })
    }

    /// `X'0AFF'` with its continuations.
    fn binary_string(&mut self) -> Result<Vec<u8>> {
        let token = self.next();
        let text = self.text_of(token);
        let mut digits = text[2..text.len() - 1].to_owned();
        let mut last = token;
        while self.kind() == TokenKind::String {
            let next = self.next();
            self.check_new_line(last, next)?;
            digits.push_str(&self.string_value(next));
            last = next;
        }
        let span = token.span.to(last.span);
        let values: Option<Vec<u8>> = digits.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect();
        let Some(values) = values else {
            return Err(Error::syntax("a binary string consists of the digits 0 to 9 and A to F", span));
        };
        let (pairs, rest) = values.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(Error::validation("a binary string has two digits a byte", span));
        }
        Ok(pairs.iter().map(|[high, low]| high << 4 | low).collect())
    }

    /// The parts of a string stand on lines of their own.
    fn check_new_line(&self, last: Token, next: Token) -> Result<()> {
        let between = Span::new(last.span.end, next.span.start);
        if between.text(self.text).contains(['\n', '\r']) {
            return Ok(());
        }
        Err(Error::validation("a string goes on only on a new line", next.span)
            .hint("join strings with ||; a quote inside a string is written twice"))
    }

    /// `UESCAPE 'c'` behind a `U&'…'`.
    pub(super) fn unicode_escape(&mut self) -> Result<char> {
        if !self.eat(K::UESCAPE) {
            return Ok('\\');
        }
        let start = self.here();
        let escape = self.plain_string("a string")?;
        let mut chars = escape.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None)
                if !c.is_ascii_hexdigit() && !matches!(c, '+' | '"' | '\'') && !c.is_whitespace() =>
            {
                Ok(c)
            }
            (Some(_), None) => Err(Error::syntax("this character cannot be the escape", start)),
            _ => Err(Error::syntax("UESCAPE takes exactly one character", start)),
        }
    }

    /// `\00e9` to é. Pairs of surrogates make one character.
    pub(super) fn unescape_unicode(&self, text: &str, escape: char, span: Span) -> Result<String> {
        let mut units: Vec<u16> = Vec::with_capacity(text.len());
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            if c != escape {
                units.extend(c.encode_utf16(&mut [0; 2]).iter());
                continue;
            }
            let after = rest.as_str();
            if after.starts_with(escape) {
                rest.next();
                units.extend(escape.encode_utf16(&mut [0; 2]).iter());
                continue;
            }
            let digits = after.get(..4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
            let unit = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
            let Some(unit) = unit else {
                return Err(Error::syntax("a Unicode escape is not exactly four hexadecimal digits", span));
            };
            units.push(unit);
            rest = after[4..].chars();
        }
        String::from_utf16(&units)
            .map_err(|_| Error::syntax("a Unicode escape is half a surrogate pair", span))
    }

    // ---- intervals and units

    /// `INTERVAL [+ | -] '…' qualifier`, and no computed interval.
    pub(super) fn interval_literal(&mut self) -> Result<IntervalLiteral> {
        self.expect(K::INTERVAL)?;
        let negative = self.sign();
        let text = self.plain_string("a string")?;
        let qualifier = self.interval_qualifier(true)?;
        Ok(IntervalLiteral { negative, text, qualifier })
    }

    /// `INTERVAL …`, a literal or computed.
    pub(super) fn interval(&mut self) -> Result<Expr> {
        let start = self.expect(K::INTERVAL)?.span;
        let negative = self.sign();
        if self.kind() == TokenKind::String {
            let text = self.plain_string("a string")?;
            let qualifier = self.interval_qualifier(true)?;
            let kind = LiteralKind::Interval(IntervalLiteral { negative, text, qualifier });
            let literal = Literal { kind, span: self.span_from(start) };
            return self.node(ExprKind::Literal(literal), start);
        }
        let amount = Box::new(self.interval_amount()?);
        let qualifier = self.interval_qualifier(false)?;
        self.node(ExprKind::Interval { negative, amount, qualifier }, start)
    }

    /// A number, a name or anything in parentheses.
    fn interval_amount(&mut self) -> Result<Expr> {
        let start = self.here();
        match self.kind() {
            TokenKind::LeftParen => {
                self.next();
                let amount = self.expr()?;
                self.expect_kind(TokenKind::RightParen)?;
                Ok(amount)
            }
            kind if Self::is_name(kind) => {
                let name = self.object_name()?;
                self.node(ExprKind::Name(name), start)
            }
            TokenKind::Integer
            | TokenKind::Decimal
            | TokenKind::Approximate
            | TokenKind::Keyword(K::DECIMAL) => {
                let kind = LiteralKind::Number(self.number()?);
                let literal = Literal { kind, span: self.span_from(start) };
                self.node(ExprKind::Literal(literal), start)
            }
            _ => Err(self.expected_here("a string, a number, a name or an expression in parentheses")),
        }
    }

    /// Whether there is a minus; takes a plus too.
    fn sign(&mut self) -> bool {
        let negative = self.kind() == TokenKind::Minus;
        if negative || self.kind() == TokenKind::Plus {
            self.next();
        }
        negative
    }

    /// The interval unit that a token is.
    pub(super) fn interval_unit_of(kind: TokenKind) -> Option<IntervalUnit> {
        let TokenKind::Keyword(keyword) = kind else { return None };
        Some(match keyword {
            K::YEAR | K::YEARS => IntervalUnit::Year,
            K::QUARTER | K::QUARTERS => IntervalUnit::Quarter,
            K::MONTH | K::MONTHS => IntervalUnit::Month,
            K::WEEK | K::WEEKS => IntervalUnit::Week,
            K::DAY | K::DAYS => IntervalUnit::Day,
            K::HOUR | K::HOURS => IntervalUnit::Hour,
            K::MINUTE | K::MINUTES => IntervalUnit::Minute,
            K::SECOND | K::SECONDS => IntervalUnit::Second,
            _ => return None,
        })
    }

    fn interval_unit(&mut self) -> Result<IntervalUnit> {
        match Self::interval_unit_of(self.kind()) {
            Some(unit) => {
                self.next();
                Ok(unit)
            }
            None => {
                Err(self
                    .expected_here("a unit of time (YEAR, QUARTER, MONTH, WEEK, DAY, HOUR, MINUTE, SECOND)"))
            }
        }
    }

    /// `DAY(3) TO SECOND(6)`; without `range` only the first unit.
    pub(super) fn interval_qualifier(&mut self, range: bool) -> Result<IntervalQualifier> {
        use IntervalUnit::*;
        let start = self.here();
        let from = self.interval_unit()?;
        let (mut precision, mut fraction, mut to) = (None, None, None);
        if self.eat_kind(TokenKind::LeftParen) {
            precision = Some(self.small_integer()?);
            if from == Second && self.eat_kind(TokenKind::Comma) {
                fraction = Some(self.small_integer()?);
            }
            self.expect_kind(TokenKind::RightParen)?;
        }
        let allowed: &[IntervalUnit] = match from {
            Year => &[Month],
            Day => &[Hour, Minute, Second],
            Hour => &[Minute, Second],
            Minute => &[Second],
            _ => &[],
        };
        if range && !allowed.is_empty() && self.eat(K::TO) {
            let at = self.here();
            let unit = self.interval_unit()?;
            if !allowed.contains(&unit) {
                return Err(Error::syntax("an interval does not reach from the first unit to this one", at));
            }
            if unit == Second && self.kind() == TokenKind::LeftParen {
                fraction = Some(self.parens(Self::small_integer)?);
            }
            to = Some(unit);
        }
        Ok(IntervalQualifier { from, precision, to, fraction, span: self.span_from(start) })
    }

    /// The built-in unit of a time function, if there is one here.
    pub(super) fn time_unit_opt(&mut self) -> Result<Option<TimeUnit>> {
        use TimeUnitKind::*;
        let TokenKind::Keyword(keyword) = self.kind() else { return Ok(None) };
        let kind = match keyword {
            K::NANOSECOND => Nanosecond,
            K::MICROSECOND => Microsecond,
            K::MILLISECOND => Millisecond,
            K::SECOND => Second,
            K::MINUTE => Minute,
            K::HOUR => Hour,
            K::DAY => Day,
            K::DOW => DayOfWeek,
            K::DOY => DayOfYear,
            K::ISODOW => IsoDayOfWeek,
            K::ISOYEAR => IsoYear,
            K::WEEK => Week,
            K::MONTH => Month,
            K::QUARTER => Quarter,
            K::YEAR => Year,
            K::EPOCH => Epoch,
            K::DECADE => Decade,
            K::CENTURY => Century,
            K::MILLENNIUM => Millennium,
            _ => return Ok(None),
        };
        let start = self.next().span;
        if kind == Week && self.kind() == TokenKind::LeftParen {
            let kind = WeekFrom(self.parens(Self::weekday)?);
            return Ok(Some(TimeUnit { kind, span: self.span_from(start) }));
        }
        Ok(Some(TimeUnit { kind, span: start }))
    }

    fn weekday(&mut self) -> Result<crate::sql::ast::Ident> {
        match self.kind() {
            TokenKind::Keyword(
                K::MONDAY | K::TUESDAY | K::WEDNESDAY | K::THURSDAY | K::FRIDAY | K::SATURDAY | K::SUNDAY,
            ) => {
                let token = self.next();
                self.ident_of(token)
            }
            _ => Err(self.expected_here("a day of the week")),
        }
    }

    /// A built-in unit or another name.
    pub(super) fn time_unit(&mut self) -> Result<TimeUnit> {
        if let Some(unit) = self.time_unit_opt()? {
            return Ok(unit);
        }
        let name = self.ident_as("a unit of time")?;
        let span = name.span;
        Ok(TimeUnit { kind: TimeUnitKind::Name(name), span })
    }
}

/// Digits with a point and an exponent, perhaps under a sign: what Java's BigDecimal reads.
fn is_decimal(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let exponent_ok = exponent.is_none_or(|e| {
        let e = e.strip_prefix(['+', '-']).unwrap_or(e);
        !e.is_empty() && digits(e)
    });
    digits(whole) && digits(fraction) && whole.len() + fraction.len() > 0 && exponent_ok
}

/// The escapes of `E'…'`: those of C, octal, `\xHH`, `\uHHHH`, `\UHHHHHHHH`, and doubled quotes.
fn unescape_c(text: &str) -> Option<String> {
    fn code(rest: &mut std::str::Chars<'_>, radix: u32, most: usize, exact: bool) -> Option<char> {
        let digits = rest.as_str().chars().take(most).take_while(|c| c.is_digit(radix)).count();
        if digits == 0 || exact && digits < most {
            return None;
        }
        let value = u32::from_str_radix(&rest.as_str()[..digits], radix).ok()?;
        *rest = rest.as_str()[digits..].chars();
        char::from_u32(value)
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '\'' => {
                rest.next();
                out.push('\'');
            }
            '\\' => {
                let mut ahead = rest.clone();
                let escaped = match ahead.next()? {
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'x' => code(&mut ahead, 16, 2, false)?,
                    'u' => code(&mut ahead, 16, 4, true)?,
                    'U' => code(&mut ahead, 16, 8, true)?,
                    '0'..='7' => {
                        ahead = rest.clone();
                        code(&mut ahead, 8, 3, false)?
                    }
                    other => other,
                };
                out.push(escaped);
                rest = ahead;
            }
            c => out.push(c),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_c() {
        for (text, value) in [
            ("a\\nb", Some("a\nb")),
            ("it''s \\'x\\'", Some("it's 'x'")),
            ("\\u00e9\\x41\\101\\q\\\\", Some("éAAq\\")),
            ("\\u00e", None),
            ("\\U00110000", None),
            ("\\x", None),
        ] {
            assert_eq!(unescape_c(text).as_deref(), value, "{text}");
        }
    }

    #[test]
    fn decimals() {
        assert!(["1", "1.", ".5", "-1.5e-3", "+0"].iter().all(|s| is_decimal(s)));
        assert!(["", ".", "x", "1e", "1.2.3", "--1"].iter().all(|s| !is_decimal(s)));
    }
}
