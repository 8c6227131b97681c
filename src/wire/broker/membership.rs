//! JoinGroup, SyncGroup, Heartbeat, LeaveGroup: the requests by which members live in a group.

use bytes::Bytes;

use super::connection::Ticket;
use super::group::{Answer, Group, Member, State};
use super::{Broker, Deadline, code};
use crate::wire::messages::group::*;

/// Longest id of a group that is stored: it stands in the key of each of its offsets.
const MAX_GROUP_ID_BYTES: usize = 1_024;
/// Most protocols of a member, and bytes of their metadata together.
const MAX_PROTOCOLS: usize = 64;
const MAX_METADATA_BYTES: usize = 1 << 20;

impl Broker {
    /// Sends what a group has to say and notes when it is to be looked at next.
    fn settle(&mut self, name: &str, answers: Vec<Answer>) {
        for answer in answers {
            match answer {
                Answer::Joined { ticket, member, skip_assignment } => {
                    self.answer_joined(name, ticket, &member, skip_assignment);
                }
                Answer::JoinFailed { ticket, member, error } => {
                    self.answer_join_failed(ticket, member, error)
                }
                Answer::Synced { ticket, error, assignment } => {
                    self.answer_synced(name, ticket, error, assignment)
                }
            }
        }
        let Some(group) = self.groups.get_mut(name) else { return };
        if group.is_forgotten() {
            if let Some(at) = group.scheduled {
                self.deadlines.remove(&(at, Deadline::Group(name.to_owned())));
            }
            self.groups.remove(name);
            return;
        }
        // A deadline that is noted and comes too early does no harm: it is noted again then.
        if let Some(next) = group.next_deadline()
            && group.scheduled.is_none_or(|at| next < at)
        {
            if let Some(at) = group.scheduled.replace(next) {
                self.deadlines.remove(&(at, Deadline::Group(name.to_owned())));
            }
            self.deadlines.insert((next, Deadline::Group(name.to_owned())));
        }
    }

    pub(super) fn group_deadline(&mut self, name: &str) {
        let now = self.now;
        let Some(group) = self.groups.get_mut(name) else { return };
        group.scheduled = None;
        let mut answers = Vec::new();
        group.turn(now.monotonic_ms, now.wall_ms, &mut answers);
        self.settle(name, answers);
    }

    fn answer_joined(&mut self, name: &str, t: Ticket, id: &str, skip_assignment: bool) {
        let Some(group) = self.groups.get(name) else { return };
        let is_leader = group.leader.as_deref() == Some(id);
        let member = |(id, m): (&String, &Member)| JoinGroupResponseMember {
            member_id: id.clone(),
            group_instance_id: m.instance.clone(),
            metadata: m.metadata(group.protocol.as_deref()),
        };
        let response = JoinGroupResponse {
            throttle_time_ms: 0,
            error_code: code::NONE,
            generation_id: group.generation,
            protocol_type: group.protocol_type.clone(),
            protocol_name: Some(group.protocol.clone().unwrap_or_default()),
            leader: group.leader.clone().unwrap_or_default(),
            skip_assignment,
            member_id: id.to_owned(),
            members: if is_leader { group.members.iter().map(member).collect() } else { vec![] },
        };
        self.reply(t, &response);
    }

    fn answer_join_failed(&mut self, t: Ticket, member_id: String, error_code: i16) {
        // The name may be null from version 7 on.
        let protocol_name = (t.version < 7).then(String::new);
        self.reply(
            t,
            &JoinGroupResponse { error_code, member_id, protocol_name, ..JoinGroupResponse::default() },
        );
    }

    fn answer_synced(&mut self, name: &str, t: Ticket, error_code: i16, assignment: Bytes) {
        let group = self.groups.get(name).filter(|_| error_code == code::NONE);
        let response = SyncGroupResponse {
            throttle_time_ms: 0,
            error_code,
            protocol_type: group.and_then(|g| g.protocol_type.clone()),
            protocol_name: group.and_then(|g| g.protocol.clone()),
            assignment,
        };
        self.reply(t, &response);
    }

    pub(super) fn join_group(&mut self, t: Ticket, request: JoinGroupRequest) {
        let name = request.group_id.clone();
        let asked = request.member_id.clone();
        let mut answers = Vec::new();
        match self.join(t, request, &mut answers) {
            Ok(()) => self.settle(&name, answers),
            Err((member, error)) => {
                self.answer_join_failed(t, member.unwrap_or(asked), error);
                self.settle(&name, answers);
            }
        }
    }

