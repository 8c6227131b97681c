//! Join: rows of two inputs that may both change, each row with every row of the other side that has its key and meets the condition. Without
//! keys every row meets every other: that is how the one row of a scalar subquery comes to the rows around it.
//!
//! Both sides keep their rows ([`KeyedRows`]), a side whose rows go out alone while nobody matches them also how many match. What a
//! row changes goes out at once, in the order in which the rows of the other side came:
//!
//! * INNER passes the row's kind on. A side that is *outer* knows only insert and delete: its row goes out with NULLs while nobody
//!   matches, that is taken back (`-D`) before the first match, and comes again behind the last.
//! * SEMI and ANTI give rows of the left side alone: those that somebody, or nobody, matches.
//!
//! A key that is NULL matches nothing, unless it is compared by IS NOT DISTINCT FROM; such a row is not kept.
//! The watermark is the smaller of the inputs'. State grows with the rows of both sides.

use super::ready::Ready;
use super::union::smallest;
use super::{Context, Counters, Operator};
use crate::batch::{
    BEFORE_TIME, Batch, Column, ColumnRef, DataType, Decoder, Encoder, MAX_ROWS, RowKind, Watermarks,
};
use crate::error::{Error, Result};
use crate::expr::{EvalContext, Program};
use crate::plan::{self, JoinKind};
use crate::state::{KeyTable, KeyedRows, NO_ROW};

/// See the module's text.
pub struct Join {
    kind: JoinKind,
    null_safe: Vec<bool>,
    condition: Option<Program>,
    keys: KeyTable,
    sides: [Side; 2],
    watermarks: [i64; 2],
    /// The batch at hand.
    work: Option<Work>,
    /// What goes out next.
    lines: Vec<Line>,
    marks: Watermarks,
    ready: Ready,
    counters: Counters,
}

struct Side {
    keys: Vec<usize>,
    types: Vec<DataType>,
    rows: KeyedRows,
}

/// A batch at a port, and how far it has come.
struct Work {
    port: usize,
    batch: Batch,
    /// The selected rows, and in parallel the slots of their keys ([`NO_ROW`]: it is NULL) and of themselves.
    rows: Vec<u32>,
    keys: Vec<u32>,
    slots: Vec<u32>,
    done: usize,
    marks_done: usize,
    /// Of the row at hand: the next of the other side's rows, and how many match so far.
    next: Option<u32>,
    matched: u32,
}

/// A row that goes out: a row of the batch at hand, a slot of the other side, or both.
#[derive(Clone, Copy)]
struct Line {
    kind: RowKind,
    own: u32,
    other: u32,
}

impl Join {
    /// A join of rows like those of `inputs`.
    pub fn new(spec: &plan::Join, inputs: [&plan::Node; 2]) -> Self {
        let types = |n: usize| inputs[n].schema.fields.iter().map(|f| f.ty.clone()).collect::<Vec<_>>();
        let side =
            |n: usize, keys: Vec<usize>| Side { keys, types: types(n), rows: KeyedRows::new(types(n)) };
        let left: Vec<usize> = spec.keys.iter().map(|k| k.left).collect();
        let key_types = left.iter().map(|&c| inputs[0].schema.ty(c).clone().with_nullable(true)).collect();
        Self {
            kind: spec.kind,
            null_safe: spec.keys.iter().map(|k| k.null_safe).collect(),
            condition: spec.condition.as_ref().map(Program::new),
            keys: KeyTable::new(key_types, false),
            sides: [side(0, left), side(1, spec.keys.iter().map(|k| k.right).collect())],
            watermarks: [BEFORE_TIME; 2],
            work: None,
            lines: vec![],
            marks: Watermarks::default(),
            ready: Ready::default(),
            counters: Counters::default(),
        }
    }

