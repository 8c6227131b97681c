//! JSON paths, evaluated: what of a document a path finds.
//!
//! The steps are tried from the root down, values found are nodes of the tape. Which missing part is an error and which is merely nothing
//! follows Jayway's JsonPath to the letter, since ON EMPTY and ON ERROR depend on it: a key that is missing on a definite path is an
//! error, behind a wildcard it is not, and `lax` forgives all.

use super::document::{Document, Kind, unescape};
use super::path::{Filter, Function, Operand, Path, Relation, Step};
use crate::batch::text::number::parse_f64;
use std::borrow::Cow;
use std::cmp::Ordering;

/// A value that a path found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Item {
    /// It stands in the document.
    Node(u32),
    /// An object of `len` members of [`Found::pairs`] from `start` on.
    Merged {
        /// Where they start.
        start: u32,
        /// How many.
        len: u32,
    },
    /// `length()`
    Count(usize),
    /// `sum()` and others
    Number(f64),
    /// `keys()` of the object.
    Keys(u32),
    /// A function that has nothing to say.
    Null,
}

/// What an evaluation found; memory to use again.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// In the order of the document.
    pub items: Vec<Item>,
    /// Keys and values of merged objects.
    pub pairs: Vec<(u32, u32)>,
}

/// Why a strict path finds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Missing {
    NoResult,
    Property,
    NotAnObject,
    NotAnArray,
    Primitive,
    NoNumbers,
}

impl Missing {
    /// In words.
    pub fn message(self) -> &'static str {
        match self {
            Missing::NoResult => "the JSON path finds nothing",
            Missing::Property => "a property on the JSON path is missing",
            Missing::NotAnObject => "the JSON path asks for a property of something that is no object",
            Missing::NotAnArray => "the JSON path asks for an element of something that is no array",
            Missing::Primitive => {
                "a filter of the JSON path meets something that is neither array nor object"
            }
            Missing::NoNumbers => "a function of the JSON path has no numbers to work on",
        }
    }
}

/// A document with its text.
#[derive(Clone, Copy)]
pub struct Root<'a> {
    /// The tape.
    pub document: &'a Document,
    /// What it was read from.
    pub text: &'a [u8],
}

struct Walker<'a, 'f> {
    root: Root<'a>,
    path: &'a Path,
    lax: bool,
    found: &'f mut Found,
}

/// What `path` finds from node `from` on goes into `found`, which is emptied before. An indefinite path may find nothing; a definite one
/// that does is an error unless `lax`.
///
/// # Errors
/// Not lax, and something on the way is missing.
pub fn evaluate(root: Root<'_>, from: u32, path: &Path, lax: bool, found: &mut Found) -> Result<(), Missing> {
    found.items.clear();
    found.pairs.clear();
    let mut w = Walker { root, path, lax, found };
    match w.step(0, from) {
        Err(_) if lax => {
            found.items.clear();
            Ok(())
        }
        Err(e) => Err(e),
        Ok(()) if !lax && found.items.is_empty() && path.is_definite() => Err(Missing::NoResult),
        Ok(()) => Ok(()),
    }
}

impl Walker<'_, '_> {
    fn kind(&self, n: u32) -> Kind {
        self.root.document.kind(n)
    }

