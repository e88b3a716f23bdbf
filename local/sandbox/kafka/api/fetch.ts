import { type Api, type ApiContext, defineApi } from "../api.ts";
import { ERROR } from "../error-codes.ts";
import {
  type PartitionItem,
  partitionTargets,
  readPartitions,
  writePartitions,
} from "./topic-partitions.ts";

type Input = PartitionItem<{ readonly fetchOffset: number; readonly maxBytes: number }>;

interface Request {
  readonly maxWaitMs: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly inputs: readonly Input[];
}

type Output = PartitionItem<{
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly logStartOffset: number;
  readonly batches: readonly Uint8Array[];
}>;

interface Collected {
  readonly outputs: readonly Output[];
  readonly bytes: number;
  readonly hasError: boolean;
}

const NO_SESSION = 0;
const NO_REPLICA = -1;

/**
 * Fetch v4-11. Request: replica_id int32, max_wait_ms int32, min_bytes int32, max_bytes int32, isolation_level int8,
 *   session_id int32 (v7+), session_epoch int32 (v7+), [topic string, [partition int32, current_leader_epoch int32 (v9+),
 *   fetch_offset int64, log_start_offset int64 (v5+), partition_max_bytes int32]], [forgotten: topic string, [int32]] (v7+), rack_id string (v11).
 * Response: throttle_time_ms int32, error_code int16 (v7+), session_id int32 (v7+), [topic string, [partition int32, error_code int16,
 *   high_watermark int64, last_stable_offset int64, log_start_offset int64 (v5+), [aborted transaction], preferred_read_replica int32 (v11), records bytes]].
 * Session 0 in the answer tells the client that every request must name all of its partitions.
 */
export const fetch: Api = defineApi<Request, readonly Output[]>({
  key: 1,
  name: "Fetch",
  minVersion: 4,
  maxVersion: 11,
  decode(reader, version) {
    reader.int32();
    const maxWaitMs = reader.int32();
    const minBytes = reader.int32();
    const maxBytes = reader.int32();
    reader.int8();
    if (version >= 7) {
      reader.int32();
      reader.int32();
    }
    const inputs = readPartitions(reader, (item) => {
      if (version >= 9) item.int32();
      const fetchOffset = item.int64();
      if (version >= 5) item.int64();
      return { fetchOffset, maxBytes: item.int32() };
    });
    return { maxWaitMs, minBytes, maxBytes, inputs };
  },
  targets: ({ inputs }) => partitionTargets(inputs),
  async apply(request, context) {
    const first = collect(request, context);
    const isEnough = first.hasError || first.bytes >= request.minBytes || request.maxWaitMs <= 0;
    if (isEnough) return first.outputs;
    await untilAppended(request, request.minBytes - first.bytes, context);
    return collect(request, context).outputs;
  },
  encode(writer, outputs, { version, throttleTimeMs }) {
    writer.int32(throttleTimeMs);
    if (version >= 7) writer.int16(ERROR.none).int32(NO_SESSION);
    writePartitions(writer, outputs, (entry, output) => {
      entry.int16(output.errorCode).int64(output.highWatermark).int64(output.highWatermark);
      if (version >= 5) entry.int64(output.logStartOffset);
      entry.int32(0);
      if (version >= 11) entry.int32(NO_REPLICA);
      entry.pieces(output.batches);
    });
  },
});

/** What there is now, within the limits. The first batch of all comes whatever its size, so that large ones cannot block. */
function collect({ inputs, maxBytes }: Request, context: ApiContext): Collected {
  let bytes = 0;
  const outputs = inputs.map((input) => {
    const output = read(input, maxBytes - bytes, bytes === 0, context);
    for (const batch of output.batches) bytes += batch.length;
    return output;
  });
  return { outputs, bytes, hasError: outputs.some(({ errorCode }) => errorCode !== ERROR.none) };
}

function read(input: Input, room: number, atLeastOne: boolean, context: ApiContext): Output {
  const { topic, partition, fetchOffset } = input;
  const log = context.state.topics.partition(topic, partition);
  const refusal = context.faults.refusal({ topic, partition });
  const answer = (errorCode: number, batches: readonly Uint8Array[]): Output => ({
    topic,
    partition,
    errorCode,
    highWatermark: log?.endOffset ?? -1,
    logStartOffset: log?.startOffset ?? -1,
    batches,
  });
  if (refusal !== undefined) return answer(refusal.errorCode, []);
  if (log === undefined) return answer(ERROR.unknownTopicOrPartition, []);
  if (fetchOffset < log.startOffset || fetchOffset > log.endOffset) {
    return answer(ERROR.offsetOutOfRange, []);
  }
  return answer(ERROR.none, log.read(fetchOffset, Math.min(input.maxBytes, room), atLeastOne));
}

/** Resolves when so many more bytes have come to these partitions, when the time is up, or when nobody waits any longer. */
function untilAppended(request: Request, bytes: number, context: ApiContext): Promise<void> {
  return new Promise((resolve) => {
    let missing = bytes;
    const undo: (() => void)[] = [];
    const done = (): void => {
      for (const undoOne of undo.splice(0)) undoOne();
      resolve();
    };
    const appended = (length: number): void => {
      missing -= length;
      if (missing <= 0) done();
    };
    undo.push(context.state.clock.after(request.maxWaitMs, done), context.onAbandon(done));
    for (const { topic, partition } of request.inputs) {
      const log = context.state.topics.partition(topic, partition);
      if (log !== undefined) undo.push(log.onAppend(appended));
    }
  });
}
