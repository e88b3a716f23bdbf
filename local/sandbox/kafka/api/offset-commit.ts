import { type Api, type ApiContext, defineApi } from "../api.ts";
import { ERROR } from "../error-codes.ts";
import type { MemberCredentials } from "../group-types.ts";
import { readCredentials } from "./member-credentials.ts";
import {
  type PartitionItem,
  partitionTargets,
  readPartitions,
  writePartitions,
} from "./topic-partitions.ts";

type Input = PartitionItem<{ readonly offset: number; readonly metadata: string }>;
type Output = PartitionItem<{ readonly errorCode: number }>;

interface Request {
  readonly who: MemberCredentials;
  readonly inputs: readonly Input[];
}

const LONGEST_METADATA = 4096;

/**
 * OffsetCommit v2-7. Request: group_id string, generation_id int32, member_id string, group_instance_id string (v7), retention_time_ms int64 (v2-4),
 *   [topic string, [partition int32, offset int64, leader_epoch int32 (v6+), metadata string]].
 * Response: throttle_time_ms int32 (v3+), [topic string, [partition int32, error_code int16]].
 */
export const offsetCommit: Api = defineApi<Request, readonly Output[]>({
  key: 8,
  name: "OffsetCommit",
  minVersion: 2,
  maxVersion: 7,
  decode(reader, version) {
    const who = readCredentials(reader, version >= 7);
    if (version <= 4) reader.int64();
    const inputs = readPartitions(reader, (item) => {
      const offset = item.int64();
      if (version >= 6) item.int32();
      return { offset, metadata: item.nullableString() ?? "" };
    });
    return { who, inputs };
  },
  targets: ({ who, inputs }) => partitionTargets(inputs, who.groupId),
  apply({ who, inputs }, context) {
    const problem = membershipProblem(who, context);
    return inputs.map(({ topic, partition, ...committed }) => {
      const target = { topic, partition };
      const refusal = context.faults.refusal({ ...target, group: who.groupId });
      if (refusal !== undefined && !refusal.applied) {
        return { ...target, errorCode: refusal.errorCode };
      }
      const errorCode = problem || commitProblem({ ...target, ...committed }, context);
      if (errorCode === ERROR.none) context.state.groups.commit(who.groupId, target, committed);
      return { ...target, errorCode: refusal?.errorCode ?? errorCode };
    });
  },
  encode(writer, outputs, { version, throttleTimeMs }) {
    if (version >= 3) writer.int32(throttleTimeMs);
    writePartitions(writer, outputs, (entry, { errorCode }) => entry.int16(errorCode));
  },
});

function membershipProblem(who: MemberCredentials, { state }: ApiContext): number {
  if (who.groupId === "") return ERROR.invalidGroupId;
  const group = state.groups.find(who.groupId);
  if (group !== undefined) return group.mayCommit(who);
  return who.generationId < 0 ? ERROR.none : ERROR.illegalGeneration;
}

function commitProblem({ topic, partition, metadata }: Input, { state }: ApiContext): number {
  if (state.topics.partition(topic, partition) === undefined) return ERROR.unknownTopicOrPartition;
  return metadata.length > LONGEST_METADATA ? ERROR.offsetMetadataTooLarge : ERROR.none;
}
