//! Both ends of an exchange, as the shard knows them: an [`Outbox`] is an output, an [`Inbox`] is an input.
//!
//! **Out.** The selected rows of a batch go to the shards that own their keys. For each of these one batch is being filled, with
//! copies of the rows: what crosses owns its bytes. After each turn ([`Output::publish`]) a batch that has anything is sent, be it one row. While
//! the ring is full the batch stays and takes up further rows, so that batches grow when the reader is slower; when it is full as
//! well, the outbox takes no more, and what is in front of it stops. At most one batch waits for each target. A few rows cross as a
//! [`Parcel`]: what is read in one go arrives sooner than a batch in its parts.
//!
//! **Time** travels with the rows: each target gets every movement of the watermark at its place between its rows, so that which rows are
//! late is decided as on one shard. An inbox gives the smallest watermark of its senders.
//!
//! **A barrier** of a snapshot comes behind the rows before it. An inbox that has one from a sender leaves that sender's ring alone until the others'
//! have come and the shard has written its state down ([`Input::pass_barrier`]).
//!
//! **The end and errors** come behind the rows before them. A sender that has vanished without either (a panic) is an error. An inbox
//! whose rows nobody wants any more drops its links, which the outboxes notice ([`Output::is_done`]).

use super::io::{Comes, Input, InputCounters, IoContext, Output, Polled};
use crate::batch::key::{KEY_GROUPS, hash_keys, key_group};
use crate::batch::{
    BEFORE_TIME, Batch, ColumnRef, DataType, Decoder, Encoder, Home, MAX_ROWS, Parcel, Pool, RowKind,
};
use crate::error::{Error, Result};
use crate::operators::smallest;
use crate::plan::Exchange;
use crate::ring::{Message, Receiver, Sender};

/// The shard, of `shards`, that owns a key group.
#[inline]
pub fn owner(group: u16, shards: usize) -> usize {
    usize::from(group) * shards / usize::from(KEY_GROUPS)
}

/// What goes from shard to shard.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a parcel in a box would be a line of memory further away")]
pub enum Goods {
    /// A few rows.
    Few(Parcel),
    /// A batch. Emptied ones come back.
    Many(Batch),
}

/// Batches that wait for the pool.
const DONE: usize = 3;

/// The way to one shard.
struct Target {
    /// None: nobody there wants more.
    link: Option<Sender<Goods>>,
    /// The rows of the batch at hand that go there, and how often the watermark moves before each.
    rows: Vec<u32>,
    moves: Vec<u32>,
    /// What is to be sent: a row that came alone and goes there, in the batch in which it came, or else the rows that have been copied.
    alone: Option<(Batch, u32)>,
    filling: Option<Batch>,
    /// An empty one, for when there is something again.
    empty: Option<Batch>,
    /// A barrier is to be sent behind it, before anything else is taken.
    barrier: bool,
    /// The message behind all.
    last: Option<Message<Goods>>,
}

/// The sending end of an exchange, on one shard. See the module's text.
pub struct Outbox {
    /// The columns that decide; none: there is one target.
    keys: Option<Vec<usize>>,
    types: Vec<DataType>,
    targets: Vec<Target>,
    hashes: Vec<u64>,
    scratch: Vec<u8>,
    rows: u64,
    /// Batches whose row has been sent, for the pool.
    done: Vec<Batch>,
    /// Rows that come alone have fitted into a parcel so far.
    packs: bool,
}

impl Outbox {
    /// The sending end of `exchange` for rows of these types, with a link to each shard that receives.
    pub fn new(exchange: &Exchange, types: Vec<DataType>, links: Vec<Sender<Goods>>) -> Self {
        let keys = match exchange {
            Exchange::Keyed(keys) => Some(keys.clone()),
            Exchange::Gather => None,
        };
        let target = |link| Target {
            link: Some(link),
            rows: vec![],
            moves: vec![],
            alone: None,
            filling: None,
            empty: None,
            barrier: false,
            last: None,
        };
        Self {
            keys,
            types,
            targets: links.into_iter().map(target).collect(),
            hashes: vec![],
            scratch: vec![],
            rows: 0,
            done: vec![],
            packs: true,
        }
    }

    /// Keeps a row that comes alone for its target, to be packed from where it stands. The batch comes back where that cannot be.
    #[inline]
    fn keep(&mut self, batch: Batch, pool: &mut Pool) -> Option<Batch> {
        let Some(row) = batch.only().filter(|_| self.packs) else { return Some(batch) };
        let shards = self.targets.len();
        let n = match self.keys.as_deref() {
            Some(keys) if shards > 1 => {
                self.hashes.clear();
                hash(keys, &batch, &mut self.scratch, &mut self.hashes);
                owner(key_group(self.hashes[0]), shards)
            }
            _ => 0,
        };
        let target = &self.targets[n];
        if target.alone.is_some() || target.filling.is_some() || target.link.is_none() {
            return Some(batch);
        }
        if !batch.watermarks.is_empty() {
            for t in self.targets.iter_mut().enumerate().filter(|t| t.0 != n).map(|t| t.1) {
                t.settle(&self.types, pool);
                t.rows.clear();
                t.moves.clear();
                t.fill(&batch, &self.types, pool);
            }
        }
        self.targets[n].alone = Some((batch, row as u32));
        None
    }

