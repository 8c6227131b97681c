//! The rows of partial matches, shared among them, and the rows that wait for their time.
//!
//! Rows stand in columns in order of arrival. A **node** says that a variable took a row, and which node came before: a partial match is a node,
//! and its rows are those on the way from there to the beginning. Matches with the same beginning share its nodes.
//!
//! Both are counted: a node by the matches that end there and the nodes behind it, a row by its nodes and by the queue in which it waits. What
//! nobody holds is free; the columns are written anew when the gaps in them outgrow the rows.

use crate::batch::{Batch, Column, DataType, Decoder, Encoder};
use crate::error::{Error, Result};

/// Not a node.
pub(super) const NONE: u32 = u32::MAX;
/// Gaps that are always borne.
const SMALL: usize = 4096;

/// A variable took a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    /// Place of the row.
    pub(super) row: u32,
    /// Number of the variable.
    pub(super) variable: u32,
    /// Number of the row among those of its key.
    pub(super) number: u64,
    /// The node before, or [`NONE`].
    pub(super) before: u32,
    /// Who holds it.
    holders: u32,
}

/// See the module's text.
pub(super) struct Paths {
    types: Vec<DataType>,
    columns: Vec<Column>,
    /// Who holds the row at each place.
    holders: Vec<u32>,
    /// Places that somebody holds.
    held: usize,
    nodes: Vec<Node>,
    free: Vec<u32>,
}

/// Where the rows and nodes of a [`Paths`] stand in its bytes.
pub(super) struct Places {
    pub(super) rows: Vec<u32>,
    pub(super) nodes: Vec<u32>,
}

impl Paths {
    pub(super) fn new(types: Vec<DataType>) -> Self {
        let columns = types.iter().map(Column::new).collect();
        Self { types, columns, holders: vec![], held: 0, nodes: vec![], free: vec![] }
    }

    /// The rows, and gaps.
    pub(super) fn columns(&self) -> &[Column] {
        &self.columns
    }

    pub(super) fn node(&self, node: u32) -> &Node {
        &self.nodes[node as usize]
    }

    /// Rows that are held.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// Appends rows of a batch, as gaps; gives the place of the first.
    pub(super) fn append(&mut self, batch: &Batch, rows: &[u32]) -> u32 {
        let first = self.holders.len();
        for (held, c) in self.columns.iter_mut().zip(&batch.columns) {
            held.extend_rows(c, rows);
        }
        self.holders.resize(first + rows.len(), 0);
        first as u32
    }

    /// Somebody needs the row.
    pub(super) fn hold_row(&mut self, row: u32) {
        let holders = &mut self.holders[row as usize];
        self.held += usize::from(*holders == 0);
        *holders += 1;
    }

    /// He does not any more.
    pub(super) fn release_row(&mut self, row: u32) {
        let holders = &mut self.holders[row as usize];
        *holders -= 1;
        self.held -= usize::from(*holders == 0);
    }

    /// A new node, held once.
    pub(super) fn add(&mut self, row: u32, variable: u32, number: u64, before: u32) -> u32 {
        self.hold_row(row);
        if before != NONE {
            self.hold(before);
        }
        let node = Node { row, variable, number, before, holders: 1 };
        match self.free.pop() {
            Some(at) => {
                self.nodes[at as usize] = node;
                at
            }
            None => {
                self.nodes.push(node);
                self.nodes.len() as u32 - 1
            }
        }
    }

    /// Somebody more needs the node.
    pub(super) fn hold(&mut self, node: u32) {
        self.nodes[node as usize].holders += 1;
    }

    /// One less needs the node: with the last one it goes, and what only it needed.
    pub(super) fn release(&mut self, mut node: u32) {
        while node != NONE {
            let n = &mut self.nodes[node as usize];
            n.holders -= 1;
            if n.holders > 0 {
                return;
            }
            let (row, before) = (n.row, n.before);
            self.release_row(row);
            self.free.push(node);
            node = before;
        }
    }

    /// The nodes from `node` back to the beginning.
    pub(super) fn back(&self, node: u32) -> impl Iterator<Item = &Node> {
        let mut at = node;
        std::iter::from_fn(move || {
            let n = self.nodes.get(at as usize)?;
            at = n.before;
            Some(n)
        })
    }

    /// Writes the columns anew without gaps when these outgrow the rows: `moved` gets the new place of each old one.
    pub(super) fn compact(&mut self, moved: impl FnOnce(&[u32])) {
        if self.holders.len() - self.held <= self.held.max(SMALL) {
            return;
        }
        let (places, kept) = self.dense();
        self.columns = self.dense_columns(&kept);
        self.holders = kept.iter().map(|&r| self.holders[r as usize]).collect();
        // A free node's row may be gone; nobody looks at it.
        self.nodes.iter_mut().filter(|n| n.holders > 0).for_each(|n| n.row = places[n.row as usize]);
        moved(&places);
    }

