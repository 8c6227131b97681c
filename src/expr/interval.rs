//! Conditions that say between which numbers a BIGINT column is.

use super::{Expr, ExprKind};
use crate::batch::TypeKind;
use std::ops::RangeInclusive;

/// A BIGINT column and the values of it for which a condition is TRUE; for NULL it never is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interval {
    /// The column's number.
    pub column: usize,
    /// What its values may be; empty where none may.
    pub values: RangeInclusive<i64>,
}

impl Interval {
    /// A condition of comparisons of one BIGINT column with constants, put together by AND; `None`: it is not of that form.
    pub fn of(condition: &Expr) -> Option<Self> {
        let (name, left, right) = match &condition.kind {
            ExprKind::And(parts) => {
                let mut parts = parts.iter().map(Self::of);
                let first = parts.next()??;
                return parts.try_fold(first, |all, part| all.and(part?));
            }
            ExprKind::Call { function, args } => match &args[..] {
                [left, right] => (&*function.name, left, right),
                _ => return None,
            },
            _ => return None,
        };
        let (name, column, constant) = match (&left.kind, &right.kind) {
            (ExprKind::Column(c), ExprKind::Literal(v)) => (name, *c, v),
            (ExprKind::Literal(v), ExprKind::Column(c)) => (flipped(name)?, *c, v),
            _ => return None,
        };
        if left.ty.kind != TypeKind::BigInt || right.ty.kind != TypeKind::BigInt || !constant.is_valid(0) {
            return None;
        }
        let value = constant.slice::<i64>()[0];
        let none = || RangeInclusive::new(1, 0);
        let values = match name {
            "=" => value..=value,
            "<" => value.checked_sub(1).map_or_else(none, |most| i64::MIN..=most),
            "<=" => i64::MIN..=value,
            ">" => value.checked_add(1).map_or_else(none, |least| least..=i64::MAX),
            ">=" => value..=i64::MAX,
            _ => return None,
        };
        Some(Self { column, values })
    }

    /// The values that both have, if they are of one column.
    fn and(self, other: Self) -> Option<Self> {
        let (a, b) = (self.values, other.values);
        let values = *a.start().max(b.start())..=*a.end().min(b.end());
        (self.column == other.column).then_some(Self { column: self.column, values })
    }
}

/// The comparison with its sides exchanged.
fn flipped(name: &str) -> Option<&'static str> {
    Some(match name {
        "=" => "=",
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{Column, ColumnRef, DataType};
    use crate::error::Span;
    use crate::expr::build::call;
    use crate::expr::functions::builtin;
    use crate::expr::{Program, Session, constant_column};
    use proptest::prelude::*;

    fn bigint() -> DataType {
        TypeKind::BigInt.nullable()
    }

    fn literal(value: Option<i64>) -> Expr {
        let column = constant_column(&bigint(), |c| {
            c.validity.push(value.is_some());
            c.buffer_mut::<i64>().push(value.unwrap_or_default());
        });
        Expr::literal(column, bigint(), Span::default())
    }

    fn comparison(name: &str, left: Expr, right: Expr) -> Expr {
        let args = vec![left, right];
        call(&builtin(), name, args, &Session::default(), Span::default()).expect("BIGINT compares")
    }

    fn numbers() -> impl Strategy<Value = i64> {
        prop_oneof![-3_i64..4, Just(i64::MIN), Just(i64::MAX), Just(i64::MIN + 1), Just(i64::MAX - 1)]
    }

    proptest! {
        /// What is in the interval is what the condition's program says is TRUE.
        #[test]
        fn an_interval_has_what_its_condition_is_true_of(
            parts in prop::collection::vec((prop::sample::select(&["=", "<", "<=", ">", ">="]), numbers(), any::<bool>()), 1..4),
            values in prop::collection::vec(prop::option::weighted(0.9, numbers()), 1..20),
        ) {
            let of = |&(name, value, flip): &(&str, i64, bool)| {
                let (column, literal) = (Expr::column(0, bigint(), Span::default()), literal(Some(value)));
                if flip { comparison(name, literal, column) } else { comparison(name, column, literal) }
            };
            let kind = ExprKind::And(parts.iter().map(of).collect());
            let condition = match &parts[..] {
                [only] => of(only),
                _ => Expr { kind, ty: TypeKind::Boolean.nullable(), span: Span::default() },
            };
            let interval = Interval::of(&condition).expect("comparisons of one column");
            prop_assert_eq!(interval.column, 0);
            let mut column = Column::new(&bigint());
            for v in &values {
                column.validity.push(v.is_some());
                column.buffer_mut::<i64>().push(v.unwrap_or_default());
            }
            let (program, columns) = (Program::new(&condition), [ColumnRef::new(column)]);
            for (row, v) in values.iter().enumerate() {
                let wanted = program.is_true_at(&columns, row).expect("plain over a row");
                prop_assert_eq!(v.is_some_and(|v| interval.values.contains(&v)), wanted, "{:?}", v);
            }
        }
    }

    #[test]
    fn other_conditions_are_no_intervals() {
        let column = |n| Expr::column(n, bigint(), Span::default());
        let below = |n| comparison("<", column(n), literal(Some(7)));
        let all = |parts| Expr {
            kind: ExprKind::And(parts),
            ty: TypeKind::Boolean.nullable(),
            span: Span::default(),
        };
        assert!(Interval::of(&all(vec![below(0), below(0)])).is_some());
        for other in [
            comparison("<>", column(0), literal(Some(7))),
            comparison("<", column(0), literal(None)),
            comparison("<", column(0), column(1)),
            all(vec![below(0), below(1)]),
            all(vec![below(0), comparison("<>", column(0), literal(Some(3)))]),
            column(0),
        ] {
            assert_eq!(Interval::of(&other), None);
        }
    }
}
