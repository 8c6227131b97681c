//! `MATCH_RECOGNIZE (…)`.

use super::Parser;
use crate::error::Result;
use crate::sql::ast::{
    AfterMatch, MatchRecognize, Measure, Pattern, PatternDefinition, PatternKind, PatternQuantifier,
    RowsPerMatch, Subset,
};
use crate::sql::keyword::Keyword as K;
use crate::sql::token::TokenKind;

impl Parser<'_> {
    pub(super) fn match_recognize(&mut self) -> Result<MatchRecognize> {
        let start = self.expect(K::MATCH_RECOGNIZE)?.span;
        self.expect_kind(TokenKind::LeftParen)?;
        let partition_by =
            if self.eat_all(&[K::PARTITION, K::BY]) { self.comma_list(Self::expr)? } else { Vec::new() };
        let order_by = if self.at(K::ORDER) { self.order_by()? } else { Vec::new() };
        let measures = if self.eat(K::MEASURES) { self.comma_list(Self::measure)? } else { Vec::new() };
        let rows_per_match = if self.eat(K::ONE) {
            self.expect_all(&[K::ROW, K::PER, K::MATCH])?;
            Some(RowsPerMatch::One)
        } else if self.eat(K::ALL) {
            self.expect_all(&[K::ROWS, K::PER, K::MATCH])?;
            Some(RowsPerMatch::All)
        } else {
            None
        };
        let after_match = if self.eat(K::AFTER) { Some(self.after_match()?) } else { None };
        self.expect(K::PATTERN)?;
        self.expect_kind(TokenKind::LeftParen)?;
        let starts_at_partition = self.eat_kind(TokenKind::Caret);
        let pattern = self.pattern()?;
        let ends_at_partition = self.eat_kind(TokenKind::Dollar);
        self.expect_kind(TokenKind::RightParen)?;
        let within = if self.eat(K::WITHIN) { Some(self.interval_literal()?) } else { None };
        let subsets = if self.eat(K::SUBSET) { self.comma_list(Self::subset)? } else { Vec::new() };
        self.expect(K::DEFINE)?;
        let definitions = self.comma_list(Self::pattern_definition)?;
        self.expect_kind(TokenKind::RightParen)?;
        Ok(MatchRecognize {
            partition_by,
            order_by,
            measures,
            rows_per_match,
            after_match,
            pattern,
            starts_at_partition,
            ends_at_partition,
            within,
            subsets,
            definitions,
            span: self.span_from(start),
        })
    }

    fn measure(&mut self) -> Result<Measure> {
        let start = self.here();
        let expr = self.expr()?;
        self.expect(K::AS)?;
        Ok(Measure { expr, alias: self.ident_as("a column name")?, span: self.span_from(start) })
    }

    /// Behind AFTER.
    fn after_match(&mut self) -> Result<AfterMatch> {
        self.expect_all(&[K::MATCH, K::SKIP])?;
        if self.eat(K::PAST) {
            self.expect_all(&[K::LAST, K::ROW])?;
            return Ok(AfterMatch::PastLastRow);
        }
        self.expect(K::TO)?;
        if self.eat(K::NEXT) {
            self.expect(K::ROW)?;
            return Ok(AfterMatch::ToNextRow);
        }
        // FIRST and LAST alone may be variables.
        let word_before_name = Self::is_name(self.kind_at(1));
        if self.at(K::FIRST) && word_before_name {
            self.next();
            return Ok(AfterMatch::ToFirst(self.ident()?));
        }
        if self.at(K::LAST) && word_before_name {
            self.next();
        }
        Ok(AfterMatch::ToLast(self.ident_as("a pattern variable")?))
    }

    /// `a | b`.
    fn pattern(&mut self) -> Result<Pattern> {
        self.nested(|p| {
            let start = p.here();
            let mut alternatives = vec![p.pattern_sequence()?];
            while p.eat_kind(TokenKind::Pipe) {
                alternatives.push(p.pattern_sequence()?);
            }
            if alternatives.len() == 1 {
                return Ok(alternatives.remove(0));
            }
            Ok(Pattern { kind: PatternKind::Alternation(alternatives), span: p.span_from(start) })
        })
    }

    /// `a b c`.
    fn pattern_sequence(&mut self) -> Result<Pattern> {
        let start = self.here();
        let mut parts = Vec::new();
        while parts.is_empty() || self.pattern_starts() {
            parts.push(self.pattern_factor()?);
        }
        if parts.len() == 1 {
            return Ok(parts.remove(0));
        }
        self.deepen()?;
        Ok(Pattern { kind: PatternKind::Concat(parts), span: self.span_from(start) })
    }

    fn pattern_starts(&self) -> bool {
        match self.kind() {
            TokenKind::LeftParen | TokenKind::Keyword(K::PERMUTE) => true,
            TokenKind::LeftBrace => self.kind_at(1) == TokenKind::Minus,
            kind => Self::is_name(kind),
        }
    }

    /// `a+?`.
    fn pattern_factor(&mut self) -> Result<Pattern> {
        let start = self.here();
        let pattern = self.pattern_primary()?;
        let (min, max) = match self.kind() {
            TokenKind::Star => (Some(0), None),
            TokenKind::Plus => (Some(1), None),
            TokenKind::Question => (Some(0), Some(1)),
            TokenKind::LeftBrace if self.kind_at(1) != TokenKind::Minus => {
                self.next();
                let (min, max) = if self.eat_kind(TokenKind::Comma) {
                    (None, Some(self.small_integer()?))
                } else {
                    let min = self.small_integer()?;
                    if !self.eat_kind(TokenKind::Comma) {
                        (Some(min), Some(min))
                    } else if self.kind() == TokenKind::RightBrace {
                        (Some(min), None)
                    } else {
                        (Some(min), Some(self.small_integer()?))
                    }
                };
                if self.kind() != TokenKind::RightBrace {
                    return Err(self.expected_here("}"));
                }
                (min, max)
            }
            _ => return Ok(pattern),
        };
        self.next();
        let reluctant = self.eat_kind(TokenKind::Question);
        let quantifier = PatternQuantifier { min, max, reluctant };
        self.deepen()?;
        Ok(Pattern {
            kind: PatternKind::Repeat { pattern: Box::new(pattern), quantifier },
            span: self.span_from(start),
        })
    }

    fn pattern_primary(&mut self) -> Result<Pattern> {
        let start = self.here();
        let kind = match self.kind() {
            TokenKind::LeftParen => {
                let inner = self.parens(Self::pattern)?;
                return Ok(Pattern { span: self.span_from(start), ..inner });
            }
            TokenKind::LeftBrace if self.kind_at(1) == TokenKind::Minus => {
                self.at += 2;
                let inner = self.pattern()?;
                self.expect_kind(TokenKind::Minus)?;
                self.expect_kind(TokenKind::RightBrace)?;
                PatternKind::Exclude(Box::new(inner))
            }
            TokenKind::Keyword(K::PERMUTE) => {
                self.next();
                PatternKind::Permute(self.paren_list(Self::pattern)?)
            }
            _ => PatternKind::Variable(self.ident_as("a pattern variable")?),
        };
        Ok(Pattern { kind, span: self.span_from(start) })
    }

    fn subset(&mut self) -> Result<Subset> {
        let start = self.here();
        let name = self.ident_as("a pattern variable")?;
        self.expect_kind(TokenKind::Eq)?;
        let members = self.paren_list(Self::expr)?;
        Ok(Subset { name, members, span: self.span_from(start) })
    }

    fn pattern_definition(&mut self) -> Result<PatternDefinition> {
        let start = self.here();
        let name = self.ident_as("a pattern variable")?;
        self.expect(K::AS)?;
        let condition = self.expr()?;
        Ok(PatternDefinition { name, condition, span: self.span_from(start) })
    }
}
