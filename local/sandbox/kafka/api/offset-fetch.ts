import { type Api, type ApiContext, defineApi } from "../api.ts";
import { ERROR } from "../error-codes.ts";
import { type PartitionItem, readNullablePartitions, writePartitions } from "./topic-partitions.ts";

interface Request {
  readonly groupId: string;
  /** Null for every partition in which the group has a position (v2+). */
  readonly inputs: readonly PartitionItem<object>[] | null;
}

type Output = PartitionItem<{
  readonly offset: number;
  readonly metadata: string;
  readonly errorCode: number;
}>;

interface Answer {
  readonly outputs: readonly Output[];
  readonly errorCode: number;
}

const NO_OFFSET = -1;
const NO_EPOCH = -1;

/**
 * OffsetFetch v1-5. Request: group_id string, [topic string, [partition int32]].
 * Response: throttle_time_ms int32 (v3+), [topic string, [partition int32, offset int64, leader_epoch int32 (v5), metadata string, error_code int16]],
 *   error_code int16 (v2+).
 */
export const offsetFetch: Api = defineApi<Request, Answer>({
  key: 9,
  name: "OffsetFetch",
  minVersion: 1,
  maxVersion: 5,
  decode: (reader) => ({
    groupId: reader.string(),
    inputs: readNullablePartitions(reader, () => ({})),
  }),
  targets: ({ groupId, inputs }) =>
    inputs === null || inputs.length === 0
      ? [{ group: groupId }]
      : inputs.map(({ topic, partition }) => ({ topic, partition, group: groupId })),
  apply({ groupId, inputs }, context) {
    const wanted = inputs ?? context.state.groups.positions(groupId);
    return {
      outputs: wanted.map(({ topic, partition }) => find(groupId, { topic, partition }, context)),
      errorCode: context.faults.refusal({ group: groupId })?.errorCode ?? ERROR.none,
    };
  },
  encode(writer, { outputs, errorCode }, { version, throttleTimeMs }) {
    if (version >= 3) writer.int32(throttleTimeMs);
    writePartitions(writer, outputs, (entry, output) => {
      entry.int64(output.offset);
      if (version >= 5) entry.int32(NO_EPOCH);
      entry.string(output.metadata).int16(output.errorCode);
    });
    if (version >= 2) writer.int16(errorCode);
  },
});

function find(
  groupId: string,
  at: { readonly topic: string; readonly partition: number },
  { state, faults }: ApiContext,
): Output {
  const refusal = faults.refusal({ ...at, group: groupId });
  const position = state.groups.committed(groupId, at.topic, at.partition);
  if (refusal !== undefined) {
    return { ...at, offset: NO_OFFSET, metadata: "", errorCode: refusal.errorCode };
  }
  const { offset, metadata } = position ?? { offset: NO_OFFSET, metadata: "" };
  return { ...at, offset, metadata, errorCode: ERROR.none };
}
