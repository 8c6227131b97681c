//! The first pass: tokens of a record → slots, one list per leaf of the columns that are read.
//!
//! A slot is a range of the input and the form of the value that stands there; nothing is parsed yet. The tree of [`Node`]s mirrors the
//! types. The order in which tokens are taken, also after a value of the wrong form, is that of Flink's converters: an object where
//! a number is expected becomes NULL under `ignore-parse-errors`, and its fields are then taken for the record's.

use super::parser::{Parser, Syntax, Text, Token};
use crate::batch::{DataType, TypeKind};

/// The form of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Form {
    Null,
    Str,
    /// A string with escapes.
    Escaped,
    Int,
    Float,
    True,
    False,
    /// An object or array for a text column.
    Container,
}

const FORMS: [Form; 8] =
    [Form::Null, Form::Str, Form::Escaped, Form::Int, Form::Float, Form::True, Form::False, Form::Container];

/// A value's place and form.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    start: u32,
    len_and_form: u32,
}

impl Slot {
    const NULL: Slot = Slot { start: 0, len_and_form: 0 };

    #[inline]
    fn new(text: Text, form: Form) -> Self {
        Self { start: text.start, len_and_form: (text.end - text.start) << 3 | form as u32 }
    }

    #[inline]
    pub(super) fn form(self) -> Form {
        FORMS[(self.len_and_form & 7) as usize]
    }

    #[inline]
    pub(super) fn text(self, input: &[u8]) -> &[u8] {
        let start = self.start as usize;
        &input[start..start + (self.len_and_form >> 3) as usize]
    }

    pub(super) fn start(self) -> usize {
        self.start as usize
    }
}

/// One type of the schema with the values collected for it.
pub(super) enum Node {
    /// A value without parts.
    Leaf { ty: DataType, slots: Vec<Slot> },
    /// ROW, and the record itself.
    Row { fields: Fields, children: Vec<Node>, valid: Vec<bool> },
    /// ARRAY: `ends[i]` is one past the last element of row `i`.
    List { child: Box<Node>, ends: Vec<u32>, valid: Vec<bool> },
    /// MAP and MULTISET.
    Map { keys: Box<Node>, values: Box<Node>, ends: Vec<u32>, valid: Vec<bool> },
}

/// The names of an object's fields.
pub(super) struct Fields {
    names: Vec<Vec<u8>>,
    /// Where the next name is expected: records mostly repeat the order.
    next: usize,
}

impl Fields {
    #[inline]
    fn find(&mut self, name: &[u8]) -> Option<usize> {
        if self.names.get(self.next).is_some_and(|n| n == name) {
            let found = self.next;
            self.next = if found + 1 == self.names.len() { 0 } else { found + 1 };
            return Some(found);
        }
        let found = self.names.iter().position(|n| n == name)?;
        self.next = if found + 1 == self.names.len() { 0 } else { found + 1 };
        Some(found)
    }
}

/// Why a record was given up.
pub(super) enum Fail {
    /// It is not JSON.
    Syntax(Syntax),
    /// A value of the wrong form: the fields down to it, innermost first.
    Value { at: usize, path: Vec<String>, message: String },
}

impl From<Syntax> for Fail {
    fn from(s: Syntax) -> Self {
        Fail::Syntax(s)
    }
}

type Done = Result<(), Fail>;

/// The conduct of the first pass.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    pub(super) ignore: bool,
    pub(super) fail_on_missing: bool,
}

impl Node {
    pub(super) fn new(ty: &DataType) -> Self {
        let leaf = |kind: TypeKind| Node::Leaf { ty: kind.nullable(), slots: vec![] };
        let map = |k: &DataType, values: Node| Node::Map {
            keys: Box::new(leaf(k.kind.clone())),
            values: Box::new(values),
            ends: vec![],
            valid: vec![],
        };
        match &ty.kind {
            TypeKind::Array(t) => Node::List { child: Box::new(Node::new(t)), ends: vec![], valid: vec![] },
            TypeKind::Map(k, v) => map(k, Node::new(v)),
            TypeKind::Multiset(t) => map(t, leaf(TypeKind::Int)),
            TypeKind::Row(fields) => Node::row(fields.iter().map(|f| (f.name.as_str(), &f.ty))),
            kind => leaf(kind.clone()),
        }
    }

