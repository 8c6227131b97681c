//! The open slices of a windowed state: the smallest stretches of event time that windows are made of, each with a state of its own.
//!
//! A slice closes when the watermark reaches what it is due at. Slices close in the order of that time, then of their end and start, which
//! are what makes them differ. The state of a closed slice is handed over whole, and a state that is done with comes back to be
//! used again: opening a slice in a steady stream allocates nothing.

use std::collections::BTreeMap;

/// What slices are ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SliceKey {
    /// The watermark, in ms, that closes it.
    pub due: i64,
    /// One past its last instant, µs.
    pub end: i64,
    /// Its first instant, µs.
    pub start: i64,
}

/// See the module's text. `S` is the state of a slice.
pub struct Slices<S> {
    open: BTreeMap<SliceKey, u32>,
    states: Vec<Option<S>>,
    free: Vec<u32>,
    spare: Vec<S>,
    /// The slice that was asked for last, while it is open: mostly the next row's as well.
    last: Option<(SliceKey, u32)>,
}

impl<S> Default for Slices<S> {
    fn default() -> Self {
        Self { open: BTreeMap::new(), states: Vec::new(), free: Vec::new(), spare: Vec::new(), last: None }
    }
}

impl<S> Slices<S> {
    /// How many states wait to be used again.
    const SPARE: usize = 4;

    /// The number of the slice, which is opened with a spare state, or one that `make` gives, if there is none.
    pub fn open(&mut self, key: SliceKey, make: impl FnOnce() -> S) -> u32 {
        if let Some((_, number)) = self.last.filter(|last| last.0 == key) {
            return number;
        }
        let number = *self.open.entry(key).or_insert_with(|| {
            let state = self.spare.pop().unwrap_or_else(make);
            let number = self.free.pop().unwrap_or_else(|| {
                self.states.push(None);
                (self.states.len() - 1) as u32
            });
            self.states[number as usize] = Some(state);
            number
        });
        self.last = Some((key, number));
        number
    }

    /// The state of an open slice.
    ///
    /// # Panics
    /// When the slice is not open.
    #[inline]
    pub fn state(&mut self, number: u32) -> &mut S {
        self.states[number as usize].as_mut().expect("the slice is open")
    }

    /// The watermark that closes the next slice.
    pub fn next_due(&self) -> Option<i64> {
        self.open.first_key_value().map(|e| e.0.due)
    }

    /// Closes the next slice that is due at that watermark.
    pub fn close(&mut self, watermark: i64) -> Option<(SliceKey, S)> {
        let entry = self.open.first_entry().filter(|e| e.key().due <= watermark)?;
        let (key, number) = entry.remove_entry();
        self.last = self.last.filter(|last| last.0 != key);
        self.free.push(number);
        Some((key, self.states[number as usize].take()?))
    }

    /// Takes back the state of a closed slice, which its owner has emptied.
    pub fn give_back(&mut self, state: S) {
        if self.spare.len() < Self::SPARE {
            self.spare.push(state);
        }
    }

    /// The open slices, the next to close first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (SliceKey, &S)> {
        self.open.iter().map(|(key, &n)| (*key, self.states[n as usize].as_ref().expect("the slice is open")))
    }

    /// All states, spare ones too: for counting bytes.
    pub fn states(&self) -> impl Iterator<Item = &S> {
        self.states.iter().flatten().chain(&self.spare)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_close_in_order_and_states_return() {
        let key = |due, end| SliceKey { due, end, start: 0 };
        let mut s: Slices<Vec<i32>> = Slices::default();
        let mut made = 0;
        let mut put = |s: &mut Slices<Vec<i32>>, k, v| {
            let n = s.open(k, || {
                made += 1;
                Vec::new()
            });
            s.state(n).push(v);
        };
        put(&mut s, key(5, 2), 1);
        put(&mut s, key(3, 9), 2);
        put(&mut s, key(5, 1), 3);
        put(&mut s, key(5, 2), 4);
        assert_eq!((s.next_due(), s.iter().len()), (Some(3), 3));
        assert!(s.close(2).is_none());
        assert_eq!(s.close(9), Some((key(3, 9), vec![2])));
        assert_eq!(s.close(9), Some((key(5, 1), vec![3])));
        s.give_back(vec![]);
        put(&mut s, key(6, 6), 5);
        assert_eq!(s.close(5), Some((key(5, 2), vec![1, 4])));
        assert!(s.close(5).is_none());
        assert_eq!(made, 3);
    }
}
