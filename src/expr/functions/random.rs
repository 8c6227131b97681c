//! RAND, RAND_INTEGER and UUID.
//!
//! Without a seed, a value follows from the session's start, the place of the call, the driver's time of the turn and the number of the row in it: a replay
//! of the same turns gives the same values, and nothing has to be kept. With a seed it is Java's generator, whose algorithm its documentation
//! fixes: a constant seed gives one sequence over the rows, which starts again when the job does, as in Flink; any other seed one value a row.

use crate::batch::{Column, Sel, TypeKind};
use crate::error::Result;
use crate::expr::function::{BoundFunction, Call, Determinism, FunctionDoc, Registry};
use crate::expr::kernels::{null_if_any, with_kernel};
use crate::expr::{Arg, EvalContext, Kernel, RowError};
use std::sync::atomic::{AtomicU64, Ordering};

pub(super) fn register(r: &mut Registry) {
    let mut add = |names, signatures, text, examples, bind| {
        r.builtin(FunctionDoc { names, family: "numeric", signatures, text, examples }, bind);
    };
    add(
        &["RAND"],
        &["", "seed"],
        "A random number from 0 to below 1.",
        &[("RAND() < 1", "true"), ("RAND(k - 1)", "0.7308781907032909")],
        |c| bind(c, Draw::Double),
    );
    add(
        &["RAND_INTEGER"],
        &["bound", "seed, bound"],
        "A random integer from 0 to below the bound.",
        &[("RAND_INTEGER(1)", "0"), ("RAND_INTEGER(k - 1, 100)", "85")],
        |c| bind(c, Draw::Integer),
    );
    add(&["UUID"], &[""], "A random UUID (version 4).", &[("CHAR_LENGTH(UUID())", "36")], |c| {
        bind(c, Draw::Uuid)
    });
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Draw {
    Double,
    Integer,
    Uuid,
}

fn bind(call: &Call<'_>, draw: Draw) -> Result<BoundFunction> {
    let (count, kind) = match draw {
        Draw::Double => (0..=1, TypeKind::Double),
        Draw::Integer => (1..=2, TypeKind::Int),
        Draw::Uuid => (0..=0, TypeKind::Char(36)),
    };
    let seeded = call.args.len() == *count.end() && draw != Draw::Uuid;
    call.count(count)?;
    if !call.args.iter().all(|a| a.ty.kind.is_integer() || a.ty.kind == TypeKind::Null) {
        return Err(call.wrong_types(&["INTEGER", "INTEGER, INTEGER"]));
    }
    let args = (0..call.args.len())
        .map(|i| call.wanted(i, if seeded && i == 0 { TypeKind::BigInt } else { TypeKind::Int }))
        .collect();
    let constant = if seeded { call.literal_integer(0) } else { None };
    let start = mix(call.session.start_us as u64 ^ mix(call.span.start.into()));
    // Each shard has its own kernel, and each kernel its own values.
    let made = AtomicU64::new(0);
    Ok(with_kernel(args, call.result(kind), Determinism::PerRow, move || Random {
        draw,
        seeded,
        sequence: constant.map(JavaRandom::new),
        start: mix(start ^ made.fetch_add(1, Ordering::Relaxed)),
        now_us: 0,
        drawn: 0,
    }))
}

struct Random {
    draw: Draw,
    seeded: bool,
    /// The generator of a constant seed.
    sequence: Option<JavaRandom>,
    start: u64,
    now_us: i64,
    /// How many values were drawn at this time.
    drawn: u64,
}

impl Random {
    fn next(&mut self, now_us: i64) -> u64 {
        if now_us != self.now_us {
            self.now_us = now_us;
            self.drawn = 0;
        }
        self.drawn += 1;
        mix(mix(self.start ^ now_us as u64).wrapping_add(self.drawn.wrapping_mul(GOLDEN)))
    }
}

impl Kernel for Random {
    fn eval(
        &mut self,
        args: &[Arg<'_>],
        sel: Sel<'_>,
        _rows: usize,
        out: &mut Column,
        cx: &mut EvalContext<'_>,
    ) -> Result<(), RowError> {
        if !null_if_any(args, out) {
            return Ok(());
        }
        let now = cx.now_us;
        sel.try_for_each(|i| {
            if !out.is_valid(i) {
                return Ok(());
            }
            let mut own = None;
            if self.seeded && self.sequence.is_none() {
                own = Some(JavaRandom::new(args[0].column.slice::<i64>()[args[0].at(i)]));
            }
            match self.draw {
                Draw::Double => {
                    let value = match own.as_mut().or(self.sequence.as_mut()) {
                        Some(java) => java.next_double(),
                        None => (self.next(now) >> 11) as f64 / (1u64 << 53) as f64,
                    };
                    out.buffer_mut::<f64>()[i] = value;
                }
                Draw::Integer => {
                    let last = &args[args.len() - 1];
                    let bound = last.column.slice::<i32>()[last.at(i)];
                    if bound <= 0 {
                        return Err(RowError::runtime(
                            i,
                            format!("the bound of RAND_INTEGER must be positive, not {bound}"),
                        ));
                    }
                    let value = match own.as_mut().or(self.sequence.as_mut()) {
                        Some(java) => java.next_int(bound),
                        None => ((u128::from(self.next(now)) * bound as u128) >> 64) as i32,
                    };
                    out.buffer_mut::<i32>()[i] = value;
                }
                Draw::Uuid => {
                    let (high, low) = (self.next(now), self.next(now));
                    let id = uuid(high, low);
                    let crate::batch::ColumnData::Bytes(bytes) = &mut out.data else {
                        panic!("the result holds bytes")
                    };
                    bytes.writer().set(i, id.as_bytes());
                }
            }
            Ok(())
        })
    }

    fn can_fail(&self) -> bool {
        self.draw == Draw::Integer
    }
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finish of SplitMix64: every input bit moves every output bit.
fn mix(v: u64) -> u64 {
    let v = (v ^ (v >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let v = (v ^ (v >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    v ^ (v >> 31)
}

/// RFC 4122, version 4.
fn uuid(high: u64, low: u64) -> String {
    let high = high & !0xf000 | 0x4000;
    let low = low & (u64::MAX >> 2) | 1 << 63;
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}

/// `java.util.Random`: a linear congruence over 48 bits.
#[derive(Clone, Debug)]
struct JavaRandom(u64);

impl JavaRandom {
    fn new(seed: i64) -> Self {
        Self((seed as u64 ^ 0x5_deec_e66d) & ((1 << 48) - 1))
    }

    fn next(&mut self, bits: u32) -> i32 {
        self.0 = self.0.wrapping_mul(0x5_deec_e66d).wrapping_add(0xb) & ((1 << 48) - 1);
        (self.0 >> (48 - bits)) as i32
    }

    fn next_double(&mut self) -> f64 {
        let high = i64::from(self.next(26)) << 27;
        (high + i64::from(self.next(27))) as f64 / (1u64 << 53) as f64
    }

    fn next_int(&mut self, bound: i32) -> i32 {
        let drawn = self.next(31);
        if bound & (bound - 1) == 0 {
            return ((i64::from(bound) * i64::from(drawn)) >> 31) as i32;
        }
        let mut u = drawn;
        loop {
            let r = u % bound;
            // The last, incomplete run of the bound is drawn again.
            if u.wrapping_sub(r).wrapping_add(bound - 1) >= 0 {
                return r;
            }
            u = self.next(31);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values are those that Flink gave.
    #[test]
    fn a_seed_gives_javas_values() {
        assert_eq!(JavaRandom::new(1).next_double(), 0.7308781907032909);
        assert_eq!(JavaRandom::new(2).next_double(), 0.7311469360199058);
        assert_eq!(JavaRandom::new(1).next_int(10), 5);
        assert_eq!(JavaRandom::new(1).next_int(100), 85);
        assert_eq!(JavaRandom::new(2).next_int(100), 8);
        assert_eq!(JavaRandom::new(7).next_int(10), 6);
        assert_eq!(JavaRandom::new(5).next_int(1_000_000), 779_487);
    }

    #[test]
    fn values_follow_from_the_turn_and_not_from_what_was_before() {
        let random =
            |start| Random { draw: Draw::Double, seeded: false, sequence: None, start, now_us: 0, drawn: 0 };
        let mut first = random(1);
        (0..10).for_each(|_| _ = first.next(1_000));
        let later: Vec<u64> = (0..3).map(|_| first.next(2_000)).collect();
        let mut second = random(1);
        assert_eq!(later, (0..3).map(|_| second.next(2_000)).collect::<Vec<_>>());
        assert_ne!(later[0], later[1]);
        assert_ne!(random(2).next(2_000), later[0]);
    }

    #[test]
    fn uuids_are_of_version_4() {
        let id = uuid(u64::MAX, u64::MAX);
        assert_eq!(id, "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(uuid(0, 0), "00000000-0000-4000-8000-000000000000");
    }
}
