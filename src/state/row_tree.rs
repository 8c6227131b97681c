//! The rows of one key in the order of their time, for keys whose rows also come out of order: a B-tree with a finger at its newest row.
//!
//! A tree holds times and handles; what a handle stands for, and what the rows below a node come to (the node's **part**), its owner keeps,
//! by the node's number. After each change [`RowTree::changed`] says whose part is to be made anew, children first.
//!
//! ```text
//!                 [ . . * ]            *  the spine: the nodes from the root to the newest row
//!          _______/  |   \______
//!     [ . . . ]  [ . . . ]  [ . * ]    inner: for each child its first time, its rows, its number
//!      /  |  \    /  |  \    /   \
//!     leaves                  [rows*]  leaf: for each row its time and handle
//! ```
//!
//! **A node of the spine has no part**, and its parent does not know how many rows it has. So a row that joins at the end changes its leaf alone, and one
//! that has `d` rows behind it changes the nodes from its leaf up to the spine: `O(log d)` of them (after FiBA: Tangwongsan, Hirzel,
//! Schneider, Optimal and General Out-of-Order Sliding-Window Aggregation, VLDB 2019). Rows leave at the other end, and a node on that side
//! has rows that its part still contains: [`RowTree::cover`] answers with the parts of nodes that are on neither side, at most `2 * FAN` a level.
//!
//! The shape of a tree depends on its rows' history alone, and comes back with its bytes: sums of DOUBLE depend on it.

use crate::batch::{Decoder, Encoder};
use crate::error::{Error, Result};

/// Rows of a leaf, and children of a node, at most.
const FAN: usize = 16;
/// No node.
const NONE: u32 = u32::MAX;

/// See the module's text.
pub struct RowTree {
    nodes: Vec<Node>,
    free: Vec<u32>,
    root: u32,
    oldest: u32,
    newest: u32,
    rows: u64,
    changed: Vec<u32>,
}

#[derive(Clone, Copy)]
struct Node {
    parent: u32,
    len: u8,
    leaf: bool,
    spine: bool,
    times: [i64; FAN],
    /// Of a leaf: handles. Else: rows of the child in the upper half, its number in the lower.
    links: [u64; FAN],
}

/// Rows that stand together in a range.
pub enum Piece<'t> {
    /// All rows below that node: its part counts.
    Part(u32),
    /// These.
    Rows(&'t [u64]),
}

impl Node {
    const NEW: Self =
        Self { parent: NONE, len: 0, leaf: true, spine: true, times: [0; FAN], links: [0; FAN] };

    fn len(&self) -> usize {
        usize::from(self.len)
    }

    fn child(&self, n: usize) -> u32 {
        self.links[n] as u32
    }

    /// Rows below child `n`, unless it is of the spine.
    fn size(&self, n: usize) -> u64 {
        self.links[n] >> 32
    }

    /// Rows below the first `n` children, none of the spine.
    fn before(&self, n: usize) -> u64 {
        self.links[..n].iter().map(|l| l >> 32).sum()
    }

    /// Rows below a node that is not of the spine.
    fn weight(&self) -> u64 {
        if self.leaf { self.len() as u64 } else { self.before(self.len()) }
    }

    /// The last entry whose time is `before`, or the first.
    fn last(&self, before: impl Fn(i64) -> bool) -> usize {
        self.times[..self.len()].partition_point(|t| before(*t)).saturating_sub(1)
    }

    fn open(&mut self, at: usize, time: i64, link: u64) {
        let len = self.len();
        self.times.copy_within(at..len, at + 1);
        self.links.copy_within(at..len, at + 1);
        (self.times[at], self.links[at]) = (time, link);
        self.len += 1;
    }

    fn take_first(&mut self) -> u64 {
        let (first, len) = (self.links[0], self.len());
        self.times.copy_within(1..len, 0);
        self.links.copy_within(1..len, 0);
        self.len -= 1;
        first
    }
}

fn link(child: u32, rows: u64) -> u64 {
    debug_assert!(rows <= u64::from(u32::MAX), "a key holds below 2^32 rows");
    rows << 32 | u64::from(child)
}

impl Default for RowTree {
    fn default() -> Self {
        Self { nodes: vec![Node::NEW], free: vec![], root: 0, oldest: 0, newest: 0, rows: 0, changed: vec![] }
    }
}

