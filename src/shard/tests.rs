//! The shard's promises: rows arrive in order whatever the outputs do, one batch waits at a port at most, errors come after the rows
//! before them, and state survives its byte form.

use super::*;
use crate::batch::{Batch, Column, ColumnRef, Decoder, END_OF_TIME, Encoder, TypeKind};
use crate::error::{Error, Result};
use crate::operators::{Built, Context, Counters, Operator};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn numbers(range: std::ops::Range<i64>) -> Batch {
    let rows = (range.end - range.start) as usize;
    let mut c = Column::of_kind(&TypeKind::BigInt);
    c.buffer_mut::<i64>().extend(range);
    c.validity.reset(rows);
    Batch::new(vec![ColumnRef::new(c)], rows)
}

fn values(b: &Batch) -> Vec<i64> {
    b.sel().iter().map(|r| b.column(0).slice::<i64>()[r]).collect()
}

/// Counts from 0, with a pause after each batch.
struct Count {
    next: i64,
    end: i64,
    pause: bool,
}

impl Count {
    fn to(end: i64) -> Box<dyn Input> {
        Box::new(Count { next: 0, end, pause: false })
    }
}

impl Input for Count {
    fn poll(&mut self, max_rows: usize, _cx: &mut IoContext<'_>) -> Result<Polled> {
        self.pause = !self.pause;
        if self.pause {
            return Ok(Polled::Pending);
        }
        if self.next == self.end {
            return Ok(Polled::End);
        }
        let to = (self.next + max_rows as i64).min(self.end);
        let b = numbers(self.next..to);
        self.next = to;
        Ok(Polled::Batch(b))
    }
    fn snapshot(&self, to: &mut Encoder) {
        to.i64(self.next);
    }
    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        self.next = from.i64()?;
        Ok(())
    }
    fn counters(&self) -> InputCounters {
        InputCounters { rows: self.next as u64, ..InputCounters::default() }
    }
}

/// Takes a batch only every `every`-th time it is asked.
struct Slow {
    every: usize,
    asked: usize,
    got: Arc<std::sync::Mutex<Vec<i64>>>,
    finished: Arc<AtomicUsize>,
}

impl Output for Slow {
    fn offer(&mut self, batch: Batch, _cx: &mut IoContext<'_>) -> Result<Option<Batch>> {
        self.asked += 1;
        if !self.asked.is_multiple_of(self.every) {
            return Ok(Some(batch));
        }
        self.got.lock().unwrap().extend(values(&batch));
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

/// Gives every row `times` times, one small batch a pull; fails at `bad`; is done after `limit` rows. Gives -1 when it is time for its alarm.
struct Repeat {
    times: usize,
    bad: Option<i64>,
    limit: u64,
    alarm_us: Option<i64>,
    queue: Vec<i64>,
    copies: usize,
    time: Option<i64>,
    counters: Counters,
    most_waiting: Arc<AtomicUsize>,
}

impl Repeat {
    fn new(times: usize) -> Self {
        Repeat {
            times,
            bad: None,
            limit: u64::MAX,
            alarm_us: None,
            queue: vec![],
            copies: 0,
            time: None,
            counters: Counters::default(),
            most_waiting: Arc::default(),
        }
    }
}

impl Operator for Repeat {
    fn push(&mut self, _port: usize, batch: Batch, cx: &mut Context<'_>) -> Result<()> {
        assert!(self.queue.is_empty() && self.time.is_none(), "pushed before it was pulled empty");
        self.queue = values(&batch);
        self.queue.reverse();
        self.time = batch.watermarks.last();
        self.counters.rows_in += batch.selected() as u64;
        self.most_waiting.fetch_max(self.queue.len(), Ordering::Relaxed);
        cx.pool.recycle(batch);
        Ok(())
    }
    fn pull(&mut self, cx: &mut Context<'_>) -> Result<Option<Batch>> {
        let Some(&next) = self.queue.last() else {
            if self.alarm_us.take_if(|t| *t <= cx.now_us).is_some() {
                return Ok(Some(numbers(-1..0)));
            }
            return Ok(self.time.take().map(Batch::watermark));
        };
        if self.bad == Some(next) {
            return Err(Error::runtime("bad row"));
        }
        self.copies += 1;
        if self.copies == self.times {
            self.copies = 0;
            self.queue.pop();
        }
        self.counters.rows_out += 1;
        Ok(Some(numbers(next..next + 1)))
    }
    fn is_done(&self) -> bool {
        self.counters.rows_out >= self.limit
    }
    fn has_timers(&self) -> bool {
        self.alarm_us.is_some()
    }
    fn wake_at_us(&self) -> Option<i64> {
        self.alarm_us
    }
    fn snapshot(&self, to: &mut Encoder) {
        to.u64(self.counters.rows_out);
    }
    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        self.counters.rows_out = from.u64()?;
        Ok(())
    }
    fn bytes(&self) -> usize {
        1000
    }
    fn counters(&self) -> Counters {
        self.counters
    }
}

struct Harness {
    shard: Shard,
    inputs: Vec<Box<dyn Input>>,
    outputs: Vec<Box<dyn Output>>,
    got: Vec<Arc<std::sync::Mutex<Vec<i64>>>>,
    finished: Arc<AtomicUsize>,
}

impl Harness {
    /// Input 0 → the operators in a row → as many sinks as `every` has entries, all reading the last operator.
    fn chain(rows: i64, operators: Vec<Repeat>, every: &[usize], batch_rows: usize, memory: usize) -> Self {
        let mut specs = vec![node("source", Role::Source(vec![0]), vec![])];
        for (n, op) in operators.into_iter().enumerate() {
            specs.push(node(&format!("op{n}"), Role::Operator(Box::new(op)), vec![n]));
        }
        let last = specs.len() - 1;
        let (mut outputs, mut got): (Vec<Box<dyn Output>>, Vec<_>) = (vec![], vec![]);
        let finished = Arc::new(AtomicUsize::new(0));
        for (n, &every) in every.iter().enumerate() {
            specs.push(node(&format!("sink{n}"), Role::Sink(n), vec![last]));
            got.push(Arc::default());
            outputs.push(Box::new(Slow {
                every,
                asked: 0,
                got: Arc::clone(&got[n]),
                finished: finished.clone(),
            }));
        }
        let shard = Shard::new(specs, batch_rows, memory);
        Self { shard, inputs: vec![Count::to(rows)], outputs, got, finished }
    }

