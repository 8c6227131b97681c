//! Expressions as text.

use crate::batch::text::{Style, write_value};
use crate::batch::{Column, DataType, Schema, TypeKind};
use crate::expr::{Expr, ExprKind};
use std::fmt::Write as _;

/// An expression as SQL, with the column names of its input.
pub fn expr_text(e: &Expr, input: &Schema) -> String {
    let mut out = String::new();
    write_expr(e, &Names::Schema(input), &mut out);
    out
}

/// How columns are shown: by name, or by number and with types everywhere.
pub(super) enum Names<'a> {
    Schema(&'a Schema),
    Numbers,
}

pub(super) fn write_expr(e: &Expr, names: &Names<'_>, out: &mut String) {
    match &e.kind {
        ExprKind::Column(n) => match names {
            Names::Schema(s) => match s.fields.get(*n) {
                Some(field) => out.push_str(&field.name),
                None => drop(write!(out, "${n}")),
            },
            Names::Numbers => drop(write!(out, "${n}")),
        },
        ExprKind::Literal(value) => write_literal(value, &e.ty, out),
        ExprKind::Call { function, args } => write_call(&function.name, e, args, names, out),
        ExprKind::And(parts) => write_list(parts, " AND ", names, out),
        ExprKind::Or(parts) => write_list(parts, " OR ", names, out),
        ExprKind::Case { branches, otherwise } => {
            out.push_str("CASE");
            for (condition, value) in branches {
                out.push_str(" WHEN ");
                write_expr(condition, names, out);
                out.push_str(" THEN ");
                write_expr(value, names, out);
            }
            out.push_str(" ELSE ");
            write_expr(otherwise, names, out);
            out.push_str(" END");
        }
        ExprKind::Coalesce(parts) => {
            out.push_str("COALESCE");
            write_list(parts, ", ", names, out);
        }
        ExprKind::Field(of, n) => {
            write_expr(of, names, out);
            match &of.ty.kind {
                TypeKind::Row(fields) => drop(write!(out, ".{}", fields[*n].name)),
                _ => drop(write!(out, ".{n}")),
            }
        }
    }
    if matches!(names, Names::Numbers) {
        let _ = write!(out, ":{}", e.ty);
    }
}

fn write_list(parts: &[Expr], separator: &str, names: &Names<'_>, out: &mut String) {
    out.push('(');
    for (i, part) in parts.iter().enumerate() {
        if i > 0 {
            out.push_str(separator);
        }
        write_expr(part, names, out);
    }
    out.push(')');
}

fn write_call(name: &str, e: &Expr, args: &[Expr], names: &Names<'_>, out: &mut String) {
    match (name, args) {
        ("CAST" | "TRY_CAST", [value]) => {
            let _ = write!(out, "{name}(");
            write_expr(value, names, out);
            let _ = write!(out, " AS {})", e.ty.kind);
        }
        ("ITEM", [base, index]) => {
            write_expr(base, names, out);
            out.push('[');
            write_expr(index, names, out);
            out.push(']');
        }
        (_, [value]) if name.starts_with("IS ") => {
            write_expr(value, names, out);
            let _ = write!(out, " {name}");
        }
        ("NOT" | "-", [value]) => {
            out.push_str(if name == "NOT" { "NOT " } else { "-" });
            write_expr(value, names, out);
        }
        (_, [left, right]) if is_infix(name) => {
            out.push('(');
            write_expr(left, names, out);
            let _ = write!(out, " {name} ");
            write_expr(right, names, out);
            out.push(')');
        }
        _ => {
            out.push_str(name);
            write_list(args, ", ", names, out);
        }
    }
}

fn is_infix(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_alphabetic())
        || matches!(name, "LIKE" | "SIMILAR TO" | "IS DISTINCT FROM" | "IS NOT DISTINCT FROM" | "OVERLAPS")
}

fn write_literal(value: &Column, ty: &DataType, out: &mut String) {
    if !value.is_valid(0) {
        out.push_str("NULL");
        return;
    }
    let mut bytes = vec![];
    write_value(value, 0, ty, &jiff::tz::TimeZone::UTC, Style::Changelog, &mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let quoted = |prefix: &str| format!("{prefix}'{}'", text.replace('\'', "''"));
    let shown = match &ty.kind {
        TypeKind::Char(_) | TypeKind::VarChar(_) => quoted(""),
        TypeKind::Date => quoted("DATE "),
        TypeKind::Time(_) => quoted("TIME "),
        TypeKind::Timestamp(_) => quoted("TIMESTAMP "),
        TypeKind::TimestampLtz(_) => quoted("TIMESTAMP_LTZ "),
        TypeKind::IntervalMonths(_) | TypeKind::IntervalMillis(_) => quoted("INTERVAL "),
        _ => text.into_owned(),
    };
    out.push_str(&shown);
}
