import { type Api, type ApiContext, defineApi } from "../api.ts";
import { ERROR } from "../error-codes.ts";

type Answer = readonly { readonly name: string; readonly errorCode: number }[];

/**
 * DeleteTopics v0-3. Request: [name string], timeout_ms int32.
 * Response: throttle_time_ms int32 (v1+), [name string, error_code int16].
 */
export const deleteTopics: Api = defineApi<readonly string[], Answer>({
  key: 20,
  name: "DeleteTopics",
  minVersion: 0,
  maxVersion: 3,
  decode(reader) {
    const names = reader.array((item) => item.string());
    reader.int32();
    return names;
  },
  targets: (names) => names.map((topic) => ({ topic })),
  apply: (names, context) => names.map((name) => ({ name, errorCode: remove(name, context) })),
  encode(writer, answer, { version, throttleTimeMs }) {
    if (version >= 1) writer.int32(throttleTimeMs);
    writer.array(answer, (_, { name, errorCode }) => writer.string(name).int16(errorCode));
  },
});

function remove(topic: string, { state, faults }: ApiContext): number {
  const refusal = faults.refusal({ topic });
  if (refusal !== undefined) return refusal.errorCode;
  const errorCode = state.topics.delete(topic);
  if (errorCode === ERROR.none) state.groups.topicDeleted(topic);
  return errorCode;
}