    /// `Err`: the error, and the member id to send with it when it is not the one asked with.
    fn join(
        &mut self,
        t: Ticket,
        request: JoinGroupRequest,
        answers: &mut Vec<Answer>,
    ) -> Result<(), (Option<String>, i16)> {
        let fail = |error: i16| Err((None, error));
        let (now, wall_ms) = (self.now.monotonic_ms, self.now.wall_ms);
        let timeout = request.session_timeout_ms;
        if request.group_id.is_empty() || request.group_id.len() > MAX_GROUP_ID_BYTES {
            return fail(code::INVALID_GROUP_ID);
        }
        if timeout < self.config.min_session_timeout_ms || timeout > self.config.max_session_timeout_ms {
            return fail(code::INVALID_SESSION_TIMEOUT);
        }
        let metadata: usize = request.protocols.iter().map(|p| p.metadata.len() + p.name.len()).sum();
        if request.protocols.len() > MAX_PROTOCOLS || metadata > MAX_METADATA_BYTES {
            return fail(code::INVALID_REQUEST);
        }
        if !self.groups.contains_key(&request.group_id) {
            if !request.member_id.is_empty() {
                return fail(code::UNKNOWN_MEMBER_ID);
            }
            if self.groups.len() >= self.config.max_groups {
                return fail(code::COORDINATOR_NOT_AVAILABLE);
            }
            self.groups.insert(request.group_id.clone(), Group::new(wall_ms));
        }
        let new_id = self.new_member_id(t, request.group_instance_id.as_deref());
        let (client_id, host) = self.client(t);
        let (delay, max_members) = (self.config.initial_rebalance_delay_ms, self.config.max_group_members);
        // Copied out of the frame: views would keep all of it.
        let protocols: Vec<(String, Bytes)> =
            request.protocols.into_iter().map(|p| (p.name, Bytes::copy_from_slice(&p.metadata))).collect();
        let Some(group) = self.groups.get_mut(&request.group_id) else {
            return fail(code::COORDINATOR_NOT_AVAILABLE);
        };
        if !group.supports(&request.protocol_type, &protocols)
            && !group.members.contains_key(&request.member_id)
        {
            return fail(code::INCONSISTENT_GROUP_PROTOCOL);
        }
        let id = request.member_id;
        let is_known = group.members.contains_key(&id);
        if !is_known
            && group.members.len() + group.pending.len() >= max_members
            && !group.pending.contains_key(&id)
        {
            let comes_back =
                request.group_instance_id.as_ref().is_some_and(|i| group.statics.contains_key(i));
            if !comes_back {
                return fail(code::GROUP_MAX_SIZE_REACHED);
            }
        }
        let rebalance_timeout =
            if request.rebalance_timeout_ms < 0 { timeout } else { request.rebalance_timeout_ms } as u64;
        let fresh = |protocols| Member {
            instance: request.group_instance_id.clone(),
            client_id: client_id.clone(),
            host: host.clone(),
            session_timeout_ms: timeout as u64,
            rebalance_timeout_ms: rebalance_timeout,
            protocols,
            assignment: Bytes::new(),
            joining: Some(t),
            syncing: None,
            expires: now + timeout as u64,
            joined: 0,
        };
        if id.is_empty() {
            if let Some(instance) = &request.group_instance_id {
                if let Some(old) = group.statics.get(instance).cloned() {
                    return come_back(group, t, &old, &new_id, fresh(protocols), (now, delay), answers);
                }
            } else if t.version >= 4 {
                group.pending.insert(new_id.clone(), now + timeout as u64);
                return Err((Some(new_id), code::MEMBER_ID_REQUIRED));
            }
            group.add(&new_id, fresh(protocols), request.protocol_type);
            group.rebalance(now, delay, answers);
            return Ok(());
        }
        if let Some(instance) = &request.group_instance_id {
            match group.statics.get(instance) {
                Some(current) if *current != id => return fail(code::FENCED_INSTANCE_ID),
                None => return fail(code::UNKNOWN_MEMBER_ID),
                Some(_) => {}
            }
        }
        if group.pending.contains_key(&id) {
            group.add(&id, fresh(protocols), request.protocol_type);
            group.rebalance(now, delay, answers);
            return Ok(());
        }
        let is_leader = group.leader.as_deref() == Some(id.as_str());
        let state = group.state;
        let Some(member) = group.members.get_mut(&id) else { return fail(code::UNKNOWN_MEMBER_ID) };
        let is_same = member.protocols == protocols;
        member.expires = now + timeout as u64;
        match state {
            State::Empty => return fail(code::UNKNOWN_MEMBER_ID),
            // The answer was lost, or a follower asks without news: it hears what it has.
            State::Completing if is_same => {
                answers.push(Answer::Joined { ticket: t, member: id, skip_assignment: false });
            }
            State::Stable if is_same && !is_leader => {
                answers.push(Answer::Joined { ticket: t, member: id, skip_assignment: false });
            }
            _ => {
                member.protocols = protocols;
                member.rebalance_timeout_ms = rebalance_timeout;
                member.session_timeout_ms = timeout as u64;
                if let Some(older) = member.joining.replace(t) {
                    let error = code::UNKNOWN_MEMBER_ID;
                    answers.push(Answer::JoinFailed { ticket: older, member: id, error });
                }
                group.rebalance(now, delay, answers);
            }
        }
        Ok(())
    }