    /// Applies step `s` and what follows to node `n`.
    fn step(&mut self, s: usize, n: u32) -> Result<(), Missing> {
        let path = self.path;
        let document = self.root.document;
        let leaf = s + 1 == path.steps.len();
        let Some(step) = path.steps.get(s) else {
            self.found.items.push(Item::Node(n));
            return Ok(());
        };
        match step {
            Step::Name(name) => {
                if !self.check_object(s, n)? {
                    return Ok(());
                }
                self.property(s, n, name)
            }
            Step::Names(names) => {
                if !self.check_object(s, n)? {
                    return Ok(());
                }
                if !leaf {
                    return names.iter().try_for_each(|name| self.property(s, n, name));
                }
                let start = self.found.pairs.len();
                for name in names {
                    let text = self.root.text;
                    if let Some(pair) = document.members(n).find(|(k, _)| document.is_named(*k, text, name)) {
                        self.found.pairs.push(pair);
                    }
                }
                let len = self.found.pairs.len() - start;
                self.found.items.push(Item::Merged { start: start as u32, len: len as u32 });
                Ok(())
            }
            Step::Index(list) => {
                if !self.check_array(s, n)? {
                    return Ok(());
                }
                list.iter().filter_map(|i| document.element(n, *i)).try_for_each(|e| self.step(s + 1, e))
            }
            Step::Slice(from, to) => {
                if !self.check_array(s, n)? {
                    return Ok(());
                }
                let len = document.len(n) as i64;
                let (from, to) = match (from, to) {
                    (Some(from), None) => ((if *from < 0 { len + from } else { *from }).max(0), len),
                    (None, Some(to)) => (0, if *to < 0 { len + to } else { *to }.min(len)),
                    (from, to) => (from.unwrap_or(0), to.unwrap_or(len).min(len)),
                };
                (from..to).filter_map(|i| document.element(n, i)).try_for_each(|e| self.step(s + 1, e))
            }
            Step::Wildcard => match self.kind(n) {
                Kind::Object => document.members(n).try_for_each(|(_, v)| self.step(s + 1, v)),
                Kind::Array => {
                    for e in document.elements(n) {
                        // What is missing in one element hides no other.
                        let _ = self.step(s + 1, e);
                    }
                    Ok(())
                }
                _ => Ok(()),
            },
            Step::Scan => self.scan(s + 1, n),
            Step::Filter(filter) => match self.kind(n) {
                Kind::Object if self.accepts(filter, n) => self.step(s + 1, n),
                Kind::Object => Ok(()),
                Kind::Array => document
                    .elements(n)
                    .try_for_each(|e| if self.accepts(filter, e) { self.step(s + 1, e) } else { Ok(()) }),
                _ if path.is_definite_before(s) => Err(Missing::Primitive),
                _ => Ok(()),
            },
            Step::Function(f) => {
                let item = self.function(*f, n)?;
                self.found.items.push(item);
                Ok(())
            }
        }
    }

    fn check_object(&self, s: usize, n: u32) -> Result<bool, Missing> {
        match self.kind(n) {
            Kind::Object => Ok(true),
            _ if self.lax || !self.path.is_definite_before(s) => Ok(false),
            _ => Err(Missing::NotAnObject),
        }
    }

    fn check_array(&self, s: usize, n: u32) -> Result<bool, Missing> {
        match self.kind(n) {
            Kind::Array => Ok(true),
            _ if !self.path.is_definite_before(s) => Ok(false),
            _ => Err(Missing::NotAnArray),
        }
    }

    fn property(&mut self, s: usize, n: u32, name: &str) -> Result<(), Missing> {
        match self.root.document.member(n, self.root.text, name) {
            Some(v) => self.step(s + 1, v),
            None if s + 1 == self.path.steps.len() || self.lax || !self.path.is_definite_before(s + 1) => {
                Ok(())
            }
            None => Err(Missing::Property),
        }
    }

    /// Applies step `s` at every depth of node `n`.
    fn scan(&mut self, s: usize, n: u32) -> Result<(), Missing> {
        let document = self.root.document;
        let step = &self.path.steps[s];
        match self.kind(n) {
            Kind::Object => {
                let fits = match step {
                    Step::Name(name) => document.member(n, self.root.text, name).is_some(),
                    Step::Names(names) if s + 1 == self.path.steps.len() => {
                        names.iter().all(|name| document.member(n, self.root.text, name).is_some())
                    }
                    Step::Names(_) | Step::Wildcard => true,
                    Step::Filter(filter) => self.accepts(filter, n),
                    _ => false,
                };
                if fits {
                    self.step(s, n)?;
                }
                document.members(n).try_for_each(|(_, v)| self.scan(s, v))
            }
            Kind::Array => {
                let fits = match step {
                    Step::Index(_) | Step::Slice(..) | Step::Wildcard => true,
                    Step::Filter(filter) => self.accepts(filter, n),
                    _ => false,
                };
                if fits && s + 1 == self.path.steps.len() {
                    self.step(s, n)?;
                } else if fits {
                    document.elements(n).try_for_each(|e| self.step(s + 1, e))?;
                }
                document.elements(n).try_for_each(|e| self.scan(s, e))
            }
            _ => Ok(()),
        }
    }

