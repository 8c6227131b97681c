//! `csv`: Flink's options and the conduct of the reader behind it (Jackson's CSV parser).
//!
//! A record is a line, unless a quoted field holds line ends; CR, LF and CR LF all end one. A quote counts only as the first
//! character of a field; after the closing quote blanks may stand. One empty field too many is taken (`a,b,`). A blank line
//! is a record of one empty field, unless comments are allowed: then blank lines and leading blanks are skipped too.

mod decode;
mod encode;
mod scan;

pub use decode::CsvDecoder;
pub use encode::CsvEncoder;

use super::{OptionError, flag};
use crate::batch::{DataType, Schema, TypeKind};

/// The options of `csv`, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct CsvOptions {
    /// Between fields. One byte: a character outside ASCII is refused.
    pub delimiter: u8,
    /// Around fields; `None`: quotes are ordinary.
    pub quote: Option<u8>,
    /// Before a character that is meant itself (`0`, `n`, `r`, `t`: the control character).
    pub escape: Option<u8>,
    /// Lines that open with `#` are skipped.
    pub allow_comments: bool,
    /// Fields that cannot be read become NULL, records that cannot be read are skipped.
    pub ignore_parse_errors: bool,
    /// Between the elements of ARRAY and ROW columns.
    pub array_delimiter: u8,
    /// The text that stands for NULL.
    pub null_literal: Option<Vec<u8>>,
    /// Blanks around unquoted fields do not count.
    pub trim_spaces: bool,
    /// Fields past the last column do not count.
    pub ignore_trailing: bool,
    /// One empty field past the last column does not count.
    pub allow_trailing_comma: bool,
    /// Every column must have a field.
    pub fail_on_missing: bool,
    /// The empty text stands for NULL too.
    pub empty_as_null: bool,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self {
            delimiter: b',',
            quote: Some(b'"'),
            escape: None,
            allow_comments: false,
            ignore_parse_errors: false,
            array_delimiter: b';',
            null_literal: None,
            trim_spaces: false,
            ignore_trailing: false,
            allow_trailing_comma: true,
            fail_on_missing: false,
            empty_as_null: false,
        }
    }
}

impl CsvOptions {
    /// All options. `write-bigdecimal-in-scientific-notation` is read and has no effect, as with Flink's filesystem connector,
    /// which writes decimals as `1E+2` whatever it says.
    pub const NAMES: &'static [&'static str] = &[
        "allow-comments",
        "allow-trailing-comma",
        "array-element-delimiter",
        "disable-quote-character",
        "empty-string-as-null",
        "escape-character",
        "fail-on-missing-columns",
        "field-delimiter",
        "ignore-parse-errors",
        "ignore-trailing-unmappable",
        "null-literal",
        "quote-character",
        "trim-spaces",
        "write-bigdecimal-in-scientific-notation",
    ];

    /// Reads the options.
    ///
    /// # Errors
    /// A value that cannot be used.
    pub fn from_options<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Result<Self, OptionError> {
        let default = Self::default();
        let bool = |key: &str, default: bool| flag(key, get(key), default);
        let char = |key: &str| get(key).map(|t| one_char(key, t, t)).transpose();
        bool("write-bigdecimal-in-scientific-notation", true)?;
        let delimiter = match get("field-delimiter") {
            Some(t) => one_char("field-delimiter", t, &unescape(t))?,
            None => default.delimiter,
        };
        let quote = char("quote-character")?;
        let disabled = bool("disable-quote-character", false)?;
        if disabled && quote.is_some() {
            return Err(OptionError::new(
                "disable-quote-character",
                "a format cannot define a quote character and disable it at the same time: leave one of the options out",
            ));
        }
        Ok(Self {
            delimiter,
            quote: if disabled { None } else { quote.or(default.quote) },
            escape: char("escape-character")?,
            allow_comments: bool("allow-comments", false)?,
            ignore_parse_errors: bool("ignore-parse-errors", false)?,
            array_delimiter: char("array-element-delimiter")?.unwrap_or(default.array_delimiter),
            null_literal: get("null-literal").map(|t| t.as_bytes().to_vec()),
            trim_spaces: bool("trim-spaces", false)?,
            ignore_trailing: bool("ignore-trailing-unmappable", false)?,
            allow_trailing_comma: bool("allow-trailing-comma", true)?,
            fail_on_missing: bool("fail-on-missing-columns", false)?,
            empty_as_null: bool("empty-string-as-null", false)?,
        })
    }
}

fn one_char(key: &str, written: &str, text: &str) -> Result<u8, OptionError> {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) if c.is_ascii() => Ok(c as u8),
        (Some(c), None) => {
            Err(OptionError::new(key, format!("'{c}' is not supported: the character must be an ASCII one")))
        }
        _ => Err(OptionError::new(
            key,
            format!("Option 'csv.{key}' must be a string with single character, but was: {written}"),
        )),
    }
}

/// Java's escapes in the delimiter: `\t`, `\u0001`.
fn unescape(text: &str) -> String {
    let Some(rest) = text.strip_prefix('\\') else { return text.to_owned() };
    match rest {
        "t" => "\t".into(),
        "n" => "\n".into(),
        "r" => "\r".into(),
        "b" => "\u{8}".into(),
        "f" => "\u{c}".into(),
        _ => match rest
            .strip_prefix('u')
            .and_then(|h| u32::from_str_radix(h, 16).ok())
            .and_then(char::from_u32)
        {
            Some(c) => c.into(),
            None if rest.chars().count() == 1 => rest.into(),
            None => text.into(),
        },
    }
}

/// Checks the types of the columns.
pub(super) fn check(schema: &Schema, reading: bool) -> Result<(), OptionError> {
    for f in &schema.fields {
        column_type(&f.ty, true, reading).map_err(|m| {
            OptionError::new("", format!("Unsupported type '{}' for field '{}': {m}", f.ty.kind, f.name))
        })?;
    }
    Ok(())
}

fn column_type(ty: &DataType, nested_allowed: bool, reading: bool) -> Result<(), String> {
    match &ty.kind {
        TypeKind::Array(t) if nested_allowed => column_type(t, false, reading),
        TypeKind::Row(fields) if nested_allowed => {
            fields.iter().try_for_each(|f| column_type(&f.ty, false, reading))
        }
        TypeKind::Array(_) | TypeKind::Row(_) => {
            Err("csv holds ARRAY and ROW of simple values only; use the json format".into())
        }
        TypeKind::Map(..) | TypeKind::Multiset(_) | TypeKind::Variant | TypeKind::Bitmap => {
            Err("csv has no form for it; use the json format".into())
        }
        TypeKind::Time(p) if reading && *p > 3 => Err(format!(
            "Csv does not support TIME type with precision: {p}, it only supports precision 0 ~ 3"
        )),
        _ => Ok(()),
    }
}