    /// Notes for each target which selected rows go there.
    fn split(&mut self, batch: &Batch) {
        for t in &mut self.targets {
            t.rows.clear();
            t.moves.clear();
        }
        // A batch that only moves the watermark may have no columns.
        if batch.selected() == 0 {
            return;
        }
        let shards = self.targets.len();
        let mut moves = Moves { runs: batch.watermarks.runs(), passed: 0 };
        let Some(keys) = self.keys.as_ref().filter(|_| shards > 1) else {
            let Target { rows, moves: before, .. } = &mut self.targets[0];
            rows.extend(batch.sel().iter().map(|r| r as u32));
            before.extend(rows.iter().map(|&r| moves.before(r)));
            return;
        };
        self.hashes.clear();
        hash(keys, batch, &mut self.scratch, &mut self.hashes);
        for (k, &hash) in self.hashes.iter().enumerate() {
            let target = &mut self.targets[owner(key_group(hash), shards)];
            let row = batch.sel().row(k) as u32;
            target.rows.push(row);
            target.moves.push(moves.before(row));
        }
    }

    /// Tells every reader of the failure of this shard, behind what was sent.
    pub fn fail(&mut self, error: &Error) {
        for t in &mut self.targets {
            t.last.get_or_insert_with(|| Message::Failed(error.clone()));
        }
    }
}

/// Counts how often the watermark has moved before a row, asked for ascending rows.
struct Moves<'a> {
    runs: &'a [(u32, i64)],
    passed: usize,
}

impl Moves<'_> {
    #[inline]
    fn before(&mut self, row: u32) -> u32 {
        while self.runs.get(self.passed).is_some_and(|&(after, _)| after <= row) {
            self.passed += 1;
        }
        self.passed as u32
    }
}

/// The hashes of the keys of the selected rows.
fn hash(keys: &[usize], batch: &Batch, scratch: &mut Vec<u8>, hashes: &mut Vec<u64>) {
    match *keys {
        [key] => hash_keys(&[&**batch.column(key)], batch.sel(), scratch, hashes),
        _ => {
            let columns: Vec<_> = keys.iter().map(|&k| &**batch.column(k)).collect();
            hash_keys(&columns, batch.sel(), scratch, hashes);
        }
    }
}

impl Target {
    /// Copies the row that is there alone, if one is: others come behind it.
    fn settle(&mut self, types: &[DataType], pool: &mut Pool) {
        let Some((batch, row)) = self.alone.take() else { return };
        let mut moves = Moves { runs: batch.watermarks.runs(), passed: 0 };
        self.rows.clear();
        self.rows.push(row);
        self.moves.clear();
        self.moves.push(moves.before(row));
        self.fill(&batch, types, pool);
        pool.recycle(batch);
    }

    /// Adds the noted rows of `batch`, and its watermarks.
    fn fill(&mut self, batch: &Batch, types: &[DataType], pool: &mut Pool) {
        let Some(link) = &mut self.link else { return };
        if self.rows.is_empty() && batch.watermarks.is_empty() {
            return;
        }
        let to = self.filling.get_or_insert_with(|| {
            self.empty.take().unwrap_or_else(|| match link.spare() {
                Some(Goods::Many(batch)) => batch,
                _ => empty(types, pool),
            })
        });
        let before = to.rows();
        if !self.rows.is_empty() {
            for (to, from) in to.columns.iter_mut().zip(&batch.columns) {
                let to =
                    ColumnRef::get_mut(to).expect("the columns of a batch that is being filled are ours");
                to.extend_rows(from, &self.rows);
            }
            to.grow(before + self.rows.len());
            if batch.kinds().is_some() || to.kinds().is_some() {
                let mut kinds = to.set_kinds(None).unwrap_or_else(|| pool.kind_list());
                kinds.resize(before, RowKind::Insert);
                kinds.extend(self.rows.iter().map(|&r| batch.kind(r as usize)));
                to.set_kinds(Some(kinds));
            }
        }
        // Of the movements between two of its rows only the last one matters.
        let (runs, mut told) = (batch.watermarks.runs(), 0);
        for (n, &moves) in self.moves.iter().enumerate() {
            if moves > told {
                told = moves;
                to.watermarks.advance(before + n, runs[moves as usize - 1].1);
            }
        }
        if let Some(&(_, last)) = runs.get(told as usize..).and_then(<[_]>::last) {
            to.watermarks.advance(before + self.rows.len(), last);
        }
    }

