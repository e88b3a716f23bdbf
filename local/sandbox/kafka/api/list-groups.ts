import { type Api, defineApi } from "../api.ts";
import { ERROR } from "../error-codes.ts";

interface Answer {
  readonly errorCode: number;
  readonly groups: readonly { readonly id: string; readonly protocolType: string }[];
}

/** ListGroups v0-2. Request: nothing. Response: throttle_time_ms int32 (v1+), error_code int16, [group_id string, protocol_type string]. */
export const listGroups: Api = defineApi<null, Answer>({
  key: 16,
  name: "ListGroups",
  minVersion: 0,
  maxVersion: 2,
  decode: () => null,
  apply: (_request, { faults, state }) => ({
    errorCode: faults.refusal({})?.errorCode ?? ERROR.none,
    groups: state.groups.all(),
  }),
  encode(writer, { errorCode, groups }, { version, throttleTimeMs }) {
    if (version >= 1) writer.int32(throttleTimeMs);
    writer.int16(errorCode);
    writer.array(groups, (_, { id, protocolType }) => writer.string(id).string(protocolType));
  },
});
