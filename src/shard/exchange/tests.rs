//! What an exchange promises: each row comes to the shard that owns its key, in order, with the watermarks at their places; a full ring holds
//! rows back and loses none; the end and errors come behind the rows.

use super::*;
use crate::batch::{Column, END_OF_TIME, TypeKind};
use crate::ring::link;
use proptest::prelude::*;

fn numbers(values: &[i64]) -> Batch {
    let mut c = Column::of_kind(&TypeKind::BigInt);
    c.buffer_mut::<i64>().extend_from_slice(values);
    c.validity.reset(values.len());
    Batch::new(vec![ColumnRef::new(c)], values.len())
}

/// Values and watermarks.
type Got = (Vec<i64>, Vec<(u32, i64)>);

struct Ends {
    out: Outbox,
    inboxes: Vec<Inbox>,
    pool: Pool,
}

impl Ends {
    fn new(exchange: &Exchange, targets: usize, ring: usize) -> Self {
        let types = vec![TypeKind::BigInt.nullable()];
        let (bell, mut senders, mut inboxes) = (std::sync::Arc::default(), vec![], vec![]);
        for _ in 0..targets {
            let (sender, receiver) = link(ring, &bell, &bell);
            senders.push(sender);
            inboxes.push(Inbox::new(types.clone(), vec![receiver]));
        }
        Self { out: Outbox::new(exchange, types, senders), inboxes, pool: Pool::default() }
    }

    fn offer(&mut self, batch: Batch) -> Option<Batch> {
        self.out.offer(batch, &mut IoContext { pool: &mut self.pool, now_us: 0 }).unwrap()
    }

    /// What shard `k` gets in one poll.
    fn poll(&mut self, k: usize) -> Option<Got> {
        let mut cx = IoContext { pool: &mut self.pool, now_us: 0 };
        match self.inboxes[k].poll(1024, &mut cx).unwrap() {
            Polled::Batch(b) => {
                let values = if b.rows() == 0 { vec![] } else { b.column(0).slice::<i64>().to_vec() };
                Some((values, b.watermarks.runs().to_vec()))
            }
            Polled::Pending | Polled::End => None,
        }
    }
}

/// The shard of two that owns a number.
fn owner_of(value: i64) -> usize {
    let mut hashes = vec![];
    hash_keys(&[&**numbers(&[value]).column(0)], crate::batch::Sel::All(1), &mut vec![], &mut hashes);
    owner(key_group(hashes[0]), 2)
}

#[test]
fn key_groups_are_shared_out_evenly() {
    for shards in [1, 2, 3, 7, 64] {
        let mut groups = vec![0; shards];
        (0..KEY_GROUPS).for_each(|g| groups[owner(g, shards)] += 1);
        assert!(groups.iter().max().unwrap() - groups.iter().min().unwrap() <= 1, "{shards}: {groups:?}");
    }
}

#[test]
fn rows_go_to_their_owner_with_the_watermarks_at_their_places() {
    let mut ends = Ends::new(&Exchange::Keyed(vec![0]), 2, 4);
    let values: Vec<i64> = (0..100).collect();
    let mut batch = numbers(&values);
    (0..100).for_each(|n| batch.watermarks.advance(n as usize + 1, 1000 + n));
    batch.select(Some((0..100).filter(|n| n % 3 != 0).collect()));
    assert!(ends.offer(batch).is_none() && ends.out.publish());
    for shard in 0..2 {
        let (got, marks) = ends.poll(shard).unwrap();
        let want: Vec<i64> = (0..100).filter(|n| n % 3 != 0 && owner_of(*n) == shard).collect();
        assert_eq!(got, want);
        // Before each row the watermark is what the row before it, on any shard, has made it.
        for (k, &value) in got.iter().enumerate().filter(|(_, v)| **v > 0) {
            let before = marks.iter().take_while(|m| m.0 as usize <= k).last();
            assert_eq!(before.map(|m| m.1), Some(999 + value), "row {k} of shard {shard}");
        }
        assert_eq!(marks.last().map(|m| m.1), Some(1099));
    }
}