    fn run(&mut self) -> Result<()> {
        for _ in 0..1_000_000 {
            if self.shard.turn(0, &mut self.inputs, &mut self.outputs)? == Turn::Done {
                return Ok(());
            }
        }
        panic!("the shard does not come to an end");
    }

    fn got(&self, n: usize) -> Vec<i64> {
        self.got[n].lock().unwrap().clone()
    }
}

fn node(id: &str, role: Role, inputs: Vec<usize>) -> NodeSpec {
    NodeSpec { id: id.into(), name: id.into(), role, inputs, aside: false }
}

#[test]
fn slow_outputs_hold_the_source_back_and_lose_nothing() {
    let first = Repeat::new(1);
    let most = first.most_waiting.clone();
    let mut h = Harness::chain(1000, vec![first, Repeat::new(3)], &[1, 5], 7, usize::MAX);
    h.run().unwrap();
    let expected: Vec<i64> = (0..1000).flat_map(|n| [n; 3]).collect();
    assert_eq!(h.got(0), expected);
    assert_eq!(h.got(1), expected);
    assert_eq!(most.load(Ordering::Relaxed), 7, "never more than one batch is waiting");
    assert_eq!(h.finished.load(Ordering::Relaxed), 2);
    let stats = h.shard.stats();
    assert_eq!(stats[2].counters.rows_out, 3000);
    assert_eq!(stats[2].watermark, Some(END_OF_TIME));
}

#[test]
fn one_turn_brings_a_row_from_the_source_to_the_output() {
    let mut h = Harness::chain(5, vec![Repeat::new(1), Repeat::new(1)], &[1], 1024, usize::MAX);
    h.shard.turn(0, &mut h.inputs, &mut h.outputs).unwrap();
    assert_eq!(h.shard.turn(0, &mut h.inputs, &mut h.outputs).unwrap(), Turn::Worked);
    assert_eq!(h.got(0), [0, 1, 2, 3, 4]);
}

#[test]
fn an_error_comes_after_the_rows_before_it() {
    let failing = Repeat { bad: Some(500), ..Repeat::new(2) };
    let mut h = Harness::chain(1000, vec![failing, Repeat::new(1)], &[3], 64, usize::MAX);
    let e = h.run().unwrap_err();
    assert_eq!((e.message(), e.operator()), ("bad row", Some("op0")));
    assert_eq!(h.got(0), (0..500).flat_map(|n| [n; 2]).collect::<Vec<_>>());
    assert_eq!(h.finished.load(Ordering::Relaxed), 0, "a failed job commits nothing");
}

#[test]
fn inputs_stop_when_nobody_wants_more() {
    let limit = Repeat { limit: 10, ..Repeat::new(1) };
    let mut h = Harness::chain(i64::MAX, vec![Repeat::new(1), limit], &[1], 4, usize::MAX);
    h.run().unwrap();
    assert!((10..100).contains(&h.got(0).len()), "the source stops soon after the limit");
}

/// What a timer gave between a barrier and the snapshot would be behind the one and in the other.
#[test]
fn timers_and_inputs_stand_still_while_they_are_held() {
    let alarm = Repeat { alarm_us: Some(100), ..Repeat::new(1) };
    let mut h = Harness::chain(i64::MAX, vec![alarm], &[1], 4, usize::MAX);
    for now_us in 0..10 {
        h.shard.turn(now_us, &mut h.inputs, &mut h.outputs).unwrap();
    }
    h.shard.hold([0]);
    let before = h.got(0);
    for now_us in 90..110 {
        let turn = h.shard.turn(now_us, &mut h.inputs, &mut h.outputs).unwrap();
        assert!(matches!(turn, Turn::Idle { .. }));
    }
    assert!(h.shard.is_quiet() && !before.is_empty());
    assert_eq!(h.got(0), before);
    h.shard.release();
    for now_us in 110..113 {
        h.shard.turn(now_us, &mut h.inputs, &mut h.outputs).unwrap();
    }
    assert_eq!(h.got(0)[before.len()], -1);
    assert!(h.got(0).len() > before.len() + 1, "rows come again");
}

/// As with timers; the end of time makes operators give rows as well.
#[test]
fn an_end_that_has_come_is_not_passed_on_at_a_barrier() {
    let mut h = Harness::chain(5, vec![Repeat::new(1)], &[1], 4, usize::MAX);
    while h.shard.ended_inputs().next().is_none() {
        h.shard.turn(0, &mut h.inputs, &mut h.outputs).unwrap();
    }
    h.shard.hold([0]);
    for _ in 0..10 {
        let turn = h.shard.turn(0, &mut h.inputs, &mut h.outputs).unwrap();
        assert!(matches!(turn, Turn::Idle { .. }));
    }
    let told = |h: &Harness| (h.shard.stats()[1].watermark, h.finished.load(Ordering::Relaxed));
    assert_eq!(told(&h), (None, 0));
    h.shard.release();
    h.run().unwrap();
    assert_eq!(told(&h), (Some(END_OF_TIME), 1));
}

#[test]
fn small_batches_share_a_turn() {
    let rows = |turn_rows| {
        let mut h = Harness::chain(100, vec![Repeat::new(1)], &[1], 1, usize::MAX);
        h.shard = h.shard.turn_rows(turn_rows);
        let mut turns = 1;
        while h.shard.turn(0, &mut h.inputs, &mut h.outputs).unwrap() != Turn::Done {
            turns += 1;
        }
        (h.got(0), turns)
    };
    let ((one, many_turns), (same, few_turns)) = (rows(1), rows(64));
    assert_eq!(one, same);
    assert!(many_turns > few_turns, "{many_turns} and {few_turns} turns");
}

#[test]
fn state_goes_through_its_bytes_at_any_quiet_moment() {
    let mut h = Harness::chain(100, vec![Repeat::new(1), Repeat::new(2)], &[2], 7, usize::MAX);
    loop {
        if h.shard.is_quiet() {
            h.shard.cycle(|n| Ok(Built::Operator(Box::new(Repeat::new(n))))).unwrap();
        }
        if h.shard.turn(0, &mut h.inputs, &mut h.outputs).unwrap() == Turn::Done {
            break;
        }
    }
    assert_eq!(h.got(0).len(), 200);
    assert_eq!(h.shard.stats()[2].counters.rows_out, 200);
    let other = Shard::new(vec![node("source", Role::Source(vec![0]), vec![])], 1, 1)
        .restore(&h.shard.snapshot().unwrap());
    assert!(other.unwrap_err().message().contains("which this plan does not have"));
}

#[test]
fn state_over_its_limit_ends_the_job_and_names_the_operators() {
    let mut h = Harness::chain(i64::MAX, vec![Repeat::new(1), Repeat::new(1)], &[1], 4, 1500);
    let e = h.run().unwrap_err();
    assert!(e.message().contains("op0: 0.0 MB, op1: 0.0 MB"), "{e}");
}

#[test]
fn a_row_that_becomes_many_does_not_keep_the_shard_from_other_work() {
    let source = |n: usize, input| node(&format!("source{n}"), Role::Source(vec![input]), vec![]);
    let many = Repeat::new(100_000);
    let specs = vec![
        source(0, 0),
        source(1, 1),
        node("many", Role::Operator(Box::new(many)), vec![0]),
        node("sink0", Role::Sink(0), vec![2]),
        node("sink1", Role::Sink(1), vec![1]),
    ];
    let finished = Arc::new(AtomicUsize::new(0));
    let got: Vec<Arc<std::sync::Mutex<Vec<i64>>>> = vec![Arc::default(), Arc::default()];
    let slow = |got: &Arc<std::sync::Mutex<Vec<i64>>>| -> Box<dyn Output> {
        Box::new(Slow { every: 1, asked: 0, got: got.clone(), finished: finished.clone() })
    };
    let mut outputs = vec![slow(&got[0]), slow(&got[1])];
    let mut inputs = vec![Count::to(1), Count::to(100)];
    let mut shard = Shard::new(specs, 10, usize::MAX);
    // The sources have a batch every second turn.
    for _ in 0..20 {
        shard.turn(0, &mut inputs, &mut outputs).unwrap();
    }
    assert_eq!(got[1].lock().unwrap().len(), 100, "the other source is read meanwhile");
    let given = got[0].lock().unwrap().len();
    assert!((10_000..50_000).contains(&given), "{given} of 100,000 rows in 20 turns");
    while shard.turn(0, &mut inputs, &mut outputs).unwrap() != Turn::Done {}
    assert_eq!(got[0].lock().unwrap().len(), 100_000);
}
