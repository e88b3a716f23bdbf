/** Records as the Kafka trigger hands them over. */
import type { KafkaRecord } from "../shared/model/kafka-record.ts";
import { recordsFromKafkaTrigger } from "../shared/translate/kafka-trigger.ts";
import { encodeRecordBatch } from "../shared/wire/kafka-record-encoder.ts";
import { invocation, type RecordedInvocation } from "../test/support/invocation.ts";
import { headersOf, payload } from "./messages.ts";

const HEADERS = 3;
const EPOCH = Date.UTC(2026, 0, 1);

/** One invocation as the worker makes it, and the records that it holds. */
export interface TriggerBatch {
  readonly payload: readonly Buffer[];
  readonly context: RecordedInvocation;
  readonly records: readonly KafkaRecord[];
  /** The same records as Kafka itself sends them: one record batch. */
  readonly recordBatch: Uint8Array;
}

/** So many invocations with so many numbered records each, all of partition 0 of one topic. */
export function triggerBatches(
  topic: string,
  { invocations, batch, size }: { invocations: number; batch: number; size: number },
): TriggerBatch[] {
  return Array.from({ length: invocations }, (_, index) => {
    const numbers = Array.from({ length: batch }, (_, i) => index * batch + i);
    return triggerBatch(topic, numbers, size);
  });
}

/** In the shape of a kafkaTrigger with cardinality MANY, dataType binary and keyDataType binary. */
function triggerBatch(topic: string, numbers: readonly number[], size: number): TriggerBatch {
  const values = numbers.map((number) => payload(number, size));
  const metadata = {
    topicArray: numbers.map(() => topic),
    partitionArray: numbers.map(() => 0),
    offsetArray: numbers,
    timestampArray: numbers.map((number) => new Date(EPOCH + number).toISOString()),
    keyArray: numbers.map(() => null),
    headersArray: numbers.map((number) =>
      headersOf(number, HEADERS).map(([key, value]) => ({
        key,
        value: Buffer.from(value).toString("base64"),
      })),
    ),
  };
  const { records } = recordsFromKafkaTrigger(values, metadata, topic);
  const recordBatch = encodeRecordBatch(records, { now: EPOCH, codec: 0 });
  return { payload: values, context: invocation(metadata), records, recordBatch };
}
