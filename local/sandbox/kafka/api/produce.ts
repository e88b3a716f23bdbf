import { type Api, type ApiContext, defineApi } from "../api.ts";
import { MalformedRequest } from "../byte-reader.ts";
import { ERROR } from "../error-codes.ts";
import { readRecordBatch } from "../record-batch.ts";
import {
  type PartitionItem,
  partitionTargets,
  readPartitions,
  writePartitions,
} from "./topic-partitions.ts";

type Input = PartitionItem<{ readonly batch: Buffer }>;

interface Request {
  readonly acks: number;
  readonly inputs: readonly Input[];
}

type Output = PartitionItem<{
  readonly errorCode: number;
  readonly baseOffset: number;
  readonly logStartOffset: number;
}>;

const NO_OFFSET = -1;
const CREATE_TIME = -1;
const ALL_REPLICAS = -1;

/**
 * Produce v3-7. Request: transactional_id string, acks int16, timeout_ms int32, [topic string, [partition int32, records bytes]].
 * Response: [topic string, [partition int32, error_code int16, base_offset int64, log_append_time int64, log_start_offset int64 (v5+)]],
 *   throttle_time_ms int32. With acks 0 there is none: then an error closes the connection.
 * Versions 0-2 carry older record formats, which are refused: they are named only because librdkafka looks for them.
 */
export const produce: Api = defineApi<Request, readonly Output[]>({
  key: 0,
  name: "Produce",
  minVersion: 3,
  maxVersion: 7,
  decode(reader) {
    reader.nullableString();
    const acks = reader.int16();
    reader.int32();
    const inputs = readPartitions(reader, (item) => ({
      batch: item.nullableBytes() ?? Buffer.alloc(0),
    }));
    return { acks, inputs };
  },
  targets: ({ inputs }) => partitionTargets(inputs),
  apply({ acks, inputs }, context) {
    const isKnown = acks === 0 || acks === 1 || acks === ALL_REPLICAS;
    const outputs = inputs.map((input) =>
      isKnown ? append(input, context) : failed(input, ERROR.invalidRequiredAcks),
    );
    if (acks !== 0) return outputs;
    const problem = outputs.find(({ errorCode }) => errorCode !== ERROR.none);
    if (problem !== undefined) {
      throw new MalformedRequest(`records without acks are refused: error ${problem.errorCode}`);
    }
    return undefined;
  },
  encode(writer, outputs, { version, throttleTimeMs }) {
    writePartitions(writer, outputs, (entry, output) => {
      entry.int16(output.errorCode).int64(output.baseOffset).int64(CREATE_TIME);
      if (version >= 5) entry.int64(output.logStartOffset);
    });
    writer.int32(throttleTimeMs);
  },
});

function append(input: Input, context: ApiContext): Output {
  const { topic: name, partition } = input;
  const refusal = context.faults.refusal({ topic: name, partition });
  if (refusal !== undefined && !refusal.applied) return failed(input, refusal.errorCode);
  const topic = context.state.topics.get(name);
  const log = topic?.partitions[partition];
  if (topic === undefined || log === undefined) {
    return failed(input, ERROR.unknownTopicOrPartition);
  }
  const batch = readRecordBatch(input.batch, topic.maxMessageBytes);
  if ("errorCode" in batch) return failed(input, batch.errorCode);
  const result = log.append(batch);
  if ("errorCode" in result) return failed(input, result.errorCode);
  if (refusal !== undefined) return failed(input, refusal.errorCode);
  return {
    topic: name,
    partition,
    errorCode: ERROR.none,
    baseOffset: result.offset,
    logStartOffset: log.startOffset,
  };
}

function failed({ topic, partition }: Input, errorCode: number): Output {
  return { topic, partition, errorCode, baseOffset: NO_OFFSET, logStartOffset: NO_OFFSET };
}
