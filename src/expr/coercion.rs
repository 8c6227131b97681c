//! Flink's type rules: which type the operands of an operator have in common, and what arithmetic makes of them.
//!
//! Sources: Calcite's `leastRestrictive` with Flink's type system (UNION, VALUES, CASE, COALESCE, IN), Flink's decimal rules
//! (`LogicalTypeMerging`), and its implicit casts (`LogicalTypeCasts`). Where they are odd (FLOAT + DOUBLE is FLOAT, MOD takes the
//! type of its second operand) Flink is followed, not reason.

use crate::batch::{DataType, Field, IntervalUnits, TypeKind, decimal::MAX_PRECISION};
use TypeKind::*;

/// The least type that holds the values of all: UNION, VALUES, CASE, COALESCE, IN, set operations, ARRAY[…]. `None`: there is none.
/// Nullable if any is. A time attribute stays when all have it (UNION); functions drop it with [`plain`].
pub fn common_type<'a>(types: impl IntoIterator<Item = &'a DataType>) -> Option<DataType> {
    let mut types = types.into_iter();
    let mut out = types.next()?.clone();
    for t in types {
        let kind = common_kind(&out.kind, &t.kind)?;
        let time = if out.time == t.time { out.time } else { Default::default() };
        out = DataType { kind, nullable: out.nullable || t.nullable, time };
    }
    Some(out)
}

/// The type without a time attribute: what a function returns.
#[must_use]
pub fn plain(ty: DataType) -> DataType {
    ty.with_time(Default::default())
}

/// [`common_type`] of two kinds.
pub fn common_kind(a: &TypeKind, b: &TypeKind) -> Option<TypeKind> {
    if a == b {
        return Some(a.clone());
    }
    Some(match (a, b) {
        (Null, x) | (x, Null) => x.clone(),
        (Char(n), Char(m)) | (Char(n), VarChar(m)) | (VarChar(n), Char(m)) | (VarChar(n), VarChar(m)) => {
            VarChar(*n.max(m))
        }
        (Binary(n), Binary(m))
        | (Binary(n), VarBinary(m))
        | (VarBinary(n), Binary(m))
        | (VarBinary(n), VarBinary(m)) => VarBinary(*n.max(m)),
        (x, y) if x.is_numeric() && y.is_numeric() => common_numeric(x, y),
        (Time(p), Time(q)) => Time(*p.max(q)),
        (Timestamp(p), Timestamp(q)) => Timestamp(*p.max(q)),
        (TimestampLtz(p), TimestampLtz(q))
        | (TimestampLtz(p), Timestamp(q))
        | (Timestamp(p), TimestampLtz(q)) => TimestampLtz(*p.max(q)),
        (IntervalMonths(_), IntervalMonths(_)) => IntervalMonths(IntervalUnits::Month),
        (IntervalMillis(_), IntervalMillis(_)) => IntervalMillis(IntervalUnits::Second),
        (Array(x), Array(y)) => Array(Box::new(common_type([&**x, &**y])?)),
        (Multiset(x), Multiset(y)) => Multiset(Box::new(common_type([&**x, &**y])?)),
        (Map(k, v), Map(l, w)) => {
            Map(Box::new(common_type([&**k, &**l])?), Box::new(common_type([&**v, &**w])?))
        }
        (Row(x), Row(y)) if x.len() == y.len() => Row(x
            .iter()
            .zip(y)
            .map(|(f, g)| Some(Field::new(f.name.clone(), common_type([&f.ty, &g.ty])?)))
            .collect::<Option<_>>()?),
        _ => return None,
    })
}

fn common_numeric(a: &TypeKind, b: &TypeKind) -> TypeKind {
    if matches!(a, Double) || matches!(b, Double) {
        return Double;
    }
    if matches!(a, Float) || matches!(b, Float) {
        return Float;
    }
    if let (true, true) = (a.is_integer(), b.is_integer()) {
        return if integer_rank(a) >= integer_rank(b) { a.clone() } else { b.clone() };
    }
    let ((p1, s1), (p2, s2)) = (as_decimal(a).unwrap_or((38, 0)), as_decimal(b).unwrap_or((38, 0)));
    let whole = (p1 - s1).max(p2 - s2).min(MAX_PRECISION);
    let scale = s1.max(s2).min(MAX_PRECISION - whole);
    Decimal((whole + scale).max(1), scale)
}

