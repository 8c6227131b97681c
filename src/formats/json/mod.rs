//! `json`: one JSON object a line, or an array of objects, with Flink's options and coercions.
//!
//! Reading follows Flink's converters token by token, for two reasons: what a malformed value does to the rest of its record under
//! `ignore-parse-errors` is observable, and no tree of values has to be built. See [`decode`] for the two passes.

mod changelog;
mod decode;
mod encode;
mod fill;
pub(super) mod parser;
mod tree;

pub(super) use changelog::check as check_changelog;
pub use changelog::{ChangelogDecoder, ChangelogEncoder, ChangelogOptions, Envelope};
pub use decode::JsonDecoder;
pub use encode::JsonEncoder;
#[cfg(test)]
pub(super) use encode::write_string as write_json_text;

use super::scalar::TimestampFormat;
use super::{OptionError, flag};
use crate::batch::{DataType, Schema, TypeKind};

/// The options of `json`, checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JsonOptions {
    /// An absent field is an error, not NULL.
    pub fail_on_missing_field: bool,
    /// Fields that cannot be read become NULL, records that cannot be read are skipped.
    pub ignore_parse_errors: bool,
    /// The form of TIMESTAMP and TIMESTAMP_LTZ.
    pub timestamp_format: TimestampFormat,
    /// What becomes of a NULL key of a MAP that is written.
    pub map_null_key: MapNullKey,
    /// Decimals are written `100.00`, not `1E+2`.
    pub decimal_as_plain_number: bool,
    /// NULL fields are not written.
    pub ignore_null_fields: bool,
}

/// What becomes of a NULL key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MapNullKey {
    /// The job fails.
    #[default]
    Fail,
    /// The entry is left out.
    Drop,
    /// The key is written as this text.
    Literal(Vec<u8>),
}

impl JsonOptions {
    /// All options. `decode.json-parser.enabled` is read and has no effect: it chooses between two implementations of Flink.
    pub const NAMES: &'static [&'static str] = &[
        "decode.json-parser.enabled",
        "encode.decimal-as-plain-number",
        "encode.ignore-null-fields",
        "fail-on-missing-field",
        "ignore-parse-errors",
        "map-null-key.literal",
        "map-null-key.mode",
        "timestamp-format.standard",
    ];

    /// Reads the options.
    ///
    /// # Errors
    /// A value that cannot be used.
    pub fn from_options<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Result<Self, OptionError> {
        let bool = |key: &str| flag(key, get(key), false);
        flag("decode.json-parser.enabled", get("decode.json-parser.enabled"), true)?;
        let timestamp_format = match get("timestamp-format.standard") {
            None | Some("SQL") => TimestampFormat::Sql,
            Some("ISO-8601") => TimestampFormat::Iso,
            Some(t) => {
                let message = format!(
                    "Unsupported value '{t}' for json.timestamp-format.standard. Supported values are [SQL, ISO-8601]"
                );
                return Err(OptionError::new("timestamp-format.standard", message));
            }
        };
        let literal = get("map-null-key.literal").unwrap_or("null");
        let map_null_key = match get("map-null-key.mode").map(str::to_ascii_uppercase).as_deref() {
            None | Some("FAIL") => MapNullKey::Fail,
            Some("DROP") => MapNullKey::Drop,
            Some("LITERAL") => MapNullKey::Literal(literal.into()),
            Some(t) => {
                let message = format!(
                    "Unsupported value '{t}' for option map-null-key.mode. Supported values are [LITERAL, FAIL, DROP]"
                );
                return Err(OptionError::new("map-null-key.mode", message));
            }
        };
        let options = Self {
            fail_on_missing_field: bool("fail-on-missing-field")?,
            ignore_parse_errors: bool("ignore-parse-errors")?,
            timestamp_format,
            map_null_key,
            decimal_as_plain_number: bool("encode.decimal-as-plain-number")?,
            ignore_null_fields: bool("encode.ignore-null-fields")?,
        };
        if options.fail_on_missing_field && options.ignore_parse_errors {
            return Err(OptionError::new(
                "fail-on-missing-field",
                "fail-on-missing-field and ignore-parse-errors shouldn't both be true",
            ));
        }
        Ok(options)
    }
}

/// Checks the types of the columns.
pub(super) fn check(schema: &Schema) -> Result<(), OptionError> {
    schema.fields.iter().try_for_each(|f| {
        column_type(&f.ty).map_err(|m| OptionError::new("", format!("{m} (column '{}')", f.name)))
    })
}

fn column_type(ty: &DataType) -> Result<(), String> {
    let keys = |k: &DataType| match k.kind.is_character() {
        true => Ok(()),
        false => Err(format!(
            "JSON format doesn't support non-string as key type of map. The type is: {}: use STRING keys",
            ty.kind
        )),
    };
    match &ty.kind {
        TypeKind::Array(t) => column_type(t),
        TypeKind::Map(k, v) => keys(k).and_then(|()| column_type(v)),
        TypeKind::Multiset(t) => keys(t),
        TypeKind::Row(fields) => fields.iter().try_for_each(|f| column_type(&f.ty)),
        TypeKind::Variant => {
            Err("the json format does not support VARIANT: use STRING and PARSE_JSON".into())
        }
        TypeKind::Bitmap => {
            Err("the json format does not support BITMAP: use BYTES and BITMAP_FROM_BYTES".into())
        }
        _ => Ok(()),
    }
}
