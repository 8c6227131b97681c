//! Limit: skips some rows, lets some through, in the order of arrival. Once it has let all through it is done, and its inputs
//! may stop.

use super::ready::Ready;
use super::{Context, Counters, Operator};
use crate::batch::{Batch, Decoder, Encoder};
use crate::error::Result;

/// See the module's text.
pub struct Limit {
    /// Rows still to skip.
    skip: u64,
    /// Rows still to let through; none: all.
    take: Option<u64>,
    ready: Ready,
    counters: Counters,
}

impl Limit {
    /// Rows `offset .. offset + fetch`.
    pub fn new(offset: u64, fetch: Option<u64>) -> Self {
        Self { skip: offset, take: fetch, ready: Ready::default(), counters: Counters::default() }
    }
}

impl Operator for Limit {
    fn push(&mut self, _port: usize, mut batch: Batch, cx: &mut Context<'_>) -> Result<()> {
        let selected = batch.selected();
        self.counters.batches_in += 1;
        self.counters.rows_in += selected as u64;
        let skipped = (selected as u64).min(self.skip);
        let taken = (selected as u64 - skipped).min(self.take.unwrap_or(u64::MAX));
        self.skip -= skipped;
        if let Some(t) = &mut self.take {
            *t -= taken;
        }
        self.counters.filtered += selected as u64 - taken;
        if (taken as usize) < selected {
            let mut rows = cx.pool.row_list();
            let sel = batch.sel();
            rows.extend((skipped..skipped + taken).map(|k| sel.row(k as usize) as u32));
            if let Some(old) = batch.select(Some(rows)) {
                cx.pool.recycle_rows(old);
            }
        }
        self.ready.push(batch, cx.pool);
        Ok(())
    }

    fn pull(&mut self, _cx: &mut Context<'_>) -> Result<Option<Batch>> {
        self.ready.pull(&mut self.counters)
    }

    fn is_done(&self) -> bool {
        self.take == Some(0) && self.ready.is_empty()
    }

    fn snapshot(&self, to: &mut Encoder) {
        to.block(b"LIMT", 1);
        to.u64(self.skip);
        to.u64(self.take.unwrap_or(u64::MAX));
    }

    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"LIMT", 1)?;
        self.skip = from.u64()?;
        let take = from.u64()?;
        self.take = self.take.is_some().then_some(take);
        Ok(())
    }

    fn bytes(&self) -> usize {
        0
    }

    fn counters(&self) -> Counters {
        self.counters
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Pool;
    use crate::operators::testing::{check, input, node};
    use crate::plan::{Changelog, Op};

    #[test]
    fn some_rows_are_skipped_and_some_let_through() {
        let from = input("id INT", Changelog::INSERT);
        let limit = |offset, fetch| node(Op::Limit { offset, fetch }, "id INT", Changelog::INSERT);
        let rows = "1
            2
            ~ 5
            3
            4
            ~ 6
            5";
        check(&limit(1, Some(2)), &[&from], rows, "+I 2\n ~ 5\n +I 3\n ~ end");
        check(&limit(0, Some(0)), &[&from], rows, "~ end");
        check(&limit(3, None), &[&from], rows, "~ 5\n +I 4\n ~ 6\n +I 5\n ~ end");
    }

    #[test]
    fn it_is_done_when_all_have_been_pulled() {
        let mut op = Limit::new(0, Some(2));
        let mut pool = Pool::default();
        let mut cx = Context { pool: &mut pool, now_us: 0 };
        op.push(0, Batch::new(vec![], 5), &mut cx).unwrap();
        assert!(!op.is_done());
        assert_eq!(op.pull(&mut cx).unwrap().map(|b| b.selected()), Some(2));
        assert!(op.is_done());
    }
}
