//! ListGroups, DescribeGroups, DeleteGroups: groups as an operator sees them.

use super::connection::Ticket;
use super::{Broker, code};
use crate::wire::messages::group::*;

impl Broker {
    pub(super) fn list_groups(&mut self, t: Ticket, request: ListGroupsRequest) {
        let is_asked = |filter: &[String], value: &str| {
            filter.is_empty() || filter.iter().any(|wanted| wanted.eq_ignore_ascii_case(value))
        };
        let groups = self
            .groups
            .iter()
            .filter(|(_, g)| {
                is_asked(&request.states_filter, g.state.name()) && is_asked(&request.types_filter, "classic")
            })
            .map(|(name, g)| ListedGroup {
                group_id: name.clone(),
                protocol_type: g.protocol_type.clone().unwrap_or_default(),
                group_state: g.state.name().into(),
                group_type: "Classic".into(),
            })
            .collect();
        self.reply(t, &ListGroupsResponse { groups, ..ListGroupsResponse::default() });
    }

    pub(super) fn describe_groups(&mut self, t: Ticket, request: DescribeGroupsRequest) {
        let groups = request.groups.into_iter().map(|name| self.describe_group(name, t.version)).collect();
        self.reply(t, &DescribeGroupsResponse { throttle_time_ms: 0, groups });
    }

    fn describe_group(&self, group_id: String, version: i16) -> DescribedGroup {
        let Some(group) = self.groups.get(&group_id) else {
            // From version 6 on a group that is not there is an error (KIP-1043); before, a dead one.
            let is_error = version >= 6;
            return DescribedGroup {
                error_code: if is_error { code::GROUP_ID_NOT_FOUND } else { code::NONE },
                error_message: is_error.then(|| format!("Group {group_id} not found.")),
                group_id,
                group_state: "Dead".into(),
                ..DescribedGroup::default()
            };
        };
        let is_stable = group.state == super::group::State::Stable;
        let protocol = group.protocol.as_deref().filter(|_| is_stable);
        let members = group
            .members
            .iter()
            .map(|(id, m)| DescribedGroupMember {
                member_id: id.clone(),
                group_instance_id: m.instance.clone(),
                client_id: m.client_id.clone(),
                client_host: m.host.clone(),
                member_metadata: m.metadata(protocol),
                member_assignment: if is_stable { m.assignment.clone() } else { Default::default() },
            })
            .collect();
        DescribedGroup {
            group_id,
            group_state: group.state.name().into(),
            protocol_type: group.protocol_type.clone().unwrap_or_default(),
            protocol_data: protocol.unwrap_or_default().into(),
            members,
            ..DescribedGroup::default()
        }
    }

    pub(super) fn delete_groups(&mut self, t: Ticket, request: DeleteGroupsRequest) {
        let mut results = Vec::with_capacity(request.groups_names.len());
        for group_id in request.groups_names {
            let error_code = match self.groups.get(&group_id) {
                None if group_id.is_empty() => code::INVALID_GROUP_ID,
                None => code::GROUP_ID_NOT_FOUND,
                Some(group) if !group.members.is_empty() || !group.pending.is_empty() => {
                    code::NON_EMPTY_GROUP
                }
                Some(_) => self.delete_group(&group_id),
            };
            results.push(DeletableGroupResult { group_id, error_code });
        }
        self.reply(t, &DeleteGroupsResponse { throttle_time_ms: 0, results });
    }
}
