import { type Api, type ApiContext, defineApi } from "../api.ts";
import { ERROR } from "../error-codes.ts";
import {
  type PartitionItem,
  partitionTargets,
  readPartitions,
  writePartitions,
} from "./topic-partitions.ts";

type Input = PartitionItem<{ readonly offset: number }>;
type Output = PartitionItem<{ readonly lowWatermark: number; readonly errorCode: number }>;

/** Asks for everything up to the end. */
const ALL = -1;

/**
 * DeleteRecords v0-1. Request: [topic string, [partition int32, offset int64]], timeout_ms int32.
 * Response: throttle_time_ms int32, [topic string, [partition int32, low_watermark int64, error_code int16]].
 */
export const deleteRecords: Api = defineApi<readonly Input[], readonly Output[]>({
  key: 21,
  name: "DeleteRecords",
  minVersion: 0,
  maxVersion: 1,
  decode(reader) {
    const inputs = readPartitions(reader, (item) => ({ offset: item.int64() }));
    reader.int32();
    return inputs;
  },
  targets: (inputs) => partitionTargets(inputs),
  apply: (inputs, context) => inputs.map((input) => truncate(input, context)),
  encode(writer, outputs, { throttleTimeMs }) {
    writer.int32(throttleTimeMs);
    writePartitions(writer, outputs, (entry, { lowWatermark, errorCode }) => {
      entry.int64(lowWatermark).int16(errorCode);
    });
  },
});

function truncate({ topic, partition, offset }: Input, { state, faults }: ApiContext): Output {
  const failed = (errorCode: number): Output => ({ topic, partition, lowWatermark: -1, errorCode });
  const refusal = faults.refusal({ topic, partition });
  if (refusal !== undefined) return failed(refusal.errorCode);
  const log = state.topics.partition(topic, partition);
  if (log === undefined) return failed(ERROR.unknownTopicOrPartition);
  const until = offset === ALL ? log.endOffset : offset;
  if (until < 0 || until > log.endOffset) return failed(ERROR.offsetOutOfRange);
  log.deleteBefore(until);
  return { topic, partition, lowWatermark: log.startOffset, errorCode: ERROR.none };
}
