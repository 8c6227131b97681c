//! A consumer group with the classic protocol: members, generation, and the rebalance that moves from one to the next.
//!
//! ```text
//!           first member joins        all joined, or time over          leader's assignment
//!   Empty ─────────────────────→ Preparing ───────────────→ Completing ──────────────────→ Stable
//!     ↑    last member leaves        ↑   ↑                      │                             │
//!     └──────────────────────────────┘   └──────────────────────┴── a member joins, leaves, ──┘
//!                                                                   or is not heard of
//! ```
//!
//! The group itself answers nobody: what is to be said comes back as [`Answer`]s, so that its rules can be read and
//! tested alone. Times are monotonic milliseconds. Sources: Kafka's `ClassicGroup` and `GroupMetadataManager`, KIP-62,
//! KIP-345 (static members), KIP-394 (member ids), KIP-429 (cooperative), KIP-559, KIP-814 (a static leader comes back).

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;

use super::code;
use super::connection::Ticket;

/// Where a group stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Empty,
    Preparing,
    Completing,
    Stable,
}

impl State {
    /// Kafka's word.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::Preparing => "PreparingRebalance",
            Self::Completing => "CompletingRebalance",
            Self::Stable => "Stable",
        }
    }
}

#[derive(Debug)]
pub(super) struct Member {
    pub(super) instance: Option<String>,
    pub(super) client_id: String,
    pub(super) host: String,
    pub(super) session_timeout_ms: u64,
    pub(super) rebalance_timeout_ms: u64,
    /// Names and metadata, best first.
    pub(super) protocols: Vec<(String, Bytes)>,
    pub(super) assignment: Bytes,
    /// Waits for the end of the rebalance.
    pub(super) joining: Option<Ticket>,
    /// Waits for the leader's assignment.
    pub(super) syncing: Option<Ticket>,
    /// Not heard of until then: gone.
    pub(super) expires: u64,
    /// Order of joining: the leader is the oldest.
    pub(super) joined: u64,
}

impl Member {
    pub(super) fn metadata(&self, protocol: Option<&str>) -> Bytes {
        let found = self.protocols.iter().find(|(name, _)| Some(name.as_str()) == protocol);
        found.map_or_else(Bytes::new, |(_, metadata)| metadata.clone())
    }
}

/// One partition's committed offset.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Committed {
    pub(super) offset: i64,
    pub(super) leader_epoch: i32,
    pub(super) metadata: String,
    pub(super) commit_ms: i64,
}

/// What a member is to be told.
#[derive(Debug)]
pub(super) enum Answer {
    /// The rebalance is over (or was, for a member that asks again).
    Joined { ticket: Ticket, member: String, skip_assignment: bool },
    /// It failed.
    JoinFailed { ticket: Ticket, member: String, error: i16 },
    /// The member's part, or an error.
    Synced { ticket: Ticket, error: i16, assignment: Bytes },
}

#[derive(Debug)]
pub(super) struct Group {
    pub(super) state: State,
    pub(super) generation: i32,
    pub(super) protocol_type: Option<String>,
    pub(super) protocol: Option<String>,
    pub(super) leader: Option<String>,
    pub(super) members: BTreeMap<String, Member>,
    /// Instance id → member id.
    pub(super) statics: HashMap<String, String>,
    /// Ids given out (KIP-394) that have not been used yet, with the time after which they are worth nothing.
    pub(super) pending: HashMap<String, u64>,
    pub(super) offsets: BTreeMap<(String, i32), Committed>,
    /// When the rebalance is over, whoever is missing.
    pub(super) rebalance_deadline: Option<u64>,
    /// The first rebalance of an empty group waits its whole time for more members.
    pub(super) is_initial: bool,
    /// Members that have not synced by then are gone.
    pub(super) sync_deadline: Option<u64>,
    /// A deadline for this group is noted with the broker.
    pub(super) scheduled: Option<u64>,
    /// Since when nobody is in it (wall ms).
    pub(super) empty_since_ms: i64,
    joins: u64,
}

impl Group {
    pub(super) fn new(now_wall_ms: i64) -> Self {
        Self {
            state: State::Empty,
            generation: 0,
            protocol_type: None,
            protocol: None,
            leader: None,
            members: BTreeMap::new(),
            statics: HashMap::new(),
            pending: HashMap::new(),
            offsets: BTreeMap::new(),
            rebalance_deadline: None,
            is_initial: false,
            sync_deadline: None,
            scheduled: None,
            empty_since_ms: now_wall_ms,
            joins: 0,
        }
    }

    /// Nothing is in it that somebody could miss.
    pub(super) fn is_forgotten(&self) -> bool {
        self.members.is_empty() && self.pending.is_empty() && self.offsets.is_empty()
    }