#[test]
fn the_slowest_sender_holds_time_back() {
    let (bell, types) = (std::sync::Arc::default(), vec![TypeKind::BigInt.nullable()]);
    let (mut a, from_a) = link(4, &bell, &bell);
    let (mut b, from_b) = link(4, &bell, &bell);
    let mut ends = Ends::new(&Exchange::Gather, 1, 1);
    ends.inboxes[0] = Inbox::new(types, vec![from_a, from_b]);
    let mut first = numbers(&[1, 2]);
    first.watermarks.advance(1, 10);
    assert!(a.send(Message::Item(Goods::Many(first))).is_ok());
    assert_eq!(ends.poll(0), Some((vec![1, 2], vec![])));
    let mut second = numbers(&[3, 4]);
    second.watermarks.advance(1, 5);
    second.watermarks.advance(2, 20);
    assert!(b.send(Message::Item(Goods::Many(second))).is_ok());
    assert_eq!(ends.poll(0), Some((vec![3, 4], vec![(1, 5), (2, 10)])));
    assert!(
        a.send(Message::Item(Goods::Many(Batch::watermark(END_OF_TIME)))).is_ok()
            && a.send(Message::End).is_ok()
    );
    assert_eq!(ends.poll(0), Some((vec![], vec![(0, 20)])));
}

#[test]
fn a_full_ring_lets_batches_grow_then_holds_back_and_loses_nothing() {
    let mut ends = Ends::new(&Exchange::Gather, 1, 2);
    let (mut sent, mut next) = (vec![], 0);
    // Nobody reads: the ring takes two messages, and the waiting batch what one batch may hold.
    while next < 10_000 {
        let values: Vec<i64> = (next..next + 100).collect();
        if ends.offer(numbers(&values)).is_some() {
            break;
        }
        ends.out.publish();
        (sent, next) = ([sent, values].concat(), next + 100);
    }
    assert_eq!(next, 200 + 1000, "two in the ring, and 1,024 at most in the waiting one");
    assert!(!ends.out.publish(), "something waits");
    ends.out.finish().unwrap();
    let mut got = vec![];
    while let Some((values, _)) = ends.poll(0) {
        got.extend(values);
        ends.out.publish();
    }
    assert_eq!(got, sent);
    let mut cx = IoContext { pool: &mut ends.pool, now_us: 0 };
    assert!(matches!(ends.inboxes[0].poll(1, &mut cx), Ok(Polled::End)));
}

#[test]
fn errors_come_behind_rows_and_a_sender_that_vanishes_is_one() {
    let mut ends = Ends::new(&Exchange::Gather, 1, 1);
    assert!(ends.offer(numbers(&[1])).is_none());
    ends.out.fail(&Error::runtime("division by zero"));
    assert!(!ends.out.publish());
    assert_eq!(ends.poll(0).unwrap().0, [1]);
    assert!(ends.out.publish());
    let mut pool = Pool::default();
    let mut cx = IoContext { pool: &mut pool, now_us: 0 };
    assert_eq!(ends.inboxes[0].poll(1, &mut cx).unwrap_err().message(), "division by zero");

    let mut ends = Ends::new(&Exchange::Gather, 1, 4);
    assert!(ends.offer(numbers(&[1])).is_none() && ends.out.publish());
    ends.out = Outbox::new(&Exchange::Gather, vec![], vec![]);
    assert_eq!(ends.poll(0).unwrap().0, [1], "what was sent is whole");
    assert!(ends.inboxes[0].poll(1, &mut cx).unwrap_err().message().contains("without a word"));
}

#[test]
fn an_inbox_that_stops_lets_its_senders_know_and_they_discard() {
    let mut ends = Ends::new(&Exchange::Gather, 1, 1);
    assert!(!ends.out.is_done());
    ends.inboxes[0].stop();
    assert!(ends.out.is_done());
    for _ in 0..100 {
        assert!(ends.offer(numbers(&[1])).is_none() && ends.out.publish());
    }
}