    fn new_member_id(&mut self, t: Ticket, instance: Option<&str>) -> String {
        let (high, low) = (self.random(), self.random());
        let client_id = self.connections.get(&t.connection).map_or("", |c| c.client_id.as_str());
        let name: String = instance.unwrap_or(client_id).chars().take(255).collect();
        let uuid = format!("{high:016x}{low:016x}");
        format!("{name}-{}-{}-{}-{}-{}", &uuid[..8], &uuid[8..12], &uuid[12..16], &uuid[16..20], &uuid[20..])
    }

    fn client(&self, t: Ticket) -> (String, String) {
        self.connections
            .get(&t.connection)
            .map_or_else(Default::default, |c| (c.client_id.clone(), format!("/{}", c.peer.host)))
    }

    pub(super) fn sync_group(&mut self, t: Ticket, request: SyncGroupRequest) {
        let (now, name) = (self.now.monotonic_ms, request.group_id.clone());
        let mut answers = Vec::new();
        let checked = self.check_member(
            &name,
            &request.member_id,
            request.group_instance_id.as_deref(),
            Some(request.generation_id),
        );
        let result = checked.and_then(|group| {
            let differs = |asked: &Option<String>, is: &Option<String>| asked.is_some() && asked != is;
            if differs(&request.protocol_type, &group.protocol_type)
                || differs(&request.protocol_name, &group.protocol)
            {
                return Err(code::INCONSISTENT_GROUP_PROTOCOL);
            }
            let is_leader = group.leader.as_deref() == Some(request.member_id.as_str());
            let state = group.state;
            let Some(member) = group.members.get_mut(&request.member_id) else {
                return Err(code::UNKNOWN_MEMBER_ID);
            };
            member.expires = now + member.session_timeout_ms;
            match state {
                State::Empty => Err(code::UNKNOWN_MEMBER_ID),
                State::Preparing => Err(code::REBALANCE_IN_PROGRESS),
                State::Stable => Ok(Some(member.assignment.clone())),
                State::Completing => {
                    if let Some(older) = member.syncing.replace(t) {
                        let error = code::UNKNOWN_MEMBER_ID;
                        answers.push(Answer::Synced { ticket: older, error, assignment: Bytes::new() });
                    }
                    if is_leader {
                        let copied = request.assignments.into_iter();
                        let copied =
                            copied.map(|a| (a.member_id, Bytes::copy_from_slice(&a.assignment))).collect();
                        group.assign(copied, now, &mut answers);
                    }
                    Ok(None)
                }
            }
        });
        match result {
            Ok(Some(assignment)) => answers.push(Answer::Synced { ticket: t, error: code::NONE, assignment }),
            Ok(None) => {}
            Err(error) => answers.push(Answer::Synced { ticket: t, error, assignment: Bytes::new() }),
        }
        self.settle(&name, answers);
    }

    /// The group, when this is a member of it, of this generation, under its current id.
    pub(super) fn check_member(
        &mut self,
        name: &str,
        member: &str,
        instance: Option<&str>,
        generation: Option<i32>,
    ) -> Result<&mut Group, i16> {
        if name.is_empty() {
            return Err(code::INVALID_GROUP_ID);
        }
        let group = self.groups.get_mut(name).ok_or(code::UNKNOWN_MEMBER_ID)?;
        if let Some(instance) = instance {
            match group.statics.get(instance) {
                Some(current) if current != member => return Err(code::FENCED_INSTANCE_ID),
                None => return Err(code::UNKNOWN_MEMBER_ID),
                Some(_) => {}
            }
        }
        if !group.members.contains_key(member) {
            return Err(code::UNKNOWN_MEMBER_ID);
        }
        if generation.is_some_and(|g| g != group.generation) {
            return Err(code::ILLEGAL_GENERATION);
        }
        Ok(group)
    }