    fn function(&self, f: Function, n: u32) -> Result<Item, Missing> {
        let document = self.root.document;
        let kind = self.kind(n);
        let nth = |i: i64| document.element(n, i).map(Item::Node).ok_or(Missing::NoNumbers);
        Ok(match f {
            Function::Length if matches!(kind, Kind::Array | Kind::Object) => Item::Count(document.len(n)),
            Function::Keys if kind == Kind::Object => Item::Keys(n),
            Function::Length | Function::Keys => Item::Null,
            _ if kind != Kind::Array => return Err(Missing::NoNumbers),
            Function::First => nth(0)?,
            Function::Last => nth(-1)?,
            Function::Index(i) => nth(i)?,
            Function::Min | Function::Max | Function::Avg | Function::Sum | Function::Stddev => {
                let (mut count, mut sum, mut squares) = (0.0, 0.0, 0.0);
                let (mut min, mut max) = (f64::MAX, -f64::MAX);
                for e in document.elements(n).filter(|e| matches!(self.kind(*e), Kind::Int | Kind::Float)) {
                    let v = parse_f64(document.text(e, self.root.text)).unwrap_or(0.0);
                    count += 1.0;
                    sum += v;
                    squares += v * v;
                    min = min.min(v);
                    max = max.max(v);
                }
                if count == 0.0 {
                    return Err(Missing::NoNumbers);
                }
                Item::Number(match f {
                    Function::Min => min,
                    Function::Max => max,
                    Function::Sum => sum,
                    Function::Avg => sum / count,
                    _ => (squares / count - sum * sum / count / count).sqrt(),
                })
            }
        })
    }

    fn accepts(&self, filter: &Filter, n: u32) -> bool {
        match filter {
            Filter::And(a, b) => self.accepts(a, n) && self.accepts(b, n),
            Filter::Or(a, b) => self.accepts(a, n) || self.accepts(b, n),
            Filter::Exists(operand, wanted) => {
                matches!(self.operand(operand, n, false), Value::Undefined) != *wanted
            }
            Filter::Compare(a, relation, b) => {
                compare(self.operand(a, n, self.lax), *relation, self.operand(b, n, self.lax))
            }
        }
    }

    fn operand<'v>(&'v self, operand: &'v Operand, n: u32, lax: bool) -> Value<'v> {
        match operand {
            Operand::Text(t) => Value::Text(Cow::Borrowed(t.as_bytes())),
            Operand::Pattern(p) => Value::Pattern(p),
            Operand::Json(text, document) => value(Root { document, text: text.as_bytes() }, 0),
            Operand::Path { from_root, path } => {
                let from = if *from_root { 0 } else { n };
                let mut found = Found::default();
                if evaluate(self.root, from, path, lax, &mut found).is_err() {
                    return Value::Undefined;
                }
                if !path.is_definite() {
                    return Value::Many(self.root, found.items);
                }
                match found.items.last() {
                    Some(Item::Node(v)) => value(self.root, *v),
                    Some(Item::Count(c)) => Value::Number(*c as f64),
                    Some(Item::Number(v)) => Value::Number(*v),
                    Some(_) => Value::Undefined,
                    None => Value::Null,
                }
            }
        }
    }
}

