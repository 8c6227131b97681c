//! Schemas as they stand in a file: JSON → types in an arena, so that a record may hold itself.

use crate::formats::json::parser::{Parser, Token, unescape};
use std::collections::{HashMap, HashSet};

/// The number of a type in its [`Schema`].
pub(super) type Id = usize;

/// The types of a schema; the last thing named is found by its name.
#[derive(Debug)]
pub(super) struct Schema {
    pub(super) types: Vec<Type>,
    pub(super) root: Id,
}

/// One type.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Type {
    Null,
    Boolean,
    Int,
    Long(Unit),
    Float,
    Double,
    /// With the scale, of decimals.
    Bytes(Option<u32>),
    Fixed {
        size: usize,
        scale: Option<u32>,
    },
    String,
    Enum(Vec<String>),
    Array(Id),
    Map(Id),
    Union(Vec<Id>),
    Record(Vec<(String, Id)>),
}

/// What a long counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// A number.
    One,
    /// `timestamp-millis`, `local-timestamp-millis`.
    Millis,
    /// `timestamp-micros`, `local-timestamp-micros`, `time-micros`.
    Micros,
    /// `timestamp-nanos`, `local-timestamp-nanos`.
    Nanos,
}

/// How deep types may nest.
const MAX_DEPTH: usize = 64;

/// A JSON value.
#[derive(Debug)]
enum Json {
    Text(String),
    Number(i64),
    Other,
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    fn get(&self, key: &str) -> Option<&Json> {
        match self {
            Json::Object(fields) => fields.iter().rev().find(|f| f.0 == key).map(|f| &f.1),
            _ => None,
        }
    }

    fn text(&self, key: &str) -> Option<&str> {
        match self.get(key) {
            Some(Json::Text(t)) => Some(t),
            _ => None,
        }
    }

    fn number(&self, key: &str) -> Option<i64> {
        match self.get(key) {
            Some(Json::Number(n)) => Some(*n),
            _ => None,
        }
    }
}

impl Schema {
    /// Reads a schema's JSON.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        let mut open = vec![];
        let mut parser = Parser::new(text, 0, &mut open);
        let token = parser.next().map_err(|e| e.message)?;
        let json = json(&mut parser, token, 0)?;
        let mut making = Making { types: vec![], named: HashMap::new() };
        let root = making.ty(&json, "", 0)?;
        Ok(Self { types: making.types, root })
    }
}

fn text_of(
    parser: &Parser<'_>,
    text: crate::formats::json::parser::Text,
    escaped: bool,
) -> Result<String, String> {
    let raw = text.of(parser.input());
    let mut out = vec![];
    if escaped {
        unescape(raw, &mut out).ok_or("an escape that JSON has not")?;
    } else {
        out.extend_from_slice(raw);
    }
    String::from_utf8(out).map_err(|_| "a name that is not UTF-8".to_owned())
}

fn json(parser: &mut Parser<'_>, token: Token, depth: usize) -> Result<Json, String> {
    if depth > 2 * MAX_DEPTH {
        return Err(format!("types nest deeper than {MAX_DEPTH}"));
    }
    let next = |p: &mut Parser<'_>| p.next().map_err(|e| e.message);
    Ok(match token {
        Token::Str(text, escaped) => Json::Text(text_of(parser, text, escaped)?),
        Token::Int(text) => {
            let digits = std::str::from_utf8(text.of(parser.input())).ok();
            digits.and_then(|d| d.parse().ok()).map_or(Json::Other, Json::Number)
        }
        Token::StartArray => {
            let mut all = vec![];
            loop {
                match next(parser)? {
                    Token::EndArray => break Json::List(all),
                    token => all.push(json(parser, token, depth + 1)?),
                }
            }
        }
        Token::StartObject => {
            let mut fields = vec![];
            loop {
                match next(parser)? {
                    Token::EndObject => break Json::Object(fields),
                    Token::Name(name, escaped) => {
                        let name = text_of(parser, name, escaped)?;
                        let token = next(parser)?;
                        fields.push((name, json(parser, token, depth + 1)?));
                    }
                    other => return Err(format!("{other:?} where a name is expected")),
                }
            }
        }
        Token::End => return Err("it is empty".into()),
        _ => Json::Other,
    })
}

struct Making {
    types: Vec<Type>,
    named: HashMap<String, Id>,
}

impl Making {
    fn add(&mut self, ty: Type) -> Id {
        self.types.push(ty);
        self.types.len() - 1
    }

    fn ty(&mut self, json: &Json, namespace: &str, depth: usize) -> Result<Id, String> {
        if depth > MAX_DEPTH {
            return Err(format!("types nest deeper than {MAX_DEPTH}"));
        }
        match json {
            Json::Text(name) => self.by_name(name, json, namespace),
            Json::List(branches) => {
                let all =
                    branches.iter().map(|b| self.ty(b, namespace, depth + 1)).collect::<Result<_, _>>()?;
                Ok(self.add(Type::Union(all)))
            }
            Json::Object(_) => match json.get("type") {
                Some(Json::Text(name)) => match name.as_str() {
                    "record" | "error" | "enum" | "fixed" => self.named(name, json, namespace, depth),
                    "array" | "map" => {
                        let key = if name == "array" { "items" } else { "values" };
                        let inner = json.get(key).ok_or_else(|| format!("type {name} without {key}"))?;
                        let inner = self.ty(inner, namespace, depth + 1)?;
                        Ok(self.add(if name == "array" { Type::Array(inner) } else { Type::Map(inner) }))
                    }
                    _ => self.by_name(name, json, namespace),
                },
                Some(inner) => self.ty(inner, namespace, depth + 1),
                None => Err("a type without \"type\"".into()),
            },
            Json::Number(_) | Json::Other => Err("a type is a name, an object or a list".into()),
        }
    }

