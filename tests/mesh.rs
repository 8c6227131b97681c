//! Random graphs over several shards always come to an end, and lose and repeat nothing: operators that repeat rows or drop them, exchanges by
//! key and to one shard between any of them, rings with room for one or two messages, outputs that refuse, and shards turned in a
//! random order. `MESH_SEEDS=17 cargo test --test mesh` repeats one, `MESH_SEEDS=0..20000` runs many.

use pelton::Result;
use pelton::batch::{Batch, Column, ColumnRef, DataType, Decoder, Encoder, TypeKind};
use pelton::operators::{Context, Counters, Operator};
use pelton::plan::Exchange;
use pelton::ring::link;
use pelton::shard::{
    Inbox, Input, InputCounters, IoContext, NodeSpec, Outbox, Output, Polled, Role, Shard, Turn, owner,
};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Numbers that follow from a seed (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) % n as u64) as usize
    }
}

fn numbers(all: impl ExactSizeIterator<Item = i64>) -> Batch {
    let rows = all.len();
    let mut c = Column::of_kind(&TypeKind::BigInt);
    c.buffer_mut::<i64>().extend(all);
    c.validity.reset(rows);
    Batch::new(vec![ColumnRef::new(c)], rows)
}

/// The numbers from `next` to `end`, and now and then nothing.
struct Numbers {
    next: i64,
    end: i64,
    dice: Dice,
}

impl Input for Numbers {
    fn poll(&mut self, max_rows: usize, _cx: &mut IoContext<'_>) -> Result<Polled> {
        if self.next == self.end {
            return Ok(Polled::End);
        }
        if self.dice.below(3) == 0 {
            return Ok(Polled::Pending);
        }
        let to = (self.next + 1 + self.dice.below(max_rows) as i64).min(self.end);
        let mut batch = numbers((self.next..to).collect::<Vec<_>>().into_iter());
        let rows = batch.rows();
        batch.watermarks.advance(rows, to);
        self.next = to;
        Ok(Polled::Batch(batch))
    }
    fn snapshot(&self, _to: &mut Encoder) {}
    fn restore(&mut self, _from: &mut Decoder<'_>) -> Result<()> {
        Ok(())
    }
    fn counters(&self) -> InputCounters {
        InputCounters::default()
    }
}

/// Takes what it is offered, or refuses for a while.
struct Moody {
    dice: Dice,
    left: usize,
    got: Arc<Mutex<Vec<i64>>>,
    finished: Arc<AtomicU64>,
}

impl Output for Moody {
    fn offer(&mut self, batch: Batch, _cx: &mut IoContext<'_>) -> Result<Option<Batch>> {
        if self.left == 0 && self.dice.below(4) == 0 {
            self.left = 1 + self.dice.below(12);
        }
        self.left = self.left.saturating_sub(1);
        if self.left > 0 {
            return Ok(Some(batch));
        }
        let rows = batch.sel().iter().map(|r| batch.column(0).slice::<i64>()[r]);
        self.got.lock().unwrap().extend(rows);
        Ok(None)
    }
    fn finish(&mut self) -> Result<()> {
        self.finished.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
    fn rows(&self) -> u64 {
        self.got.lock().unwrap().len() as u64
    }
}

/// Gives each row of any of its ports `times` times, one row a pull.
struct Times {
    times: usize,
    rows: Vec<i64>,
    left: usize,
    time: Vec<i64>,
    moved: Option<i64>,
}

impl Operator for Times {
    fn push(&mut self, port: usize, batch: Batch, cx: &mut Context<'_>) -> Result<()> {
        assert!(self.rows.is_empty() && self.moved.is_none(), "pushed before it was pulled empty");
        self.rows = batch.sel().iter().map(|r| batch.column(0).slice::<i64>()[r]).collect();
        self.left = self.rows.len() * self.times;
        if let Some(w) = batch.watermarks.last() {
            self.time[port] = w;
            self.moved = self.time.iter().copied().min();
        }
        cx.pool.recycle(batch);
        Ok(())
    }
    fn pull(&mut self, _cx: &mut Context<'_>) -> Result<Option<Batch>> {
        if self.left == 0 {
            self.rows.clear();
            return Ok(self.moved.take().map(Batch::watermark));
        }
        self.left -= 1;
        Ok(Some(numbers([self.rows[self.left / self.times]].into_iter())))
    }
    fn snapshot(&self, _to: &mut Encoder) {}
    fn restore(&mut self, _from: &mut Decoder<'_>) -> Result<()> {
        Ok(())
    }
    fn bytes(&self) -> usize {
        0
    }
    fn counters(&self) -> Counters {
        Counters::default()
    }
}

/// A shard with its doors, as the engine has it.
#[derive(Default)]
struct Part {
    specs: Vec<NodeSpec>,
    inputs: Vec<Box<dyn Input>>,
    outputs: Vec<Box<dyn Output>>,
    shard: Option<Shard>,
    ended: bool,
}

impl Part {
    fn add(&mut self, role: Role, inputs: Vec<usize>) -> usize {
        let id = self.specs.len().to_string();
        self.specs.push(NodeSpec { name: id.clone(), id, role, inputs, aside: false });
        self.specs.len() - 1
    }