fn integer_rank(kind: &TypeKind) -> u8 {
    match kind {
        TinyInt => 0,
        SmallInt => 1,
        Int => 2,
        _ => 3,
    }
}

/// Precision and scale of an exact number; integers are DECIMAL(3 | 5 | 10 | 19, 0).
pub fn as_decimal(kind: &TypeKind) -> Option<(u8, u8)> {
    Some(match kind {
        TinyInt => (3, 0),
        SmallInt => (5, 0),
        Int => (10, 0),
        BigInt => (19, 0),
        Decimal(p, s) => (*p, *s),
        _ => return None,
    })
}

/// An arithmetic operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// The type of `a op b` for numbers. `None`: not defined for them.
pub fn numeric_result(op: Arithmetic, a: &TypeKind, b: &TypeKind) -> Option<TypeKind> {
    if !a.is_numeric() || !b.is_numeric() {
        return None;
    }
    if a.is_approximate_numeric() || b.is_approximate_numeric() {
        // The first approximate operand's type wins; with a DECIMAL it is DOUBLE.
        return match (op, a, b) {
            (Arithmetic::Remainder, ..) => None,
            (_, Decimal(..), _) | (_, _, Decimal(..)) => Some(Double),
            (_, Float | Double, _) => Some(a.clone()),
            _ => Some(b.clone()),
        };
    }
    if a.is_integer() && b.is_integer() {
        return Some(match op {
            Arithmetic::Remainder => b.clone(),
            _ => common_numeric(a, b),
        });
    }
    let ((p1, s1), (p2, s2)) = (as_decimal(a)?, as_decimal(b)?);
    let (p1, s1, p2, s2) = (u32::from(p1), u32::from(s1), u32::from(p2), u32::from(s2));
    Some(match op {
        Arithmetic::Add | Arithmetic::Subtract => {
            let scale = s1.max(s2);
            adjusted((p1 - s1).max(p2 - s2) + scale + 1, scale)
        }
        Arithmetic::Multiply => adjusted(p1 + p2 + 1, s1 + s2),
        Arithmetic::Divide => {
            let scale = (s1 + p2 + 1).max(6);
            adjusted(p1 - s1 + s2 + scale, scale)
        }
        // Whole numbers: the type of the divisor, as between integers.
        Arithmetic::Remainder if s1 == 0 && s2 == 0 => b.clone(),
        Arithmetic::Remainder => {
            let scale = s1.max(s2);
            adjusted((p1 - s1).min(p2 - s2) + scale, scale)
        }
    })
}

/// A DECIMAL whose precision may have passed 38: the whole digits are kept as far as six digits of scale remain.
fn adjusted(precision: u32, scale: u32) -> TypeKind {
    let max = u32::from(MAX_PRECISION);
    if precision <= max {
        return Decimal(precision.max(1) as u8, scale as u8);
    }
    let whole = precision - scale;
    let scale = max.saturating_sub(whole).max(scale.min(6));
    Decimal(MAX_PRECISION, scale as u8)
}