    /// A primitive type, or one that was named before.
    fn by_name(&mut self, name: &str, json: &Json, namespace: &str) -> Result<Id, String> {
        let ty = match name {
            "null" => Type::Null,
            "boolean" => Type::Boolean,
            "int" => Type::Int,
            "long" => Type::Long(match json.text("logicalType") {
                Some("timestamp-millis" | "local-timestamp-millis") => Unit::Millis,
                Some("timestamp-micros" | "local-timestamp-micros" | "time-micros") => Unit::Micros,
                Some("timestamp-nanos" | "local-timestamp-nanos") => Unit::Nanos,
                _ => Unit::One,
            }),
            "float" => Type::Float,
            "double" => Type::Double,
            "bytes" => Type::Bytes(scale(json)),
            "string" => Type::String,
            _ => {
                let full = full_name(name, namespace);
                let known = self.named.get(&full).or_else(|| self.named.get(name));
                return known.copied().ok_or_else(|| format!("there is no type '{name}'"));
            }
        };
        Ok(self.add(ty))
    }

    fn named(&mut self, kind: &str, json: &Json, outer: &str, depth: usize) -> Result<Id, String> {
        let name = json.text("name").ok_or_else(|| format!("{kind} without a name"))?;
        let full = full_name(name, json.text("namespace").unwrap_or(outer));
        let namespace = full.rsplit_once('.').map_or("", |n| n.0).to_owned();
        // Known before its fields are: they may be of it.
        let id = self.add(Type::Null);
        self.named.insert(full, id);
        self.types[id] = match kind {
            "enum" => {
                let Some(Json::List(symbols)) = json.get("symbols") else {
                    return Err(format!("enum {name} without symbols"));
                };
                let text = |s: &Json| match s {
                    Json::Text(t) => Ok(t.clone()),
                    _ => Err(format!("a symbol of enum {name} is not text")),
                };
                Type::Enum(symbols.iter().map(text).collect::<Result<_, _>>()?)
            }
            "fixed" => {
                let size = json.number("size").and_then(|n| usize::try_from(n).ok());
                let size = size.ok_or_else(|| format!("fixed {name} without a size"))?;
                Type::Fixed { size, scale: scale(json) }
            }
            _ => {
                let Some(Json::List(fields)) = json.get("fields") else {
                    return Err(format!("record {name} without fields"));
                };
                let (mut all, mut names) = (vec![], HashSet::new());
                for field in fields {
                    let own = field
                        .text("name")
                        .ok_or_else(|| format!("a field of record {name} without a name"))?;
                    if !names.insert(own) {
                        return Err(format!("record {name} has two fields '{own}'"));
                    }
                    let ty = field.get("type").ok_or_else(|| format!("field {own} without a type"))?;
                    all.push((own.to_owned(), self.ty(ty, &namespace, depth + 1)?));
                }
                Type::Record(all)
            }
        };
        Ok(id)
    }
}

fn full_name(name: &str, namespace: &str) -> String {
    if name.contains('.') || namespace.is_empty() { name.to_owned() } else { format!("{namespace}.{name}") }
}

/// The scale of a decimal.
fn scale(json: &Json) -> Option<u32> {
    (json.text("logicalType") == Some("decimal"))
        .then(|| u32::try_from(json.number("scale").unwrap_or(0)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_find_what_was_named_before_also_around_them() {
        let text = br#"{"type":"record","name":"a.Node","fields":[
            {"name":"v","type":["null",{"type":"long","logicalType":"timestamp-millis"}]},
            {"name":"next","type":["null","Node"]},
            {"name":"d","type":{"type":"fixed","name":"D","size":4,"logicalType":"decimal","precision":9,"scale":2}},
            {"name":"e","type":"a.D","doc":"x\"\\","default":{}}]}"#;
        let s = Schema::parse(text).expect("a schema");
        let Type::Record(fields) = &s.types[s.root] else { panic!("{s:?}") };
        let Type::Union(next) = &s.types[fields[1].1] else { panic!("{s:?}") };
        assert_eq!(next[1], s.root);
        assert_eq!(s.types[fields[3].1], Type::Fixed { size: 4, scale: Some(2) });
    }

    #[test]
    fn what_is_no_schema_is_refused() {
        for (text, wanted) in [
            ("", "empty"),
            ("{\"type\":\"what\"}", "there is no type 'what'"),
            ("{\"type\":\"record\",\"name\":\"r\"}", "without fields"),
            (
                r#"{"type":"record","name":"r","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]}"#,
                "two fields 'a'",
            ),
            ("{\"type\":\"array\"}", "without items"),
            ("7", "a type is"),
            (&"[".repeat(900), "nest deeper"),
        ] {
            let e = Schema::parse(text.as_bytes()).expect_err(text);
            assert!(e.contains(wanted), "{text}: {e}");
        }
    }
}
