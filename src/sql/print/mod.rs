//! Syntax tree to text: the canonical form of a statement, on one line.
//!
//! What is printed parses to an equal tree; that property is fuzzed. (Parentheses that the text had not can lift a text
//! near [`MAX_NESTING`](super::MAX_NESTING) above it.) Keywords are in capitals, optional words are
//! left out, parentheses stand only where the tree needs them, and names keep their back quotes and get them where
//! they would not be names without.

mod ddl;
mod expr;
mod function;
mod literal;
mod query;
mod statement;
mod table;
mod types;

use std::fmt;

use super::ast::{Expr, Ident, ObjectName, Query, Statement, TypeName};
use super::keyword::Keyword;
use super::lexer::is_plain_word;

impl fmt::Display for Statement {
    /// The statement as SQL, without a semicolon.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&print(|p| p.statement(self)))
    }
}

impl fmt::Display for Query {
    /// The query as SQL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&print(|p| p.query(self)))
    }
}

impl fmt::Display for Expr {
    /// The expression as SQL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&print(|p| p.expr(self)))
    }
}

impl fmt::Display for TypeName {
    /// The type as SQL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&print(|p| p.type_name(self)))
    }
}

/// The expression with every name in back quotes, as Flink keeps it in a catalog.
pub(super) fn quoted_expr(e: &Expr) -> String {
    let mut printer = Printer { out: String::new(), glued: true, quotes: true };
    printer.expr(e);
    printer.out
}

fn print(what: impl FnOnce(&mut Printer)) -> String {
    let mut printer = Printer { out: String::new(), glued: true, quotes: false };
    what(&mut printer);
    printer.out
}

/// Text under construction. Words are set apart by one space, unless something glues them.
struct Printer {
    out: String,
    /// The next word follows without a space.
    glued: bool,
    /// Every name gets back quotes.
    quotes: bool,
}

impl Printer {
    /// A word, or several, behind a space.
    fn word(&mut self, text: &str) {
        if !self.glued {
            self.out.push(' ');
        }
        self.out.push_str(text);
        self.glued = false;
    }

    /// What follows directly: a comma, a closing parenthesis.
    fn tight(&mut self, text: &str) {
        self.out.push_str(text);
        self.glued = false;
    }

    /// An opening parenthesis behind a space.
    fn open(&mut self) {
        self.word("(");
        self.glued = true;
    }

    /// What holds on to both neighbours: a dot, a function's opening parenthesis.
    fn glue(&mut self, text: &str) {
        self.out.push_str(text);
        self.glued = true;
    }

    fn close(&mut self) {
        self.tight(")");
    }

    /// A word if `condition`.
    fn word_if(&mut self, condition: bool, text: &str) {
        if condition {
            self.word(text);
        }
    }

    /// `a, b, c`.
    fn list<T>(&mut self, items: &[T], mut print: impl FnMut(&mut Self, &T)) {
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                self.tight(",");
            }
            print(self, item);
        }
    }

    /// ` (a, b, c)`.
    fn paren_list<T>(&mut self, items: &[T], print: impl FnMut(&mut Self, &T)) {
        self.open();
        self.list(items, print);
        self.close();
    }

    fn ident(&mut self, ident: &Ident) {
        if self.quotes || ident.quoted || !is_plain_word(&ident.name) {
            self.quoted(&ident.name)
        } else {
            self.word(&ident.name)
        }
    }

    fn quoted(&mut self, name: &str) {
        // A line break cannot stand in back quotes, nor can nothing; such names come from U&"…" only.
        self.word(&format!("`{}`", name.replace('`', "``")));
    }

    /// A word that the grammar wants here whatever it is: a function's name, a day of the week.
    fn keyword_or_ident(&mut self, ident: &Ident) {
        if !ident.quoted && Keyword::lookup(&ident.name).is_some() {
            self.word(&ident.name);
        } else {
            self.ident(ident);
        }
    }

    fn idents(&mut self, idents: &[Ident]) {
        self.paren_list(idents, |p, ident| p.ident(ident));
    }

    /// `a` or ` (a, b)`.
    fn ident_or_list(&mut self, idents: &[Ident]) {
        match idents {
            [one] => self.ident(one),
            many => self.idents(many),
        }
    }

    fn name(&mut self, name: &ObjectName) {
        for (i, part) in name.0.iter().enumerate() {
            if i > 0 {
                self.glue(".");
            }
            self.ident(part);
        }
    }

    /// `'text'`.
    fn string(&mut self, text: &str) {
        self.word(&format!("'{}'", text.replace('\'', "''")));
    }

    /// `KEYWORD 'text'` where there is a text.
    fn word_and_string(&mut self, word: &str, text: Option<&String>) {
        if let Some(text) = text {
            self.word(word);
            self.string(text);
        }
    }
}
