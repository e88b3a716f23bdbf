import type { KafkaHeader, KafkaRecord, OutgoingRecord } from "../model/kafka-record.ts";
import type { Publish } from "../model/publish.ts";
import { rfc3339 } from "./rfc3339.ts";

/** What is known of a message that can never be delivered, besides the message. */
export interface DeadLetterReason {
  /** A RejectionCode or an ErrorCode. */
  readonly code: string;
  readonly reason: string;
  readonly route: string;
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
  /** How often this message was dead-lettered before, plus one. */
  readonly attempt: number;
}

/** All headers of ours on a dead letter begin so; a replay takes them off again. */
export const DEAD_LETTER_PREFIX = "isthmus-";

const text = new TextEncoder();

function header(name: string, value: string): KafkaHeader {
  return [`${DEAD_LETTER_PREFIX}${name}`, text.encode(value)];
}

function reasonHeaders(why: DeadLetterReason): KafkaHeader[] {
  return [
    header("reason-code", why.code),
    header("reason", why.reason),
    header("route", why.route),
    header("time", rfc3339(why.time) ?? String(why.time)),
    header("attempt", String(why.attempt)),
  ];
}

/** The dead letter of a record: its own bytes and headers, then where it stood and why it is here (S-54). */
export function deadLetterOfRecord(
  record: KafkaRecord,
  topic: string,
  why: DeadLetterReason,
): OutgoingRecord {
  return {
    topic,
    key: record.key,
    value: record.value,
    headers: [
      ...record.headers,
      ...reasonHeaders(why),
      header("source", "kafka"),
      header("topic", record.topic),
      header("partition", String(record.partition)),
      header("offset", String(record.offset)),
      header("timestamp", String(record.timestamp)),
    ],
    partitioning: { by: "roundRobin" },
  };
}

/** The dead letter of a message: its payload, its properties as headers of ours, its user properties, and why it is here (S-54). */
export function deadLetterOfPublish(
  publish: Publish,
  topic: string,
  why: DeadLetterReason,
): OutgoingRecord {
  const properties = publish.properties;
  const headers: KafkaHeader[] = properties.userProperties.map(([name, value]) => [
    name,
    text.encode(value),
  ]);
  headers.push(
    ...reasonHeaders(why),
    header("source", "mqtt"),
    header("topic", publish.topicName),
    header("qos", String(publish.qos)),
    header("retain", String(publish.retain)),
  );
  const optional: [string, string | number | undefined][] = [
    ["payload-format-indicator", properties.payloadFormatIndicator],
    ["message-expiry-interval", properties.messageExpiryInterval],
    ["response-topic", properties.responseTopic],
    ["content-type", properties.contentType],
  ];
  for (const [name, value] of optional) {
    if (value !== undefined) headers.push(header(name, String(value)));
  }
  if (properties.correlationData !== undefined) {
    headers.push([`${DEAD_LETTER_PREFIX}correlation-data`, properties.correlationData]);
  }
  return {
    topic,
    key: null,
    value: publish.payload,
    headers,
    partitioning: { by: "roundRobin" },
  };
}
