import type { KafkaHeader, KafkaRecord, OutgoingRecord } from "../model/kafka-record.ts";
import type { ReceivedPublish } from "./publish-to-record.ts";
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

/** All headers of ours on a dead letter begin so. */
export const DEAD_LETTER_PREFIX = "isthmus-";
/** A header of the message itself that would pass for one of ours goes behind this; reading takes one off. */
export const ESCAPE_PREFIX = "isthmus-escaped-";

const text = new TextEncoder();

/** The name under which a header of the message travels on its dead letter: no message can pretend to be a letter of ours. */
export function escapedName(name: string): string {
  const start = name.slice(0, DEAD_LETTER_PREFIX.length);
  // whatever the case: there are readers that do not tell it apart
  return start.toLowerCase() === DEAD_LETTER_PREFIX ? ESCAPE_PREFIX + name : name;
}

/**
 * How many times over these headers are of dead letters: 0 for an ordinary message, 2 for the dead letter of a dead letter.
 * It grows by one each time that a route takes a dead letter for its source and rejects it.
 */
export function deadLetterDepth(headers: readonly KafkaHeader[]): number {
  let deepest = 0;
  for (const [name] of headers) {
    let at = 0;
    let depth = 0;
    while (name.startsWith(ESCAPE_PREFIX, at)) {
      at += ESCAPE_PREFIX.length;
      depth += 1;
    }
    if (name.startsWith(DEAD_LETTER_PREFIX, at)) deepest = Math.max(deepest, depth + 1);
  }
  return deepest;
}

function header(name: string, value: string): KafkaHeader {
  return [`${DEAD_LETTER_PREFIX}${name}`, text.encode(value)];
}

function timeText(milliseconds: number): string {
  return rfc3339(milliseconds) ?? String(milliseconds);
}

function reasonHeaders(why: DeadLetterReason): KafkaHeader[] {
  return [
    header("reason-code", why.code),
    header("reason", why.reason),
    header("route", why.route),
    header("time", timeText(why.time)),
    header("attempt", String(why.attempt)),
  ];
}

/** The dead letter of a record: its own bytes and headers, then why it is here and where it stood (S-54). */
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
      ...record.headers.map(([name, value]): KafkaHeader => [escapedName(name), value]),
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

/** The dead letter of a message: its payload and User Properties, then why it is here and its properties as headers of ours (S-54). */
export function deadLetterOfPublish(
  { publish, receivedAt }: ReceivedPublish,
  topic: string,
  why: DeadLetterReason,
): OutgoingRecord {
  const properties = publish.properties;
  const headers: KafkaHeader[] = properties.userProperties.map(([name, value]) => [
    escapedName(name),
    text.encode(value),
  ]);
  headers.push(
    ...reasonHeaders(why),
    header("source", "mqtt"),
    header("topic", publish.topicName),
    header("qos", String(publish.qos)),
    header("retain", String(publish.retain)),
    header("received-at", timeText(receivedAt)),
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