    /// The slots of the keys of the selected rows; [`NO_ROW`] where a key is NULL that then matches nothing.
    fn key_slots(&mut self, port: usize, batch: &Batch, rows: &[u32]) -> Vec<u32> {
        let columns: Vec<&Column> = self.sides[port].keys.iter().map(|&c| &**batch.column(c)).collect();
        let is_null =
            |r: u32| columns.iter().zip(&self.null_safe).any(|(c, safe)| !safe && !c.is_valid(r as usize));
        let found: Vec<u32> = rows.iter().copied().filter(|&r| !is_null(r)).collect();
        let mut slots = Vec::with_capacity(found.len());
        self.keys.find_or_insert(None, &columns, &found, &mut slots);
        let mut slots = slots.into_iter();
        rows.iter().map(|&r| if is_null(r) { NO_ROW } else { slots.next().expect("a slot a key") }).collect()
    }

    /// Goes on with the batch at hand until it is done or there is a batch to give.
    fn work(&mut self, cx: &mut Context<'_>) {
        let Some(mut work) = self.work.take() else { return };
        while work.done < work.rows.len() {
            let row = work.rows[work.done] as usize;
            if work.next.is_none() {
                self.advance(&mut work, row);
            }
            match self.row(&mut work, row, cx) {
                Ok(true) => work.done += 1,
                Ok(false) => {}
                Err(e) => {
                    self.flush(&work, cx);
                    self.ready.fail(e);
                    return;
                }
            }
            if self.lines.len() >= MAX_ROWS {
                self.flush(&work, cx);
                self.work = Some(work);
                return;
            }
        }
        self.advance(&mut work, usize::MAX);
        self.flush(&work, cx);
        let mut slots = work.slots;
        slots.retain(|&s| s != NO_ROW);
        self.sides[work.port].rows.settle(&mut slots);
        let mut keys = work.keys;
        keys.sort_unstable();
        keys.dedup();
        for key in keys.into_iter().filter(|&k| k != NO_ROW) {
            if self.sides.iter().all(|s| s.rows.first(key) == NO_ROW) {
                self.keys.remove(key);
            }
        }
        cx.pool.recycle_rows(work.rows);
        cx.pool.recycle(work.batch);
    }

    /// Watermarks before that row.
    fn advance(&mut self, work: &mut Work, row: usize) {
        let before = smallest(&self.watermarks);
        while let Some(&(_, w)) =
            work.batch.watermarks.runs().get(work.marks_done).filter(|m| m.0 as usize <= row)
        {
            work.marks_done += 1;
            self.watermarks[work.port] = w.max(self.watermarks[work.port]);
        }
        let both = smallest(&self.watermarks);
        if both > before {
            self.marks.advance(self.lines.len(), both);
        }
    }

    /// Some matches of a row of the batch; `true`: those were the last.
    fn row(&mut self, work: &mut Work, row: usize, cx: &mut Context<'_>) -> Result<bool> {
        let (key, port) = (work.keys[work.done], work.port);
        let other = &self.sides[1 - port].rows;
        let mut at = match (work.next, key) {
            (Some(next), _) => next,
            (None, NO_ROW) => NO_ROW,
            (None, key) => other.first(key),
        };
        if work.next.is_none() {
            work.matched = 0;
        }
        let mut found = cx.pool.row_list();
        let mut copies = 0;
        while at != NO_ROW && copies < MAX_ROWS as u32 {
            found.push(at);
            copies = other.count(at).saturating_add(copies);
            at = other.after(at);
        }
        if let Some(condition) = self.condition.as_mut().filter(|_| !found.is_empty()) {
            let pair = [&self.sides[0], &self.sides[1]];
            let columns = side_by_side(pair, port, &work.batch, &vec![row as u32; found.len()], &found, cx);
            let candidates = Batch::new(columns, found.len());
            let mut keep = cx.pool.row_list();
            let none = Watermarks::default();
            let mut eval =
                EvalContext { pool: cx.pool, now_us: cx.now_us, watermark: BEFORE_TIME, watermarks: &none };
            let done = condition.filter(&candidates, &mut keep, &mut eval);
            let kept: Vec<u32> = keep.iter().map(|&k| found[k as usize]).collect();
            cx.pool.recycle_rows(keep);
            cx.pool.recycle_rows(std::mem::replace(&mut found, kept));
            cx.pool.recycle(candidates);
            done.map_err(|e| e.error)?;
        }
        let kind = work.batch.kind(row);
        for &slot in &found {
            self.matches(port, kind, row as u32, slot, &mut work.matched);
        }
        cx.pool.recycle_rows(found);
        if at != NO_ROW {
            work.next = Some(at);
            return Ok(false);
        }
        work.next = None;
        self.last(port, kind, row as u32, work.matched);
        if key != NO_ROW {
            let (slot, rows) = (work.slots[work.done], &mut self.sides[port].rows);
            if kind.is_add() { rows.add(slot, key, work.matched) } else { rows.remove(slot) }
        }
        Ok(true)
    }

