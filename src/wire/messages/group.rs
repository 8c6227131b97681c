//! Messages of consumer groups with the classic protocol (KIP-62, KIP-345 static members, KIP-394 member ids,
//! KIP-429 cooperative assignment).

use bytes::Bytes;

use super::NO_OPERATIONS;
use crate::wire::message::messages;

messages! {
    /// Versions 2 to 9.
    struct JoinGroupRequest {
        /// The group identifier.
        group_id: String = 0;
        /// The coordinator considers the consumer dead if it receives no heartbeat after this …
        session_timeout_ms: i32 = 0;
        /// The maximum time in milliseconds that the coordinator will wait for each member to …
        rebalance_timeout_ms: i32 = 0 else -1;
        /// The member id assigned by the group coordinator.
        member_id: String = 0;
        /// The unique identifier of the consumer instance provided by end user.
        group_instance_id: Option<String> = 5;
        /// The unique name the for class of protocols implemented by the group we want to join.
        protocol_type: String = 0;
        /// The list of protocols that the member supports.
        protocols: Vec<JoinGroupRequestProtocol> = 0;
        /// The reason why the member (re-)joins the group.
        reason: Option<String> = 8;
    }

    struct JoinGroupRequestProtocol {
        /// The protocol name.
        name: String = 0;
        /// The protocol metadata.
        metadata: Bytes = 0;
    }

    /// Versions 2 to 9.
    struct JoinGroupResponse {
        /// Always 0: there are no quotas.
        throttle_time_ms: i32 = 0;
        /// The error code, or 0 if there was no error.
        error_code: i16 = 0;
        /// The generation ID of the group.
        generation_id: i32 = 0 else -1;
        /// The group protocol name.
        protocol_type: Option<String> = 7;
        /// The group protocol selected by the coordinator.
        protocol_name: Option<String> = 0;
        /// The leader of the group.
        leader: String = 0;
        /// True if the leader must skip running the assignment.
        skip_assignment: bool = 9;
        /// The member ID assigned by the group coordinator.
        member_id: String = 0;
        /// The group members.
        members: Vec<JoinGroupResponseMember> = 0;
    }

    struct JoinGroupResponseMember {
        /// The group member ID.
        member_id: String = 0;
        /// The unique identifier of the consumer instance provided by end user.
        group_instance_id: Option<String> = 5;
        /// The group member metadata.
        metadata: Bytes = 0;
    }

    /// Versions 0 to 5.
    struct SyncGroupRequest {
        /// The unique group identifier.
        group_id: String = 0;
        /// The generation of the group.
        generation_id: i32 = 0;
        /// The member ID assigned by the group.
        member_id: String = 0;
        /// The unique identifier of the consumer instance provided by end user.
        group_instance_id: Option<String> = 3;
        /// The group protocol type.
        protocol_type: Option<String> = 5;
        /// The group protocol name.
        protocol_name: Option<String> = 5;
        /// Each assignment.
        assignments: Vec<SyncGroupRequestAssignment> = 0;
    }

    struct SyncGroupRequestAssignment {
        /// The ID of the member to assign.
        member_id: String = 0;
        /// The member assignment.
        assignment: Bytes = 0;
    }

    /// Versions 0 to 5.
    struct SyncGroupResponse {
        /// Always 0: there are no quotas.
        throttle_time_ms: i32 = 1;
        /// The error code, or 0 if there was no error.
        error_code: i16 = 0;
        /// The group protocol type.
        protocol_type: Option<String> = 5;
        /// The group protocol name.
        protocol_name: Option<String> = 5;
        /// The member assignment.
        assignment: Bytes = 0;
    }

    /// Versions 0 to 4.
    struct HeartbeatRequest {
        /// The group id.
        group_id: String = 0;
        /// The generation of the group.
        generation_id: i32 = 0;
        /// The member ID.
        member_id: String = 0;
        /// The unique identifier of the consumer instance provided by end user.
        group_instance_id: Option<String> = 3;
    }

    /// Versions 0 to 4.
    struct HeartbeatResponse {
        /// Always 0: there are no quotas.
        throttle_time_ms: i32 = 1;
        /// The error code, or 0 if there was no error.
        error_code: i16 = 0;
    }

    /// Versions 0 to 5.
    struct LeaveGroupRequest {
        /// The ID of the group to leave.
        group_id: String = 0;
        /// The member ID to remove from the group.
        member_id: String = 0 to 2;
        /// List of leaving member identities.
        members: Vec<MemberIdentity> = 3;
    }

    struct MemberIdentity {
        /// The member ID to remove from the group.
        member_id: String = 3;
        /// The group instance ID to remove from the group.
        group_instance_id: Option<String> = 3;
        /// The reason why the member left the group.
        reason: Option<String> = 5;
    }

    /// Versions 0 to 5.
    struct LeaveGroupResponse {
        /// Always 0: there are no quotas.
        throttle_time_ms: i32 = 1;
        /// The error code, or 0 if there was no error.
        error_code: i16 = 0;
        /// List of leaving member responses.
        members: Vec<MemberResponse> = 3;
    }

    struct MemberResponse {
        /// The member ID to remove from the group.
        member_id: String = 3;
        /// The group instance ID to remove from the group.
        group_instance_id: Option<String> = 3;
        /// The error code, or 0 if there was no error.
        error_code: i16 = 3;
    }

    /// Versions 0 to 5.
    struct ListGroupsRequest {
        /// The states of the groups we want to list.
        states_filter: Vec<String> = 4;
        /// The types of the groups we want to list.
        types_filter: Vec<String> = 5;
    }

    /// Versions 0 to 5.
    struct ListGroupsResponse {
        /// Always 0: there are no quotas.
        throttle_time_ms: i32 = 1;
        /// The error code, or 0 if there was no error.
        error_code: i16 = 0;
        /// Each group in the response.
        groups: Vec<ListedGroup> = 0;
    }

    struct ListedGroup {
        /// The group ID.
        group_id: String = 0;
        /// The group protocol type.
        protocol_type: String = 0;
        /// The group state name.
        group_state: String = 4;
        /// The group type name.
        group_type: String = 5;
    }

    /// Versions 0 to 6.
    struct DescribeGroupsRequest {
        /// The names of the groups to describe.
        groups: Vec<String> = 0;
        /// Whether to include authorized operations.
        include_authorized_operations: bool = 3;
    }

    /// Versions 0 to 6.
    struct DescribeGroupsResponse {
        /// Always 0: there are no quotas.
        throttle_time_ms: i32 = 1;
        /// Each described group.
        groups: Vec<DescribedGroup> = 0;
    }

    struct DescribedGroup {
        /// The describe error, or 0 if there was no error.
        error_code: i16 = 0;
        /// The describe error message, or null if there was no error.
        error_message: Option<String> = 6;
        /// The group ID string.
        group_id: String = 0;
        /// The group state string, or the empty string.
        group_state: String = 0;
        /// The group protocol type, or the empty string.
        protocol_type: String = 0;
        /// The group protocol data, or the empty string.
        protocol_data: String = 0;
        /// The group members.
        members: Vec<DescribedGroupMember> = 0;
        /// 32-bit bitfield to represent authorized operations for this group.
        authorized_operations: i32 = 3 else NO_OPERATIONS;
    }

    struct DescribedGroupMember {
        /// The member id.
        member_id: String = 0;
        /// The unique identifier of the consumer instance provided by end user.
        group_instance_id: Option<String> = 4;
        /// The client ID used in the member's latest join group request.
        client_id: String = 0;
        /// The client host.
        client_host: String = 0;
        /// The metadata corresponding to the current group protocol in use.
        member_metadata: Bytes = 0;
        /// The current assignment provided by the group leader.
        member_assignment: Bytes = 0;
    }

    /// Versions 0 to 2.
    struct DeleteGroupsRequest {
        /// The group names to delete.
        groups_names: Vec<String> = 0;
    }

    /// Versions 0 to 2.
    struct DeleteGroupsResponse {
        /// Always 0: there are no quotas.
        throttle_time_ms: i32 = 0;
        /// The deletion results.
        results: Vec<DeletableGroupResult> = 0;
    }

    struct DeletableGroupResult {
        /// The group id.
        group_id: String = 0;
        /// The deletion error, or 0 if the deletion succeeded.
        error_code: i16 = 0;
    }
}