/// The types to which `a` and `b` are cast to be compared, `None` where Flink refuses. Types that the comparison kernels take as they are
/// (DECIMAL of any scale beside an integer, timestamps of any precision) stay. `strings` says whether a string beside a temporal
/// value or BOOLEAN is converted to it (comparisons do, COALESCE does not).
pub fn comparison_types(
    a: &DataType,
    b: &DataType,
    strings: bool,
) -> Result<(DataType, DataType), Incomparable> {
    let as_is = || Ok((plain(a.clone()), plain(b.clone())));
    let both = |kind: TypeKind| {
        Ok((
            DataType { kind: kind.clone(), nullable: a.nullable, time: Default::default() },
            DataType { kind, nullable: b.nullable, time: Default::default() },
        ))
    };
    match (&a.kind, &b.kind) {
        (x, y) if x == y => as_is(),
        (Null, x) | (x, Null) => both(x.clone()),
        (x, y) if x.is_character() && y.is_character() => as_is(),
        (x, y) if x.is_binary() && y.is_binary() => as_is(),
        (Decimal(..), y) | (y, Decimal(..)) if y.is_exact_numeric() => as_is(),
        (x, y) if x.is_numeric() && y.is_numeric() => {
            both(if x.is_approximate_numeric() || y.is_approximate_numeric() {
                Double
            } else {
                common_numeric(x, y)
            })
        }
        (Timestamp(_), Timestamp(_)) | (TimestampLtz(_), TimestampLtz(_)) | (Time(_), Time(_)) => as_is(),
        (Timestamp(p), TimestampLtz(q)) | (TimestampLtz(q), Timestamp(p)) => both(TimestampLtz(*p.max(q))),
        (IntervalMonths(_), IntervalMonths(_)) | (IntervalMillis(_), IntervalMillis(_)) => as_is(),
        (x, y) if strings && x.is_character() && (y.is_datetime() || *y == Boolean) => both(y.clone()),
        (x, y) if strings && y.is_character() && (x.is_datetime() || *x == Boolean) => both(x.clone()),
        (x, y) if x.is_numeric() && y.is_character() || y.is_numeric() && x.is_character() => {
            Err(Incomparable::NumberWithText)
        }
        (x, y) if x.is_nested() && y.is_nested() => both(common_kind(x, y).ok_or(Incomparable::Refused)?),
        _ => Err(Incomparable::Refused),
    }
}

/// Why two types cannot be compared: Flink has two different sentences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incomparable {
    /// "implicit type conversion between INTEGER and VARCHAR is not supported now"
    NumberWithText,
    /// "Cannot apply '<' to arguments of type …"
    Refused,
}

/// A query column of type `from` may be written to a sink column of type `to` without an explicit cast (nullability apart: that is
/// checked row by row).
pub fn can_store(from: &TypeKind, to: &TypeKind) -> bool {
    match (from, to) {
        (Null, _) => true,
        (Char(_), Char(_)) | (_, VarChar(_)) if from.is_character() => true,
        (Binary(_), Binary(_)) | (_, VarBinary(_)) if from.is_binary() => true,
        (_, Decimal(..) | Double) if from.is_numeric() => true,
        (_, Float) => from.is_exact_numeric() || *from == Float,
        (x, y) if x.is_integer() && y.is_integer() => integer_rank(x) <= integer_rank(y),
        (Date | Timestamp(_), Date) => true,
        (Time(_) | Timestamp(_), Time(_)) => true,
        (Timestamp(_) | TimestampLtz(_), Timestamp(_) | TimestampLtz(_)) => true,
        (IntervalMonths(_), IntervalMonths(_)) | (IntervalMillis(_), IntervalMillis(_)) => true,
        (Array(x), Array(y)) | (Multiset(x), Multiset(y)) => can_store(&x.kind, &y.kind),
        (Map(k, v), Map(l, w)) => can_store(&k.kind, &l.kind) && can_store(&v.kind, &w.kind),
        (Row(x), Row(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(f, g)| can_store(&f.ty.kind, &g.ty.kind))
        }
        (x, y) => x == y,
    }
}

/// Flink's name of a type in messages: INTEGER for INT, VARCHAR(2147483647) for STRING.
pub fn message_name(kind: &TypeKind) -> String {
    match kind {
        Int => "INTEGER".into(),
        VarChar(n) => format!("VARCHAR({n})"),
        VarBinary(n) => format!("VARBINARY({n})"),
        other => other.to_string(),
    }
}