    /// Row `own` of the batch at `port` matches row `slot` of the other side.
    fn matches(&mut self, port: usize, kind: RowKind, own: u32, slot: u32, matched: &mut u32) {
        let counts_other = self.counts(1 - port);
        let [left, right] = &mut self.sides;
        let other = if port == 0 { &mut right.rows } else { &mut left.rows };
        let (copies, before) = (other.count(slot), other.matched(slot));
        *matched = matched.saturating_add(copies);
        let after = if kind.is_add() { before.saturating_add(1) } else { before.saturating_sub(1) };
        if counts_other {
            other.set_matched(slot, after);
        }
        let (first, last) = (kind.is_add() && before == 0, !kind.is_add() && after == 0);
        let alone = |kind| Line { kind, own: NO_ROW, other: slot };
        if matches!(self.kind, JoinKind::Semi | JoinKind::Anti) {
            if port == 1 && (first || last) {
                let kind = match self.kind {
                    JoinKind::Semi => kind,
                    _ if first => RowKind::Delete,
                    _ => RowKind::Insert,
                };
                self.lines.extend((0..copies).map(|_| alone(kind)));
            }
            return;
        }
        let own_outer = self.kind.keeps(port);
        let pair = match kind.is_add() {
            true if own_outer || counts_other => RowKind::Insert,
            false if own_outer => RowKind::Delete,
            _ => kind,
        };
        for _ in 0..copies {
            if counts_other && first {
                self.lines.push(alone(RowKind::Delete));
            }
            self.lines.push(Line { kind: pair, own, other: slot });
            if counts_other && last {
                self.lines.push(alone(RowKind::Insert));
            }
        }
    }

    /// All matches of a row of the batch have been seen.
    fn last(&mut self, port: usize, kind: RowKind, own: u32, matched: u32) {
        let goes_out = match (self.kind, port) {
            (JoinKind::Semi, 0) => (matched > 0).then_some(kind),
            (JoinKind::Anti, 0) => (matched == 0).then_some(kind),
            _ if matched == 0 && self.kind.keeps(port) => {
                Some(if kind.is_add() { RowKind::Insert } else { RowKind::Delete })
            }
            _ => None,
        };
        if let Some(kind) = goes_out {
            self.lines.push(Line { kind, own, other: NO_ROW });
        }
    }

    /// It matters how many rows match those of a side.
    fn counts(&self, port: usize) -> bool {
        self.kind.keeps(port) || port == 0 && matches!(self.kind, JoinKind::Semi | JoinKind::Anti)
    }

