//! JSON_EXISTS, JSON_VALUE, JSON_QUERY and IS JSON.
//!
//! A kernel reads each document once into its tape and walks a path that was compiled when binding; a path that is not a literal is
//! compiled when it changes. The clauses come as arguments that the binder adds: a NULL of the RETURNING type, and words.

use crate::batch::{Column, ColumnData, DataType, Sel, TypeKind};
use crate::error::{Error, Result};
use crate::expr::function::{BoundFunction, Call, FunctionDoc, Registry};
use crate::expr::json::{Document, Found, Item, JsonWriter, Kind, Missing, PathSpec, Root, evaluate};
use crate::expr::kernels::{infallible, with_kernel};
use crate::expr::{Arg, Determinism, EvalContext, Kernel, RowError};
use std::sync::Arc;

pub(super) fn register(r: &mut Registry) {
    let mut add = |names, signatures, text, examples, bind| {
        r.builtin(FunctionDoc { names, family: "JSON", signatures, text, examples }, bind);
    };
    add(
        &["JSON_EXISTS"],
        &["json, path [{ TRUE | FALSE | UNKNOWN | ERROR } ON ERROR]"],
        "The path finds something in the document. A path without mode is strict; ON ERROR is FALSE when absent.",
        &[
            ("JSON_EXISTS('{\"a\": true}', '$.a')", "true"),
            ("JSON_EXISTS('{\"a\": true}', 'strict $.b' TRUE ON ERROR)", "true"),
        ],
        |call| {
            call.count(3..=3)?;
            bind(call, TypeKind::Boolean, Usage::Exists)
        },
    );
    add(
        &["JSON_VALUE"],
        &[
            "json, path [RETURNING type] [{ NULL | ERROR | DEFAULT value } ON EMPTY] [{ NULL | ERROR | DEFAULT value } ON ERROR]",
        ],
        "The scalar at the path. RETURNING takes STRING, BOOLEAN, INTEGER and DOUBLE; both clauses are NULL when absent.",
        &[
            ("JSON_VALUE('{\"a\": 1.50}', '$.a')", "1.50"),
            ("JSON_VALUE('{}', 'lax $.a' RETURNING INTEGER DEFAULT -1 ON EMPTY)", "-1"),
        ],
        json_value,
    );
    add(
        &["JSON_QUERY"],
        &[
            "json, path [RETURNING type] [{ WITHOUT | WITH [CONDITIONAL | UNCONDITIONAL] } [ARRAY] WRAPPER] [{ NULL | EMPTY ARRAY | EMPTY OBJECT | ERROR } ON EMPTY] [{ … } ON ERROR]",
        ],
        "The object or array at the path, as JSON with sorted keys. RETURNING takes STRING and ARRAY<STRING>.",
        &[
            ("JSON_QUERY('{\"a\": {\"c\": 1, \"b\": [2]}}', '$.a')", "{\"b\":[2],\"c\":1}"),
            ("JSON_QUERY('[{\"k\": 1}, {\"k\": 2}]', '$[*].k')", "[1,2]"),
        ],
        json_query,
    );
    let mut is = |names, signatures, text, examples, bind| {
        r.builtin(FunctionDoc { names, family: "JSON", signatures, text, examples }, bind);
    };
    is(
        &["IS JSON VALUE"],
        &["text IS [NOT] JSON [VALUE]"],
        "The text begins with a JSON value.",
        &[("'[1]' IS JSON", "true")],
        |c| is_json(c, |_| true),
    );
    is(
        &["IS JSON OBJECT"],
        &["text IS [NOT] JSON OBJECT"],
        "It is an object.",
        &[("'[1]' IS JSON OBJECT", "false")],
        |c| is_json(c, |k| k == Kind::Object),
    );
    is(
        &["IS JSON ARRAY"],
        &["text IS [NOT] JSON ARRAY"],
        "It is an array.",
        &[("'[1]' IS JSON ARRAY", "true")],
        |c| is_json(c, |k| k == Kind::Array),
    );
    is(
        &["IS JSON SCALAR"],
        &["text IS [NOT] JSON SCALAR"],
        "It is neither.",
        &[("'1' IS JSON SCALAR", "true")],
        |c| is_json(c, |k| !matches!(k, Kind::Object | Kind::Array)),
    );
}

