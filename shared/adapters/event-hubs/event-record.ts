import type { ReceivedEventData } from "@azure/event-hubs";
import type { KafkaHeader, KafkaRecord } from "../../model/kafka-record.ts";

type RawMessage = ReturnType<ReceivedEventData["getRawAmqpMessage"]>;

/** AMQP properties that the Kafka endpoint of Event Hubs shows as headers, under these names and as text. The SDK has no user-id. */
const SHOWN_AS_HEADERS = [
  ["message-id", "messageId"],
  ["to", "to"],
  ["reply-to", "replyTo"],
  ["content-type", "contentType"],
  ["content-encoding", "contentEncoding"],
  ["creation-time", "creationTime"],
] as const;

/** The key of an event that a Kafka producer sent. */
const KAFKA_KEY = "x-opt-kafka-key";
const encoder = new TextEncoder();

/** The record that an event is: offset = sequence number, timestamp = enqueued time. Total over what may be in an event. */
export function recordOf(
  event: ReceivedEventData,
  from: Pick<KafkaRecord, "topic" | "partition">,
): KafkaRecord {
  const raw = event.getRawAmqpMessage();
  return {
    ...from,
    offset: BigInt(event.sequenceNumber),
    timestamp: event.enqueuedTimeUtc?.getTime() ?? -1,
    key: bytesOf(raw.messageAnnotations?.[KAFKA_KEY] ?? event.partitionKey),
    value: bytesOf(event.body),
    headers: headersOf(raw),
  };
}

function headersOf({ properties, applicationProperties }: RawMessage): KafkaHeader[] {
  const headers: KafkaHeader[] = [];
  for (const [name, property] of SHOWN_AS_HEADERS) {
    const value: unknown = properties?.[property];
    if (value === undefined || value === null) continue;
    const isTime = property === "creationTime" && typeof value === "number";
    headers.push([name, bytesOf(isTime ? new Date(value) : value)]);
  }
  for (const [name, value] of Object.entries(applicationProperties ?? {})) {
    headers.push([name, bytesOf(value)]);
  }
  return headers;
}

/** Bytes as they are, all else as text: as docs/mapping.md writes the types of AMQP, lists and maps as JSON. */
function bytesOf(value: unknown): Uint8Array | null {
  if (value === null || value === undefined) return null;
  if (value instanceof Uint8Array) return value;
  return encoder.encode(textOf(value));
}

function textOf(value: unknown): string {
  if (value instanceof Date) {
    return Number.isNaN(value.getTime()) ? String(Number.NaN) : value.toISOString();
  }
  return typeof value === "object" ? (JSON.stringify(value) ?? "") : String(value);
}