    /// The lines become batches.
    fn flush(&mut self, work: &Work, cx: &mut Context<'_>) {
        let lines = std::mem::take(&mut self.lines);
        let mut marks = std::mem::take(&mut self.marks);
        let mut runs = marks.runs().iter().peekable();
        for start in (0..lines.len().max(1)).step_by(MAX_ROWS) {
            let end = lines.len().min(start + MAX_ROWS);
            let part = &lines[start..end];
            let mut batch = cx.pool.batch();
            if !part.is_empty() {
                let mut columns = self.columns(work, part, cx);
                batch.fill(&mut columns, part.len());
                if part.iter().any(|l| l.kind != RowKind::Insert) {
                    let mut kinds = cx.pool.kind_list();
                    kinds.extend(part.iter().map(|l| l.kind));
                    batch.set_kinds(Some(kinds));
                }
            }
            while let Some(&(after, w)) = runs.next_if(|m| (m.0 as usize) < end || end == lines.len()) {
                batch.watermarks.advance(after as usize - start, w);
            }
            self.ready.push(batch, cx.pool);
        }
        marks.clear();
        (self.lines, self.marks) = (lines, marks);
        self.lines.clear();
    }

    fn columns(&self, work: &Work, lines: &[Line], cx: &mut Context<'_>) -> Vec<ColumnRef> {
        let (own, other): (Vec<u32>, Vec<u32>) = lines.iter().map(|l| (l.own, l.other)).unzip();
        if matches!(self.kind, JoinKind::Semi | JoinKind::Anti) {
            // Of the left alone.
            return match work.port {
                0 => picked(&self.sides[0].types, &own, cx, |rows, out| from_batch(&work.batch, rows, out)),
                _ => picked(&self.sides[0].types, &other, cx, |rows, out| self.sides[0].rows.emit(rows, out)),
            };
        }
        side_by_side([&self.sides[0], &self.sides[1]], work.port, &work.batch, &own, &other, cx)
    }
}

/// Columns of pairs: rows of a batch at `port`, and slots of the other side; [`NO_ROW`] is a row of NULLs.
fn side_by_side(
    sides: [&Side; 2],
    port: usize,
    batch: &Batch,
    own: &[u32],
    other: &[u32],
    cx: &mut Context<'_>,
) -> Vec<ColumnRef> {
    let mine = picked(&sides[port].types, own, cx, |rows, out| from_batch(batch, rows, out));
    let rest = &sides[1 - port];
    let theirs = picked(&rest.types, other, cx, |rows, out| rest.rows.emit(rows, out));
    let (mut left, right) = if port == 0 { (mine, theirs) } else { (theirs, mine) };
    left.extend(right);
    left
}

fn from_batch(batch: &Batch, rows: &[u32], out: &mut [ColumnRef]) {
    for (to, from) in out.iter_mut().zip(&batch.columns) {
        ColumnRef::get_mut(to).expect("a column that is being filled is not shared").extend_rows(from, rows);
    }
}

/// Columns of the rows that `fill` appends; NULLs for [`NO_ROW`].
fn picked(
    types: &[DataType],
    rows: &[u32],
    cx: &mut Context<'_>,
    fill: impl FnOnce(&[u32], &mut [ColumnRef]),
) -> Vec<ColumnRef> {
    let mut out: Vec<ColumnRef> = types.iter().map(|t| cx.pool.column(t)).collect();
    let own = |c: &mut ColumnRef, f: &dyn Fn(&mut Column)| {
        f(ColumnRef::get_mut(c).expect("a column that is being filled is not shared"));
    };
    let Some(&some) = rows.iter().find(|&&r| r != NO_ROW) else {
        out.iter_mut().for_each(|c| own(c, &|c| c.push_nulls(rows.len())));
        return out;
    };
    if !rows.contains(&NO_ROW) {
        fill(rows, &mut out);
        return out;
    }
    // A row that is there stands for those that are not, and is then made NULL.
    let stood: Vec<u32> = rows.iter().map(|&r| if r == NO_ROW { some } else { r }).collect();
    fill(&stood, &mut out);
    let nulls: Vec<usize> = (0..rows.len()).filter(|&n| rows[n] == NO_ROW).collect();
    out.iter_mut().for_each(|c| own(c, &|c| nulls.iter().for_each(|&n| c.validity.set(n, false))));
    out
}

