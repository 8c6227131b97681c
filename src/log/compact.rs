//! Compaction by key: of the sealed segments, keeps the last record of every key (and tombstones for a while).
//!
//! ```text
//!   sealed segments       [ a1 b1 a2 | c1 b2 | a3 d1 ]  active: [ … ]
//!   pass 1, newest last:   a→a3  b→b2  c→c1  d→d1
//!   pass 2, per group:    [  .  .  . | c1 b2 | a3 d1 ]   dropped stretches stay as empty batches: 61 bytes
//! ```
//!
//! Offsets never change and never leave gaps: a dropped stretch becomes one empty batch over its offsets, so that the chain
//! stays contiguous and damage stays visible. Neighbouring segments whose remains fit one segment are merged. The result
//! is written to `<base>.log.cleaned`, synced, renamed to `.swap` (from here on it is the truth), the old files are
//! removed, and it gets its final name; recovery finishes a `.swap` that it finds. Segments with damage are left alone:
//! nothing that could be rescued from them is thrown away. Keys are told apart by seeded 128-bit hashes.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use xxhash_rust::xxh3::xxh3_128_with_seed;

use super::error::{LogError, LogResult};
use super::files;
use super::partition::Partition;
use super::scan::{self, Rules, Stop};
use super::segment::Segment;
use crate::host::Open;
use crate::wire::{Batch, BatchBuilder};

/// Memory that one key takes in the table.
const KEY_BYTES: usize = 48;
/// Largest batch, expanded.
const EXPAND_LIMIT: usize = 1 << 30;

/// Last offset of each key.
struct Latest {
    seed: u64,
    map: HashMap<u128, i64>,
}

impl Latest {
    fn hash(&self, key: &[u8]) -> u128 {
        xxh3_128_with_seed(key, self.seed)
    }
}

/// Compacts what can be compacted. Does nothing when no record would go, nor, unless forced, while less than half of the
/// sealed bytes are new since the last time (Kafka's `min.cleanable.dirty.ratio`).
pub(super) fn compact(partition: &Arc<Partition>, now_ms: i64, memory: usize, force: bool) -> LogResult<()> {
    let list = partition.segments();
    let disk = &*partition.disk;
    let lag = partition.options().min_compaction_lag_ms;
    let mut sealed: Vec<Arc<Segment>> = Vec::new();
    for segment in list.iter() {
        // Durable segments only: what supersedes a record must not be lost after the record is gone. And only what lies
        // before the place that the checkpoint on disk names, as positions change here.
        let is_settled = segment.is_sealed()
            && segment.is_finished()
            && segment.is_synced()
            && segment.next_offset() <= partition.checkpointed.load(Ordering::Acquire);
        if !is_settled || (lag > 0 && segment.max_timestamp(disk)? > now_ms - lag) {
            break;
        }
        sealed.push(segment.clone());
    }
    let Some(end) = sealed.last().map(|s| s.next_offset()) else { return Ok(()) };
    let done = partition.compacted_to.load(Ordering::Relaxed);
    let dirty: u64 = sealed.iter().filter(|s| s.base >= done).map(|s| s.size()).sum();
    if !force && (dirty == 0 || dirty * 2 < sealed.iter().map(|s| s.size()).sum()) {
        return Ok(());
    }
    let mut latest = Latest { seed: RandomState::new().hash_one(0u8), map: HashMap::new() };
    let mut scratch = Vec::new();
    let mut usable: Vec<(Arc<Segment>, bool)> = Vec::new();
    let mut dropped = 0u64;
    for segment in sealed {
        if latest.map.len() * KEY_BYTES > memory {
            break;
        }
        let whole = note_keys(partition, &segment, &mut latest, &mut scratch, &mut dropped, now_ms)?;
        usable.push((segment, whole));
    }
    let end = usable.last().map_or(end, |(s, _)| s.next_offset());
    partition.compacted_to.store(end, Ordering::Relaxed);
    if dropped == 0 {
        return Ok(());
    }
    // Runs of whole segments whose bytes together fit one.
    let mut group: Vec<Arc<Segment>> = Vec::new();
    let mut out = Vec::new();
    for (segment, whole) in &usable {
        if !whole {
            finish_group(partition, &mut group, &mut out)?;
            continue;
        }
        let mut piece = Vec::new();
        rewrite(partition, segment, &latest, now_ms, &mut scratch, &mut piece)?;
        if !group.is_empty()
            && (out.len() + piece.len() > partition.config.segment_bytes
                || segment.next_offset() - group[0].base > i64::from(i32::MAX))
        {
            finish_group(partition, &mut group, &mut out)?;
        }
        out.append(&mut piece);
        group.push(segment.clone());
    }
    finish_group(partition, &mut group, &mut out)?;
    partition.counters.compactions.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

fn bytes_of<'a>(partition: &Partition, segment: &'a Segment) -> LogResult<&'a [u8]> {
    let loaded = segment.load(&*partition.disk)?;
    let bytes = loaded.region.bytes();
    loaded.region.prepare_read(0..bytes.len()).map_err(|e| LogError::io("reading", &segment.path(), &e))?;
    Ok(bytes)
}

