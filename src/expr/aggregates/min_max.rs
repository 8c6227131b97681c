//! MIN and MAX.
//!
//! Over rows that only join, a group keeps its best value: a number in place, a text in its view, a longer one in [`Cells`]. DOUBLE compares as Java's `<` there, so that NaN never
//! replaces anything. Where rows may leave, a group keeps all its values in order ([`super::bag`]), or by arrival if
//! they leave by arrival ([`super::sliding`]). The result keeps the argument's time attribute.

use super::bag::{Bag, Bytes};
use super::cells::Cells;
use super::fold::{Flag, Fold, Folding, Plain, Wide};
use super::sliding::{Sliding, SlidingBest};
use super::sliding_text::Bests;
use super::{add, factory, nullable_result};
use crate::batch::{Column, ColumnData, Decoder, Encoder, INLINE, Physical, TypeKind, View};
use crate::error::{Error, Result};
use crate::expr::function::{BoundAggregate, Call, Registry};
use crate::expr::{Accumulator, RowError, Updates};

pub(super) fn register(r: &mut Registry) {
    add(r, &["MIN"], &["comparable"], "The smallest value that is not NULL.", |c, g| bind(c, g, false));
    add(r, &["MAX"], &["comparable"], "The greatest value that is not NULL.", |c, g| bind(c, g, true));
}

fn bind(call: &Call<'_>, grouped: bool, max: bool) -> Result<BoundAggregate> {
    if call.args.len() != 1 {
        return Err(call.wrong_count("1"));
    }
    let arg = call.args[0].ty.clone();
    let kind = &arg.kind;
    if !(kind.is_numeric() || kind.is_datetime() || kind.is_character() || *kind == TypeKind::Boolean) {
        return Err(Error::planning(format!("{} does not support type {kind}", call.name), call.span));
    }
    let ty = arg.clone().with_nullable(nullable_result(call, grouped));
    macro_rules! plain {
        ($t:ty) => {
            (
                factory(move || Folding::new(Best::<$t> { max, value: std::marker::PhantomData })),
                factory(move || Bag::<$t>::new(max)),
                factory(move || Sliding::<SlidingBest<$t>>::new(max)),
            )
        };
    }
    let (accumulator, retracting, sliding) = match arg.physical() {
        Physical::Bool => plain!(Flag),
        Physical::I8 => plain!(i8),
        Physical::I16 => plain!(i16),
        Physical::I32 => plain!(i32),
        Physical::I64 => plain!(i64),
        Physical::I128 => plain!(i128),
        Physical::F32 => plain!(f32),
        Physical::F64 => plain!(f64),
        Physical::Nanos => plain!(Wide),
        _ => (
            factory(move || BestText::new(max)),
            factory(move || Bag::<Bytes>::new(max)),
            factory(move || Sliding::<Bests>::new(max)),
        ),
    };
    Ok(BoundAggregate {
        args: vec![arg],
        ty,
        ignores_distinct: true,
        merges: true,
        accumulator,
        retracting,
        sliding,
    })
}

#[derive(Clone)]
pub(super) struct Best<T> {
    max: bool,
    value: std::marker::PhantomData<T>,
}

#[derive(Clone, Copy, Default)]
pub(super) struct BestState<T> {
    value: T,
    some: bool,
}

impl<T: Plain> Fold for Best<T> {
    type Value = T;
    type State = BestState<T>;
    type Out = T;

    #[inline]
    fn reader(c: &Column) -> impl Fn(usize) -> T + '_ {
        T::reader(c)
    }

    #[inline(always)]
    fn add(&self, s: &mut BestState<T>, v: T) {
        let better = if self.max { v > s.value } else { v < s.value };
        if better || !s.some {
            *s = BestState { value: v, some: true };
        }
    }

    fn remove(&self, _: &mut BestState<T>, _: T) {
        panic!("rows leave: the planner takes the retracting accumulator then");
    }

    fn merge(&self, into: &mut BestState<T>, from: &BestState<T>) {
        if from.some {
            self.add(into, from.value);
        }
    }

    #[inline(always)]
    fn value(&self, s: &BestState<T>) -> Option<T> {
        s.some.then_some(s.value)
    }

    fn encode(s: &BestState<T>, to: &mut Encoder) {
        to.bool(s.some);
        s.value.encode(to);
    }

    fn decode(from: &mut Decoder<'_>) -> Result<BestState<T>> {
        Ok(BestState { some: from.bool()?, value: T::decode(from)? })
    }
}

struct BestText {
    max: bool,
    /// By slot: a short text, [`NOTHING`], or [`LONG`].
    short: Vec<View>,
    /// Texts that are longer.
    long: Cells,
}

