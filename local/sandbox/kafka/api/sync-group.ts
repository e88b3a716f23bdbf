import { type Api, defineApi } from "../api.ts";
import { ERROR } from "../error-codes.ts";
import { type MemberCredentials, type SyncAnswer, syncRefusal } from "../group-types.ts";
import { readCredentials } from "./member-credentials.ts";

interface Request {
  readonly who: MemberCredentials;
  /** From the leader; empty from others. */
  readonly assignments: ReadonlyMap<string, Buffer>;
}

/**
 * SyncGroup v0-3. Request: group_id string, generation_id int32, member_id string, group_instance_id string (v3), [member_id string, assignment bytes].
 * Response: throttle_time_ms int32 (v1+), error_code int16, assignment bytes.
 */
export const syncGroup: Api = defineApi<Request, SyncAnswer>({
  key: 14,
  name: "SyncGroup",
  minVersion: 0,
  maxVersion: 3,
  decode: (reader, version) => ({
    who: readCredentials(reader, version >= 3),
    assignments: new Map(reader.array((item) => [item.string(), item.bytes()] as [string, Buffer])),
  }),
  targets: ({ who }) => [{ group: who.groupId }],
  apply({ who, assignments }, { faults, state }) {
    const refusal = faults.refusal({ group: who.groupId });
    if (refusal !== undefined) return syncRefusal(refusal.errorCode);
    const group = state.groups.find(who.groupId);
    if (group === undefined) return syncRefusal(ERROR.unknownMemberId);
    return group.sync(who, assignments);
  },
  encode(writer, { errorCode, assignment }, { version, throttleTimeMs }) {
    if (version >= 1) writer.int32(throttleTimeMs);
    writer.int16(errorCode).bytes(assignment);
  },
});