/// Enters the keys of a segment. False when it is damaged: then it is neither rewritten nor its neighbours merged over it.
fn note_keys(
    partition: &Partition,
    segment: &Segment,
    latest: &mut Latest,
    scratch: &mut Vec<u8>,
    dropped: &mut u64,
    now_ms: i64,
) -> LogResult<bool> {
    let bytes = bytes_of(partition, segment)?;
    let horizon = now_ms.saturating_sub(partition.options().delete_retention_ms);
    let mut whole = true;
    let walk = scan::walk(bytes, 0, Some(segment.base), Rules::Pelton, true, |_, batch| {
        if batch.header().attributes.is_control() {
            return;
        }
        let Ok(records) = batch.records(scratch, EXPAND_LIMIT) else {
            whole = false;
            return;
        };
        for record in records {
            let Ok(record) = record else {
                whole = false;
                return;
            };
            if let Some(key) = record.key {
                let hash = latest.hash(key);
                if latest.map.insert(hash, record.offset).is_some()
                    || (record.value.is_none() && record.timestamp < horizon)
                {
                    *dropped += 1;
                }
            }
        }
    });
    Ok(whole
        && walk.damage.is_empty()
        && walk.stop == Some(Stop::End)
        && walk.next_offset == segment.next_offset())
}

