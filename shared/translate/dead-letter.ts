import type { KafkaHeader, KafkaRecord, OutgoingRecord } from "../model/kafka-record.ts";
import type { Publish } from "../model/publish.ts";

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
    header("time", rfc3339(why.time)),
    header("attempt", String(why.attempt)),
  ];
}

/** Civil date from days since the epoch, without a Date: the core has no clock, and this is arithmetic only. */
function rfc3339(milliseconds: number): string {
  const day = Math.floor(milliseconds / 86_400_000);
  const inDay = milliseconds - day * 86_400_000;
  const z = day + 719_468;
  const era = Math.floor(z / 146_097);
  const dayOfEra = z - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shifted = Math.floor((5 * dayOfYear + 2) / 153);
  const date = dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1;
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const two = (n: number): string => String(n).padStart(2, "0");
  const seconds = Math.floor(inDay / 1000);
  const clock = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return `${String(year).padStart(4, "0")}-${two(month)}-${two(date)}T${clock}.${String(inDay % 1000).padStart(3, "0")}Z`;
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
