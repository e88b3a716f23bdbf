import type { KafkaHeader, KafkaRecord } from "../model/kafka-record.ts";
import {
  CONTENT_TYPE,
  CORRELATION_DATA,
  MESSAGE_EXPIRY_INTERVAL,
  MQTT_TOPIC,
  PAYLOAD_FORMAT_INDICATOR,
  RESPONSE_TOPIC,
} from "./header-names.ts";
import type { DecodedBatch } from "./kafka-trigger.ts";
import { bytesFromBase64 } from "./trigger-base64.ts";
import { type Fields, fieldsOf, type TriggerBatch, triggerBatch } from "./trigger-batch.ts";
import { integerFromTrigger } from "./trigger-integer.ts";
import { kindOf } from "./trigger-problem.ts";
import { timeFromTrigger } from "./trigger-time.ts";

/** `partitionKeyArray` and `offsetArray` are not read: the host leaves empty entries out of lists of strings, so they shift. */
const LISTS = [
  "sequenceNumberArray",
  "enqueuedTimeUtcArray",
  "propertiesArray",
  "systemPropertiesArray",
];

/** AMQP properties that the Kafka endpoint of Event Hubs shows as headers, under these names and as text. */
const SHOWN_AS_HEADERS = [
  "message-id",
  "user-id",
  "to",
  "reply-to",
  "content-type",
  "content-encoding",
  "creation-time",
];

/** The worker writes the first letter of every property name small: names that S-10 and S-11 give are put right again. */
const RESTORED_NAMES: ReadonlyMap<string, string> = new Map(
  [
    PAYLOAD_FORMAT_INDICATOR,
    MESSAGE_EXPIRY_INTERVAL,
    RESPONSE_TOPIC,
    CORRELATION_DATA,
    CONTENT_TYPE,
    MQTT_TOPIC,
  ].map((name) => [name.charAt(0).toLowerCase() + name.slice(1), name]),
);

/** A Kafka producer's key as Event Hubs hands it to AMQP consumers; its presence says that the event came from a Kafka producer. */
const KAFKA_KEY = "x-opt-kafka-key";
const text = new TextEncoder();

/**
 * The events of one invocation of an eventHubTrigger with cardinality many and dataType binary, as records: topic = event hub,
 * offset = sequence number, timestamp = enqueued time. Total: what cannot be read is a problem. `eventHub` is the one that the
 * function was registered for; without it the metadata's is used.
 */
export function recordsFromEventHubsTrigger(
  payload: unknown,
  triggerMetadata: unknown,
  eventHub?: string,
): DecodedBatch {
  const batch = triggerBatch(payload, triggerMetadata, LISTS);
  const context = fieldsOf(batch.metadata["partitionContext"]);
  const topic = eventHub ?? context["eventHubName"];
  const partition = integerFromTrigger(context["partitionId"]);
  if (typeof topic !== "string" || topic === "" || partition === undefined) {
    batch.problems.push({
      field: "partitionContext",
      message: `Cannot read the batch: expected eventHubName and partitionId in "partitionContext", found ${Object.keys(context).join(", ") || "neither"}`,
      severity: "error",
    });
    return { records: [], problems: batch.problems };
  }
  const records: KafkaRecord[] = [];
  for (let i = 0; i < batch.values.length; i++) {
    const record = recordAt(batch, i, { topic, partition: Number(partition) });
    if (record !== undefined) records.push(record);
  }
  return { records, problems: batch.problems };
}

function recordAt(
  batch: TriggerBatch,
  i: number,
  from: Pick<KafkaRecord, "topic" | "partition">,
): KafkaRecord | undefined {
  const value = batch.values[i];
  const system = fieldsOf(batch.at("systemPropertiesArray", i));
  const offset =
    integerFromTrigger(batch.at("sequenceNumberArray", i)) ??
    integerFromTrigger(system["sequenceNumber"]);
  const lacks = (field: string, expected: string, found: unknown): undefined => {
    batch.problems.push({
      index: i,
      field: `${field}[${i}]`,
      message: `Cannot read event ${i}: expected ${expected} in "${field}", found ${kindOf(found)}`,
      severity: "error",
    });
    return undefined;
  };
  if (!(value instanceof Uint8Array)) return lacks("payload", "bytes", value);
  if (offset === undefined) {
    return lacks("sequenceNumberArray", "an integer", batch.at("sequenceNumberArray", i));
  }
  const timestamp =
    timeFromTrigger(system["enqueuedTimeUtc"]) ??
    timeFromTrigger(batch.at("enqueuedTimeUtcArray", i)) ??
    -1;
  const properties = fieldsOf(batch.at("propertiesArray", i));
  const headers = headersOf(system, properties);
  return { ...from, offset, timestamp, key: keyOf(system), value, headers };
}

function keyOf(system: Fields): Uint8Array | null {
  const kafkaKey = system[KAFKA_KEY];
  if (typeof kafkaKey === "string") return bytesFromBase64(kafkaKey) ?? text.encode(kafkaKey);
  const key = system["partitionKey"] ?? system["x-opt-partition-key"];
  if (key === null || key === undefined) return null;
  return text.encode(textOf(key));
}

function headersOf(system: Fields, properties: Fields): KafkaHeader[] {
  const headers: KafkaHeader[] = [];
  for (const name of SHOWN_AS_HEADERS) {
    const value = system[name];
    if (value !== undefined && value !== null) headers.push([name, text.encode(textOf(value))]);
  }
  const fromKafka = system[KAFKA_KEY] !== undefined;
  for (const [name, value] of Object.entries(properties)) {
    headers.push([RESTORED_NAMES.get(name) ?? name, headerValue(value, fromKafka)]);
  }
  return headers;
}

/** Header values of Kafka producers are bytes, which the host writes as Base64; those of AMQP producers are typed values. */
function headerValue(value: unknown, fromKafka: boolean): Uint8Array | null {
  if (value === null || value === undefined) return null;
  if (fromKafka && typeof value === "string") {
    return bytesFromBase64(value) ?? text.encode(value);
  }
  return text.encode(textOf(value));
}

/** The text form of an AMQP value that arrived as JSON. */
function textOf(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