    /// The members would all understand one of these.
    pub(super) fn supports(&self, protocol_type: &str, protocols: &[(String, Bytes)]) -> bool {
        if self.members.is_empty() {
            return !protocol_type.is_empty() && !protocols.is_empty();
        }
        self.protocol_type.as_deref() == Some(protocol_type)
            && protocols.iter().any(|(name, _)| {
                self.members.values().all(|m| m.protocols.iter().any(|(known, _)| known == name))
            })
    }

    pub(super) fn add(&mut self, id: &str, mut member: Member, protocol_type: String) {
        if self.members.is_empty() {
            self.protocol_type = Some(protocol_type);
        }
        self.joins += 1;
        member.joined = self.joins;
        if let Some(instance) = &member.instance {
            self.statics.insert(instance.clone(), id.to_owned());
        }
        self.pending.remove(id);
        self.members.insert(id.to_owned(), member);
        if self.leader.is_none() {
            self.leader = Some(id.to_owned());
        }
    }

    /// Takes a member out; those of its requests that wait are answered with `error`.
    pub(super) fn remove(&mut self, id: &str, error: i16, out: &mut Vec<Answer>) {
        let Some(member) = self.members.remove(id) else { return };
        if let Some(instance) = &member.instance
            && self.statics.get(instance).is_some_and(|current| current == id)
        {
            self.statics.remove(instance);
        }
        self.answer_removed(id, member, error, out);
        if self.leader.as_deref() == Some(id) {
            self.leader = self.oldest(|_| true);
        }
    }

    fn answer_removed(&self, id: &str, member: Member, error: i16, out: &mut Vec<Answer>) {
        if let Some(ticket) = member.joining {
            out.push(Answer::JoinFailed { ticket, member: id.to_owned(), error });
        }
        if let Some(ticket) = member.syncing {
            out.push(Answer::Synced { ticket, error, assignment: Bytes::new() });
        }
    }

    /// A static member comes back under a new id: it takes its old place, and the old id is fenced.
    pub(super) fn replace(&mut self, old: &str, new: &str, out: &mut Vec<Answer>) {
        let Some(mut member) = self.members.remove(old) else { return };
        let (joining, syncing) = (member.joining.take(), member.syncing.take());
        if let Some(ticket) = joining {
            out.push(Answer::JoinFailed { ticket, member: old.to_owned(), error: code::FENCED_INSTANCE_ID });
        }
        if let Some(ticket) = syncing {
            out.push(Answer::Synced { ticket, error: code::FENCED_INSTANCE_ID, assignment: Bytes::new() });
        }
        if let Some(instance) = &member.instance {
            self.statics.insert(instance.clone(), new.to_owned());
        }
        if self.leader.as_deref() == Some(old) {
            self.leader = Some(new.to_owned());
        }
        self.members.insert(new.to_owned(), member);
    }

    fn oldest(&self, is_fit: impl Fn(&Member) -> bool) -> Option<String> {
        self.members.iter().filter(|(_, m)| is_fit(m)).min_by_key(|(_, m)| m.joined).map(|(id, _)| id.clone())
    }

    /// Begins a rebalance: everybody has to join again.
    pub(super) fn rebalance(&mut self, now: u64, initial_delay_ms: u64, out: &mut Vec<Answer>) {
        if self.state == State::Preparing {
            return self.try_complete(now, out);
        }
        if self.state == State::Completing {
            for member in self.members.values_mut() {
                member.assignment = Bytes::new();
                if let Some(ticket) = member.syncing.take() {
                    let error = code::REBALANCE_IN_PROGRESS;
                    out.push(Answer::Synced { ticket, error, assignment: Bytes::new() });
                }
            }
        }
        self.is_initial = self.state == State::Empty && initial_delay_ms > 0;
        self.state = State::Preparing;
        self.sync_deadline = None;
        let longest = self.members.values().map(|m| m.rebalance_timeout_ms).max().unwrap_or(0);
        self.rebalance_deadline = Some(now + if self.is_initial { initial_delay_ms } else { longest });
        self.try_complete(now, out);
    }

    /// Ends the rebalance when everybody has joined.
    pub(super) fn try_complete(&mut self, now: u64, out: &mut Vec<Answer>) {
        let is_whole = self.pending.is_empty() && self.members.values().all(|m| m.joining.is_some());
        if self.state == State::Preparing && is_whole && !self.is_initial {
            self.complete(now, out);
        }
    }

