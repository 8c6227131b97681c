//! BITMAP_*: sets of 32-bit unsigned integers ([`NumberSet`]). An INT counts as the unsigned number with its bits.

use super::array::{child, range};
use crate::batch::number_set::{NumberSet, write_bitmap_text};
use crate::batch::{ColumnData, DataType, TypeKind};
use crate::error::Result;
use crate::expr::coercion::can_store;
use crate::expr::function::{BoundFunction, Call, FunctionDoc, Registry};
use crate::expr::kernels::text::{build, opt_from, try_build};
use crate::expr::kernels::{fallible, infallible};
use crate::expr::{Arg, RowError};
use roaring::RoaringBitmap;

pub(super) fn register(r: &mut Registry) {
    let mut add = |names, signatures, text, examples, bind| {
        r.builtin(FunctionDoc { names, family: "bitmap", signatures, text, examples }, bind);
    };
    add(
        &["BITMAP_BUILD"],
        &["array"],
        "The set of an array of INT, NULLs left out.",
        &[("BITMAP_BUILD(ARRAY[5, 1, 1, 3])", "{1,3,5}")],
        of_array,
    );
    add(
        &["BITMAP_FROM_BYTES"],
        &["bytes"],
        "The set that stands in RoaringBitmap's portable bytes; fails for others.",
        &[("BITMAP_FROM_BYTES(x'3A30000000000000')", "{}")],
        from_bytes,
    );
    add(
        &["BITMAP_TO_BYTES"],
        &["bitmap"],
        "The set as RoaringBitmap's portable bytes.",
        &[("BITMAP_TO_BYTES(BITMAP_BUILD(ARRAY[1]))", "x'3A3000000100000000000000100000000100'")],
        |c| {
            bitmaps(c, 1)?;
            Ok(infallible(c.as_given(), c.result(TypeKind::BYTES), |a, sel, _, out| {
                build(a, sel, out, |i, to| {
                    to.extend_from_slice(a[0].bytes(i));
                    true
                });
            }))
        },
    );
    add(
        &["BITMAP_TO_STRING"],
        &["bitmap"],
        "The numbers in order, as text.",
        &[("BITMAP_TO_STRING(BITMAP_BUILD(ARRAY[2, -1]))", "{2,4294967295}")],
        |c| {
            bitmaps(c, 1)?;
            Ok(infallible(c.as_given(), c.result(TypeKind::STRING), |a, sel, _, out| {
                build(a, sel, out, |i, to| {
                    write_bitmap_text(a[0].bytes(i), to);
                    true
                });
            }))
        },
    );
    add(
        &["BITMAP_TO_ARRAY"],
        &["bitmap"],
        "The numbers in order, as an array of INT.",
        &[("BITMAP_TO_ARRAY(BITMAP_BUILD(ARRAY[3, 1]))", "[1,3]")],
        to_array,
    );
    add(
        &["BITMAP_CARDINALITY"],
        &["bitmap"],
        "How many numbers there are.",
        &[("BITMAP_CARDINALITY(BITMAP_BUILD(ARRAY[3, 1, 3]))", "2")],
        |c| {
            bitmaps(c, 1)?;
            Ok(infallible(c.as_given(), c.result(TypeKind::BigInt), |a, sel, _, out| {
                opt_from::<i64>(a, sel, out, |i| Some(read(&a[0], i).len() as i64));
            }))
        },
    );
    add(
        &["BITMAP_AND"],
        &["bitmap, bitmap"],
        "The numbers in both.",
        &[("BITMAP_AND(BITMAP_BUILD(ARRAY[1, 2]), BITMAP_BUILD(ARRAY[2, 3]))", "{2}")],
        |c| pair(c, |a, b| a & b),
    );
    add(
        &["BITMAP_OR"],
        &["bitmap, bitmap"],
        "The numbers in one of them or both.",
        &[("BITMAP_OR(BITMAP_BUILD(ARRAY[1, 2]), BITMAP_BUILD(ARRAY[2, 3]))", "{1,2,3}")],
        |c| pair(c, |a, b| a | b),
    );
    add(
        &["BITMAP_XOR"],
        &["bitmap, bitmap"],
        "The numbers in one of them alone.",
        &[("BITMAP_XOR(BITMAP_BUILD(ARRAY[1, 2]), BITMAP_BUILD(ARRAY[2, 3]))", "{1,3}")],
        |c| pair(c, |a, b| a ^ b),
    );
    add(
        &["BITMAP_ANDNOT"],
        &["bitmap, bitmap"],
        "The numbers of the first that are not in the second.",
        &[("BITMAP_ANDNOT(BITMAP_BUILD(ARRAY[1, 2]), BITMAP_BUILD(ARRAY[2, 3]))", "{1}")],
        |c| pair(c, |a, b| a - b),
    );
}

