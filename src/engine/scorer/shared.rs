//! Several scorers of one query, each with a part of its keys, for as many threads.
//!
//! A scorer knows nothing of another's rows, so each answers rightly only if all events of a key come to it. Where every OVER of a query is
//! partitioned by a column of the table, and all of them by the same, its value says which scorer an event belongs to. Where they
//! have none in common, an event would belong to two: such a query is refused.

use super::super::Engine;
use super::super::rows::{Mapping, Row};
use super::Scorer;
use super::chain::origins_of;
use crate::batch::key::{KEY_GROUPS, hash_keys, key_group};
use crate::batch::{Column, ColumnRef, DataType, Sel};
use crate::error::{Error, Result};
use crate::plan::{Graph, Op};
use std::marker::PhantomData;

/// Says which of several scorers an event belongs to. `Send`; clone it for each thread that hands events out. See [`Engine::scorers`].
///
/// ```
/// # fn main() -> pelton::Result<()> {
/// # pelton::row! { struct Payment { card: i64 } }
/// # let sql = "CREATE TABLE t (card BIGINT NOT NULL) WITH ('connector' = 'push'); SELECT card FROM t";
/// let (mut homes, scorers) = pelton::Engine::builder().build()?.scorers::<Payment, Payment>(sql, 3)?;
/// let mut elsewhere = homes.clone();
/// let home = homes.of(&Payment { card: 7 });
/// assert!(home < scorers.len());
/// assert_eq!(elsewhere.of(&Payment { card: 7 }), home);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Homes<E> {
    fields: Mapping,
    types: Vec<DataType>,
    /// The columns of the table, as read, that decide.
    keys: Vec<usize>,
    scorers: usize,
    columns: Vec<ColumnRef>,
    bytes: Vec<u8>,
    hashes: Vec<u64>,
    events: PhantomData<fn(&E)>,
}

impl<E> Clone for Homes<E> {
    fn clone(&self) -> Self {
        Self {
            fields: self.fields.clone(),
            types: self.types.clone(),
            keys: self.keys.clone(),
            scorers: self.scorers,
            columns: self.types.iter().map(|t| ColumnRef::new(Column::new(t))).collect(),
            bytes: vec![],
            hashes: vec![],
            events: PhantomData,
        }
    }
}

impl<E: Row> Homes<E> {
    /// The number of the scorer that has the event's key, from 0.
    pub fn of(&mut self, event: &E) -> usize {
        for (c, ty) in self.columns.iter_mut().zip(&self.types) {
            match ColumnRef::get_mut(c) {
                Some(c) => c.clear(),
                None => *c = ColumnRef::new(Column::new(ty)),
            }
        }
        self.fields.append(event, &mut self.columns);
        let keys: Vec<&Column> = self.keys.iter().map(|&k| &*self.columns[k]).collect();
        self.hashes.clear();
        hash_keys(&keys, Sel::All(1), &mut self.bytes, &mut self.hashes);
        usize::from(key_group(self.hashes[0])) * self.scorers / usize::from(KEY_GROUPS)
    }
}

impl Engine {
    /// `scorers` scorers of the only query of a script, which share its keys between them, and what tells whose an event is.
    ///
    /// ```
    /// # fn main() -> pelton::Result<()> {
    /// pelton::row! { struct Payment { card: i64, ts: pelton::Timestamp } }
    /// pelton::row! { struct Count { n: i64 } }
    /// let engine = pelton::Engine::builder().build()?;
    /// let (mut homes, mut scorers) = engine.scorers::<Payment, Count>(
    ///     "CREATE TABLE payments (card BIGINT NOT NULL, ts TIMESTAMP(3) NOT NULL,
    ///        WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'push');
    ///      SELECT COUNT(*) OVER (PARTITION BY card ORDER BY ts) AS n FROM payments",
    ///     4,
    /// )?;
    /// for second in 0..100 {
    ///     let payment = Payment { card: second % 10, ts: pelton::Timestamp(second * 1_000_000) };
    ///     let scored = scorers[homes.of(&payment)].score(&payment)?;
    ///     assert_eq!(scored.row.map(|c| c.n), Some(second / 10 + 1));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Engine::scorer`]. The OVERs of the query have no column in common that they are partitioned by.
    #[expect(clippy::type_complexity, reason = "two things, which have names of their own")]
    pub fn scorers<E: Row, R: Row>(
        &self,
        sql: &str,
        scorers: usize,
    ) -> Result<(Homes<E>, Vec<Scorer<E, R>>)> {
        let made = (0..scorers.max(1)).map(|_| self.scorer(sql)).collect::<Result<Vec<Scorer<E, R>>>>()?;
        let first = &made[0];
        if made.len() > 1 && first.shared.is_empty() {
            return Err(Error::config(
                "several scorers would see parts of the same keys: the OVERs of the query are not partitioned by one column of the table",
            )
            .hint("score all events with one scorer, or make a script for each partition"));
        }
        let types: Vec<DataType> = first.reads.fields.iter().map(|f| f.ty.clone()).collect();
        let homes = Homes {
            fields: first.fields.clone(),
            keys: first.shared.clone(),
            scorers: made.len(),
            columns: types.iter().map(|t| ColumnRef::new(Column::new(t))).collect(),
            types,
            bytes: vec![],
            hashes: vec![],
            events: PhantomData,
        };
        Ok((homes, made))
    }
}

/// The columns of the scan that every OVER of the graph is partitioned by; where there is none, all of them.
pub(super) fn partition(graph: &Graph) -> Vec<usize> {
    // By node: the column of the scan that each column is.
    let mut from: Vec<Vec<Option<usize>>> = vec![];
    let mut shared: Option<Vec<usize>> = None;
    for node in &graph.nodes {
        let input = node.inputs.first().map(|i| from[i.0].clone());
        if let (Op::Over(over), Some(input)) = (&node.op, &input) {
            let own: Vec<usize> = over.partition.iter().filter_map(|&c| input[c]).collect();
            shared = Some(match shared {
                Some(known) => known.into_iter().filter(|c| own.contains(c)).collect(),
                None => own,
            });
        }
        from.push(match node.op {
            Op::Filter(_) => input.unwrap_or_default(),
            _ => origins_of(node, input).unwrap_or_default(),
        });
    }
    shared.unwrap_or_else(|| (0..from.first().map_or(0, Vec::len)).collect())
}