#[test]
fn row_kinds_cross_with_their_rows_also_when_only_later_rows_have_any() {
    let mut ends = Ends::new(&Exchange::Gather, 1, 1);
    assert!(ends.offer(numbers(&[1, 2])).is_none());
    let mut second = numbers(&[3, 4]);
    second.set_kinds(Some(vec![RowKind::Delete, RowKind::UpdateAfter]));
    assert!(ends.offer(second).is_none() && ends.out.publish());
    let mut cx = IoContext { pool: &mut ends.pool, now_us: 0 };
    let Ok(Polled::Batch(b)) = ends.inboxes[0].poll(1024, &mut cx) else { panic!("a batch was sent") };
    use RowKind::{Delete, Insert, UpdateAfter};
    assert_eq!(b.kinds(), Some(&[Insert, Insert, Delete, UpdateAfter][..]));
}

#[test]
fn a_barrier_stands_between_the_rows_before_and_behind_it() {
    let types = vec![TypeKind::BigInt.nullable()];
    let (bell, mut outs, mut receivers) = (std::sync::Arc::default(), vec![], vec![]);
    for _ in 0..2 {
        let (sender, receiver) = link(2, &bell, &bell);
        outs.push(Outbox::new(&Exchange::Gather, types.clone(), vec![sender]));
        receivers.push(receiver);
    }
    let mut inbox = Inbox::new(types, receivers);
    let (mut pool, mut there) = (Pool::default(), Pool::default());
    let mut send = |out: &mut Outbox, value: i64| {
        let back = out.offer(numbers(&[value]), &mut IoContext { pool: &mut pool, now_us: 0 }).unwrap();
        (back.is_none(), out.publish())
    };
    let mut next = |inbox: &mut Inbox| match inbox.poll(1024, &mut IoContext { pool: &mut there, now_us: 0 })
    {
        Ok(Polled::Batch(b)) => Some(b.column(0).slice::<i64>().to_vec()),
        Ok(Polled::Pending) => None,
        other => panic!("{other:?}"),
    };
    assert_eq!(send(&mut outs[0], 1), (true, true));
    outs[0].put_barrier();
    assert!(outs[0].publish());
    // The ring of two is full: row 2 waits here, and the next barrier behind it.
    assert_eq!(send(&mut outs[0], 2), (true, false));
    outs[0].put_barrier();
    assert_eq!(send(&mut outs[0], 3), (false, false), "nothing is taken behind a barrier that is not sent");
    assert_eq!(next(&mut inbox), Some(vec![1]));
    assert!(next(&mut inbox).is_none() && !inbox.is_at_barrier(), "the other sender has said nothing");
    assert!(outs[0].publish() && next(&mut inbox).is_none() && !inbox.is_ready(), "row 2 waits in the ring");
    assert_eq!(send(&mut outs[1], 10), (true, true));
    assert!(inbox.is_ready());
    outs[1].finish().unwrap();
    assert!(outs[1].publish());
    assert_eq!(next(&mut inbox), Some(vec![10]));
    assert!(next(&mut inbox).is_none() && inbox.is_at_barrier(), "one at its barrier, one at its end");
    inbox.pass_barrier();
    assert_eq!(next(&mut inbox), Some(vec![2]));
    assert!(next(&mut inbox).is_none() && inbox.is_at_barrier());
}