impl RowTree {
    /// Number of rows.
    pub fn len(&self) -> u64 {
        self.rows
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The nodes whose parts are to be made anew after the last [`RowTree::insert`], children before their parents.
    pub fn changed(&self) -> &[u32] {
        &self.changed
    }

    /// Node numbers are below this.
    pub fn bound(&self) -> usize {
        self.nodes.len()
    }

    /// The rows of a leaf.
    pub fn rows_of(&self, node: u32) -> Option<&[u64]> {
        let n = &self.nodes[node as usize];
        n.leaf.then(|| &n.links[..n.len()])
    }

    /// The children of a node that is no leaf.
    pub fn children(&self, node: u32) -> impl Iterator<Item = u32> + '_ {
        let n = &self.nodes[node as usize];
        n.links[..n.len()].iter().map(|l| *l as u32)
    }

    /// A row joins, behind those of its time; gives how many rows are before it.
    pub fn insert(&mut self, time: i64, row: u64) -> u64 {
        self.changed.clear();
        // From the newest leaf up to the node below which the row belongs.
        let mut node = self.newest;
        let mut below = self.nodes[node as usize].weight();
        while let Some(up) = self.nodes.get(self.nodes[node as usize].parent as usize) {
            let last = up.len() - 1;
            if up.times[last] <= time {
                break;
            }
            below += up.before(last);
            node = self.nodes[node as usize].parent;
        }
        let mut before = self.rows - below;
        while !self.nodes[node as usize].leaf {
            let n = &mut self.nodes[node as usize];
            let at = n.last(|t| t <= time);
            before += n.before(at);
            if !(n.spine && at + 1 == n.len()) {
                n.links[at] += 1 << 32;
            }
            node = n.child(at);
        }
        let n = &self.nodes[node as usize];
        let at = n.times[..n.len()].partition_point(|t| *t <= time);
        self.rows += 1;
        self.put(node, at, time, row);
        before + at as u64
    }