impl Operator for Join {
    fn push(&mut self, port: usize, batch: Batch, cx: &mut Context<'_>) -> Result<()> {
        self.counters.batches_in += 1;
        self.counters.rows_in += batch.selected() as u64;
        self.counters.absorbed += batch.selected() as u64;
        let mut rows = cx.pool.row_list();
        batch.sel().list(&mut rows);
        let (mut keys, mut slots) = (vec![], vec![]);
        if !rows.is_empty() {
            keys = self.key_slots(port, &batch, &rows);
            let kept: Vec<u32> = rows.iter().zip(&keys).filter(|r| *r.1 != NO_ROW).map(|r| *r.0).collect();
            let columns: Vec<&Column> = batch.columns.iter().map(|c| &**c).collect();
            let mut found = vec![];
            self.sides[port].rows.find(&columns, &kept, &mut found);
            let mut found = found.into_iter();
            let slot = |k: &u32| if *k == NO_ROW { NO_ROW } else { found.next().expect("a slot a row") };
            slots = keys.iter().map(slot).collect();
        }
        self.work =
            Some(Work { port, batch, rows, keys, slots, done: 0, marks_done: 0, next: None, matched: 0 });
        Ok(())
    }

    fn pull(&mut self, cx: &mut Context<'_>) -> Result<Option<Batch>> {
        while self.ready.is_empty() && self.work.is_some() {
            self.work(cx);
        }
        self.ready.pull(&mut self.counters)
    }

