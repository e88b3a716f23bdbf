import { type Api, type ApiContext, defineApi } from "../api.ts";
import { ERROR } from "../error-codes.ts";
import type { PartitionLog } from "../partition-log.ts";
import { recordsOf } from "../stored-records.ts";
import {
  type PartitionItem,
  partitionTargets,
  readPartitions,
  writePartitions,
} from "./topic-partitions.ts";

type Input = PartitionItem<{ readonly timestamp: number }>;
type Output = PartitionItem<{
  readonly errorCode: number;
  readonly timestamp: number;
  readonly offset: number;
}>;

const LATEST = -1;
const EARLIEST = -2;
const NONE = -1;

/**
 * ListOffsets v1-3: the first offset, the next offset, or the first one of a time.
 * Request: replica_id int32, isolation_level int8 (v2+), [topic string, [partition int32, timestamp int64]].
 * Response: throttle_time_ms int32 (v2+), [topic string, [partition int32, error_code int16, timestamp int64, offset int64]].
 */
export const listOffsets: Api = defineApi<readonly Input[], readonly Output[]>({
  key: 2,
  name: "ListOffsets",
  minVersion: 1,
  maxVersion: 3,
  decode(reader, version) {
    reader.int32();
    if (version >= 2) reader.int8();
    return readPartitions(reader, (item) => ({ timestamp: item.int64() }));
  },
  targets: (inputs) => partitionTargets(inputs),
  apply: (inputs, context) => inputs.map((input) => find(input, context)),
  encode(writer, outputs, { version, throttleTimeMs }) {
    if (version >= 2) writer.int32(throttleTimeMs);
    writePartitions(writer, outputs, (entry, { errorCode, timestamp, offset }) => {
      entry.int16(errorCode).int64(timestamp).int64(offset);
    });
  },
});

function find({ topic, partition, timestamp }: Input, { state, faults }: ApiContext): Output {
  const at = { topic, partition };
  const refusal = faults.refusal(at);
  if (refusal !== undefined) {
    return { ...at, errorCode: refusal.errorCode, timestamp: NONE, offset: NONE };
  }
  const log = state.topics.partition(topic, partition);
  if (log === undefined) {
    return { ...at, errorCode: ERROR.unknownTopicOrPartition, timestamp: NONE, offset: NONE };
  }
  const found = position(log, at, timestamp);
  return { ...at, errorCode: ERROR.none, ...found };
}

function position(
  log: PartitionLog,
  at: { readonly topic: string; readonly partition: number },
  timestamp: number,
): { readonly timestamp: number; readonly offset: number } {
  if (timestamp === LATEST) return { timestamp: NONE, offset: log.endOffset };
  if (timestamp === EARLIEST) return { timestamp: NONE, offset: log.startOffset };
  const batch = log.batchSince(timestamp);
  if (batch === undefined) return { timestamp: NONE, offset: NONE };
  const baseOffset = Number(batch.readBigInt64BE(0));
  const record = recordsOf(batch, at).records.find(
    (candidate) => candidate.timestamp >= timestamp && candidate.offset >= log.startOffset,
  );
  // records that cannot be read here, by their codec: the batch's start loses nothing
  if (record === undefined) {
    return { timestamp, offset: Math.max(baseOffset, log.startOffset) };
  }
  return { timestamp: record.timestamp, offset: Number(record.offset) };
}