    /// Sends what there is to send; false: something has to wait.
    fn send(&mut self, done: &mut Vec<Batch>, packs: &mut bool) -> bool {
        let Some(link) = &mut self.link else { return true };
        if link.is_abandoned() {
            (self.link, self.alone, self.filling, self.last) = (None, None, None, None);
            return true;
        }
        if let Some((batch, row)) = self.alone.take() {
            match Parcel::pack_row(&batch, row as usize) {
                Some(parcel) => {
                    if link.send(Message::Item(Goods::Few(parcel))).is_err() {
                        self.alone = Some((batch, row));
                        return false;
                    }
                    done.push(batch);
                }
                // Too long: from now on rows are copied when they come.
                None => {
                    *packs = false;
                    self.filling = Some(only(&batch, row));
                    done.push(batch);
                }
            }
        }
        if let Some(mut batch) = self.filling.take() {
            let sent = match Parcel::pack(&batch) {
                None => link.send(Message::Item(Goods::Many(batch))),
                Some(parcel) if link.send(Message::Item(Goods::Few(parcel))).is_ok() => {
                    batch.clear();
                    self.empty = Some(batch);
                    Ok(())
                }
                Some(_) => Err(Message::Item(Goods::Many(batch))),
            };
            if let Err(Message::Item(Goods::Many(batch))) = sent {
                self.filling = Some(batch);
                return false;
            }
        }
        if self.barrier {
            if link.send(Message::Barrier).is_err() {
                return false;
            }
            self.barrier = false;
        }
        if let Some(last) = self.last.take()
            && let Err(last) = link.send(last)
        {
            self.last = Some(last);
            return false;
        }
        true
    }
}

/// A batch of that row alone.
#[cold]
fn only(batch: &Batch, row: u32) -> Batch {
    let columns = batch.columns.iter().map(|c| {
        let mut column = c.empty_like();
        column.extend_rows(c, &[row]);
        ColumnRef::new(column)
    });
    let mut alone = Batch::new(columns.collect(), 1);
    if batch.kinds().is_some() {
        alone.set_kinds(Some(vec![batch.kind(row as usize)]));
    }
    for &(after, w) in batch.watermarks.runs() {
        alone.watermarks.advance(usize::from(after > row), w);
    }
    alone
}

/// A batch without rows whose columns can be written.
fn empty(types: &[DataType], pool: &mut Pool) -> Batch {
    let mut batch = pool.batch();
    batch.columns.extend(types.iter().map(|t| pool.column(t)));
    batch
}

impl Output for Outbox {
    fn offer(&mut self, batch: Batch, cx: &mut IoContext<'_>) -> Result<Option<Batch>> {
        let rows = batch.selected();
        // Some at a time: most rows that come alone do not wait for it.
        if self.done.len() > DONE {
            self.done.drain(..).for_each(|batch| cx.pool.recycle(batch));
        }
        let no_room =
            |t: &Target| t.filling.as_ref().is_some_and(|f| f.rows() > 0 && f.rows() + rows > MAX_ROWS);
        for t in &mut self.targets {
            if (t.barrier || no_room(t)) && !t.send(&mut self.done, &mut self.packs) {
                return Ok(Some(batch));
            }
        }
        let Some(batch) = self.keep(batch, cx.pool) else {
            self.rows += 1;
            return Ok(None);
        };
        for t in &mut self.targets {
            t.settle(&self.types, cx.pool);
        }
        self.split(&batch);
        for t in &mut self.targets {
            t.fill(&batch, &self.types, cx.pool);
        }
        self.rows += rows as u64;
        cx.pool.recycle(batch);
        Ok(None)
    }

    fn publish(&mut self) -> bool {
        let mut all = true;
        for t in &mut self.targets {
            all &= t.send(&mut self.done, &mut self.packs);
        }
        all
    }

    fn put_barrier(&mut self) {
        self.targets.iter_mut().for_each(|t| t.barrier = t.link.is_some());
    }

    fn fail(&mut self, error: &Error) {
        Outbox::fail(self, error);
    }

    fn is_done(&self) -> bool {
        self.targets.iter().all(|t| t.link.as_ref().is_none_or(Sender::is_abandoned))
    }

    fn finish(&mut self) -> Result<()> {
        self.targets.iter_mut().for_each(|t| t.last = Some(Message::End));
        Ok(())
    }

    fn rows(&self) -> u64 {
        self.rows
    }
}

/// The receiving end of an exchange, on one shard. See the module's text.
pub struct Inbox {
    types: Vec<DataType>,
    /// Where the batches return to that parcels were unpacked into.
    home: Home,
    links: Vec<Option<Receiver<Goods>>>,
    /// How far each sender has come.
    watermarks: Vec<i64>,
    /// Whose barrier has come: what they sent behind it waits.
    held: Vec<bool>,
    /// The sender to ask first, so that none waits for the others.
    next: usize,
    rows: u64,
}