/// [`message_name`] without lengths, as the messages about implicit conversions have it.
pub fn message_root(kind: &TypeKind) -> String {
    let name = message_name(kind);
    name.split('(').next().unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Column types as the oracle's table had them.
    fn ty(name: &str) -> TypeKind {
        match name {
            "ti" => TinyInt,
            "si" => SmallInt,
            "i" => Int,
            "bi" => BigInt,
            "f" => Float,
            "d" => Double,
            "de" => Decimal(10, 2),
            "de2" => Decimal(38, 20),
            "1.5" => Decimal(2, 1),
            "2.5" => Decimal(2, 1),
            "0.908" => Decimal(4, 3),
            _ => panic!("{name}"),
        }
    }

    #[test]
    fn arithmetic_types_are_flinks() {
        // Each line asked of Flink 2.3.
        let table = "ti + si SMALLINT|i + bi BIGINT|i + f FLOAT|f + d FLOAT|d + f DOUBLE|i + d DOUBLE|de + f DOUBLE|de + i DECIMAL(13, 2)\
            |de * i DECIMAL(21, 2)|i / si INT|ti * ti TINYINT|bi / de DECIMAL(32, 11)|de % i DECIMAL(10, 2)|i % bi BIGINT|bi % i INT|i % de DECIMAL(10, 2)\
            |bi * de DECIMAL(30, 2)|ti - de DECIMAL(11, 2)|f / d FLOAT|bi + 1.5 DECIMAL(21, 1)|f + 1.5 DOUBLE|de / de DECIMAL(23, 13)|i % ti TINYINT\
            |de % 2.5 DECIMAL(3, 2)|de2 % de DECIMAL(28, 20)|de2 * de2 DECIMAL(38, 6)|de2 / de DECIMAL(38, 18)|de2 + de DECIMAL(38, 19)|0.908 * bi DECIMAL(24, 3)\
            |ti / bi BIGINT|f * f FLOAT";
        for line in table.split('|') {
            let words: Vec<&str> = line.trim().splitn(4, ' ').collect();
            let op = match words[1] {
                "+" => Arithmetic::Add,
                "-" => Arithmetic::Subtract,
                "*" => Arithmetic::Multiply,
                "/" => Arithmetic::Divide,
                _ => Arithmetic::Remainder,
            };
            let got = numeric_result(op, &ty(words[0]), &ty(words[2])).unwrap();
            assert_eq!(got.to_string(), words[3], "{line}");
        }
        assert_eq!(numeric_result(Arithmetic::Remainder, &Float, &Int), None);
        assert_eq!(numeric_result(Arithmetic::Add, &Boolean, &Int), None);
    }

    #[test]
    fn common_types_are_flinks() {
        let table = "ti si SMALLINT|i f FLOAT|f d DOUBLE|de i DECIMAL(12, 2)|de bi DECIMAL(21, 2)|de f FLOAT|de d DOUBLE|de de2 DECIMAL(38, 20)|bi f FLOAT";
        for line in table.split('|') {
            let w: Vec<&str> = line.splitn(3, ' ').collect();
            assert_eq!(common_kind(&ty(w[0]), &ty(w[1])).unwrap().to_string(), w[2], "{line}");
        }
        assert_eq!(common_kind(&Char(5), &VarChar(7)), Some(VarChar(7)));
        assert_eq!(common_kind(&Char(3), &Char(3)), Some(Char(3)));
        assert_eq!(common_kind(&Timestamp(3), &TimestampLtz(6)), Some(TimestampLtz(6)));
        for (a, b) in [
            (Int, TypeKind::STRING),
            (Date, Timestamp(3)),
            (Boolean, Int),
            (TypeKind::BYTES, TypeKind::STRING),
        ] {
            assert_eq!(common_kind(&a, &b), None);
        }
    }

    #[test]
    fn comparisons_that_flink_refuses_are_refused() {
        let check =
            |a: TypeKind, b: TypeKind| comparison_types(&a.nullable(), &b.nullable(), true).map(|t| t.0.kind);
        assert_eq!(check(Int, TypeKind::STRING), Err(Incomparable::NumberWithText));
        assert_eq!(check(Date, Timestamp(3)), Err(Incomparable::Refused));
        assert_eq!(check(Boolean, Int), Err(Incomparable::Refused));
        assert_eq!(check(TypeKind::BYTES, TypeKind::STRING), Err(Incomparable::Refused));
        assert_eq!(check(Date, TypeKind::STRING), Ok(Date));
        assert_eq!(check(Float, Decimal(10, 2)), Ok(Double));
    }
}