fn bitmaps(call: &Call<'_>, count: usize) -> Result<()> {
    call.count(count..=count)?;
    if (0..count).all(|i| *call.kind(i) == TypeKind::Bitmap) {
        return Ok(());
    }
    Err(call.wrong_types(if count == 1 { &["BITMAP"] } else { &["BITMAP, BITMAP"] }))
}

/// Row `i`'s set. A column of BITMAP holds bytes that were checked when they came.
fn read(a: &Arg<'_>, i: usize) -> RoaringBitmap {
    NumberSet::read(a.bytes(i)).map(|b| b.0).unwrap_or_default()
}

fn of_array(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(1..=1)?;
    let fits = matches!(call.kind(0), TypeKind::Array(of) if of.kind.is_integer() && can_store(&of.kind, &TypeKind::Int));
    if !fits {
        return Err(call.wrong_types(&["ARRAY<INT>"]));
    }
    let args = vec![call.wanted(0, TypeKind::Array(Box::new(TypeKind::Int.nullable())))];
    Ok(infallible(args, call.result(TypeKind::Bitmap), |a, sel, _, out| {
        build(a, sel, out, |i, to| {
            let from = child(&a[0]);
            let values = from.slice::<i32>();
            let set =
                range(&a[0], i).filter(|e| from.is_valid(*e)).map(|e| values[e].cast_unsigned()).collect();
            NumberSet(set).write(to);
            true
        });
    }))
}

fn from_bytes(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(1..=1)?;
    if !call.kind(0).is_binary() {
        return Err(call.wrong_types(&["BYTES"]));
    }
    Ok(fallible(call.as_given(), call.result(TypeKind::Bitmap), |a, sel, _, out| {
        try_build(a, sel, out, |i, to| {
            let mut set = NumberSet::read(a[0].bytes(i)).map_err(|e| RowError::runtime(i, e))?;
            set.write(to);
            Ok(true)
        })
    }))
}

fn to_array(call: &Call<'_>) -> Result<BoundFunction> {
    bitmaps(call, 1)?;
    let ty: DataType = call.result(TypeKind::Array(Box::new(TypeKind::Int.nullable())));
    Ok(infallible(call.as_given(), ty, |a, sel, rows, out| {
        out.clear();
        sel.for_each(|i| {
            out.push_nulls(i - out.len());
            if !a[0].is_valid(i) {
                out.push_null();
                return;
            }
            let ColumnData::List { offsets, child } = &mut out.data else {
                unreachable!("an array is a list")
            };
            for v in &read(&a[0], i) {
                child.buffer_mut::<i32>().push(v.cast_signed());
                child.validity.push(true);
            }
            offsets.push(child.len() as u32);
            out.validity.push(true);
        });
        out.push_nulls(rows - out.len());
    }))
}

fn pair(call: &Call<'_>, op: fn(&RoaringBitmap, &RoaringBitmap) -> RoaringBitmap) -> Result<BoundFunction> {
    bitmaps(call, 2)?;
    Ok(infallible(call.as_given(), call.result(TypeKind::Bitmap), move |a, sel, _, out| {
        build(a, sel, out, |i, to| {
            NumberSet(op(&read(&a[0], i), &read(&a[1], i))).write(to);
            true
        });
    }))
}
