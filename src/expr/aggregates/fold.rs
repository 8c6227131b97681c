//! Aggregates with a state of fixed width: a [`Fold`] says what one row does to it, [`Folding`] runs it over groups.

use crate::batch::{Column, ColumnData, Decoder, Encoder, Native, Validity};
use crate::error::Result;
use crate::expr::{Accumulator, RowError, Updates};

/// One aggregate over values of one argument; NULL rows never get here.
pub(super) trait Fold: Clone + Send + Sync + 'static {
    /// What is read from the argument.
    type Value: Copy;
    /// What a group keeps.
    type State: Copy + Default + Send;
    /// What comes of it.
    type Out: Plain;

    /// Reads the argument.
    fn reader(c: &Column) -> impl Fn(usize) -> Self::Value + '_;
    /// A row joins.
    fn add(&self, s: &mut Self::State, v: Self::Value);
    /// A row leaves.
    fn remove(&self, s: &mut Self::State, v: Self::Value);
    /// Another part of the same group joins.
    fn merge(&self, into: &mut Self::State, from: &Self::State);
    /// The value; `None`: NULL.
    fn value(&self, s: &Self::State) -> Option<Self::Out>;
    /// Writes a state.
    fn encode(s: &Self::State, to: &mut Encoder);
    /// Reads a state.
    fn decode(from: &mut Decoder<'_>) -> Result<Self::State>;
}

/// A value of fixed width that a state can keep and a column can hold.
pub(super) trait Plain: Copy + Default + Send + Sync + PartialOrd + 'static {
    /// Reads a column.
    fn reader(c: &Column) -> impl Fn(usize) -> Self + '_;
    /// Appends a value or NULL.
    fn push(v: Option<Self>, out: &mut Column);
    /// Appends `more` rows that are not NULL yet, and gives the validity of the column and the room for their values. `None`: they are to be
    /// appended one after the other.
    fn room(_out: &mut Column, _more: usize) -> Option<(&mut Validity, &mut [Self])> {
        None
    }
    /// Makes a column the value, or NULL, `before` a change and that `after` it; where there was none before, that after it alone.
    fn set_sides(before: Option<Self>, after: Option<Self>, begins: bool, out: &mut Column) {
        out.clear();
        if !begins {
            Self::push(before, out);
        }
        Self::push(after, out);
    }
    /// Writes it in a state.
    fn encode(self, to: &mut Encoder);
    /// Reads it from a state.
    fn decode(from: &mut Decoder<'_>) -> Result<Self>;
}

fn push_native<T: Native>(v: Option<T>, out: &mut Column) {
    out.validity.push(v.is_some());
    out.buffer_mut::<T>().push(v.unwrap_or_default());
}

fn native_room<T: Native>(out: &mut Column, more: usize) -> Option<(&mut Validity, &mut [T])> {
    let Column { validity, data } = out;
    let values = T::buffer_mut(data)?;
    let before = values.len();
    values.reset(before + more);
    validity.resize(before + more, true);
    Some((validity, &mut values[before..]))
}

#[inline(always)]
fn set_natives<T: Native>(before: Option<T>, after: Option<T>, begins: bool, out: &mut Column) {
    // The usual case by itself: it is two words to write.
    if let (Some(before), Some(after), false) = (before, after, begins) {
        return out.set_two(before, after);
    }
    out.set_sides(before.unwrap_or_default(), after.unwrap_or_default(), begins);
    if after.is_none() {
        out.validity.set(out.len() - 1, false);
    }
    if before.is_none() && !begins {
        out.validity.set(0, false);
    }
}

macro_rules! plain {
    ($($t:ty, $wide:ty, $put:ident);*) => {$(
        impl Plain for $t {
            #[inline]
            fn reader(c: &Column) -> impl Fn(usize) -> Self + '_ {
                let values = c.slice::<$t>();
                move |i| values[i]
            }
            #[inline]
            fn push(v: Option<Self>, out: &mut Column) {
                push_native(v, out);
            }
            #[inline]
            fn room(out: &mut Column, more: usize) -> Option<(&mut Validity, &mut [Self])> {
                native_room(out, more)
            }
            #[inline(always)]
            fn set_sides(before: Option<Self>, after: Option<Self>, begins: bool, out: &mut Column) {
                set_natives(before, after, begins, out);
            }
            fn encode(self, to: &mut Encoder) {
                to.$put(self as $wide);
            }
            fn decode(from: &mut Decoder<'_>) -> Result<Self> {
                from.$put().map(|v| v as $t)
            }
        }
    )*};
}
plain!(i8, i64, i64; i16, i64, i64; i32, i64, i64; i64, i64, i64; i128, i128, i128; f64, f64, f64; f32, f64, f64);

