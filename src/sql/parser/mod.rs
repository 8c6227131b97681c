//! Tokens to syntax tree, by recursive descent.
//!
//! One [`Parser`] walks one token list. Its methods are spread over the files beside this one by grammar area; each
//! parses one construct, starts at the construct's first token and ends behind its last. Choices are made by looking
//! at tokens ahead, as Flink's own parser does, so that the two read ambiguous text alike; the few places that go
//! back say so.
//!
//! **Errors.** The first error ends a statement. Every check for a token that fails is remembered while the parser
//! stands at a token; an error there says what was found and what would have fitted, and looks for a misspelt
//! keyword. **Depth.** Every construct that can contain itself passes through [`Parser::nested`], which bounds the stack
//! that parsing takes ([`MAX_NESTING`]), and every composite node through [`Parser::deepen`], which bounds the tree
//! ([`MAX_DEPTH`]): a chain of operators makes a tree deep without any nesting.

mod alter;
mod call;
mod ddl;
mod error;
mod expr;
mod json;
mod literal;
mod match_recognize;
mod name;
mod primary;
mod query;
mod special;
mod statement;
mod table;
#[cfg(test)]
mod tests;
mod types;

pub(super) use expr::{level, level_of};

use super::ast::{Expr, Query, Statement, TypeName};
use super::keyword::Keyword;
use super::lexer::tokenize;
use super::token::{Token, TokenKind};
use super::{MAX_DEPTH, MAX_NESTING};
use crate::error::{Error, Result, Span};

/// All statements of a text. The first that is not Flink SQL makes the whole an error; to run what stands before it,
/// use [`statements`].
pub fn parse_statements(text: &str) -> Result<Vec<Statement>> {
    statements(text)?.collect()
}

/// The statements of a text one by one. After an error the iterator goes on behind the next semicolon. Spans refer to
/// the whole text.
pub fn statements(text: &str) -> Result<Statements<'_>> {
    Ok(Statements { parser: Parser::new(text)? })
}

/// See [`statements`].
pub struct Statements<'a> {
    parser: Parser<'a>,
}

impl Iterator for Statements<'_> {
    type Item = Result<Statement>;

    fn next(&mut self) -> Option<Self::Item> {
        let parser = &mut self.parser;
        while parser.eat_kind(TokenKind::Semicolon) {}
        if parser.kind() == TokenKind::End {
            return None;
        }
        let result = parser.fresh(Parser::statement).and_then(|statement| {
            if matches!(parser.kind(), TokenKind::Semicolon | TokenKind::End) {
                Ok(statement)
            } else {
                parser.note("the end of the statement");
                Err(parser.unexpected())
            }
        });
        if result.is_err() {
            while !matches!(parser.kind(), TokenKind::Semicolon | TokenKind::End) {
                parser.next();
            }
        }
        Some(result)
    }
}

/// One query, without a semicolon: the text of a view.
pub fn parse_query(text: &str) -> Result<Query> {
    parse_whole(text, Parser::query)
}

/// One expression.
pub fn parse_expr(text: &str) -> Result<Expr> {
    parse_whole(text, Parser::expr)
}

/// One type name, which may end with NOT NULL.
pub fn parse_type_name(text: &str) -> Result<TypeName> {
    parse_whole(text, Parser::column_type)
}

fn parse_whole<'a, T>(text: &'a str, parse: impl FnOnce(&mut Parser<'a>) -> Result<T>) -> Result<T> {
    let mut parser = Parser::new(text)?;
    let whole = parser.fresh(parse)?;
    if parser.kind() != TokenKind::End {
        parser.note("the end");
        return Err(parser.unexpected());
    }
    Ok(whole)
}

