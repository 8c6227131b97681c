//! Names.

use super::Parser;
use crate::error::{Error, Result};
use crate::sql::ast::{Ident, ObjectName};
use crate::sql::keyword::Keyword;
use crate::sql::token::{Token, TokenKind};

impl Parser<'_> {
    /// Whether a token can be a name.
    pub(super) fn is_name(kind: TokenKind) -> bool {
        match kind {
            TokenKind::Word | TokenKind::QuotedName | TokenKind::UnicodeName => true,
            TokenKind::Keyword(keyword) => !keyword.is_reserved(),
            _ => false,
        }
    }

    /// Whether the current token can be a name.
    pub(super) fn at_name(&mut self) -> bool {
        Self::is_name(self.kind())
    }

    /// One name.
    pub(super) fn ident(&mut self) -> Result<Ident> {
        self.ident_as("a name")
    }

    /// One name; `what` says in an error which.
    pub(super) fn ident_as(&mut self, what: &'static str) -> Result<Ident> {
        if !self.at_name() {
            return Err(self.expected_here(what));
        }
        let token = self.next();
        self.ident_of(token)
    }

    /// The identifier that a token is, keywords included.
    pub(super) fn ident_of(&mut self, token: Token) -> Result<Ident> {
        let text = self.text_of(token);
        match token.kind {
            TokenKind::QuotedName => {
                Ok(Ident::new(text[1..text.len() - 1].replace("``", "`"), true, token.span))
            }
            TokenKind::UnicodeName => {
                let escape = self.unicode_escape()?;
                let value = self.unescape_unicode(
                    &text[3..text.len() - 1].replace("\"\"", "\""),
                    escape,
                    token.span,
                )?;
                if value.is_empty() || value.contains(['\n', '\r']) {
                    return Err(Error::syntax("a name is empty or contains a line break", token.span));
                }
                Ok(Ident::new(value, true, self.span_from(token.span)))
            }
            _ => Ok(Ident::new(text, false, token.span)),
        }
    }

    /// `a.b.c`.
    pub(super) fn object_name(&mut self) -> Result<ObjectName> {
        self.object_name_as("a name")
    }

    /// `a.b.c`; `what` says in an error which.
    pub(super) fn object_name_as(&mut self, what: &'static str) -> Result<ObjectName> {
        let mut parts = vec![self.ident_as(what)?];
        while self.at_dot_name() {
            self.next();
            parts.push(self.ident()?);
        }
        Ok(ObjectName(parts))
    }

    /// Whether a dot and a name come next.
    pub(super) fn at_dot_name(&mut self) -> bool {
        self.kind() == TokenKind::Dot && Self::is_name(self.kind_at(1))
    }

    /// `(a, b)`.
    pub(super) fn paren_idents(&mut self) -> Result<Vec<Ident>> {
        self.paren_list(|p| p.ident_as("a column name"))
    }

    /// `a` or `(a, b)`.
    pub(super) fn ident_or_list(&mut self) -> Result<Vec<Ident>> {
        if self.at_kind(TokenKind::LeftParen) {
            self.paren_idents()
        } else {
            Ok(vec![self.ident_as("a column name")?])
        }
    }

    /// `IF EXISTS`.
    pub(super) fn if_exists(&mut self) -> bool {
        self.eat_all(&[Keyword::IF, Keyword::EXISTS])
    }

    /// `IF NOT EXISTS`.
    pub(super) fn if_not_exists(&mut self) -> bool {
        self.eat_all(&[Keyword::IF, Keyword::NOT, Keyword::EXISTS])
    }
}
