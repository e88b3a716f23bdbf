import { type Api, defineApi } from "../api.ts";
import { ERROR } from "../error-codes.ts";
import type { MemberCredentials } from "../group-types.ts";
import { readCredentials } from "./member-credentials.ts";

/**
 * Heartbeat v0-3. Request: group_id string, generation_id int32, member_id string, group_instance_id string (v3).
 * Response: throttle_time_ms int32 (v1+), error_code int16.
 */
export const heartbeat: Api = defineApi<MemberCredentials, number>({
  key: 12,
  name: "Heartbeat",
  minVersion: 0,
  maxVersion: 3,
  decode: (reader, version) => readCredentials(reader, version >= 3),
  targets: ({ groupId }) => [{ group: groupId }],
  apply: (who, { faults, state }) =>
    faults.refusal({ group: who.groupId })?.errorCode ??
    state.groups.find(who.groupId)?.heartbeat(who) ??
    ERROR.unknownMemberId,
  encode(writer, errorCode, { version, throttleTimeMs }) {
    if (version >= 1) writer.int32(throttleTimeMs);
    writer.int16(errorCode);
  },
});
