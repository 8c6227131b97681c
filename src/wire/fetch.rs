//! The Fetch request and its response: ours, because the batches go out as they lie in the log.
//!
//! A response is a list of parts: small buffers that we write, and views of the log between them.
//! Versions 4 to 12. Sources: `FetchRequest.json`, `FetchResponse.json`, KIP-74 (max bytes), KIP-227 (sessions).

use bytes::Bytes;

use super::codec::{Malformed, Reader, Wire, Writer};

/// What a consumer asks for.
#[derive(Debug)]
pub(crate) struct FetchRequest {
    pub(crate) max_wait_ms: i32,
    pub(crate) min_bytes: i32,
    pub(crate) max_bytes: i32,
    pub(crate) session_id: i32,
    pub(crate) session_epoch: i32,
    pub(crate) partitions: Vec<FetchPartition>,
    pub(crate) forgotten: Vec<(String, i32)>,
}

/// One partition of it.
#[derive(Clone, Debug)]
pub(crate) struct FetchPartition {
    pub(crate) topic: String,
    pub(crate) index: i32,
    pub(crate) leader_epoch: i32,
    pub(crate) offset: i64,
    pub(crate) max_bytes: i32,
}

impl FetchRequest {
    /// Reads the request.
    pub(crate) fn read(r: &mut Reader) -> Result<Self, Malformed> {
        i32::read(r)?; // replica id
        let max_wait_ms = i32::read(r)?;
        let min_bytes = i32::read(r)?;
        let max_bytes = i32::read(r)?;
        i8::read(r)?; // isolation level: without transactions both levels are one
        let (session_id, session_epoch) =
            if r.version >= 7 { (i32::read(r)?, i32::read(r)?) } else { (0, -1) };
        let mut partitions = Vec::new();
        for _ in 0..r.count()?.ok_or(Malformed::Null)? {
            let topic = String::read(r)?;
            for _ in 0..r.count()?.ok_or(Malformed::Null)? {
                let index = i32::read(r)?;
                let leader_epoch = if r.version >= 9 { i32::read(r)? } else { -1 };
                let offset = i64::read(r)?;
                if r.version >= 12 {
                    i32::read(r)?; // last fetched epoch
                }
                if r.version >= 5 {
                    i64::read(r)?; // a follower's start
                }
                let max_bytes = i32::read(r)?;
                r.tags()?;
                partitions.push(FetchPartition {
                    topic: topic.clone(),
                    index,
                    leader_epoch,
                    offset,
                    max_bytes,
                });
            }
            r.tags()?;
        }
        let mut forgotten = Vec::new();
        if r.version >= 7 {
            for _ in 0..r.count()?.ok_or(Malformed::Null)? {
                let topic = String::read(r)?;
                let indexes = Vec::<i32>::read(r)?;
                forgotten.extend(indexes.into_iter().map(|i| (topic.clone(), i)));
                r.tags()?;
            }
        }
        if r.version >= 11 {
            String::read(r)?; // rack
        }
        r.tags()?;
        Ok(Self { max_wait_ms, min_bytes, max_bytes, session_id, session_epoch, partitions, forgotten })
    }
}

/// What one partition gives.
#[derive(Debug, Default)]
pub(crate) struct Fetched {
    pub(crate) topic: String,
    pub(crate) index: i32,
    pub(crate) error: i16,
    pub(crate) high_watermark: i64,
    pub(crate) log_start_offset: i64,
    pub(crate) records: Vec<Bytes>,
}

impl Fetched {
    pub(crate) fn bytes(&self) -> usize {
        self.records.iter().map(Bytes::len).sum()
    }
}

/// Writes the response behind what `w` holds; returns the parts in order.
pub(crate) fn write_response(
    mut w: Writer,
    error: i16,
    session_id: i32,
    partitions: Vec<Fetched>,
) -> Vec<Bytes> {
    let (version, is_flexible) = (w.version, w.is_flexible);
    let mut parts = Vec::new();
    0i32.write(&mut w);
    if version >= 7 {
        error.write(&mut w);
        session_id.write(&mut w);
    }
    // Neighbours of the same topic share its name.
    let starts = |i: usize| i == 0 || partitions[i].topic != partitions[i - 1].topic;
    w.length(Some((0..partitions.len()).filter(|&i| starts(i)).count()), 4);
    let run = |from: usize| 1 + (from + 1..partitions.len()).take_while(|&i| !starts(i)).count();
    for (i, p) in partitions.iter().enumerate() {
        if starts(i) {
            if i > 0 {
                w.tags();
            }
            p.topic.write(&mut w);
            w.length(Some(run(i)), 4);
        }
        p.index.write(&mut w);
        p.error.write(&mut w);
        p.high_watermark.write(&mut w);
        p.high_watermark.write(&mut w); // last stable offset
        if version >= 5 {
            p.log_start_offset.write(&mut w);
        }
        w.length(Some(0), 4); // aborted transactions
        if version >= 11 {
            (-1i32).write(&mut w); // preferred read replica
        }
        w.length(Some(p.bytes()), 4);
        for records in &p.records {
            // A small piece is cheaper copied than sent as a part of its own.
            if records.len() <= 1024 {
                w.out.extend_from_slice(records);
            } else {
                parts.push(std::mem::take(&mut w.out).into());
                parts.push(records.clone());
            }
        }
        w.tags();
    }
    if !partitions.is_empty() {
        w.tags();
    }
    if is_flexible {
        w.out.push(0);
    }
    parts.push(w.out.into());
    parts
}