/// A slot without a text.
const NOTHING: View = View { len: u32::MAX, prefix: [0; 4], word2: 0, word3: 0 };
/// A slot whose text is long.
const LONG: View = View { len: u32::MAX - 1, prefix: [0; 4], word2: 0, word3: 0 };

impl BestText {
    fn new(max: bool) -> Self {
        Self { max, short: Vec::new(), long: Cells::default() }
    }

    #[inline]
    fn get(&self, slot: u32) -> Option<&[u8]> {
        match &self.short[slot as usize] {
            &NOTHING => None,
            &LONG => self.long.get(slot),
            view => Some(view.text()),
        }
    }

    fn set(&mut self, slot: u32, v: &[u8]) {
        if v.len() > INLINE {
            self.long.grow(self.short.len());
            self.long.set(slot, v);
            self.short[slot as usize] = LONG;
            return;
        }
        self.clear(slot);
        self.short[slot as usize] = View::inline(v);
    }

    fn clear(&mut self, slot: u32) {
        if std::mem::replace(&mut self.short[slot as usize], NOTHING) == LONG {
            self.long.clear(slot);
        }
    }

    fn offer(&mut self, slot: u32, v: &[u8]) {
        let better = match self.get(slot) {
            None => true,
            Some(old) if self.max => v > old,
            Some(old) => v < old,
        };
        if better {
            self.set(slot, v);
        }
    }
}

impl Accumulator for BestText {
    fn grow(&mut self, slots: usize) {
        if slots > self.short.len() {
            self.short.resize(slots, NOTHING);
        }
    }

    fn reset(&mut self, slot: u32) {
        self.clear(slot);
    }

    fn update(&mut self, u: &Updates<'_>) -> Result<(), RowError> {
        let arg = &u.args[0];
        for (&row, &slot) in u.rows.iter().zip(u.slots) {
            if arg.is_valid(row as usize) {
                debug_assert!(
                    u.is_add(row as usize),
                    "rows leave: the planner takes the retracting accumulator then"
                );
                self.offer(slot, arg.bytes(row as usize));
            }
        }
        Ok(())
    }

    fn is_fixed(&self) -> bool {
        true
    }

    fn update_tracked(&mut self, u: &Updates<'_>, sides: &mut Column) -> Result<(), RowError> {
        let arg = &u.args[0];
        let Column { validity, data: ColumnData::Bytes(texts) } = sides else {
            panic!("the smallest text is a text")
        };
        let (offered, mut texts) = (arg.column.byte_column().views(), texts.writer());
        let mut at = validity.len();
        validity.resize(at + 2 * u.rows.len(), true);
        let mut give = |best: &Self, slot: u32| {
            let view = best.short[slot as usize];
            if view.is_inline() {
                texts.push_inline(view);
            } else {
                let text = best.get(slot);
                if text.is_none() {
                    validity.set(at, false);
                }
                texts.push(text.unwrap_or_default());
            }
            at += 1;
        };
        for (&row, &slot) in u.rows.iter().zip(u.slots) {
            give(self, slot);
            if arg.is_valid(row as usize) {
                let (old, new) = (&mut self.short[slot as usize], offered[arg.at(row as usize)]);
                if !(old.is_inline() && new.is_inline()) {
                    self.offer(slot, arg.bytes(row as usize));
                } else if if self.max { new.rank() > old.rank() } else { new.rank() < old.rank() } {
                    *old = new;
                }
            }
            give(self, slot);
        }
        Ok(())
    }

    fn merge(&mut self, into: &[u32], other: &dyn Accumulator, from: &[u32]) {
        let other = other.same::<Self>();
        for (&i, &f) in into.iter().zip(from) {
            if let Some(v) = other.get(f) {
                self.offer(i, v);
            }
        }
    }

    fn emit(&self, slots: &[u32], out: &mut Column) {
        for &s in slots {
            let v = self.get(s);
            out.validity.push(v.is_some());
            out.byte_column_mut().push(v.unwrap_or_default());
        }
    }

    fn encode(&self, slots: &[u32], to: &mut Encoder) {
        to.block(b"best", 1);
        for &s in slots {
            let v = self.get(s);
            to.bool(v.is_some());
            if let Some(v) = v {
                to.bytes(v);
            }
        }
    }

    fn decode(&mut self, slots: usize, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"best", 1)?;
        *self = Self::new(self.max);
        self.grow(slots);
        for s in 0..slots {
            if from.bool()? {
                self.set(s as u32, from.bytes()?);
            }
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        self.short.capacity() * size_of::<View>() + self.long.bytes()
    }
}