/// Appends what is left of a segment to `out`.
fn rewrite(
    partition: &Partition,
    segment: &Segment,
    latest: &Latest,
    now_ms: i64,
    scratch: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> LogResult<()> {
    let bytes = bytes_of(partition, segment)?;
    let horizon = now_ms.saturating_sub(partition.options().delete_retention_ms);
    let mut builder = BatchBuilder::new();
    let mut empty = BatchBuilder::new();
    // Offsets from here up to the next kept batch hold nothing.
    let mut hole: Option<i64> = None;
    let mut failed: Option<LogError> = None;
    let mut fill = |hole: &mut Option<i64>, upto: i64, out: &mut Vec<u8>| {
        if let Some(from) = hole.take() {
            // A segment has fewer than 2^31 offsets, so one empty batch is enough.
            out.extend_from_slice(empty.finish_run(from, (upto - from - 1) as i32));
        }
    };
    let walk = scan::walk(bytes, 0, Some(segment.base), Rules::Pelton, false, |_, batch| {
        let header = *batch.header();
        if failed.is_some() {
            return;
        }
        if header.attributes.is_control() {
            fill(&mut hole, header.base_offset, out);
            out.extend_from_slice(batch.bytes());
            return;
        }
        match keep(batch, &mut builder, latest, horizon, scratch) {
            Err(e) => failed = Some(e.into()),
            Ok(0) => {
                hole.get_or_insert(header.base_offset);
            }
            Ok(kept) => {
                fill(&mut hole, header.base_offset, out);
                if kept == header.count {
                    out.extend_from_slice(batch.bytes());
                    builder.clear();
                } else {
                    out.extend_from_slice(
                        builder.like(&header).finish_run(header.base_offset, header.last_offset_delta),
                    );
                }
            }
        }
    });
    if let Some(e) = failed {
        return Err(e);
    }
    fill(&mut hole, walk.next_offset, out);
    Ok(())
}

/// Collects the records of a batch that stay; returns how many.
fn keep(
    batch: &Batch<'_>,
    builder: &mut BatchBuilder,
    latest: &Latest,
    horizon: i64,
    scratch: &mut Vec<u8>,
) -> Result<i32, crate::wire::BatchError> {
    builder.clear();
    let base_timestamp = batch.header().base_timestamp;
    let mut kept = 0;
    for record in batch.records(scratch, EXPAND_LIMIT)? {
        let record = record?;
        let stays = match record.key {
            // A record without a key came before the topic was compacted; nothing supersedes it.
            None => true,
            Some(key) => {
                let is_last = latest.map.get(&latest.hash(key)).is_none_or(|&last| last <= record.offset);
                is_last && !(record.value.is_none() && record.timestamp < horizon)
            }
        };
        if stays {
            builder.push_body(base_timestamp, record.offset_delta, record.timestamp, record.body);
            kept += 1;
        }
    }
    Ok(kept)
}

/// Puts the rewritten bytes in the place of the group.
fn finish_group(partition: &Partition, group: &mut Vec<Arc<Segment>>, out: &mut Vec<u8>) -> LogResult<()> {
    let segments = std::mem::take(group);
    let bytes = std::mem::take(out);
    let (Some(first), Some(last)) = (segments.first(), segments.last()) else { return Ok(()) };
    if segments.len() == 1 && bytes.len() as u64 == first.size() {
        return Ok(());
    }
    let disk = &*partition.disk;
    let next = last.next_offset();
    let path = first.path();
    let with = |ending: &str| partition.dir.join(format!("{}{ending}", files::segment_name(first.base)));
    let (cleaned, swap) = (with(".cleaned"), with(".swap"));
    let fail = |e: std::io::Error| LogError::io("compacting", &path, &e);
    let written = (|| {
        let file = disk.open(&cleaned, Open::Create)?;
        // Room first: a compaction that the disk cannot hold must not begin.
        file.allocate(bytes.len() as u64)?;
        file.write_at(&bytes, 0)?;
        file.sync()?;
        disk.sync_dir(&partition.dir)
    })();
    if let Err(e) = written {
        let _ = disk.remove(&cleaned);
        return Err(fail(e));
    }
    disk.rename(&cleaned, &swap).map_err(fail)?;
    disk.sync_dir(&partition.dir).map_err(fail)?;
    finish_swap(disk, &partition.dir, first.base, next)?;
    let fresh = Arc::new(Segment::sealed(&partition.dir, first.base, bytes.len() as u64, next, true));
    // Opened under the file's final name, so that readers never meet the old file by the new object.
    fresh.load(disk)?;
    partition.segments.rcu(|list| {
        let mut list = Vec::clone(list);
        let at = list.iter().position(|s| s.base >= first.base).unwrap_or(list.len());
        list.retain(|s| !(first.base..next).contains(&s.base));
        list.insert(at.min(list.len()), fresh.clone());
        list
    });
    Ok(())
}

/// Removes the segments that a `.swap` over `base..next` replaces and gives it its name. Also called by recovery.
pub(super) fn finish_swap(
    disk: &dyn crate::host::Disk,
    dir: &std::path::Path,
    base: i64,
    next: i64,
) -> LogResult<()> {
    let fail = |e: std::io::Error| LogError::io("compacting in", dir, &e);
    for name in disk.list(dir).map_err(fail)? {
        if let Some(old) = files::base_of(&name, ".log").or_else(|| files::base_of(&name, ".offsets"))
            && (base..next).contains(&old)
            && !(old == base && name.ends_with(".log"))
        {
            disk.remove(&dir.join(name)).map_err(fail)?;
        }
    }
    let name = files::segment_name(base);
    disk.rename(&dir.join(format!("{name}.swap")), &dir.join(name)).map_err(fail)?;
    disk.sync_dir(dir).map_err(fail)
}