    /// A node that nobody has.
    fn take(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.nodes.push(Node::NEW);
            self.nodes.len() as u32 - 1
        })
    }

    /// An entry joins a node, which is cut in two where it is full; so may be those above it.
    fn put(&mut self, mut node: u32, mut at: usize, mut time: i64, mut entry: u64) {
        while self.nodes[node as usize].len() == FAN {
            let old = self.nodes[node as usize];
            // At the end nothing moves, so that rows in order fill their leaves.
            let cut = if old.spine && at == FAN { FAN } else { FAN / 2 };
            let mut right = Node { parent: old.parent, leaf: old.leaf, spine: old.spine, ..Node::NEW };
            right.times[..FAN - cut].copy_from_slice(&old.times[cut..]);
            right.links[..FAN - cut].copy_from_slice(&old.links[cut..]);
            right.len = (FAN - cut) as u8;
            let new = self.take();
            let left = &mut self.nodes[node as usize];
            (left.len, left.spine) = (cut as u8, false);
            let side = if at > cut || cut == FAN { new } else { node };
            if side == new {
                right.open(at - cut, time, entry);
            } else {
                left.open(at, time, entry);
            }
            let left_rows = left.weight();
            let right_rows = if right.spine { 0 } else { right.weight() };
            let first = [left.times[0], right.times[0]];
            self.nodes[new as usize] = right;
            self.changed.push(node);
            if !right.spine {
                self.changed.push(new);
            }
            if old.leaf {
                self.newest = if self.newest == node { new } else { self.newest };
            } else {
                for n in 0..right.len() {
                    self.nodes[right.child(n) as usize].parent = new;
                }
                self.nodes[entry as u32 as usize].parent = side;
            }
            if old.parent == NONE {
                let mut root = Node { leaf: false, ..Node::NEW };
                root.open(0, first[0], link(node, left_rows));
                root.open(1, first[1], link(new, right_rows));
                self.root = self.take();
                self.nodes[self.root as usize] = root;
                self.nodes[node as usize].parent = self.root;
                self.nodes[new as usize].parent = self.root;
                return;
            }
            let up = &mut self.nodes[old.parent as usize];
            let place =
                up.links[..up.len()].iter().position(|l| *l as u32 == node).expect("its parent has it");
            up.links[place] = link(node, left_rows);
            (at, time, entry) = (place + 1, first[1], link(new, right_rows));
            node = old.parent;
        }
        let n = &mut self.nodes[node as usize];
        n.open(at, time, entry);
        if !n.leaf {
            self.nodes[entry as u32 as usize].parent = node;
        }
        while let Some(n) = self.nodes.get(node as usize).filter(|n| !n.spine) {
            self.changed.push(node);
            node = n.parent;
        }
    }

    /// The oldest row leaves.
    pub fn pop_first(&mut self) -> Option<u64> {
        if self.rows == 0 {
            return None;
        }
        self.rows -= 1;
        let mut node = self.oldest;
        let row = self.nodes[node as usize].take_first();
        let was = self.oldest;
        loop {
            let Node { parent, spine, len, .. } = self.nodes[node as usize];
            if parent == NONE || spine {
                break;
            }
            let up = &mut self.nodes[parent as usize];
            if len == 0 {
                up.take_first();
                self.free.push(node);
            } else {
                up.links[0] -= 1 << 32;
            }
            node = parent;
        }
        while !self.nodes[self.root as usize].leaf && self.nodes[self.root as usize].len == 1 {
            self.free.push(self.root);
            self.root = self.nodes[self.root as usize].child(0);
            self.nodes[self.root as usize].parent = NONE;
        }
        if self.nodes[was as usize].len == 0 {
            self.oldest = self.leftmost();
        }
        Some(row)
    }

    fn leftmost(&self) -> u32 {
        let mut node = self.root;
        while !self.nodes[node as usize].leaf {
            node = self.nodes[node as usize].child(0);
        }
        node
    }

    /// How many rows there are of a time that is `before`, which holds for all times up to some one.
    pub fn rank(&self, before: impl Fn(i64) -> bool) -> u64 {
        let (mut rank, mut n) = (0, &self.nodes[self.root as usize]);
        while !n.leaf {
            let at = n.last(&before);
            rank += n.before(at);
            n = &self.nodes[n.child(at) as usize];
        }
        rank + n.times[..n.len()].partition_point(|t| before(*t)) as u64
    }

    /// Time and handle of the row that has `rank` rows before it.
    pub fn get(&self, mut rank: u64) -> (i64, u64) {
        let mut n = &self.nodes[self.root as usize];
        while !n.leaf {
            let mut at = 0;
            // What is not in the others is in the last.
            while at + 1 < n.len() && rank >= n.size(at) {
                rank -= n.size(at);
                at += 1;
            }
            n = &self.nodes[n.child(at) as usize];
        }
        (n.times[rank as usize], n.links[rank as usize])
    }

    /// Calls `f` with the pieces that rows `from..to` consist of, in their order.
    pub fn cover(&self, from: u64, to: u64, mut f: impl FnMut(Piece<'_>)) {
        if from < to {
            self.pieces(self.root, (from, to), true, &mut f);
        }
    }

    fn pieces(&self, node: u32, (from, to): (u64, u64), oldest: bool, f: &mut impl FnMut(Piece<'_>)) {
        let n = &self.nodes[node as usize];
        if n.leaf {
            return f(Piece::Rows(&n.links[from as usize..n.len().min(to as usize)]));
        }
        let mut base = 0;
        for at in 0..n.len() {
            let newest = n.spine && at + 1 == n.len();
            let end = if newest { u64::MAX } else { base + n.size(at) };
            if end > from && base < to {
                let oldest = oldest && at == 0;
                if from <= base && end <= to && !newest && !oldest {
                    f(Piece::Part(n.child(at)));
                } else {
                    self.pieces(n.child(at), (from.saturating_sub(base), to - base), oldest, f);
                }
            }
            base = end;
        }
    }

    /// Calls `f` with time and handle of each of the rows `from..to`.
    pub fn each(&self, from: u64, to: u64, mut f: impl FnMut(i64, u64)) {
        if from < to {
            self.below(self.root, (from, to), &mut f);
        }
    }

    fn below(&self, node: u32, (from, to): (u64, u64), f: &mut impl FnMut(i64, u64)) {
        let n = &self.nodes[node as usize];
        if n.leaf {
            return (from as usize..n.len().min(to as usize)).for_each(|at| f(n.times[at], n.links[at]));
        }
        let mut base = 0;
        for at in 0..n.len() {
            let newest = n.spine && at + 1 == n.len();
            let end = if newest { u64::MAX } else { base + n.size(at) };
            if end > from && base < to {
                self.below(n.child(at), (from.saturating_sub(base), to - base), f);
            }
            base = end;
        }
    }

    /// The time of the oldest row.
    pub fn first_time(&self) -> Option<i64> {
        (self.rows > 0).then(|| self.nodes[self.oldest as usize].times[0])
    }

    /// Writes its shape. The rows are the owner's affair.
    pub fn encode(&self, to: &mut Encoder) {
        let (mut level, mut lens) = (vec![self.root], vec![]);
        let mut height = 0_u64;
        while !level.is_empty() {
            height += 1;
            lens.extend(level.iter().map(|&n| self.nodes[n as usize].len));
            let inner = level.iter().filter(|&&n| !self.nodes[n as usize].leaf);
            level = inner.flat_map(|&n| self.children(n)).collect();
        }
        to.i64(height as i64);
        to.bytes(&lens);
    }

    /// Reads what [`RowTree::encode`] wrote; `rows` are those of the tree: times and handles.
    ///
    /// # Errors
    /// The bytes are damaged.
    pub fn decode(rows: &[(i64, u64)], from: &mut Decoder<'_>) -> Result<Self> {
        let damaged = || Error::corrupt("the rows of a tree do not fit its shape");
        let height = from.i64()?;
        let mut lens = from.bytes()?.iter().copied();
        let mut tree = Self { rows: rows.len() as u64, ..Self::default() };
        let mut level = vec![tree.root];
        for above in (0..height).rev() {
            let mut next = vec![];
            for (n, &node) in level.iter().enumerate() {
                let len = lens.next().filter(|l| usize::from(*l) <= FAN).ok_or_else(damaged)?;
                let spine = n + 1 == level.len();
                if len == 0 && (above > 0 || height > 1) {
                    return Err(damaged());
                }
                let own = &mut tree.nodes[node as usize];
                (own.len, own.leaf, own.spine) = (len, above == 0, spine);
                if above > 0 {
                    for at in 0..usize::from(len) {
                        let child = tree.nodes.len() as u32;
                        tree.nodes.push(Node { parent: node, ..Node::NEW });
                        tree.nodes[node as usize].links[at] = u64::from(child);
                        next.push(child);
                    }
                }
            }
            if above > 0 {
                level = next;
            }
        }
        if height < 1 || lens.next().is_some() {
            return Err(damaged());
        }
        (tree.oldest, tree.newest) = (level[0], level[level.len() - 1]);
        let mut rest = rows;
        for &leaf in &level {
            let own = &mut tree.nodes[leaf as usize];
            let (now, then) = rest.split_at_checked(own.len()).ok_or_else(damaged)?;
            for (n, row) in now.iter().enumerate() {
                (own.times[n], own.links[n]) = *row;
            }
            rest = then;
        }
        // Children have higher numbers than their parents.
        for node in (0..tree.nodes.len()).rev().filter(|&n| !tree.nodes[n].leaf).collect::<Vec<_>>() {
            for at in 0..tree.nodes[node].len() {
                let child = tree.nodes[tree.nodes[node].child(at) as usize];
                let own = &mut tree.nodes[node];
                own.times[at] = child.times[0];
                own.links[at] = link(own.child(at), if child.spine { 0 } else { child.weight() });
            }
        }
        if !rest.is_empty() || !rows.is_sorted_by_key(|r| r.0) {
            return Err(damaged());
        }
        tree.changed =
            (0..tree.nodes.len() as u32).rev().filter(|&n| !tree.nodes[n as usize].spine).collect();
        Ok(tree)
    }

    /// Bytes reserved.
    pub fn bytes(&self) -> usize {
        self.nodes.capacity() * size_of::<Node>() + (self.free.capacity() + self.changed.capacity()) * 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Parts that depend on the order of rows: their handles, one behind the other.
    #[derive(Default)]
    struct Lists(Vec<Vec<u64>>);

    impl Lists {
        fn renew(&mut self, tree: &RowTree) -> usize {
            self.0.resize(tree.bound().max(self.0.len()), vec![]);
            for &node in tree.changed() {
                self.0[node as usize] = match tree.rows_of(node) {
                    Some(rows) => rows.to_vec(),
                    None => tree.children(node).flat_map(|c| self.0[c as usize].clone()).collect(),
                };
            }
            tree.changed().len()
        }

        fn cover(&self, tree: &RowTree, from: u64, to: u64) -> (Vec<u64>, usize) {
            let (mut all, mut pieces) = (vec![], 0);
            tree.cover(from, to, |p| {
                pieces += 1;
                match p {
                    Piece::Part(node) => all.extend(&self.0[node as usize]),
                    Piece::Rows(rows) => all.extend(rows),
                }
            });
            (all, pieces)
        }
    }

    fn restored(tree: &RowTree) -> RowTree {
        let mut state = Encoder::default();
        tree.encode(&mut state);
        let mut rows = vec![];
        tree.each(0, tree.len(), |t, r| rows.push((t, r)));
        let bytes = state.finish();
        let mut from = Decoder::new(&bytes);
        let back = RowTree::decode(&rows, &mut from).expect("its own bytes");
        from.end().expect("all is read");
        back
    }

    proptest! {
        /// Whatever joins where and leaves, ranks and ranges are those of a sorted list, also after the tree was read back.
        #[test]
        fn a_tree_is_a_sorted_list(ops in prop::collection::vec((0..10_u32, 0..400_i64, any::<u16>()), 1..900)) {
            let (mut tree, mut parts) = (RowTree::default(), Lists::default());
            let mut all: Vec<(i64, u64)> = vec![];
            let mut now = 0;
            for (n, (op, back, at)) in ops.into_iter().enumerate() {
                let n = n as u64;
                match op {
                    0..=7 => {
                        now += i64::from(op < 4);
                        let time = if op < 5 { now } else { now - back };
                        let place = all.partition_point(|r| r.0 <= time);
                        prop_assert_eq!(tree.insert(time, n), place as u64);
                        all.insert(place, (time, n));
                        parts.renew(&tree);
                    }
                    8 => for _ in 0..back / 20 {
                        let first = (!all.is_empty()).then(|| all.remove(0).1);
                        prop_assert_eq!(tree.pop_first(), first);
                    },
                    _ if at % 4 == 0 => {
                        tree = restored(&tree);
                        parts = Lists::default();
                        parts.renew(&tree);
                    }
                    _ => {}
                }
                let len = all.len() as u64;
                prop_assert_eq!(tree.len(), len);
                if len > 0 {
                    let (a, b) = (u64::from(at) % len, (u64::from(at) * 31) % (len + 1));
                    prop_assert_eq!(tree.get(a), all[a as usize]);
                    let want: Vec<u64> = all.iter().map(|r| r.1).skip(a as usize).take(b.saturating_sub(a) as usize).collect();
                    prop_assert_eq!(parts.cover(&tree, a, b).0, want);
                    let mut range = vec![];
                    tree.each(a, b, |t, r| range.push((t, r)));
                    prop_assert_eq!(range, all.iter().copied().skip(a as usize).take(b.saturating_sub(a) as usize).collect::<Vec<_>>());
                    prop_assert_eq!(tree.first_time(), all.first().map(|r| r.0));
                    let time = all[a as usize].0;
                    prop_assert_eq!(tree.rank(|t| t < time), all.partition_point(|r| r.0 < time) as u64);
                    prop_assert_eq!(tree.rank(|t| t <= time), all.partition_point(|r| r.0 <= time) as u64);
                }
            }
        }
    }

    /// A row changes a few nodes for each level between it and the newest row, whatever is before it; an answer looks at a few a level.
    #[test]
    fn a_row_costs_the_logarithm_of_the_rows_behind_it() {
        let (mut tree, mut changed) = (RowTree::default(), 0);
        for n in 0..200_000 {
            tree.insert(n * 10, 0);
            changed += tree.changed().len();
        }
        assert!(changed < 20_000, "{changed} nodes by rows in order");
        for (distance, most) in [(1, 1), (15, 2), (250, 3), (4_000, 4), (60_000, 5)] {
            let mut changed = 0;
            for n in 0..200 {
                tree.insert((200_000 - distance) * 10 - 5 - n % 3, 0);
                changed += tree.changed().len();
            }
            assert!(changed <= 200 * most + 100, "{changed} nodes by 200 rows at {distance}");
        }
        for (from, to) in [(0, 200_000), (70_000, 200_900), (1, 100_001), (99_999, 100_000)] {
            let mut pieces = 0;
            tree.cover(from, to, |_| pieces += 1);
            assert!(pieces <= 2 * FAN * 5, "{pieces} of {from}..{to}");
        }
    }

    /// A tree of rows that come and go takes no more memory than it first did.
    #[test]
    fn a_steady_tree_does_not_grow() {
        let (mut tree, mut held) = (RowTree::default(), vec![]);
        for n in 0..60_000_i64 {
            tree.insert(n - n * n % 700, n as u64);
            if n >= 1_000 {
                tree.pop_first();
            }
            if n == 20_000 || n == 59_999 {
                held.push(tree.bytes());
            }
        }
        assert_eq!(held[0], held[1]);
    }

    #[test]
    fn a_shape_that_does_not_fit_is_refused() {
        let mut tree = RowTree::default();
        (0..100).for_each(|n| {
            tree.insert(n, 0);
        });
        let mut state = Encoder::default();
        tree.encode(&mut state);
        let bytes = state.finish();
        let rows: Vec<(i64, u64)> = (0..100).map(|n| (n, 0)).collect();
        assert!(RowTree::decode(&rows, &mut Decoder::new(&bytes)).is_ok());
        assert!(RowTree::decode(&rows[1..], &mut Decoder::new(&bytes)).is_err());
        let turned: Vec<(i64, u64)> = rows.iter().rev().copied().collect();
        assert!(RowTree::decode(&turned, &mut Decoder::new(&bytes)).is_err());
    }
}
