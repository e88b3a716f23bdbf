import type { KafkaHeader, KafkaRecord } from "../model/kafka-record.ts";
import { bytesFromBase64 } from "./trigger-base64.ts";
import { fieldsOf, type TriggerBatch, triggerBatch } from "./trigger-batch.ts";
import { integerFromTrigger } from "./trigger-integer.ts";
import { type DecodeProblem, kindOf } from "./trigger-problem.ts";
import { timeFromTrigger } from "./trigger-time.ts";

export interface DecodedBatch {
  readonly records: readonly KafkaRecord[];
  readonly problems: readonly DecodeProblem[];
}

const LISTS = [
  "topicArray",
  "partitionArray",
  "offsetArray",
  "timestampArray",
  "keyArray",
  "headersArray",
];
const text = new TextEncoder();

/**
 * The records of one invocation of a kafkaTrigger with cardinality MANY, dataType binary and keyDataType binary. Total: what cannot
 * be read is a problem. The trigger hands a tombstone over as empty bytes, so a value is never `null` here: towards MQTT both are a
 * zero-length payload (S-23). `topic` is the one that the function was registered for: the worker parses topic names as JSON ("1e3"
 * arrives as 1000), so the name in the metadata is only used without it.
 */
export function recordsFromKafkaTrigger(
  payload: unknown,
  triggerMetadata: unknown,
  topic?: string,
): DecodedBatch {
  const batch = triggerBatch(payload, triggerMetadata, LISTS);
  const records: KafkaRecord[] = [];
  for (let i = 0; i < batch.values.length; i++) {
    const record = recordAt(batch, i, topic);
    if (record !== undefined) records.push(record);
  }
  return { records, problems: batch.problems };
}

function recordAt(
  batch: TriggerBatch,
  i: number,
  topic: string | undefined,
): KafkaRecord | undefined {
  const value = batch.values[i];
  const name = topic ?? topicName(batch.at("topicArray", i));
  const partition = integerFromTrigger(batch.at("partitionArray", i));
  const offset = integerFromTrigger(batch.at("offsetArray", i));
  const lacks = (field: string, expected: string, found: unknown): undefined => {
    batch.problems.push({
      index: i,
      field: `${field}[${i}]`,
      message: `Cannot read record ${i}: expected ${expected} in "${field}", found ${kindOf(found)}`,
      severity: "error",
    });
    return undefined;
  };
  if (!(value instanceof Uint8Array)) return lacks("payload", "bytes", value);
  if (name === undefined) return lacks("topicArray", "a topic", batch.at("topicArray", i));
  if (partition === undefined) {
    return lacks("partitionArray", "an integer", batch.at("partitionArray", i));
  }
  if (offset === undefined) return lacks("offsetArray", "an integer", batch.at("offsetArray", i));
  return {
    topic: name,
    partition: Number(partition),
    offset,
    timestamp: timestampAt(batch, i),
    key: keyAt(batch, i),
    value,
    headers: headersAt(batch, i),
  };
}

function topicName(value: unknown): string | undefined {
  if (typeof value === "string") return value === "" ? undefined : value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

function warn(batch: TriggerBatch, index: number, field: string, message: string): void {
  batch.problems.push({ index, field: `${field}[${index}]`, message, severity: "warning" });
}

function timestampAt(batch: TriggerBatch, i: number): number {
  const value = batch.at("timestampArray", i);
  const time = timeFromTrigger(value);
  if (time === undefined && value !== undefined && value !== null) {
    warn(batch, i, "timestampArray", `Cannot read the time of record ${i}: expected ISO 8601`);
  }
  return time ?? -1;
}

function keyAt(batch: TriggerBatch, i: number): Uint8Array | null {
  const value = batch.at("keyArray", i);
  if (value === null || value === undefined) return null;
  const key = bytesOf(value);
  if (key.exact) return key.bytes;
  warn(batch, i, "keyArray", `Cannot read the key of record ${i} as Base64: taken as text`);
  return key.bytes;
}

/** What should be Base64 and is not is taken as text: better than to lose it. */
function bytesOf(value: unknown): { readonly bytes: Uint8Array; readonly exact: boolean } {
  const decoded = typeof value === "string" ? bytesFromBase64(value) : undefined;
  if (decoded !== undefined) return { bytes: decoded, exact: true };
  const words = typeof value === "object" ? JSON.stringify(value) : String(value);
  return { bytes: text.encode(words), exact: false };
}

function headersAt(batch: TriggerBatch, i: number): KafkaHeader[] {
  const list = batch.at("headersArray", i);
  if (!Array.isArray(list)) {
    if (list !== undefined && list !== null) {
      warn(batch, i, "headersArray", `Cannot read the headers of record ${i}: expected a list`);
    }
    return [];
  }
  const headers: KafkaHeader[] = [];
  for (const entry of list as readonly unknown[]) {
    const { key: name, value } = fieldsOf(entry);
    if (typeof name !== "string") {
      warn(batch, i, "headersArray", `Cannot read a header of record ${i}: it has no name`);
      continue;
    }
    if (value === null || value === undefined) {
      headers.push([name, null]);
      continue;
    }
    const { bytes, exact } = bytesOf(value);
    if (!exact) {
      warn(
        batch,
        i,
        "headersArray",
        `Cannot read a header of record ${i} as Base64: taken as text`,
      );
    }
    headers.push([name, bytes]);
  }
  return headers;
}