    /// Ends the rebalance with those who have joined; dynamic members who have not are out.
    fn complete(&mut self, now: u64, out: &mut Vec<Answer>) {
        let late: Vec<String> = self
            .members
            .iter()
            .filter(|(_, m)| m.joining.is_none() && m.instance.is_none())
            .map(|(id, _)| id.clone())
            .collect();
        for id in late {
            self.remove(&id, code::UNKNOWN_MEMBER_ID, out);
        }
        self.is_initial = false;
        self.rebalance_deadline = None;
        self.generation = self.generation.wrapping_add(1).max(1);
        if self.members.is_empty() {
            self.state = State::Empty;
            self.protocol = None;
            self.leader = None;
            return;
        }
        let leads =
            self.leader.as_ref().and_then(|id| self.members.get(id)).is_some_and(|m| m.joining.is_some());
        if !leads && let Some(id) = self.oldest(|m| m.joining.is_some()) {
            self.leader = Some(id);
        }
        self.protocol = self.vote();
        self.state = State::Completing;
        let longest = self.members.values().map(|m| m.rebalance_timeout_ms).max().unwrap_or(0);
        self.sync_deadline = Some(now + longest);
        for (id, member) in &mut self.members {
            member.expires = now + member.session_timeout_ms;
            member.assignment = Bytes::new();
            if let Some(ticket) = member.joining.take() {
                out.push(Answer::Joined { ticket, member: id.clone(), skip_assignment: false });
            }
        }
    }

    /// Each member votes for its best protocol among those that all support.
    pub(super) fn vote(&self) -> Option<String> {
        let is_common =
            |name: &str| self.members.values().all(|m| m.protocols.iter().any(|(n, _)| n == name));
        let mut votes: HashMap<&str, usize> = HashMap::new();
        for member in self.members.values() {
            if let Some((name, _)) = member.protocols.iter().find(|(name, _)| is_common(name)) {
                *votes.entry(name).or_default() += 1;
            }
        }
        // Equal votes: the first by name, so that a replay decides alike.
        votes
            .into_iter()
            .max_by_key(|(name, n)| (*n, std::cmp::Reverse(*name)))
            .map(|(name, _)| name.to_owned())
    }

    /// The leader has assigned: everybody who waits gets its part.
    pub(super) fn assign(&mut self, assignments: Vec<(String, Bytes)>, now: u64, out: &mut Vec<Answer>) {
        for (id, assignment) in assignments {
            if let Some(member) = self.members.get_mut(&id) {
                member.assignment = assignment;
            }
        }
        self.state = State::Stable;
        self.sync_deadline = None;
        for member in self.members.values_mut() {
            if let Some(ticket) = member.syncing.take() {
                member.expires = now + member.session_timeout_ms;
                let assignment = member.assignment.clone();
                out.push(Answer::Synced { ticket, error: code::NONE, assignment });
            }
        }
    }

    /// A member has left or is not heard of: the others share anew.
    pub(super) fn after_removal(&mut self, now: u64, wall_ms: i64, out: &mut Vec<Answer>) {
        match self.state {
            State::Stable | State::Completing => self.rebalance(now, 0, out),
            State::Preparing => self.try_complete(now, out),
            State::Empty => {}
        }
        if self.members.is_empty() {
            self.empty_since_ms = wall_ms;
        }
    }

    /// Does what is due.
    pub(super) fn turn(&mut self, now: u64, wall_ms: i64, out: &mut Vec<Answer>) {
        let pending = self.pending.len();
        self.pending.retain(|_, until| *until > now);
        // A member that waits for an answer of ours is alive.
        let silent = |m: &Member| m.expires <= now && m.joining.is_none() && m.syncing.is_none();
        let mut gone: Vec<String> =
            self.members.iter().filter(|(_, m)| silent(m)).map(|(id, _)| id.clone()).collect();
        if self.sync_deadline.is_some_and(|at| at <= now) && self.state == State::Completing {
            // The leader, or those without whom its assignment is not asked for, did not come.
            let unsynced = self.members.iter().filter(|(_, m)| m.syncing.is_none());
            gone.extend(unsynced.map(|(id, _)| id.clone()));
            self.sync_deadline = None;
        }
        if !gone.is_empty() {
            for id in gone {
                self.remove(&id, code::UNKNOWN_MEMBER_ID, out);
            }
            self.after_removal(now, wall_ms, out);
        } else if pending != self.pending.len() {
            self.try_complete(now, out);
        }
        if self.state == State::Preparing && self.rebalance_deadline.is_some_and(|at| at <= now) {
            if self.members.values().any(|m| m.joining.is_some())
                || self.members.values().all(|m| m.instance.is_none())
            {
                self.complete(now, out);
                if self.members.is_empty() {
                    self.empty_since_ms = wall_ms;
                }
            } else {
                // Only static members, none of them here: wait once more (their sessions end it).
                self.is_initial = false;
                let longest = self.members.values().map(|m| m.rebalance_timeout_ms).max().unwrap_or(0);
                self.rebalance_deadline = Some(now + longest.max(1));
            }
        }
    }

    /// When [`Group::turn`] is needed next.
    pub(super) fn next_deadline(&self) -> Option<u64> {
        let waits = |m: &&Member| m.joining.is_none() && m.syncing.is_none();
        let sessions = self.members.values().filter(waits).map(|m| m.expires);
        let pending = self.pending.values().copied();
        sessions.chain(pending).chain(self.rebalance_deadline).chain(self.sync_deadline).min()
    }
}