    pub(super) fn heartbeat(&mut self, t: Ticket, request: HeartbeatRequest) {
        let now = self.now.monotonic_ms;
        let (member, instance) = (request.member_id, request.group_instance_id);
        let checked =
            self.check_member(&request.group_id, &member, instance.as_deref(), Some(request.generation_id));
        let error_code = match checked {
            Err(error) => error,
            Ok(group) => {
                if let Some(member) = group.members.get_mut(&member) {
                    member.expires = now + member.session_timeout_ms;
                }
                match group.state {
                    State::Empty => code::UNKNOWN_MEMBER_ID,
                    State::Preparing => code::REBALANCE_IN_PROGRESS,
                    State::Completing | State::Stable => code::NONE,
                }
            }
        };
        self.reply(t, &HeartbeatResponse { throttle_time_ms: 0, error_code });
    }

    pub(super) fn leave_group(&mut self, t: Ticket, request: LeaveGroupRequest) {
        let name = request.group_id;
        let leaving = if t.version < 3 {
            vec![MemberIdentity { member_id: request.member_id, ..MemberIdentity::default() }]
        } else {
            request.members
        };
        let mut answers = Vec::new();
        let (now, wall_ms) = (self.now.monotonic_ms, self.now.wall_ms);
        let mut members = Vec::with_capacity(leaving.len());
        let mut error_code = code::NONE;
        match self.groups.get_mut(&name) {
            None => {
                error_code = if name.is_empty() { code::INVALID_GROUP_ID } else { code::UNKNOWN_MEMBER_ID }
            }
            Some(group) => {
                for who in leaving {
                    let error = leave(group, &who, &mut answers);
                    members.push(MemberResponse {
                        member_id: who.member_id,
                        group_instance_id: who.group_instance_id,
                        error_code: error,
                    });
                }
                if members.iter().any(|m| m.error_code == code::NONE) {
                    group.after_removal(now, wall_ms, &mut answers);
                }
            }
        }
        if t.version < 3 && error_code == code::NONE {
            error_code = members.first().map_or(code::NONE, |m| m.error_code);
        }
        self.reply(t, &LeaveGroupResponse { throttle_time_ms: 0, error_code, members });
        self.settle(&name, answers);
    }
}

/// A static member is back with an empty id (it has restarted).
fn come_back(
    group: &mut Group,
    t: Ticket,
    old: &str,
    new: &str,
    fresh: Member,
    (now, delay): (u64, u64),
    answers: &mut Vec<Answer>,
) -> Result<(), (Option<String>, i16)> {
    let was_leader = group.leader.as_deref() == Some(old);
    let before = group.protocol.clone();
    group.replace(old, new, answers);
    let state = group.state;
    let Some(member) = group.members.get_mut(new) else { return Err((None, code::UNKNOWN_MEMBER_ID)) };
    let (assignment, joined) = (std::mem::take(&mut member.assignment), member.joined);
    *member = Member { assignment, joined, ..fresh };
    if state == State::Stable && group.vote() == before {
        // Nothing has changed for the others, whatever it says that it owns: no rebalance. A leader of version 9 is told not to assign again (KIP-814);
        // an older one would, so it is told that somebody else leads.
        if let Some(member) = group.members.get_mut(new) {
            member.joining = None;
        }
        if was_leader && t.version < 9 {
            group.rebalance_for(new, t, now, delay, answers);
        } else {
            answers.push(Answer::Joined { ticket: t, member: new.to_owned(), skip_assignment: was_leader });
        }
        return Ok(());
    }
    group.rebalance(now, delay, answers);
    Ok(())
}

impl Group {
    /// A rebalance in which `id` waits already.
    fn rebalance_for(&mut self, id: &str, t: Ticket, now: u64, delay: u64, answers: &mut Vec<Answer>) {
        if let Some(member) = self.members.get_mut(id) {
            member.joining = Some(t);
        }
        self.rebalance(now, delay, answers);
    }
}

/// Takes one member out, named by its id or by its instance.
fn leave(group: &mut Group, who: &MemberIdentity, answers: &mut Vec<Answer>) -> i16 {
    let id = match &who.group_instance_id {
        Some(instance) => match group.statics.get(instance) {
            None => return code::UNKNOWN_MEMBER_ID,
            Some(current) if !who.member_id.is_empty() && *current != who.member_id => {
                return code::FENCED_INSTANCE_ID;
            }
            Some(current) => current.clone(),
        },
        None => who.member_id.clone(),
    };
    if group.pending.remove(&id).is_some() {
        return code::NONE;
    }
    if !group.members.contains_key(&id) {
        return code::UNKNOWN_MEMBER_ID;
    }
    group.remove(&id, code::UNKNOWN_MEMBER_ID, answers);
    code::NONE
}
