//! What a value or the session is: TYPEOF, IS_ALPHA, IS_DECIMAL, IS_DIGIT, CURRENT_DATABASE.

use crate::batch::TypeKind;
use crate::batch::text::number;
use crate::error::Result;
use crate::expr::Arg;
use crate::expr::function::{BoundFunction, Call, FunctionDoc, Registry};
use crate::expr::kernels::infallible;
use crate::expr::kernels::text::build;
use regex::Regex;

pub(super) fn register(r: &mut Registry) {
    r.builtin(
        FunctionDoc {
            names: &["TYPEOF"],
            family: "type",
            signatures: &["value[, serializable]"],
            text: "The type of the value as text.",
            examples: &[("TYPEOF(1 + 1.5)", "DECIMAL(12, 1) NOT NULL")],
        },
        type_of,
    );
    let mut add = |names, signatures, text, examples, bind| {
        r.builtin(FunctionDoc { names, family: "type", signatures, text, examples }, bind);
    };
    const ANY: &[&str] = &["text", "numeric"];
    add(
        &["IS_ALPHA"],
        ANY,
        "The text is letters and nothing else; no number is.",
        &[("IS_ALPHA('abc')", "true"), ("IS_ALPHA('')", "false")],
        |c| {
            // Java looks at UTF-16 units, of which only these can be letters.
            let letters = Regex::new(r"^[\p{L}&&[\x{0}-\x{FFFF}]]+$").expect("a constant");
            test(c, |_| false, move |t| letters.is_match(t))
        },
    );
    add(
        &["IS_DECIMAL"],
        ANY,
        "The text reads as a number; of numbers, those of any type but DECIMAL are.",
        &[("IS_DECIMAL('-1.5e3')", "true"), ("IS_DECIMAL('x')", "false")],
        |c| {
            let whole = Regex::new(r"^[+-]?\p{Nd}{1,18}$").expect("a constant");
            let decimal = move |t: &str| number::parse_f64(t.as_bytes()).is_some() || whole.is_match(t);
            test(c, |k| !matches!(k, TypeKind::Decimal(..)), decimal)
        },
    );
    add(
        &["IS_DIGIT"],
        ANY,
        "The text is digits and nothing else; of numbers, integers are.",
        &[("IS_DIGIT('12')", "true"), ("IS_DIGIT('1.5')", "false")],
        |c| {
            let digits = Regex::new(r"^[\p{Nd}&&[\x{0}-\x{FFFF}]]+$").expect("a constant");
            test(c, TypeKind::is_integer, move |t| digits.is_match(t))
        },
    );
    add(
        &["CURRENT_DATABASE"],
        &[""],
        "The database that is current where the query stands.",
        &[("CURRENT_DATABASE()", "default_database")],
        |c| {
            c.count(0..=0)?;
            let name = c.session.database.clone();
            Ok(infallible(vec![], TypeKind::STRING.not_null(), move |_, sel, _, out| {
                build(&[], sel, out, |_, to| {
                    to.extend_from_slice(name.as_bytes());
                    true
                });
            }))
        },
    );
}

/// A test of a text, which is false for NULL; of a number it knows the type alone.
fn test(
    call: &Call<'_>,
    numeric: fn(&TypeKind) -> bool,
    text: impl Fn(&str) -> bool + Clone + Send + Sync + 'static,
) -> Result<BoundFunction> {
    call.count(1..=1)?;
    let kind = call.kind(0).clone();
    if !(kind.is_character() || kind.is_numeric()) {
        return Err(call.wrong_types(&["CHARACTER", "NUMERIC"]));
    }
    let number = kind.is_numeric().then(|| numeric(&kind));
    Ok(infallible(call.as_given(), TypeKind::Boolean.not_null(), move |a: &[Arg<'_>], sel, _, out| {
        let bits = out.bools_mut();
        sel.for_each(|i| {
            let yes = number
                .unwrap_or_else(|| a[0].is_valid(i) && std::str::from_utf8(a[0].bytes(i)).is_ok_and(&text));
            bits.set(i, yes);
        });
    }))
}

fn type_of(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(1..=2)?;
    if call.args.len() == 2 && *call.kind(1) != TypeKind::Boolean {
        return Err(call.wrong_types(&["ANY", "ANY, BOOLEAN"]));
    }
    let ty = &call.args[0].ty;
    let text = if ty.kind == TypeKind::Null {
        "NULL".to_string()
    } else {
        crate::expr::coercion::plain(ty.clone()).to_string()
    };
    Ok(infallible(call.as_given(), TypeKind::STRING.nullable(), move |_, sel, _, out| {
        build(&[], sel, out, |_, to| {
            to.extend_from_slice(text.as_bytes());
            true
        });
    }))
}