    fn snapshot(&self, to: &mut Encoder) {
        to.block(b"JOIN", 1);
        to.slice(&self.watermarks);
        let order = self.keys.order();
        self.keys.encode(&order, to);
        let mut numbers = vec![0; self.keys.bound()];
        order.iter().enumerate().for_each(|(n, &slot)| numbers[slot as usize] = n as u32);
        self.sides.iter().for_each(|s| s.rows.encode(|key| numbers[key as usize], to));
    }

    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"JOIN", 1)?;
        let watermarks: Vec<i64> = from.slice()?;
        self.watermarks =
            watermarks.try_into().map_err(|_| Error::corrupt("the state of a join has two inputs"))?;
        let keys = self.keys.decode(None, from)?;
        self.sides.iter_mut().try_for_each(|s| s.rows.decode(keys, from))
    }

    fn bytes(&self) -> usize {
        self.keys.bytes() + self.sides.iter().map(|s| s.rows.bytes()).sum::<usize>()
    }

    fn counters(&self) -> Counters {
        self.counters
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::TypeKind;
    use crate::error::Span;
    use crate::expr::build::call;
    use crate::expr::functions::builtin;
    use crate::expr::{Expr, Session};
    use crate::operators::testing::{check, input, node};
    use crate::plan::{Changelog, JoinKey, Op};

    const LEFT: &str = "k INT, a STRING";
    const RIGHT: &str = "k2 INT, b INT";

    fn run(kind: JoinKind, keyed: bool, condition: Option<Expr>, text: &str, expected: &str) {
        let (left, right) = (input(LEFT, Changelog::ALL), input(RIGHT, Changelog::ALL));
        let keys = if keyed { vec![JoinKey { left: 0, right: 0, null_safe: false }] } else { vec![] };
        let schema = if kind.is_half() { LEFT.to_owned() } else { format!("{LEFT}, {RIGHT}") };
        let op = node(Op::Join(plan::Join { kind, keys, condition }), &schema, Changelog::ALL);
        check(&op, &[&left, &right], text, expected);
    }

    const BOTH: &str = "1 x
         1 x
         null y
         R 1 10
         R -U 1 10
         R +U 1 11
         R 1 12
         -D 1 x
         R null 5
         R -D 1 11
         R -D 1 12
         ~ 3
         R ~ 2
         2 z";

    #[test]
    fn an_inner_join_passes_row_kinds_on() {
        run(
            JoinKind::Inner,
            true,
            None,
            BOTH,
            "+I 1 x 1 10
             +I 1 x 1 10
             -U 1 x 1 10
             -U 1 x 1 10
             +U 1 x 1 11
             +U 1 x 1 11
             +I 1 x 1 12
             +I 1 x 1 12
             -D 1 x 1 11
             -D 1 x 1 12
             -D 1 x 1 11
             -D 1 x 1 12
             ~ end",
        );
    }

    #[test]
    fn a_left_join_gives_nulls_while_nobody_matches() {
        run(
            JoinKind::Left,
            true,
            None,
            BOTH,
            "+I 1 x null null
             +I 1 x null null
             +I null y null null
             -D 1 x null null
             +I 1 x 1 10
             -D 1 x null null
             +I 1 x 1 10
             -U 1 x 1 10
             +I 1 x null null
             -U 1 x 1 10
             +I 1 x null null
             -D 1 x null null
             +I 1 x 1 11
             -D 1 x null null
             +I 1 x 1 11
             +I 1 x 1 12
             +I 1 x 1 12
             -D 1 x 1 11
             -D 1 x 1 12
             -D 1 x 1 11
             -D 1 x 1 12
             +I 1 x null null
             ~ 2
             +I 2 z null null
             ~ end",
        );
    }

    #[test]
    fn a_full_join_keeps_both_sides() {
        run(
            JoinKind::Full,
            true,
            None,
            "R 1 10
             1 x
             -D 1 x
             R null 7
             R -D 1 10
             R -D null 7",
            "+I null null 1 10
             -D null null 1 10
             +I 1 x 1 10
             -D 1 x 1 10
             +I null null 1 10
             +I null null null 7
             -D null null 1 10
             -D null null null 7
             ~ end",
        );
    }

    #[test]
    fn without_keys_one_row_stands_beside_all() {
        run(
            JoinKind::Left,
            false,
            None,
            "1 x
             R 9 9
             2 y
             R -D 9 9",
            "+I 1 x null null
             -D 1 x null null
             +I 1 x 9 9
             +I 2 y 9 9
             -D 1 x 9 9
             +I 1 x null null
             -D 2 y 9 9
             +I 2 y null null
             ~ end",
        );
    }

    #[test]
    fn semi_and_anti_joins_give_the_left_side() {
        let text = "1 x
             2 y
             R 1 10
             R 1 11
             R -D 1 10
             null z
             R -D 1 11
             1 w";
        run(JoinKind::Semi, true, None, text, "+I 1 x\n-D 1 x\n~ end");
        run(JoinKind::Anti, true, None, text, "+I 1 x\n+I 2 y\n-D 1 x\n+I null z\n+I 1 x\n+I 1 w\n~ end");
    }

    #[test]
    fn a_condition_decides_about_pairs() {
        let session = Session::default();
        let column = |n| Expr::column(n, TypeKind::Int.nullable(), Span::default());
        let less = call(&builtin(), "<", vec![column(0), column(3)], &session, Span::default()).unwrap();
        run(
            JoinKind::Left,
            true,
            Some(less),
            "1 x
             R 1 0
             R 1 5
             R -D 1 0
             R -D 1 5",
            "+I 1 x null null
             -D 1 x null null
             +I 1 x 1 5
             -D 1 x 1 5
             +I 1 x null null
             ~ end",
        );
    }

    /// One row meets far more than fit into a batch.
    #[test]
    fn a_row_with_many_partners_goes_out_in_pieces() {
        let rows: String = (0..3000).map(|n| format!("R 1 {n}\n")).collect();
        let expected: String = (0..3000).map(|n| format!("+I 1 x 1 {n}\n")).collect();
        run(JoinKind::Inner, true, None, &format!("{rows}1 x"), &format!("{expected}~ end"));
    }
}