/// BOOLEAN.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub(super) struct Flag(pub bool);

impl Plain for Flag {
    fn reader(c: &Column) -> impl Fn(usize) -> Self + '_ {
        let bits = c.bools();
        move |i| Flag(bits.get(i))
    }
    fn push(v: Option<Self>, out: &mut Column) {
        out.validity.push(v.is_some());
        out.bools_mut().push(v.unwrap_or_default().0);
    }
    fn encode(self, to: &mut Encoder) {
        to.bool(self.0);
    }
    fn decode(from: &mut Decoder<'_>) -> Result<Self> {
        from.bool().map(Flag)
    }
}

/// A timestamp in the wide form.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub(super) struct Wide(pub i64, pub u32);

impl Plain for Wide {
    fn reader(c: &Column) -> impl Fn(usize) -> Self + '_ {
        let ColumnData::Nanos { seconds, nanos } = &c.data else { panic!("a wide timestamp") };
        move |i| Wide(seconds[i], nanos[i])
    }
    fn push(v: Option<Self>, out: &mut Column) {
        out.validity.push(v.is_some());
        let ColumnData::Nanos { seconds, nanos } = &mut out.data else { panic!("a wide timestamp") };
        let Wide(s, n) = v.unwrap_or_default();
        seconds.push(s);
        nanos.push(n);
    }
    fn encode(self, to: &mut Encoder) {
        to.i64(self.0);
        to.u32(self.1);
    }
    fn decode(from: &mut Decoder<'_>) -> Result<Self> {
        Ok(Wide(from.i64()?, from.u32()?))
    }
}

/// Runs a fold over groups.
pub(super) struct Folding<F: Fold> {
    fold: F,
    states: Vec<F::State>,
}

impl<F: Fold> Folding<F> {
    pub(super) fn new(fold: F) -> Self {
        Self { fold, states: Vec::new() }
    }

    /// A row joins a group with this value, if it has one.
    #[inline(always)]
    pub(super) fn add(&mut self, slot: u32, value: Option<F::Value>) {
        if let Some(value) = value {
            self.fold.add(&mut self.states[slot as usize], value);
        }
    }

    /// [`Folding::add`], which makes `sides` the group's value before and after it: [`Plain::set_sides`].
    #[inline(always)]
    pub(super) fn add_tracked(
        &mut self,
        slot: u32,
        value: Option<F::Value>,
        begins: bool,
        sides: &mut Column,
    ) {
        let (fold, at) = (&self.fold, &mut self.states[slot as usize]);
        // Changed beside its place: where what is kept depends on a comparison, as of MIN, that then is a choice and nothing to be guessed.
        let mut s = *at;
        let before = if begins { None } else { fold.value(&s) };
        if let Some(value) = value {
            fold.add(&mut s, value);
        }
        *at = s;
        F::Out::set_sides(before, fold.value(&s), begins, sides);
    }

    /// Lets `sides` see the slot's state before (0) and after (1) each row.
    #[inline(always)]
    fn run(&mut self, u: &Updates<'_>, sides: &mut impl Sides<F>) {
        let (fold, states) = (&self.fold, &mut self.states[..]);
        let arg = &u.args[0];
        let read = F::reader(arg.column);
        let pairs = u.rows.iter().zip(u.slots).enumerate();
        match (u.kinds, arg.column.validity.may_have_nulls() || arg.constant) {
            (None, false) => {
                for (k, (&row, &slot)) in pairs {
                    let s = &mut states[slot as usize];
                    sides.see(k, 0, fold, s);
                    fold.add(s, read(row as usize));
                    sides.see(k, 1, fold, s);
                }
            }
            _ => {
                for (k, (&row, &slot)) in pairs {
                    let (s, row) = (&mut states[slot as usize], row as usize);
                    sides.see(k, 0, fold, s);
                    if arg.is_valid(row) {
                        let v = read(arg.at(row));
                        if u.is_add(row) {
                            fold.add(s, v);
                        } else {
                            fold.remove(s, v);
                        }
                    }
                    sides.see(k, 1, fold, s);
                }
            }
        }
    }
}

