//! Cuts the end off a partition: for people, after something wrong was appended.
//!
//! The file that is cut is written anew and put in the place of the old one, never shortened: somebody may have it
//! mapped, and a mapped page behind the end of its file is a SIGBUS. The checkpoint moves back first and later segments go
//! from the last one on, so that a crash on the way leaves a log that is whole and ends somewhere behind the cut.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::catalog::Catalog;
use super::error::{LogError, LogResult};
use super::keeper;
use super::open::Log;
use super::partition::{Partition, Recovered};
use super::scan::{self, Rules};
use super::segment::{Place, Segment};

impl Log {
    /// Cuts off the records from `offset` on, durably, and returns the new end. Batches are not cut in two: one that holds
    /// `offset` goes as a whole. Refused while any partition of the log has an owner.
    pub fn truncate(&mut self, topic: &str, number: u32, offset: i64) -> LogResult<i64> {
        self.writable()?;
        let partition = self.partition(topic, number)?;
        if let Some(owned) = self.catalog().partitions().find(|p| p.is_owned.load(Ordering::Acquire)) {
            return Err(LogError::Taken(format!("{} has an owner: drop it first", owned.name)));
        }
        partition.check_running()?;
        self.stop_helpers_and_flush();
        let cut = self.cut(&partition, offset);
        self.start()?;
        cut
    }

    fn cut(&mut self, old: &Arc<Partition>, offset: i64) -> LogResult<i64> {
        keeper::finish_segments(old);
        let place = find_cut(old, offset)?;
        let mut segments: Vec<Arc<Segment>> =
            old.segments().iter().filter(|s| s.base < place.base).cloned().collect();
        if old.segments().iter().any(|s| s.base == place.base) {
            let last = Segment::reopenable(&old.dir, place.base, place.position, place.offset, true);
            segments.push(Arc::new(last));
        }
        let found = Recovered {
            segments,
            start: old.start().min(place.offset),
            next: place.offset,
            durable: place,
            stopped: None,
            is_unscanned: false,
        };
        // A new object: offsets of the old one never move backwards.
        let fresh = Partition::new(&self.home(), old.topic.clone(), old.number, old.options(), found);
        let mut next = Catalog::clone(&self.catalog());
        if let Some(topic) = next.topics.get_mut(&*old.topic) {
            topic.partitions[old.number as usize] = Arc::new(fresh);
        }
        self.set_catalog(next);
        self.note_places()?;
        old.stop("it was truncated; take it from the log again".into());
        for segment in old.segments().iter().rev().filter(|s| s.base > place.base) {
            keeper::remove_files(old, segment)?;
        }
        shorten(old, place)?;
        Ok(place.offset)
    }
}

/// The place behind the last batch that ends at or before `offset`.
fn find_cut(partition: &Partition, offset: i64) -> LogResult<Place> {
    let end = partition.published().get();
    if offset < partition.start() || offset > end {
        return Err(LogError::OutOfRange { partition: partition.name.clone(), offset, end });
    }
    let list = partition.segments();
    let Some(segment) = list.iter().rfind(|s| s.base < offset).or(list.first()) else {
        return Ok(Place { base: end, position: 0, offset: end });
    };
    let bytes = segment.load(&*partition.disk)?.region.bytes();
    let mut cut = Place { base: segment.base, position: 0, offset: segment.base };
    scan::walk(bytes, 0, Some(segment.base), Rules::Pelton, true, |position, batch| {
        if batch.header().next_offset() <= offset {
            cut.position = (position + batch.header().size()) as u64;
            cut.offset = batch.header().next_offset();
        }
    });
    Ok(cut)
}

/// Puts the first bytes of a segment in the place of all of it.
fn shorten(partition: &Partition, place: Place) -> LogResult<()> {
    let Some(segment) = partition.segments().iter().find(|s| s.base == place.base).cloned() else {
        return Ok(());
    };
    let disk = &*partition.disk;
    let path = segment.path();
    let bytes = &segment.load(disk)?.region.bytes()[..place.position as usize];
    let _ = disk.remove(&segment.index_path());
    disk.replace(&path, bytes).map_err(|e| LogError::io("truncating", &path, &e))
}