    fn source(&mut self, input: Box<dyn Input>) -> usize {
        self.inputs.push(input);
        self.add(Role::Source(vec![self.inputs.len() - 1]), vec![])
    }

    fn sink(&mut self, output: Box<dyn Output>, reads: usize) {
        self.outputs.push(output);
        self.add(Role::Sink(self.outputs.len() - 1), vec![reads]);
    }

    /// A turn; true when nothing is left to do.
    fn turn(&mut self) -> bool {
        let shard = self.shard.as_mut().expect("built");
        if !self.ended {
            let turn = shard.turn(0, &mut self.inputs, &mut self.outputs).expect("nothing fails here");
            self.ended = turn == Turn::Done;
        }
        let sent = self.outputs.iter_mut().fold(true, |all, o| o.publish() & all);
        self.ended && sent
    }
}

/// A stream in the graph: where its rows are, and how often each number is among them.
struct Stream {
    /// The node on each shard that has it.
    at: Vec<Option<usize>>,
    /// Of the numbers, how often each comes.
    times: usize,
    depth: usize,
}

const ROWS: i64 = 60;

fn run(seed: u64) -> std::result::Result<(), String> {
    let mut dice = Dice(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let shards = 2 + dice.below(3);
    let mut parts: Vec<Part> = (0..shards).map(|_| Part::default()).collect();
    let mut streams = vec![];
    for _ in 0..1 + dice.below(2) {
        let input = Numbers { next: 0, end: ROWS, dice: Dice(seed | 1) };
        let mut at = vec![None; shards];
        let shard = dice.below(shards);
        at[shard] = Some(parts[shard].source(Box::new(input)));
        streams.push(Stream { at, times: 1, depth: 0 });
    }
    for _ in 0..2 + dice.below(8) {
        let from = dice.below(streams.len());
        let other = dice.below(streams.len());
        let next = match dice.below(3) {
            0 => exchange(&mut parts, &streams[from], &mut dice),
            1 if from != other && alike(&streams[from], &streams[other]) => {
                operator(&mut parts, &[&streams[from], &streams[other]], 1)
            }
            _ => {
                let times = if streams[from].times < 30 { [0, 1, 1, 2, 5][dice.below(5)] } else { 1 };
                operator(&mut parts, &[&streams[from]], times)
            }
        };
        if next.depth < 9 && next.times < 200 {
            streams.push(next);
        }
    }
    let (mut sinks, finished) = (vec![], Arc::new(AtomicU64::new(0)));
    for (n, stream) in streams.iter().enumerate() {
        for (shard, at) in stream.at.iter().enumerate() {
            let Some(at) = *at else { continue };
            let got: Arc<Mutex<Vec<i64>>> = Arc::default();
            let own = Dice(dice.below(usize::MAX >> 1) as u64 | 1);
            let output = Moody { dice: own, left: 0, got: got.clone(), finished: finished.clone() };
            parts[shard].sink(Box::new(output), at);
            sinks.push((n, got));
        }
    }
    for part in &mut parts {
        let batch = 1 + dice.below(8);
        part.shard = Some(Shard::new(std::mem::take(&mut part.specs), batch, usize::MAX));
    }
    let (mut turns, mut done) = (0, vec![false; shards]);
    while !done.iter().all(|d| *d) {
        let shard = dice.below(shards);
        done[shard] = parts[shard].turn();
        turns += 1;
        if turns > 200_000 {
            return Err(format!("{shards} shards, no end after {turns} turns: {done:?}"));
        }
    }
    assert_eq!(finished.load(Ordering::Relaxed), sinks.len() as u64, "each sink is finished once");
    for (n, stream) in streams.iter().enumerate() {
        let mut got: Vec<i64> = vec![];
        sinks.iter().filter(|s| s.0 == n).for_each(|s| got.extend(&*s.1.lock().unwrap()));
        got.sort_unstable();
        let expected: Vec<i64> = (0..ROWS).flat_map(|v| std::iter::repeat_n(v, stream.times)).collect();
        if got != expected {
            return Err(format!("stream {n} has {} rows instead of {}", got.len(), expected.len()));
        }
    }
    Ok(())
}

fn alike(a: &Stream, b: &Stream) -> bool {
    a.at.iter().zip(&b.at).all(|(a, b)| a.is_some() == b.is_some())
}

/// The same operator on each shard that has its inputs.
fn operator(parts: &mut [Part], inputs: &[&Stream], times: usize) -> Stream {
    let mut at = vec![None; parts.len()];
    for (shard, part) in parts.iter_mut().enumerate() {
        let own: Option<Vec<usize>> = inputs.iter().map(|s| s.at[shard]).collect();
        let Some(own) = own else { continue };
        let time = vec![i64::MIN; own.len()];
        let op = Times { times, rows: vec![], left: 0, time, moved: None };
        at[shard] = Some(part.add(Role::Operator(Box::new(op)), own));
    }
    let all: usize = inputs.iter().map(|s| s.times).sum();
    Stream { at, times: all * times, depth: 1 + inputs.iter().map(|s| s.depth).max().unwrap_or(0) }
}

/// By key to all shards, or to one.
fn exchange(parts: &mut [Part], from: &Stream, dice: &mut Dice) -> Stream {
    let types: Vec<DataType> = vec![TypeKind::BigInt.nullable()];
    let shards = parts.len();
    let targets: Vec<usize> = match dice.below(2) {
        0 => (0..shards).collect(),
        _ => vec![dice.below(shards)],
    };
    let plan = if targets.len() > 1 { Exchange::Keyed(vec![0]) } else { Exchange::Gather };
    let mut receivers: Vec<Vec<_>> = targets.iter().map(|_| vec![]).collect();
    for (shard, part) in parts.iter_mut().enumerate() {
        let Some(reads) = from.at[shard] else { continue };
        let mut senders = vec![];
        for to in &mut receivers {
            let (sender, receiver) = link(1 + dice.below(2), &Arc::default(), &Arc::default());
            senders.push(sender);
            to.push(receiver);
        }
        part.sink(Box::new(Outbox::new(&plan, types.clone(), senders)), reads);
    }
    let mut at = vec![None; shards];
    for (links, &shard) in receivers.into_iter().zip(&targets) {
        at[shard] = Some(parts[shard].source(Box::new(Inbox::new(types.clone(), links))));
    }
    Stream { at, times: from.times, depth: from.depth + 1 }
}

#[test]
fn random_graphs_come_to_an_end_and_lose_nothing() {
    let seeds = std::env::var("MESH_SEEDS").unwrap_or_else(|_| "0..300".into());
    let number = |s: &str| s.trim().parse::<u64>().expect("MESH_SEEDS is 7 or 0..1000");
    let seeds = match seeds.split_once("..") {
        Some((a, b)) => number(a)..number(b),
        None => number(&seeds)..number(&seeds) + 1,
    };
    for seed in seeds {
        if let Err(e) = run(seed) {
            panic!("{e}; again with: MESH_SEEDS={seed} cargo test --test mesh");
        }
    }
}

#[test]
fn every_shard_owns_its_share_of_key_groups() {
    for shards in 1..=64 {
        let mut owned = vec![0; shards];
        (0..pelton::batch::key::KEY_GROUPS).for_each(|g| owned[owner(g, shards)] += 1);
        let (most, least) = (owned.iter().max().unwrap(), owned.iter().min().unwrap());
        assert!(most - least <= 1, "{shards} shards: {least} to {most} groups");
    }
}