    /// The place without gaps of each row that is held, and those rows.
    fn dense(&self) -> (Vec<u32>, Vec<u32>) {
        let mut places = vec![NONE; self.holders.len()];
        let mut kept = Vec::with_capacity(self.held);
        for (row, &holders) in self.holders.iter().enumerate() {
            if holders > 0 {
                places[row] = kept.len() as u32;
                kept.push(row as u32);
            }
        }
        (places, kept)
    }

    fn dense_columns(&self, rows: &[u32]) -> Vec<Column> {
        let dense = |(c, ty): (&Column, &DataType)| {
            let mut dense = Column::new(ty);
            dense.extend_rows(c, rows);
            dense
        };
        self.columns.iter().zip(&self.types).map(dense).collect()
    }

    /// Bytes reserved.
    pub(super) fn bytes(&self) -> usize {
        self.columns.iter().map(Column::bytes).sum::<usize>()
            + self.holders.capacity() * size_of::<u32>()
            + self.nodes.capacity() * size_of::<Node>()
            + self.free.capacity() * size_of::<u32>()
    }

    /// Writes all of it; gives where everything stands then. A node stands behind the one before it.
    pub(super) fn encode(&self, to: &mut Encoder) -> Places {
        let (rows, kept) = self.dense();
        self.dense_columns(&kept).iter().for_each(|c| to.column(c));
        let mut order: Vec<u32> =
            (0..self.nodes.len() as u32).filter(|&n| self.nodes[n as usize].holders > 0).collect();
        order.sort_unstable_by_key(|&n| (self.nodes[n as usize].number, n));
        let mut nodes = vec![NONE; self.nodes.len()];
        order.iter().enumerate().for_each(|(at, &n)| nodes[n as usize] = at as u32);
        let all = || order.iter().map(|&n| &self.nodes[n as usize]);
        to.slice(&all().map(|n| rows[n.row as usize]).collect::<Vec<u32>>());
        to.slice(&all().map(|n| n.variable).collect::<Vec<u32>>());
        to.slice(&all().map(|n| n.number).collect::<Vec<u64>>());
        let before = |n: &Node| if n.before == NONE { NONE } else { nodes[n.before as usize] };
        to.slice(&all().map(before).collect::<Vec<u32>>());
        Places { rows, nodes }
    }

    /// Reads what [`Paths::encode`] wrote. Rows are held by their nodes and nodes by those behind them: who else holds them says so.
    ///
    /// # Errors
    /// The bytes are damaged.
    pub(super) fn decode(&mut self, variables: usize, from: &mut Decoder<'_>) -> Result<()> {
        for c in &mut self.columns {
            from.column(c)?;
        }
        let rows = self.columns.first().map_or(0, Column::len);
        let (row, variable): (Vec<u32>, Vec<u32>) = (from.slice()?, from.slice()?);
        let (number, before): (Vec<u64>, Vec<u32>) = (from.slice()?, from.slice()?);
        let nodes = row.len();
        let sound = self.columns.iter().all(|c| c.len() == rows)
            && [variable.len(), number.len(), before.len()] == [nodes; 3]
            && row.iter().all(|&r| (r as usize) < rows)
            && variable.iter().all(|&v| (v as usize) < variables)
            && before.iter().enumerate().all(|(n, &b)| b == NONE || (b as usize) < n);
        if !sound {
            return Err(Error::corrupt("the rows of partial matches do not fit each other"));
        }
        self.holders.resize(rows, 0);
        for n in 0..nodes {
            self.hold_row(row[n]);
            if before[n] != NONE {
                self.hold(before[n]);
            }
            let (variable, number, before) = (variable[n], number[n], before[n]);
            self.nodes.push(Node { row: row[n], variable, number, before, holders: 0 });
        }
        Ok(())
    }

    /// A node that is there after [`Paths::decode`].
    pub(super) fn has_node(&self, node: u32) -> bool {
        (node as usize) < self.nodes.len()
    }

    /// A row that is there after [`Paths::decode`].
    pub(super) fn has_row(&self, row: u32) -> bool {
        (row as usize) < self.holders.len()
    }

    /// Everything is held by somebody: so it is once all holders of decoded rows and nodes have said so.
    pub(super) fn is_whole(&self) -> bool {
        self.held == self.holders.len() && self.nodes.iter().all(|n| n.holders > 0)
    }
}
