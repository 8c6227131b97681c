//! Fetch: long polls, limits and incremental sessions (KIP-227).
//!
//! A fetch that finds too little is kept, noted at each of its partitions, and tried again after an append to one of
//! them or when its time is over. A session belongs to its connection: a client that comes back gets a new one, which
//! is what the protocol makes it do when a broker has forgotten the session, and memory stays bounded by connections.

use std::collections::HashMap;

use super::connection::{ConnectionId, Reply, Ticket};
use super::topics::store_error;
use super::{Broker, Deadline, code};
use crate::wire::fetch::{FetchPartition, FetchRequest, Fetched, write_response};

/// Fetches that wait.
#[derive(Default)]
pub(super) struct Waiting(HashMap<u64, Fetch>);

impl Waiting {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

struct Fetch {
    ticket: Ticket,
    partitions: Vec<FetchPartition>,
    min_bytes: usize,
    max_bytes: usize,
    /// 0: without a session.
    session: i32,
    /// The first answer of a session names all partitions, later ones those with news.
    is_incremental: bool,
    deadline: u64,
}

/// What a consumer has asked for so far on this connection.
#[derive(Debug)]
pub(super) struct Session {
    id: i32,
    epoch: i32,
    partitions: Vec<SessionPartition>,
}

#[derive(Debug)]
struct SessionPartition {
    request: FetchPartition,
    /// High watermark and start as last told.
    told: (i64, i64),
}

/// Most partitions of one session.
const MAX_SESSION_PARTITIONS: usize = 20_000;

impl Broker {
    pub(super) fn fetch(&mut self, t: Ticket, request: FetchRequest) {
        let (max_wait, min_bytes) = (request.max_wait_ms.max(0) as u64, request.min_bytes.max(0) as usize);
        let max_bytes = (request.max_bytes.max(0) as usize).min(self.config.max_fetch_bytes);
        let (session, is_incremental, partitions) = match self.session(t, request) {
            Ok(found) => found,
            Err(error) => {
                let parts = write_response(t.writer(), error, 0, vec![]);
                self.finish(t, parts);
                return;
            }
        };
        let deadline = self.now.monotonic_ms + max_wait;
        let fetch = Fetch { ticket: t, partitions, min_bytes, max_bytes, session, is_incremental, deadline };
        if let Some(fetch) = self.try_fetch(fetch, max_wait == 0) {
            let id = self.next_id();
            for p in &fetch.partitions {
                let seen = u32::try_from(p.index)
                    .ok()
                    .and_then(|index| self.store.offsets(&p.topic, index))
                    .map_or(0, |o| o.high_watermark);
                if let Some(partition) = self.partition(&p.topic, p.index) {
                    partition.fetches.push(id);
                    partition.seen = seen;
                }
            }
            self.deadlines.insert((deadline, Deadline::Fetch(id)));
            self.fetches.0.insert(id, fetch);
        }
    }

    /// The session's id, whether the answer may leave out what has no news, and the partitions to look at.
    fn session(&mut self, t: Ticket, request: FetchRequest) -> Result<(i32, bool, Vec<FetchPartition>), i16> {
        let id = (self.random() as i32 & i32::MAX).max(1);
        let Some(connection) = self.connections.get_mut(&t.connection) else { return Ok((0, false, vec![])) };
        match (request.session_id, request.session_epoch) {
            (_, -1) => {
                connection.session = None;
                Ok((0, false, request.partitions))
            }
            (_, 0) => {
                if request.partitions.len() > MAX_SESSION_PARTITIONS {
                    connection.session = None;
                    return Ok((0, false, request.partitions));
                }
                let partitions = request.partitions.iter().cloned();
                connection.session = Some(Session {
                    id,
                    epoch: 1,
                    partitions: partitions
                        .map(|request| SessionPartition { request, told: (-1, -1) })
                        .collect(),
                });
                Ok((id, false, request.partitions))
            }
            (wanted, epoch) => {
                let session = connection
                    .session
                    .as_mut()
                    .filter(|s| s.id == wanted)
                    .ok_or(code::FETCH_SESSION_ID_NOT_FOUND)?;
                if session.epoch != epoch {
                    return Err(code::INVALID_FETCH_SESSION_EPOCH);
                }
                session.epoch = if epoch == i32::MAX { 1 } else { epoch + 1 };
                session.update(request.partitions, &request.forgotten);
                if session.partitions.len() > MAX_SESSION_PARTITIONS {
                    connection.session = None;
                    return Err(code::FETCH_SESSION_ID_NOT_FOUND);
                }
                Ok((session.id, true, session.partitions.iter().map(|p| p.request.clone()).collect()))
            }
        }
    }