/// An operand's value.
enum Value<'a> {
    Undefined,
    Null,
    Bool(bool),
    Number(f64),
    Text(Cow<'a, [u8]>),
    Pattern(&'a regex::Regex),
    /// An array or object.
    Container(Root<'a>, u32),
    /// What an indefinite path found.
    Many(Root<'a>, Vec<Item>),
}

fn value(root: Root<'_>, n: u32) -> Value<'_> {
    let raw = root.document.text(n, root.text);
    match root.document.kind(n) {
        Kind::Null => Value::Null,
        Kind::True => Value::Bool(true),
        Kind::False => Value::Bool(false),
        Kind::Int | Kind::Float => Value::Number(parse_f64(raw).unwrap_or(f64::NAN)),
        Kind::Escaped => {
            let mut text = Vec::new();
            unescape(raw, &mut text);
            Value::Text(Cow::Owned(text))
        }
        Kind::Array | Kind::Object => Value::Container(root, n),
        _ => Value::Text(Cow::Borrowed(raw)),
    }
}

fn elements<'a>(v: &'a Value<'a>) -> Option<Vec<Value<'a>>> {
    match v {
        Value::Container(root, n) if root.document.kind(*n) == Kind::Array => {
            Some(root.document.elements(*n).map(|e| value(*root, e)).collect())
        }
        Value::Many(root, items) => Some(
            items
                .iter()
                .filter_map(|i| match i {
                    Item::Node(n) => Some(value(*root, *n)),
                    _ => None,
                })
                .collect(),
        ),
        _ => None,
    }
}

fn same(a: &Value<'_>, b: &Value<'_>) -> bool {
    match (a, b) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Number(a), Value::Number(b)) => a == b,
        (Value::Text(a), Value::Text(b)) => a == b,
        (Value::Number(n), Value::Text(t)) | (Value::Text(t), Value::Number(n)) => parse_f64(t) == Some(*n),
        (Value::Container(r, n), Value::Container(s, m))
            if r.document.kind(*n) == Kind::Object && s.document.kind(*m) == Kind::Object =>
        {
            r.document.len(*n) == s.document.len(*m)
                && r.document.members(*n).all(|(k, v)| {
                    let mut name = Vec::new();
                    unescape(r.document.text(k, r.text), &mut name);
                    let name = String::from_utf8_lossy(&name);
                    let other = s.document.member(*m, s.text, &name);
                    other.is_some_and(|w| same(&value(*r, v), &value(*s, w)))
                })
        }
        _ => match (elements(a), elements(b)) {
            (Some(a), Some(b)) => a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| same(a, b)),
            _ => false,
        },
    }
}

fn order(a: &Value<'_>, b: &Value<'_>) -> Option<Ordering> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.partial_cmp(b),
        (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

fn compare(a: Value<'_>, relation: Relation, b: Value<'_>) -> bool {
    match relation {
        Relation::Eq => same(&a, &b),
        Relation::NotEq => !same(&a, &b),
        Relation::Less => order(&a, &b) == Some(Ordering::Less),
        Relation::Greater => order(&a, &b) == Some(Ordering::Greater),
        Relation::LessEq => matches!(order(&a, &b), Some(Ordering::Less | Ordering::Equal)),
        Relation::GreaterEq => matches!(order(&a, &b), Some(Ordering::Greater | Ordering::Equal)),
        Relation::Matches => match (&a, &b) {
            (Value::Text(t), Value::Pattern(p)) | (Value::Pattern(p), Value::Text(t)) => {
                std::str::from_utf8(t).is_ok_and(|t| p.is_match(t))
            }
            _ => false,
        },
        Relation::In | Relation::NotIn => match elements(&b) {
            Some(list) => list.iter().any(|e| same(&a, e)) == (relation == Relation::In),
            None => false,
        },
        Relation::Contains => match (&a, &b) {
            (Value::Text(t), Value::Text(part)) => memchr::memmem::find(t, part).is_some(),
            _ => elements(&a).is_some_and(|list| list.iter().any(|e| same(e, &b))),
        },
        Relation::Size => match (&a, &b) {
            (Value::Text(t), Value::Number(n)) => {
                String::from_utf8_lossy(t).encode_utf16().count() as f64 == *n
            }
            (a, Value::Number(n)) => elements(a).is_some_and(|list| list.len() as f64 == *n),
            _ => false,
        },
        Relation::Empty => match (&a, &b) {
            (Value::Text(t), Value::Bool(wanted)) => t.is_empty() == *wanted,
            (Value::Container(r, n), Value::Bool(wanted)) => (r.document.len(*n) == 0) == *wanted,
            _ => false,
        },
    }
}