    /// The node of an object.
    pub(super) fn row<'t>(fields: impl Iterator<Item = (&'t str, &'t DataType)>) -> Self {
        let (names, children) = fields.map(|(name, ty)| (name.as_bytes().to_vec(), Node::new(ty))).unzip();
        Node::Row { fields: Fields { names, next: 0 }, children, valid: vec![] }
    }

    /// The name of field `i` of an object.
    pub(super) fn field_name(&self, i: usize) -> String {
        match self {
            Node::Row { fields, .. } => String::from_utf8_lossy(&fields.names[i]).into_owned(),
            _ => String::new(),
        }
    }

    /// Values collected.
    pub(super) fn len(&self) -> usize {
        match self {
            Node::Leaf { slots, .. } => slots.len(),
            Node::Row { valid, .. } | Node::List { valid, .. } | Node::Map { valid, .. } => valid.len(),
        }
    }

    pub(super) fn clear(&mut self) {
        self.truncate(0);
    }

    /// Keeps the first `len` values; what was added of an unfinished one goes too.
    pub(super) fn truncate(&mut self, len: usize) {
        match self {
            Node::Leaf { slots, .. } => slots.truncate(len),
            Node::Row { children, valid, .. } => {
                valid.truncate(len);
                children.iter_mut().for_each(|c| c.truncate(len));
            }
            Node::List { child, ends, valid } => {
                ends.truncate(len);
                valid.truncate(len);
                child.truncate(ends.last().map_or(0, |e| *e as usize));
            }
            Node::Map { keys, values, ends, valid } => {
                ends.truncate(len);
                valid.truncate(len);
                let end = ends.last().map_or(0, |e| *e as usize);
                keys.truncate(end);
                values.truncate(end);
            }
        }
    }

    fn push_null(&mut self) {
        match self {
            Node::Leaf { slots, .. } => slots.push(Slot::NULL),
            Node::Row { children, valid, .. } => {
                valid.push(false);
                children.iter_mut().for_each(Node::push_null);
            }
            Node::List { ends, valid, .. } | Node::Map { ends, valid, .. } => {
                valid.push(false);
                ends.push(ends.last().copied().unwrap_or(0));
            }
        }
    }

    /// Takes a record. Unlike a value within one it does not become NULL when it is of the wrong form.
    ///
    /// # Errors
    /// See [`Node::take`].
    pub(super) fn take_record(
        &mut self,
        token: Token,
        p: &mut Parser<'_>,
        rules: Rules,
        nulled: &mut bool,
    ) -> Done {
        let Node::Row { fields, children, valid } = self else { panic!("a record is an object") };
        object(fields, children, valid, token, p, rules, nulled)
    }

    /// Takes the value that opens with `token`.
    ///
    /// # Errors
    /// It is not JSON, or it has the wrong form and that is not ignored.
    #[inline]
    pub(super) fn take(&mut self, token: Token, p: &mut Parser<'_>, rules: Rules, nulled: &mut bool) -> Done {
        if token == Token::Null {
            self.push_null();
            return Ok(());
        }
        let before = self.len();
        let taken = match self {
            Node::Leaf { ty, slots } => leaf(ty, slots, token, p, rules),
            Node::Row { fields, children, valid } => object(fields, children, valid, token, p, rules, nulled),
            Node::List { child, ends, valid } => list(child, ends, valid, token, p, rules, nulled),
            Node::Map { keys, values, ends, valid } => {
                map(keys, values, ends, valid, token, p, rules, nulled)
            }
        };
        match taken {
            Err(Fail::Value { .. }) if rules.ignore => {
                self.truncate(before);
                self.push_null();
                *nulled = true;
                Ok(())
            }
            r => r,
        }
    }
}

#[cold]
fn wrong(p: &Parser<'_>, message: impl Into<String>) -> Fail {
    Fail::Value { at: p.position().saturating_sub(1), path: vec![], message: message.into() }
}

#[inline]
fn leaf(ty: &DataType, slots: &mut Vec<Slot>, token: Token, p: &mut Parser<'_>, rules: Rules) -> Done {
    let slot = match token {
        Token::Str(t, false) => Slot::new(t, Form::Str),
        Token::Str(t, true) => Slot::new(t, Form::Escaped),
        Token::Int(t) => Slot::new(t, Form::Int),
        Token::Float(t) => Slot::new(t, Form::Float),
        Token::True | Token::False => {
            let (form, len) = if token == Token::True { (Form::True, 4) } else { (Form::False, 5) };
            let end = p.position() as u32;
            Slot::new(Text { start: end - len, end }, form)
        }
        Token::StartObject | Token::StartArray => return container(ty, slots, token, p),
        // Only a value of the wrong form earlier in the record leads here.
        _ => return Err(Fail::Syntax(Syntax { at: p.position(), message: "a value is expected".into() })),
    };
    if rules.ignore && ty.kind.is_binary() {
        // Jackson loses its place behind text that is not base64: the record cannot be kept.
        let text = slot.text(p.input());
        if matches!(slot.form(), Form::Str) && super::super::scalar::base64(text, &mut Vec::new()).is_err() {
            return Err(Fail::Syntax(Syntax { at: slot.start(), message: "not base64".into() }));
        }
    }
    slots.push(slot);
    Ok(())
}

#[cold]
fn container(ty: &DataType, slots: &mut Vec<Slot>, token: Token, p: &mut Parser<'_>) -> Done {
    let start = p.position() as u32 - 1;
    match ty.kind {
        TypeKind::Char(_) | TypeKind::VarChar(_) => {
            p.skip_container()?;
            slots.push(Slot::new(Text { start, end: p.position() as u32 }, Form::Container));
        }
        // The bracket's own text is not "true".
        TypeKind::Boolean => slots.push(Slot::new(Text { start, end: start + 1 }, Form::False)),
        TypeKind::Null => slots.push(Slot::NULL),
        _ => {
            let what = if token == Token::StartObject { "an object" } else { "an array" };
            return Err(wrong(p, format!("{what} is not a {}", ty.kind)));
        }
    }
    Ok(())
}

