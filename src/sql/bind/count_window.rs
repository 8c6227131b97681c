//! `COUNT_WINDOW(TABLE t PARTITION BY k, SIZE => 100, SLIDE => 10)`: windows by number of rows per key, which is Pelton's own. Flink has them in its
//! DataStream API alone.

use super::Binder;
use super::expr::ExprContext;
use super::scope::Scope;
use super::window::table_input;
use crate::batch::TypeKind;
use crate::error::{Error, Finding, Result, Span};
use crate::expr::{Expr, ExprKind};
use crate::plan::logical::Rel;
use crate::plan::{CountWindow, MAX_OVERLAP};
use crate::sql::ast::{ArgValue, FunctionArg, FunctionCall};

pub(super) const NAME: &str = "COUNT_WINDOW";
const USAGE: &str = "write COUNT_WINDOW(TABLE t PARTITION BY k, SIZE => 100[, SLIDE => 10])";

impl Binder<'_> {
    pub(super) fn count_window(&mut self, f: &FunctionCall) -> Result<Rel> {
        let [data, size, slide] = arguments(f)?;
        let (input, keys) = table_input(self, NAME, USAGE, data.expect("checked"))?;
        let (size, size_at) = self.rows("SIZE", size.expect("checked"))?;
        let slide = match slide {
            Some(arg) => self.rows("SLIDE", arg)?.0,
            None => size,
        };
        if size / slide > MAX_OVERLAP {
            return Err(Error::validation(
                format!(
                    "SIZE / SLIDE is at most {MAX_OVERLAP}: each row would be in {} windows",
                    size / slide
                ),
                size_at,
            )
            .hint("for a result with every row: OVER (… ROWS BETWEEN n PRECEDING AND CURRENT ROW)"));
        }
        self.extensions.note(Finding {
            message: "the table function COUNT_WINDOW is Pelton's own".into(),
            span: f.span,
            hint: "Flink has windows by number of rows in its DataStream API (countWindow), not in SQL"
                .into(),
        });
        let keys = keys.into_iter().map(|k| k.0).collect();
        Ok(input.count_window(CountWindow { size, slide, keys }, f.span))
    }

    /// A number of rows.
    fn rows(&mut self, name: &str, arg: &FunctionArg) -> Result<(u64, Span)> {
        let ArgValue::Expr(e) = &arg.value else {
            return Err(
                Error::validation(format!("{name} of {NAME} is a number of rows"), arg.span).hint(USAGE)
            );
        };
        let scope = Scope::default();
        let bound = self.expr(e, &mut ExprContext::plain(&scope, "window function"))?;
        match whole(&bound) {
            Some(n) if (1..=i64::from(u32::MAX)).contains(&n) => Ok((n as u64, e.span)),
            Some(n) => {
                Err(Error::validation(format!("{name} of {NAME} is 1 to {} rows, not {n}", u32::MAX), e.span))
            }
            None => Err(Error::validation(
                format!("{name} of {NAME} is a whole number that stands in the query"),
                e.span,
            )
            .hint(USAGE)),
        }
    }
}

/// The value of a literal.
fn whole(e: &Expr) -> Option<i64> {
    match (&e.kind, &e.ty.kind) {
        (ExprKind::Literal(v), TypeKind::Int) if v.is_valid(0) => Some(v.slice::<i32>()[0].into()),
        (ExprKind::Literal(v), TypeKind::BigInt) if v.is_valid(0) => Some(v.slice::<i64>()[0]),
        _ => None,
    }
}

/// DATA, SIZE, SLIDE; the first two are there.
fn arguments(f: &FunctionCall) -> Result<[Option<&FunctionArg>; 3]> {
    let names = ["DATA", "SIZE", "SLIDE"];
    let mut out = [None; 3];
    let wrong = |message: String, span: Span| Err(Error::validation(message, span).hint(USAGE));
    for (i, arg) in f.args.iter().enumerate() {
        let place = match &arg.name {
            None if i < names.len() => i,
            None => {
                return wrong(format!("{NAME} takes at most 3 arguments, {} given", f.args.len()), f.span);
            }
            Some(name) => match names.iter().position(|n| n.eq_ignore_ascii_case(&name.name)) {
                Some(place) => place,
                None => return wrong(format!("{NAME} has no argument '{name}'"), name.span),
            },
        };
        if out[place].replace(arg).is_some() {
            return wrong(format!("{} of {NAME} is given twice", names[place]), arg.span);
        }
    }
    match out[..2].iter().position(Option::is_none) {
        Some(missing) => wrong(format!("{NAME} needs {}", names[missing]), f.span),
        None => Ok(out),
    }
}