/// Where a text stands in its parse.
struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    /// Constructs open around the current token.
    depth: usize,
    /// Levels of the highest tree finished inside the innermost open construct.
    height: usize,
    /// What checks looked for at token `noted_at`.
    noted: Vec<&'static str>,
    noted_at: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Result<Self> {
        let tokens = tokenize(text)?;
        Ok(Self { text, tokens, at: 0, depth: 0, height: 0, noted: Vec::new(), noted_at: 0 })
    }

    /// Runs `parse` at depth 0.
    fn fresh<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        (self.depth, self.height) = (0, 0);
        parse(self)
    }

    // ---- tokens

    fn peek(&self) -> Token {
        self.tokens[self.at]
    }

    fn kind(&self) -> TokenKind {
        self.tokens[self.at].kind
    }

    /// The kind of the token `ahead` tokens behind the current one.
    fn kind_at(&self, ahead: usize) -> TokenKind {
        self.tokens.get(self.at + ahead).map_or(TokenKind::End, |token| token.kind)
    }

    /// Takes the current token. The end is never passed.
    fn next(&mut self) -> Token {
        let token = self.peek();
        if token.kind != TokenKind::End {
            self.at += 1;
        }
        token
    }

    /// The text of a token.
    fn text_of(&self, token: Token) -> &'a str {
        token.span.text(self.text)
    }

    /// From `start` to the end of the last token taken.
    fn span_from(&self, start: Span) -> Span {
        match self.at.checked_sub(1) {
            Some(last) if self.tokens[last].span.end > start.start => start.to(self.tokens[last].span),
            _ => start,
        }
    }

    /// The place of the current token, where a construct begins.
    fn here(&self) -> Span {
        self.peek().span
    }

    // ---- checks; each remembers what it looked for

    fn note(&mut self, expected: &'static str) {
        if self.noted_at != self.at {
            self.noted.clear();
            self.noted_at = self.at;
        }
        if !self.noted.contains(&expected) {
            self.noted.push(expected);
        }
    }

    fn at(&mut self, keyword: Keyword) -> bool {
        self.at_kind(TokenKind::Keyword(keyword))
    }

    fn at_kind(&mut self, kind: TokenKind) -> bool {
        let is = self.kind() == kind;
        if !is {
            self.note(kind.symbol());
        }
        is
    }

    /// Whether the current and the next tokens are these keywords.
    fn at_all(&mut self, keywords: &[Keyword]) -> bool {
        let is = keywords.iter().enumerate().all(|(i, k)| self.kind_at(i) == TokenKind::Keyword(*k));
        if !is {
            self.note(keywords[0].name());
        }
        is
    }

    fn eat(&mut self, keyword: Keyword) -> bool {
        self.eat_kind(TokenKind::Keyword(keyword))
    }

    /// Whether the current token is this keyword, without remembering the question: for what few users would think of.
    fn is(&self, keyword: Keyword) -> bool {
        self.kind() == TokenKind::Keyword(keyword)
    }

    /// As [`eat`](Self::eat), without remembering the question.
    fn take(&mut self, keyword: Keyword) -> bool {
        let is = self.is(keyword);
        if is {
            self.next();
        }
        is
    }

    fn eat_kind(&mut self, kind: TokenKind) -> bool {
        let is = self.at_kind(kind);
        if is {
            self.next();
        }
        is
    }

    fn eat_all(&mut self, keywords: &[Keyword]) -> bool {
        let is = self.at_all(keywords);
        if is {
            self.at += keywords.len();
        }
        is
    }

    fn expect(&mut self, keyword: Keyword) -> Result<Token> {
        self.expect_kind(TokenKind::Keyword(keyword))
    }

    fn expect_kind(&mut self, kind: TokenKind) -> Result<Token> {
        if self.at_kind(kind) { Ok(self.next()) } else { Err(self.unexpected()) }
    }

    fn expect_all(&mut self, keywords: &[Keyword]) -> Result<()> {
        for keyword in keywords {
            self.expect(*keyword)?;
        }
        Ok(())
    }

    // ---- shapes

    /// `item, item, …`: at least one.
    fn comma_list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.eat_kind(TokenKind::Comma) {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// `(item, item, …)`: at least one.
    fn paren_list<T>(&mut self, item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        self.parens(|p| p.comma_list(item))
    }

    /// `(inside)`.
    fn parens<T>(&mut self, inside: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.expect_kind(TokenKind::LeftParen)?;
        let inside = inside(self)?;
        self.expect_kind(TokenKind::RightParen)?;
        Ok(inside)
    }

    // ---- depth

    /// Runs `parse`, which may come to itself again, one level deeper.
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= MAX_NESTING {
            return Err(self.too_nested());
        }
        self.depth += 1;
        let outer = std::mem::take(&mut self.height);
        let result = parse(self);
        self.depth -= 1;
        self.height = self.height.max(outer);
        result
    }

    /// The tree under construction got one level above all its parts so far.
    fn deepen(&mut self) -> Result<()> {
        self.height += 1;
        if self.height > MAX_DEPTH { Err(self.too_deep()) } else { Ok(()) }
    }

    fn too_nested(&self) -> Error {
        Error::syntax(
            format!("parentheses, calls and queries nest deeper than {MAX_NESTING} levels"),
            self.here(),
        )
        .hint("split the statement into views")
    }

    fn too_deep(&self) -> Error {
        Error::syntax(format!("a chain of operators is deeper than {MAX_DEPTH} levels"), self.here())
            .hint("group the chain with parentheses")
    }
}
