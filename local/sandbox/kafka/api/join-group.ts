import { type Api, defineApi } from "../api.ts";
import type { ByteReader } from "../byte-reader.ts";
import { ERROR } from "../error-codes.ts";
import {
  type GroupProtocol,
  type JoinAnswer,
  type JoinRequest,
  joinRefusal,
} from "../group-types.ts";

const LONGEST_SESSION_MS = 1_800_000;
/** From this version on, a new member first gets its id and comes back with it, so that lost answers leave no ghosts. */
const MEMBER_ID_REQUIRED_FROM = 4;

/**
 * JoinGroup v0-5. Request: group_id string, session_timeout_ms int32, rebalance_timeout_ms int32 (v1+), member_id string,
 *   group_instance_id string (v5), protocol_type string, [name string, metadata bytes].
 * Response: throttle_time_ms int32 (v2+), error_code int16, generation_id int32, protocol_name string, leader string, member_id string,
 *   [member_id string, group_instance_id string (v5), metadata bytes].
 */
export const joinGroup: Api = defineApi<JoinRequest, JoinAnswer>({
  key: 11,
  name: "JoinGroup",
  minVersion: 0,
  maxVersion: 5,
  decode(reader, version) {
    const groupId = reader.string();
    const sessionTimeoutMs = reader.int32();
    return {
      groupId,
      sessionTimeoutMs,
      rebalanceTimeoutMs: version >= 1 ? reader.int32() : sessionTimeoutMs,
      memberId: reader.string(),
      instanceId: version >= 5 ? reader.nullableString() : null,
      protocolType: reader.string(),
      protocols: reader.array(readProtocol),
    };
  },
  targets: ({ groupId }) => [{ group: groupId }],
  apply(request, { apiVersion, clientId, clientHost, faults, state }) {
    const refuse = (errorCode: number): JoinAnswer => joinRefusal(errorCode, request.memberId);
    const refusal = faults.refusal({ group: request.groupId });
    if (refusal !== undefined) return refuse(refusal.errorCode);
    if (request.groupId === "") return refuse(ERROR.invalidGroupId);
    const isLegalSession =
      request.sessionTimeoutMs >= state.settings.minSessionTimeoutMs &&
      request.sessionTimeoutMs <= LONGEST_SESSION_MS;
    if (!isLegalSession) return refuse(ERROR.invalidSessionTimeout);
    const canRetryWithMemberId = apiVersion >= MEMBER_ID_REQUIRED_FROM;
    const group = state.groups.obtain(request.groupId);
    return group.join(request, { clientId, clientHost, canRetryWithMemberId });
  },
  encode(writer, answer, { version, throttleTimeMs }) {
    if (version >= 2) writer.int32(throttleTimeMs);
    writer.int16(answer.errorCode).int32(answer.generationId).string(answer.protocolName);
    writer.string(answer.leaderId).string(answer.memberId);
    writer.array(answer.members, (_, { memberId, instanceId, metadata }) => {
      writer.string(memberId);
      if (version >= 5) writer.string(instanceId);
      writer.bytes(metadata);
    });
  },
});

/** Copied: the metadata lives as long as the member. */
function readProtocol(reader: ByteReader): GroupProtocol {
  return { name: reader.string(), metadata: Buffer.from(reader.bytes()) };
}