fn is_json(call: &Call<'_>, wanted: fn(Kind) -> bool) -> Result<BoundFunction> {
    call.count(1..=1)?;
    if !call.kind(0).is_character() {
        return Err(call.wrong_types(&["CHARACTER"]));
    }
    Ok(infallible(call.as_given(), TypeKind::Boolean.not_null(), move |a, sel, _, out| {
        let mut document = Document::default();
        sel.for_each(|i| {
            let is = a[0].is_valid(i) && document.parse(a[0].bytes(i)).is_ok() && wanted(document.kind(0));
            out.bools_mut().set(i, is);
        });
    }))
}

/// What JSON_VALUE and JSON_QUERY do when there is nothing or something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Behavior {
    Null,
    Error,
    /// JSON_VALUE: argument number `n`.
    Default(usize),
    EmptyArray,
    EmptyObject,
    True,
    False,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrapper {
    Without,
    Conditional,
    Unconditional,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Usage {
    Exists,
    Value,
    Query(Wrapper),
}

fn behavior(call: &Call<'_>, at: usize, default: usize) -> Behavior {
    match call.literal_text(at) {
        Some("ERROR") => Behavior::Error,
        Some("DEFAULT") => Behavior::Default(default),
        Some("EMPTY ARRAY") => Behavior::EmptyArray,
        Some("EMPTY OBJECT") => Behavior::EmptyObject,
        Some("TRUE") => Behavior::True,
        Some("FALSE") => Behavior::False,
        _ => Behavior::Null,
    }
}

/// Arguments: json, path, a NULL of the type, on empty, its default, on error, its default.
fn json_value(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(7..=7)?;
    let kind = call.kind(2).clone();
    if !matches!(kind, TypeKind::VarChar(_) | TypeKind::Boolean | TypeKind::Int | TypeKind::Double) {
        return Err(Error::planning(format!("JSON_VALUE cannot return {kind}"), call.args[2].span)
            .hint("RETURNING takes STRING, BOOLEAN, INTEGER and DOUBLE; cast the value"));
    }
    for at in [4, 6] {
        if call.args[at].literal.is_none() {
            return Err(Error::planning("the DEFAULT of JSON_VALUE must be a literal", call.args[at].span));
        }
    }
    bind(call, kind, Usage::Value)
}

/// Arguments: json, path, a NULL of the type, the wrapper, on empty, on error.
fn json_query(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(6..=6)?;
    let kind = call.kind(2).clone();
    match &kind {
        TypeKind::VarChar(_) => {}
        TypeKind::Array(of) if of.kind.is_character() => {
            for at in [4, 5] {
                if call.literal_text(at) == Some("EMPTY OBJECT") {
                    return Err(Error::validation(
                        "EMPTY OBJECT does not fit the array that JSON_QUERY returns",
                        call.span,
                    )
                    .hint("write EMPTY ARRAY"));
                }
            }
        }
        _ => {
            return Err(Error::validation(format!("JSON_QUERY cannot return {kind}"), call.args[2].span)
                .hint("RETURNING takes STRING and ARRAY<STRING>"));
        }
    }
    let wrapper = match call.literal_text(3) {
        Some("CONDITIONAL") => Wrapper::Conditional,
        Some("UNCONDITIONAL") => Wrapper::Unconditional,
        _ => Wrapper::Without,
    };
    bind(call, kind, Usage::Query(wrapper))
}

fn bind(call: &Call<'_>, kind: TypeKind, usage: Usage) -> Result<BoundFunction> {
    for i in [0, 1] {
        if !call.kind(i).is_character() {
            return Err(call.wrong_types(&["CHARACTER, CHARACTER"]));
        }
    }
    let (on_empty, on_error) = match usage {
        Usage::Exists => (Behavior::Null, behavior(call, 2, 0)),
        Usage::Value => (behavior(call, 3, 4), behavior(call, 5, 6)),
        Usage::Query(_) => (behavior(call, 4, 0), behavior(call, 5, 0)),
    };
    let fixed = call.literal_text(1).map(PathSpec::read);
    if let Some(PathSpec { path: Err(why), .. }) = &fixed
        && why.ends_with("not supported")
    {
        return Err(Error::unsupported(
            why.trim_end_matches(" is not supported").trim_end_matches(" are not supported"),
            call.args[1].span,
        ));
    }
    let limit = match kind {
        TypeKind::VarChar(n) if n < i32::MAX as u32 => Some(n as usize),
        _ => None,
    };
    let mut args = call.as_given();
    for at in [4, 6] {
        if usage == Usage::Value {
            args[at] = DataType { kind: kind.clone(), ..args[at].clone() };
        }
    }
    let (fixed, ty) = (fixed.map(Arc::new), kind.nullable());
    Ok(with_kernel(args, ty, Determinism::Deterministic, move || Query {
        usage,
        on_empty,
        on_error,
        limit,
        is_fixed: fixed.is_some(),
        path: fixed.clone(),
        path_text: Vec::new(),
        document: Document::default(),
        found: Found::default(),
        writer: JsonWriter::default(),
        text: Vec::new(),
    }))
}

struct Query {
    usage: Usage,
    on_empty: Behavior,
    on_error: Behavior,
    /// The characters that the result may have.
    limit: Option<usize>,
    is_fixed: bool,
    path: Option<Arc<PathSpec>>,
    /// The text of `path` when it is not a literal.
    path_text: Vec<u8>,
    document: Document,
    found: Found,
    writer: JsonWriter,
    text: Vec<u8>,
}

/// What a row comes to before the clauses are asked.
enum Outcome {
    /// The values are in `found`; several for an indefinite path.
    Found {
        lax: bool,
        many: bool,
    },
    /// No value, or JSON's null.
    Nothing,
    Wrong(String),
}

impl Kernel for Query {
    fn eval(
        &mut self,
        args: &[Arg<'_>],
        sel: Sel<'_>,
        rows: usize,
        out: &mut Column,
        _cx: &mut EvalContext<'_>,
    ) -> Result<(), RowError> {
        if args[..2].iter().any(|a| a.constant && !a.column.is_valid(0)) {
            out.clear();
            out.push_nulls(rows);
            return Ok(());
        }
        if let ColumnData::List { .. } = out.data {
            out.clear();
            sel.try_for_each(|i| {
                out.push_nulls(i - out.len());
                if args[0].is_valid(i) && args[1].is_valid(i) {
                    self.array(args, i, out)
                } else {
                    out.push_null();
                    Ok(())
                }
            })?;
            out.push_nulls(rows - out.len());
            return Ok(());
        }
        sel.try_for_each(|i| {
            if !args[0].is_valid(i) || !args[1].is_valid(i) {
                out.validity.set(i, false);
                return Ok(());
            }
            let outcome = self.find(args, i);
            match self.usage {
                Usage::Exists => self.exists(outcome, i, out),
                Usage::Value => self.value(outcome, args, i, out),
                Usage::Query(_) => self.query(outcome, args, i, out),
            }
        })
    }

    fn can_fail(&self) -> bool {
        true
    }
}

impl Query {
    fn find(&mut self, args: &[Arg<'_>], i: usize) -> Outcome {
        if !self.is_fixed && (self.path.is_none() || self.path_text != args[1].bytes(i)) {
            self.path_text.clear();
            self.path_text.extend_from_slice(args[1].bytes(i));
            self.path = Some(Arc::new(PathSpec::read(&String::from_utf8_lossy(&self.path_text))));
        }
        let Some(spec) = self.path.clone() else { return Outcome::Nothing };
        let text = args[0].bytes(i);
        if let Err(e) = self.document.parse(text) {
            return match spec.lax {
                true => Outcome::Nothing,
                false => Outcome::Wrong(format!(
                    "not JSON from byte {} on: {}",
                    e.at,
                    String::from_utf8_lossy(text)
                )),
            };
        }
        if self.document.kind(0) == Kind::Null {
            return Outcome::Wrong("the JSON document is null".into());
        }
        let path = match &spec.path {
            Ok(path) => path,
            Err(why) => return Outcome::Wrong(why.clone()),
        };
        let root = Root { document: &self.document, text };
        match evaluate(root, 0, path, spec.lax, &mut self.found) {
            Err(why) => Outcome::Wrong(self.reason(why)),
            Ok(()) if !path.is_definite() => Outcome::Found { lax: spec.lax, many: true },
            Ok(()) => match self.found.items.last() {
                None | Some(Item::Null) => Outcome::Nothing,
                Some(Item::Node(n)) if self.document.kind(*n) == Kind::Null => Outcome::Nothing,
                Some(_) => Outcome::Found { lax: spec.lax, many: false },
            },
        }
    }

    /// The words for an error, where they are wanted.
    fn reason(&self, why: Missing) -> String {
        if self.on_error == Behavior::Error { why.message().to_string() } else { String::new() }
    }

    fn exists(&self, outcome: Outcome, i: usize, out: &mut Column) -> Result<(), RowError> {
        let answer = match outcome {
            Outcome::Found { .. } => true,
            Outcome::Nothing => false,
            Outcome::Wrong(why) => match self.on_error {
                Behavior::Error => return Err(RowError::runtime(i, why)),
                Behavior::True => true,
                Behavior::Null => {
                    out.validity.set(i, false);
                    return Ok(());
                }
                _ => false,
            },
        };
        out.bools_mut().set(i, answer);
        Ok(())
    }

    fn is_scalar(&self, item: Item) -> bool {
        match item {
            Item::Node(n) => !matches!(self.document.kind(n), Kind::Array | Kind::Object),
            Item::Count(_) | Item::Number(_) | Item::Null => true,
            Item::Merged { .. } | Item::Keys(_) => false,
        }
    }

    fn value(
        &mut self,
        outcome: Outcome,
        args: &[Arg<'_>],
        i: usize,
        out: &mut Column,
    ) -> Result<(), RowError> {
        let wrong = match outcome {
            Outcome::Found { lax, many } => {
                let item = self.found.items.last().copied().filter(|_| !many);
                match item {
                    Some(item) if self.is_scalar(item) => return self.scalar(item, args, i, out),
                    _ if lax => {
                        return self.instead(self.on_empty, "the JSON path finds no scalar", args, i, out);
                    }
                    _ => "the JSON path finds an array or object where a scalar is wanted".to_string(),
                }
            }
            Outcome::Nothing => {
                return self.instead(self.on_empty, "the result of JSON_VALUE is empty", args, i, out);
            }
            Outcome::Wrong(why) => why,
        };
        self.instead(self.on_error, &wrong, args, i, out)
    }

    /// What a clause wants in place of a value.
    fn instead(
        &self,
        behavior: Behavior,
        why: &str,
        args: &[Arg<'_>],
        i: usize,
        out: &mut Column,
    ) -> Result<(), RowError> {
        match behavior {
            Behavior::Error => return Err(RowError::runtime(i, why)),
            Behavior::Default(n) if args[n].is_valid(i) => {
                let (from, at) = (args[n].column, args[n].at(i));
                match &mut out.data {
                    ColumnData::Bytes(b) => b.writer().set(i, from.byte_column().get(at)),
                    ColumnData::Bool(b) => b.set(i, from.bools().get(at)),
                    ColumnData::I32(b) => b[i] = from.slice::<i32>()[at],
                    ColumnData::F64(b) => b[i] = from.slice::<f64>()[at],
                    _ => unreachable!("the types that JSON_VALUE returns"),
                }
            }
            Behavior::EmptyArray => out.byte_column_mut().writer().set(i, b"[]"),
            Behavior::EmptyObject => out.byte_column_mut().writer().set(i, b"{}"),
            _ => out.validity.set(i, false),
        }
        Ok(())
    }

    fn scalar(&mut self, item: Item, args: &[Arg<'_>], i: usize, out: &mut Column) -> Result<(), RowError> {
        let root = Root { document: &self.document, text: args[0].bytes(i) };
        if let ColumnData::Bytes(bytes) = &mut out.data {
            let (limit, found, writer) = (self.limit, &self.found, &mut self.writer);
            bytes.writer().set_with(i, |to| {
                let start = to.len();
                writer.scalar(root, found, item, to);
                cut(to, start, limit);
            });
            return Ok(());
        }
        self.text.clear();
        self.writer.scalar(root, &self.found, item, &mut self.text);
        let kind = match item {
            Item::Node(n) => self.document.kind(n),
            Item::Count(_) => Kind::Int,
            _ => Kind::Float,
        };
        let text = std::str::from_utf8(&self.text).unwrap_or_default();
        // Flink casts the Java object that its parser made, and fails for any other class.
        let fits = match (&mut out.data, kind) {
            (ColumnData::Bool(b), Kind::True | Kind::False) => {
                b.set(i, kind == Kind::True);
                true
            }
            (ColumnData::I32(b), Kind::Int) => text.parse().map(|v| b[i] = v).is_ok(),
            (ColumnData::F64(b), Kind::Float) => text.parse().map(|v| b[i] = v).is_ok(),
            _ => false,
        };
        if fits {
            return Ok(());
        }
        let wanted = match out.data {
            ColumnData::Bool(_) => "BOOLEAN",
            ColumnData::I32(_) => "INTEGER",
            _ => "DOUBLE (a number with a fraction or exponent)",
        };
        Err(RowError::runtime(i, format!("JSON_VALUE found {text}, which is no {wanted}")))
    }

    /// Whether JSON_QUERY wraps its result, or what is wrong with it.
    fn wrapped(&self, outcome: &Outcome) -> std::result::Result<bool, (Behavior, String)> {
        let Usage::Query(wrapper) = self.usage else { return Ok(false) };
        match outcome {
            Outcome::Wrong(why) => Err((self.on_error, why.clone())),
            Outcome::Nothing => Err((self.on_empty, "the result of JSON_QUERY is empty".into())),
            Outcome::Found { lax, many } => {
                let item = self.found.items.last().copied();
                let scalar = !many && item.is_some_and(|x| self.is_scalar(x));
                let is_list = *many
                    || matches!(item, Some(Item::Node(n)) if self.document.kind(n) == Kind::Array)
                    || matches!(item, Some(Item::Keys(_)));
                match wrapper {
                    Wrapper::Unconditional => Ok(true),
                    Wrapper::Conditional => Ok(!is_list),
                    Wrapper::Without if !scalar => Ok(false),
                    Wrapper::Without => {
                        let behavior = if *lax { self.on_empty } else { self.on_error };
                        Err((
                            behavior,
                            "the JSON path finds a scalar where an array or object is wanted".into(),
                        ))
                    }
                }
            }
        }
    }

    fn query(
        &mut self,
        outcome: Outcome,
        args: &[Arg<'_>],
        i: usize,
        out: &mut Column,
    ) -> Result<(), RowError> {
        let wrap = match self.wrapped(&outcome) {
            Ok(wrap) => wrap,
            Err((behavior, why)) => return self.instead(behavior, &why, args, i, out),
        };
        let many = matches!(outcome, Outcome::Found { many: true, .. });
        let root = Root { document: &self.document, text: args[0].bytes(i) };
        let (limit, found, writer) = (self.limit, &self.found, &mut self.writer);
        out.byte_column_mut().writer().set_with(i, |to| {
            let start = to.len();
            if wrap {
                to.push(b'[');
            }
            if many {
                to.push(b'[');
                for (n, item) in found.items.iter().enumerate() {
                    if n > 0 {
                        to.push(b',');
                    }
                    writer.item(root, found, *item, to);
                }
                to.push(b']');
            } else if let Some(item) = found.items.last() {
                writer.item(root, found, *item, to);
            }
            if wrap {
                to.push(b']');
            }
            cut(to, start, limit);
        });
        Ok(())
    }

    /// JSON_QUERY RETURNING ARRAY<STRING>: appends a row.
    fn array(&mut self, args: &[Arg<'_>], i: usize, out: &mut Column) -> Result<(), RowError> {
        let outcome = self.find(args, i);
        let wrapped = self.wrapped(&outcome);
        let root = Root { document: &self.document, text: args[0].bytes(i) };
        let Column { validity, data: ColumnData::List { offsets, child } } = out else {
            unreachable!("an array is a list")
        };
        let (found, writer) = (&self.found, &mut self.writer);
        let mut push = |item: Item| {
            let is_null =
                item == Item::Null || matches!(item, Item::Node(n) if root.document.kind(n) == Kind::Null);
            child.validity.push(!is_null);
            child.byte_column_mut().writer().push_with(|to| {
                if !is_null {
                    writer.scalar(root, found, item, to);
                }
            });
        };
        let last = found.items.last().copied();
        let (behavior, why) = match (wrapped, last) {
            (Ok(_), _) if matches!(outcome, Outcome::Found { many: true, .. }) => {
                found.items.iter().for_each(|item| push(*item));
                (None, String::new())
            }
            (Ok(true), Some(item)) => {
                push(item);
                (None, String::new())
            }
            (Ok(false), Some(Item::Node(n))) if root.document.kind(n) == Kind::Array => {
                root.document.elements(n).for_each(|e| push(Item::Node(e)));
                (None, String::new())
            }
            (Ok(_), _) => {
                (Some(self.on_error), "the JSON path finds an object where an array is wanted".to_string())
            }
            (Err((behavior, why)), _) => (Some(behavior), why),
        };
        match behavior {
            Some(Behavior::Error) => return Err(RowError::runtime(i, why)),
            Some(Behavior::EmptyArray) | None => validity.push(true),
            Some(_) => validity.push(false),
        }
        offsets.push(child.len() as u32);
        Ok(())
    }
}

/// Cuts what stands from `start` on to so many characters.
fn cut(to: &mut Vec<u8>, start: usize, limit: Option<usize>) {
    if let Some(limit) = limit {
        let end = start + crate::expr::kernels::text::char_offset(&to[start..], limit);
        to.truncate(end);
    }
}
