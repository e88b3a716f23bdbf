import { type Api, defineApi } from "../api.ts";
import { ERROR } from "../error-codes.ts";

interface Leaver {
  readonly memberId: string;
  readonly instanceId: string | null;
}

interface Request {
  readonly groupId: string;
  readonly leavers: readonly Leaver[];
}

interface Answer {
  readonly errorCode: number;
  readonly leavers: readonly (Leaver & { readonly errorCode: number })[];
}

/**
 * LeaveGroup v0-3. Request: group_id string, then member_id string (v0-2) or [member_id string, group_instance_id string] (v3).
 * Response: throttle_time_ms int32 (v1+), error_code int16, [member_id string, group_instance_id string, error_code int16] (v3).
 */
export const leaveGroup: Api = defineApi<Request, Answer>({
  key: 13,
  name: "LeaveGroup",
  minVersion: 0,
  maxVersion: 3,
  decode: (reader, version) => ({
    groupId: reader.string(),
    leavers:
      version >= 3
        ? reader.array((item) => ({ memberId: item.string(), instanceId: item.nullableString() }))
        : [{ memberId: reader.string(), instanceId: null }],
  }),
  targets: ({ groupId }) => [{ group: groupId }],
  apply({ groupId, leavers }, { apiVersion, faults, state }) {
    const refusal = faults.refusal({ group: groupId });
    if (refusal !== undefined) return { errorCode: refusal.errorCode, leavers: [] };
    const group = state.groups.find(groupId);
    const answers = leavers.map((leaver) => ({
      ...leaver,
      errorCode: group?.leave(leaver.memberId, leaver.instanceId) ?? ERROR.unknownMemberId,
    }));
    // the older versions have one error code for one member
    const errorCode = apiVersion >= 3 ? ERROR.none : (answers[0]?.errorCode ?? ERROR.none);
    return { errorCode, leavers: answers };
  },
  encode(writer, answer, { version, throttleTimeMs }) {
    if (version >= 1) writer.int32(throttleTimeMs);
    writer.int16(answer.errorCode);
    if (version < 3) return;
    writer.array(answer.leavers, (_, { memberId, instanceId, errorCode }) => {
      writer.string(memberId).string(instanceId).int16(errorCode);
    });
  },
});
