//! Partial matches and complete ones, the earliest first.
//!
//! Which of several matches with the same first row is told depends in Flink on how its queue, that of Java's library, arranges equal
//! entries: a binary heap, read both by its head and from end to end. So this is the same heap, step by step, and its arrangement is part of
//! the state.

/// A match so far: a path through the automaton.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Partial {
    /// Number of the first row among those of the key; [`NOT_BEGUN`]: none yet.
    pub(super) first: u64,
    /// Time of the first row, ms.
    pub(super) since: i64,
    /// The state of the automaton.
    pub(super) state: u32,
    /// The last row taken; [`super::paths::NONE`]: none yet.
    pub(super) node: u32,
}

/// What has no first row yet comes last.
pub(super) const NOT_BEGUN: u64 = u64::MAX;

/// See the module's text.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    heap: Vec<Partial>,
}

impl Queue {
    /// In the order in which it arranges them.
    pub(super) fn entries(&self) -> &[Partial] {
        &self.heap
    }

    /// Entries that were arranged like that.
    pub(super) fn arranged(entries: Vec<Partial>) -> Self {
        Self { heap: entries }
    }

    pub(super) fn capacity(&self) -> usize {
        self.heap.capacity()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// One with the earliest first row.
    pub(super) fn peek(&self) -> Option<&Partial> {
        self.heap.first()
    }

    pub(super) fn clear(&mut self) {
        self.heap.clear();
    }

    pub(super) fn push(&mut self, entry: Partial) {
        let mut at = self.heap.len();
        self.heap.push(entry);
        while at > 0 {
            let parent = (at - 1) / 2;
            if entry.first >= self.heap[parent].first {
                break;
            }
            self.heap[at] = self.heap[parent];
            at = parent;
        }
        self.heap[at] = entry;
    }

    /// Takes the head out.
    pub(super) fn pop(&mut self) -> Option<Partial> {
        let last = self.heap.pop()?;
        let Some(&head) = self.heap.first() else { return Some(last) };
        self.sink(0, last);
        Some(head)
    }

    /// Takes out those for which `goes` is true.
    pub(super) fn remove(&mut self, mut goes: impl FnMut(&Partial) -> bool) {
        let before = self.heap.len();
        self.heap.retain(|e| !goes(e));
        if self.heap.len() < before {
            for at in (0..self.heap.len() / 2).rev() {
                self.sink(at, self.heap[at]);
            }
        }
    }

    /// Puts `entry` at `at`, or below where earlier ones stand there.
    fn sink(&mut self, mut at: usize, entry: Partial) {
        let len = self.heap.len();
        while at < len / 2 {
            let mut child = 2 * at + 1;
            if child + 1 < len && self.heap[child].first > self.heap[child + 1].first {
                child += 1;
            }
            if entry.first <= self.heap[child].first {
                break;
            }
            self.heap[at] = self.heap[child];
            at = child;
        }
        self.heap[at] = entry;
    }
}