impl Inbox {
    /// The receiving end for rows of these types, with a link from each shard that sends.
    pub fn new(types: Vec<DataType>, links: Vec<Receiver<Goods>>) -> Self {
        Self {
            types,
            home: Home::default(),
            watermarks: vec![BEFORE_TIME; links.len()],
            held: vec![false; links.len()],
            links: links.into_iter().map(Some).collect(),
            next: 0,
            rows: 0,
        }
    }

    /// Puts the smallest watermark of all senders for that of sender `k`.
    fn merge_time(&mut self, k: usize, batch: &mut Batch, pool: &mut Pool) {
        let before = smallest(&self.watermarks);
        let mut marks = pool.watermarks();
        for &(after, w) in batch.watermarks.runs() {
            self.watermarks[k] = w.max(self.watermarks[k]);
            let all = smallest(&self.watermarks);
            if all > before {
                marks.advance(after as usize, all);
            }
        }
        pool.recycle_watermarks(std::mem::replace(&mut batch.watermarks, marks));
    }

    /// A message of sender `k`: a batch to hand on, if it is one that says something.
    fn take(&mut self, k: usize, message: Message<Goods>, pool: &mut Pool) -> Result<Option<Batch>> {
        match message {
            Message::Item(goods) => {
                let mut batch = match goods {
                    Goods::Few(parcel) => parcel.unpack(&self.types, &mut self.home, pool),
                    Goods::Many(batch) => {
                        if let Some(link) = &mut self.links[k]
                            && link.wants_back()
                        {
                            link.give_back(Goods::Many(empty(&self.types, pool)));
                        }
                        batch
                    }
                };
                if self.links.len() > 1 && !batch.watermarks.is_empty() {
                    self.merge_time(k, &mut batch, pool);
                }
                if batch.is_empty() {
                    pool.recycle(batch);
                    return Ok(None);
                }
                self.rows += batch.rows() as u64;
                Ok(Some(batch))
            }
            Message::Barrier => {
                self.held[k] = true;
                Ok(None)
            }
            Message::End => {
                self.links[k] = None;
                Ok(None)
            }
            Message::Failed(e) => {
                self.links[k] = None;
                Err(e)
            }
        }
    }
}

impl Input for Inbox {
    fn poll(&mut self, _max_rows: usize, cx: &mut IoContext<'_>) -> Result<Polled> {
        let mut open = false;
        for _ in 0..self.links.len() {
            let k = self.next;
            self.next = if k + 1 == self.links.len() { 0 } else { k + 1 };
            while let Some(link) = &mut self.links[k] {
                open = true;
                if self.held[k] {
                    break;
                }
                // In this order: what was sent before the sender went is there when it has gone.
                let gone = link.is_abandoned();
                match link.receive() {
                    Some(message) => {
                        if let Some(batch) = self.take(k, message, cx.pool)? {
                            return Ok(Polled::Batch(batch));
                        }
                    }
                    None if gone => {
                        self.links[k] = None;
                        return Err(Error::runtime(format!("shard {k} has ended without a word")));
                    }
                    None => break,
                }
            }
        }
        let ended = !open || self.links.iter().all(Option::is_none);
        Ok(if ended { Polled::End } else { Polled::Pending })
    }

    fn waiting(&self) -> usize {
        self.links.iter().flatten().map(Receiver::depth).sum()
    }

    fn comes(&self) -> Comes {
        Comes::Rung
    }

    fn is_ready(&self) -> bool {
        let free = self.links.iter().zip(&self.held).filter(|(_, held)| !**held);
        free.filter_map(|(link, _)| link.as_ref()).any(|l| l.is_ready() || l.is_abandoned())
    }

    fn is_at_barrier(&self) -> bool {
        self.links.iter().zip(&self.held).all(|(link, held)| *held || link.is_none())
    }

    fn pass_barrier(&mut self) {
        self.held.fill(false);
    }

    fn stop(&mut self) {
        self.links.iter_mut().for_each(|l| *l = None);
    }

    fn snapshot(&self, to: &mut Encoder) {
        to.block(b"XCHG", 1);
        to.slice(&self.watermarks);
    }

    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"XCHG", 1)?;
        let read: Vec<i64> = from.slice()?;
        if read.len() != self.watermarks.len() {
            return Err(Error::corrupt("the state of an exchange is of another number of shards"));
        }
        self.watermarks = read;
        Ok(())
    }

    fn counters(&self) -> InputCounters {
        InputCounters { rows: self.rows, ..InputCounters::default() }
    }
}

#[cfg(test)]
mod tests;