/// What becomes of a slot's state around each row. A trait and not a closure: a closure that is called twice is not put into the loop.
trait Sides<F: Fold> {
    /// The state before (`side` 0) or after (1) row `k` of the rows at hand.
    fn see(&mut self, k: usize, side: usize, fold: &F, s: &F::State);
}

/// Nobody asks.
impl<F: Fold> Sides<F> for () {
    #[inline(always)]
    fn see(&mut self, _: usize, _: usize, _: &F, _: &F::State) {}
}

/// Appended to a column.
impl<F: Fold> Sides<F> for &mut Column {
    #[inline(always)]
    fn see(&mut self, _: usize, _: usize, fold: &F, s: &F::State) {
        F::Out::push(fold.value(s), self);
    }
}

/// Written into room that was made for them.
struct Room<'c, T> {
    validity: &'c mut Validity,
    /// The rows of the column in front of the room.
    before: usize,
    pairs: &'c mut [[T; 2]],
}

impl<F: Fold> Sides<F> for Room<'_, F::Out> {
    #[inline(always)]
    fn see(&mut self, k: usize, side: usize, fold: &F, s: &F::State) {
        let value = fold.value(s);
        if value.is_none() {
            self.validity.set(self.before + 2 * k + side, false);
        }
        self.pairs[k][side] = value.unwrap_or_default();
    }
}

impl<F: Fold> Accumulator for Folding<F> {
    fn grow(&mut self, slots: usize) {
        if slots > self.states.len() {
            self.states.resize(slots, F::State::default());
        }
    }

    fn reset(&mut self, slot: u32) {
        self.states[slot as usize] = F::State::default();
    }

    fn update(&mut self, u: &Updates<'_>) -> Result<(), RowError> {
        self.run(u, &mut ());
        Ok(())
    }

    fn update_tracked(&mut self, u: &Updates<'_>, sides: &mut Column) -> Result<(), RowError> {
        let before = sides.len();
        let Some((validity, room)) = F::Out::room(sides, 2 * u.rows.len()) else {
            self.run(u, &mut { sides });
            return Ok(());
        };
        self.run(u, &mut Room { validity, before, pairs: room.as_chunks_mut().0 });
        Ok(())
    }

    fn update_row(
        &mut self,
        u: &Updates<'_>,
        seen: bool,
        begins: bool,
        sides: &mut Column,
    ) -> Result<(), RowError> {
        let (arg, row) = (&u.args[0], u.rows[0] as usize);
        let value = (seen && arg.is_valid(row)).then(|| F::reader(arg.column)(arg.at(row)));
        self.add_tracked(u.slots[0], value, begins, sides);
        Ok(())
    }

    fn is_fixed(&self) -> bool {
        true
    }

    fn merge(&mut self, into: &[u32], other: &dyn Accumulator, from: &[u32]) {
        let other = other.same::<Self>();
        for (&i, &f) in into.iter().zip(from) {
            self.fold.merge(&mut self.states[i as usize], &other.states[f as usize]);
        }
    }

    fn emit(&self, slots: &[u32], out: &mut Column) {
        slots.iter().for_each(|&s| F::Out::push(self.fold.value(&self.states[s as usize]), out));
    }

    fn encode(&self, slots: &[u32], to: &mut Encoder) {
        to.block(b"fold", 1);
        slots.iter().for_each(|&s| F::encode(&self.states[s as usize], to));
    }

    fn decode(&mut self, slots: usize, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"fold", 1)?;
        self.states.clear();
        for _ in 0..slots {
            self.states.push(F::decode(from)?);
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        self.states.capacity() * size_of::<F::State>()
    }
}