fn object(
    fields: &mut Fields,
    children: &mut [Node],
    valid: &mut Vec<bool>,
    token: Token,
    p: &mut Parser<'_>,
    rules: Rules,
    nulled: &mut bool,
) -> Done {
    if token != Token::StartObject {
        return Err(wrong(p, "Illegal JSON object data..."));
    }
    let row = valid.len();
    let mut found = 0;
    let mut token = p.next()?;
    while token != Token::EndObject {
        // Once all fields were found, what follows is skipped, even a second value for one of them.
        if found >= children.len() {
            token = skip(token, p)?;
            continue;
        }
        let index = match token {
            Token::Name(t, false) => fields.find(t.of(p.input())),
            _ => odd_name(fields, token, p)?,
        };
        token = p.next()?;
        let Some(index) = index else {
            token = skip(token, p)?;
            continue;
        };
        let child = &mut children[index];
        if child.len() > row {
            child.truncate(row);
        }
        if let Err(mut fail) = child.take(token, p, rules, nulled) {
            if let Fail::Value { path, .. } = &mut fail {
                path.push(String::from_utf8_lossy(&fields.names[index]).into_owned());
            }
            return Err(fail);
        }
        token = p.next()?;
        found += 1;
    }
    if found < children.len() {
        if rules.fail_on_missing {
            return Err(wrong(p, "Some field is missing in the JSON data."));
        }
        children.iter_mut().filter(|c| c.len() == row).for_each(Node::push_null);
    } else if children.iter().any(|c| c.len() == row) {
        // A field came twice and another not at all.
        children.iter_mut().filter(|c| c.len() == row).for_each(Node::push_null);
    }
    valid.push(true);
    Ok(())
}

/// A name with escapes, or a token that is no name: what follows a value of the wrong form is taken for one.
#[cold]
fn odd_name(fields: &mut Fields, token: Token, p: &Parser<'_>) -> Result<Option<usize>, Fail> {
    let mut text = vec![];
    match token {
        Token::Name(t, _) | Token::Str(t, true) => {
            if super::parser::unescape(t.of(p.input()), &mut text).is_none() {
                let message = "Unrecognized character escape in a field name".into();
                return Err(Fail::Syntax(Syntax { at: t.start as usize, message }));
            }
        }
        Token::Str(t, false) | Token::Int(t) | Token::Float(t) => text.extend_from_slice(t.of(p.input())),
        Token::True => text.extend_from_slice(b"true"),
        Token::False => text.extend_from_slice(b"false"),
        Token::Null => text.extend_from_slice(b"null"),
        Token::StartObject => text.push(b'{'),
        Token::EndObject => text.push(b'}'),
        Token::StartArray => text.push(b'['),
        Token::EndArray => text.push(b']'),
        Token::End => return Err(ended(p)),
    }
    Ok(fields.find(&text))
}

#[cold]
fn ended(p: &Parser<'_>) -> Fail {
    Fail::Syntax(Syntax { at: p.position(), message: "Unexpected end-of-input within an object".into() })
}

/// Over the value that opens with `token`; the token behind it.
#[inline]
fn skip(token: Token, p: &mut Parser<'_>) -> Result<Token, Fail> {
    match token {
        Token::StartObject | Token::StartArray => p.skip_container()?,
        Token::End => return Err(ended(p)),
        _ => {}
    }
    Ok(p.next()?)
}

fn list(
    child: &mut Node,
    ends: &mut Vec<u32>,
    valid: &mut Vec<bool>,
    token: Token,
    p: &mut Parser<'_>,
    rules: Rules,
    nulled: &mut bool,
) -> Done {
    if token != Token::StartArray {
        return Err(wrong(p, "Illegal JSON array data..."));
    }
    loop {
        let token = p.next()?;
        if token == Token::EndArray {
            break;
        }
        child.take(token, p, rules, nulled)?;
    }
    ends.push(child.len() as u32);
    valid.push(true);
    Ok(())
}

#[allow(clippy::too_many_arguments)]
fn map(
    keys: &mut Node,
    values: &mut Node,
    ends: &mut Vec<u32>,
    valid: &mut Vec<bool>,
    token: Token,
    p: &mut Parser<'_>,
    rules: Rules,
    nulled: &mut bool,
) -> Done {
    if token != Token::StartObject {
        return Err(wrong(p, "Illegal JSON map data..."));
    }
    loop {
        let key = match p.next()? {
            Token::EndObject => break,
            Token::Name(t, escaped) => Token::Str(t, escaped),
            // A value of the wrong form in this map; its remains cannot be told from keys.
            _ => return Err(Fail::Syntax(Syntax { at: p.position(), message: "a key is expected".into() })),
        };
        keys.take(key, p, rules, nulled)?;
        let token = p.next()?;
        values.take(token, p, rules, nulled)?;
    }
    ends.push(keys.len() as u32);
    valid.push(true);
    Ok(())
}