    /// Answers the fetch when there is enough, when something is wrong, or when `is_last`; else gives it back.
    fn try_fetch(&mut self, fetch: Fetch, is_last: bool) -> Option<Fetch> {
        let mut room = fetch.max_bytes;
        let (mut found, mut has_error) = (0, false);
        let mut results = Vec::with_capacity(fetch.partitions.len());
        for p in &fetch.partitions {
            let result = self.read_partition(p, room, found == 0);
            let n = result.bytes();
            found += n;
            room = room.saturating_sub(n);
            has_error |= result.error != code::NONE;
            results.push(result);
        }
        if !(is_last || has_error || found >= fetch.min_bytes || fetch.partitions.is_empty()) {
            return Some(fetch);
        }
        if fetch.session != 0 {
            self.tell_session(&fetch, &mut results);
        }
        let parts = write_response(fetch.ticket.writer(), code::NONE, fetch.session, results);
        self.finish_with(fetch.ticket, Reply { parts, viewed: found });
        None
    }

    /// Reads one partition. `is_first`: one batch is given even when it is larger than the room (KIP-74).
    fn read_partition(&mut self, p: &FetchPartition, room: usize, is_first: bool) -> Fetched {
        let mut result = Fetched {
            topic: p.topic.clone(),
            index: p.index,
            high_watermark: -1,
            log_start_offset: -1,
            ..Fetched::default()
        };
        let Some((index, offsets)) = u32::try_from(p.index)
            .ok()
            .and_then(|index| self.store.offsets(&p.topic, index).map(|offsets| (index, offsets)))
        else {
            result.error = code::UNKNOWN_TOPIC_OR_PARTITION;
            return result;
        };
        if p.leader_epoch > 0 {
            result.error = code::UNKNOWN_LEADER_EPOCH;
            return result;
        }
        result.high_watermark = offsets.high_watermark;
        result.log_start_offset = offsets.start;
        if p.offset < offsets.start || p.offset > offsets.end {
            result.error = code::OFFSET_OUT_OF_RANGE;
            return result;
        }
        let limit = room.min(p.max_bytes.max(0) as usize);
        if p.offset >= offsets.high_watermark || (room == 0 && !is_first) {
            return result;
        }
        match self.store.read_views(&p.topic, index, p.offset, limit, &mut result.records) {
            // The store always gives one batch; only the first partition with data may go beyond the room for it.
            Ok(n) if n > limit && !is_first => result.records.clear(),
            Ok(_) => {}
            Err(e) => {
                result.records.clear();
                result.error = store_error(&e).code;
            }
        }
        result
    }

    /// Notes what the session is told, and leaves out of an incremental answer what it knows already.
    fn tell_session(&mut self, fetch: &Fetch, results: &mut Vec<Fetched>) {
        let connection = self.connections.get_mut(&fetch.ticket.connection);
        let Some(session) = connection.and_then(|c| c.session.as_mut()).filter(|s| s.id == fetch.session)
        else {
            return;
        };
        let mut news = HashMap::new();
        for (i, r) in results.iter().enumerate() {
            news.insert((r.topic.as_str(), r.index), i);
        }
        let mut keep = vec![!fetch.is_incremental; results.len()];
        let mut has_data = Vec::new();
        for (place, p) in session.partitions.iter_mut().enumerate() {
            let Some(&i) = news.get(&(p.request.topic.as_str(), p.request.index)) else { continue };
            let r = &results[i];
            let now = (r.high_watermark, r.log_start_offset);
            keep[i] |= r.error != code::NONE || !r.records.is_empty() || now != p.told;
            p.told = if r.error == code::NONE { now } else { (-1, -1) };
            if !r.records.is_empty() {
                has_data.push(place);
            }
        }
        // Those that gave bytes go to the back, so that a full answer does not starve the others.
        for (moved, place) in has_data.into_iter().enumerate() {
            let p = session.partitions.remove(place - moved);
            session.partitions.push(p);
        }
        let mut keep = keep.into_iter();
        results.retain(|_| keep.next().unwrap_or(true));
    }