proptest! {
    /// Rows that come alone, packed from where they stand, between batches, full rings and barriers: each shard gets its rows in order, each behind
    /// the watermark that stood before it.
    #[test]
    fn rows_alone_and_together_arrive_in_order(
        steps in prop::collection::vec((0..8u8, 1..5usize, any::<bool>()), 1..60),
        ring in 1..4usize,
        length in prop::sample::select(vec![0usize, 40, 400]),
    ) {
        let types = vec![TypeKind::BigInt.nullable(), TypeKind::STRING.nullable()];
        let (bell, mut senders, mut inboxes) = (std::sync::Arc::default(), vec![], vec![]);
        for _ in 0..2 {
            let (sender, receiver) = link(ring, &bell, &bell);
            senders.push(sender);
            inboxes.push(Inbox::new(types.clone(), vec![receiver]));
        }
        let mut out = Outbox::new(&Exchange::Keyed(vec![0]), types, senders);
        let (mut pool, mut next, mut time) = (Pool::default(), 0i64, 0i64);
        // What each shard is to get and has got: values, and the watermark before each.
        let (mut wanted, mut got) = ([vec![], vec![]], [vec![], vec![]]);
        let mut seen = [BEFORE_TIME; 2];
        let poll = |k: usize, inboxes: &mut Vec<Inbox>, pool: &mut Pool, got: &mut [Vec<(i64, i64)>; 2], seen: &mut [i64; 2]| {
            let mut cx = IoContext { pool, now_us: 0 };
            let Polled::Batch(b) = inboxes[k].poll(1024, &mut cx).unwrap() else { return false };
            let mut marks = b.watermarks.runs().iter().peekable();
            for row in 0..b.rows() {
                while let Some((_, w)) = marks.next_if(|m| m.0 as usize <= row) {
                    seen[k] = *w;
                }
                let value = b.column(0).slice::<i64>()[row];
                assert_eq!(b.column(1).byte_column().get(row), text(value, length).as_bytes());
                got[k].push((value, seen[k]));
            }
            marks.for_each(|m| seen[k] = m.1);
            cx.pool.recycle(b);
            true
        };
        let last = |time: i64| if time == 0 { BEFORE_TIME } else { time };
        for (what, rows, moves) in steps {
            match what {
                0..4 => {
                    // Some rows of a batch of five, or one alone.
                    let rows = if what < 2 { 1 } else { rows };
                    let values: Vec<i64> = (next..next + 5).collect();
                    next += 5;
                    let mut batch = numbers(&values);
                    let mut texts = Column::of_kind(&TypeKind::STRING);
                    for &v in &values {
                        texts.byte_column_mut().push(text(v, length).as_bytes());
                        texts.validity.push(true);
                    }
                    batch.columns.push(ColumnRef::new(texts));
                    batch.select(Some((0..rows as u32).collect()));
                    let before = time;
                    if moves {
                        // Behind the first row.
                        time += 1;
                        batch.watermarks.advance(1, time);
                    }
                    let mut batch = Some(batch);
                    while let Some(full) = batch.take() {
                        batch = out.offer(full, &mut IoContext { pool: &mut pool, now_us: 0 }).unwrap();
                        if batch.is_some() {
                            for k in 0..2 {
                                poll(k, &mut inboxes, &mut pool, &mut got, &mut seen);
                            }
                        }
                    }
                    for (k, &v) in values[..rows].iter().enumerate() {
                        wanted[owner_of(v)].push((v, last(if k == 0 { before } else { time })));
                    }
                }
                4 | 5 => {
                    out.publish();
                }
                6 => {
                    poll(rows % 2, &mut inboxes, &mut pool, &mut got, &mut seen);
                }
                _ => {
                    out.put_barrier();
                    while !out.publish() {
                        for k in 0..2 {
                                poll(k, &mut inboxes, &mut pool, &mut got, &mut seen);
                            }
                    }
                    (0..2).for_each(|k| while poll(k, &mut inboxes, &mut pool, &mut got, &mut seen) {});
                    inboxes.iter_mut().for_each(Input::pass_barrier);
                    prop_assert_eq!(&got, &wanted, "what was before the barrier");
                }
            }
        }
        out.finish().unwrap();
        let mut sent = false;
        while !sent {
            sent = out.publish();
            (0..2).for_each(|k| while poll(k, &mut inboxes, &mut pool, &mut got, &mut seen) {});
        }
        prop_assert_eq!(&got, &wanted);
        prop_assert_eq!(seen, [last(time); 2]);
        prop_assert_eq!(out.rows(), wanted.iter().map(|w| w.len() as u64).sum::<u64>());
    }
}

/// A text that tells its number, so long.
fn text(value: i64, length: usize) -> String {
    format!("{value:>length$}")
}
