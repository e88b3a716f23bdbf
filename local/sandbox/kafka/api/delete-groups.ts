import { type Api, defineApi } from "../api.ts";

type Answer = readonly { readonly groupId: string; readonly errorCode: number }[];

/** DeleteGroups v0-1. Request: [group_id string]. Response: throttle_time_ms int32, [group_id string, error_code int16]. */
export const deleteGroups: Api = defineApi<readonly string[], Answer>({
  key: 42,
  name: "DeleteGroups",
  minVersion: 0,
  maxVersion: 1,
  decode: (reader) => reader.array((item) => item.string()),
  targets: (ids) => ids.map((group) => ({ group })),
  apply: (ids, { faults, state }) =>
    ids.map((groupId) => ({
      groupId,
      errorCode: faults.refusal({ group: groupId })?.errorCode ?? state.groups.delete(groupId),
    })),
  encode(writer, answer, { throttleTimeMs }) {
    writer.int32(throttleTimeMs);
    writer.array(answer, (_, { groupId, errorCode }) => writer.string(groupId).int16(errorCode));
  },
});