    /// Tries the fetches that wait for this partition again.
    pub(super) fn wake_fetches(&mut self, topic: &str, index: u32) {
        let seen = self.store.offsets(topic, index).map_or(0, |o| o.high_watermark);
        let Some(partition) = self.partition(topic, index as i32) else { return };
        partition.seen = seen;
        for id in partition.fetches.clone() {
            let Some(fetch) = self.fetches.0.remove(&id) else { continue };
            let (deadline, noted) = (fetch.deadline, names(&fetch));
            match self.try_fetch(fetch, false) {
                Some(fetch) => {
                    self.fetches.0.insert(id, fetch);
                }
                None => {
                    self.deadlines.remove(&(deadline, Deadline::Fetch(id)));
                    self.unnote(id, &noted);
                }
            }
        }
    }

    fn unnote(&mut self, id: u64, noted: &[(String, i32)]) {
        for (topic, index) in noted {
            if let Some(partition) = self.partition(topic, *index) {
                partition.fetches.retain(|&waiting| waiting != id);
            }
        }
    }

    /// The time of a fetch is over: it gets what there is.
    pub(super) fn fetch_deadline(&mut self, id: u64) {
        if let Some(fetch) = self.fetches.0.remove(&id) {
            self.unnote(id, &names(&fetch));
            self.try_fetch(fetch, true);
        }
    }

    pub(super) fn forget_fetches(&mut self, connection: ConnectionId) {
        let gone: Vec<u64> = self
            .fetches
            .0
            .iter()
            .filter(|(_, f)| f.ticket.connection == connection)
            .map(|(id, _)| *id)
            .collect();
        for id in gone {
            if let Some(fetch) = self.fetches.0.remove(&id) {
                self.deadlines.remove(&(fetch.deadline, Deadline::Fetch(id)));
                self.unnote(id, &names(&fetch));
            }
        }
    }

    /// Looks where others have appended or the disk has caught up.
    pub(super) fn look_at_store(&mut self) {
        self.wake_produces();
        let mut moved = Vec::new();
        if !self.fetches.is_empty() {
            for (name, topic) in &self.topics {
                for (index, partition) in topic.partitions.iter().enumerate() {
                    if !partition.fetches.is_empty()
                        && self
                            .store
                            .offsets(name, index as u32)
                            .is_some_and(|o| o.high_watermark != partition.seen)
                    {
                        moved.push((name.clone(), index as u32));
                    }
                }
            }
        }
        for (name, index) in moved {
            self.wake_fetches(&name, index);
        }
    }

    /// A topic is gone: those who wait for it are told.
    pub(super) fn end_fetches(&mut self, waiting: Vec<u64>) {
        for id in waiting {
            if let Some(fetch) = self.fetches.0.get(&id) {
                self.deadlines.remove(&(fetch.deadline, Deadline::Fetch(id)));
                self.fetch_deadline(id);
            }
        }
    }
}

fn names(fetch: &Fetch) -> Vec<(String, i32)> {
    fetch.partitions.iter().map(|p| (p.topic.clone(), p.index)).collect()
}

impl Session {
    fn update(&mut self, changed: Vec<FetchPartition>, forgotten: &[(String, i32)]) {
        if changed.is_empty() && forgotten.is_empty() {
            return;
        }
        let mut places: HashMap<(String, i32), usize> = HashMap::new();
        for (i, p) in self.partitions.iter().enumerate() {
            places.insert((p.request.topic.clone(), p.request.index), i);
        }
        for request in changed {
            match places.get(&(request.topic.clone(), request.index)) {
                Some(&i) => self.partitions[i].request = request,
                None => {
                    places.insert((request.topic.clone(), request.index), self.partitions.len());
                    self.partitions.push(SessionPartition { request, told: (-1, -1) });
                }
            }
        }
        if !forgotten.is_empty() {
            let gone: std::collections::HashSet<(&str, i32)> =
                forgotten.iter().map(|(t, i)| (t.as_str(), *i)).collect();
            self.partitions.retain(|p| !gone.contains(&(p.request.topic.as_str(), p.request.index)));
        }
    }
}
