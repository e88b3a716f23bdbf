import type { KafkaHeader, KafkaRecord } from "../model/kafka-record.ts";
import type { Publish, PublishProperties, UserProperty } from "../model/publish.ts";
import { DEAD_LETTER_PREFIX, type DeadLetterReason, ESCAPE_PREFIX } from "./dead-letter.ts";
import { unpackLetter } from "./pack-letter.ts";
import type { ReceivedPublish } from "./publish-to-record.ts";
import { timeFromTrigger } from "./trigger-time.ts";

/** A message as it was before it was dead-lettered, and why it was. */
export type DeadLetter =
  | { readonly source: "kafka"; readonly why: DeadLetterReason; readonly record: KafkaRecord }
  | ({ readonly source: "mqtt"; readonly why: DeadLetterReason } & ReceivedPublish);

/** The letter's headers: those of ours by their name without the prefix, and the message's own with their own names. */
interface Sorted {
  readonly ours: ReadonlyMap<string, Uint8Array>;
  readonly own: readonly KafkaHeader[];
}

const INTEGER = /^-?\d{1,19}$/;
// a byte order mark at the start of a text belongs to the text
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * The message that a dead letter was made of, exactly as it was: `deadLetterOfRecord` and `deadLetterOfPublish` turned round.
 * Undefined for a record that is no dead letter of ours.
 */
export function readDeadLetter(stored: KafkaRecord): DeadLetter | undefined {
  const letter = unpackLetter(stored);
  const sorted = sort(letter.headers);
  const why = reasonOf(sorted);
  if (why === undefined) return undefined;
  const source = textOf(sorted, "source");
  if (source === "kafka") {
    const record = recordOf(letter, sorted);
    return record === undefined ? undefined : { source, why, record };
  }
  if (source !== "mqtt") return undefined;
  const received = publishOf(letter, sorted);
  return received === undefined ? undefined : { source, why, ...received };
}

function sort(headers: readonly KafkaHeader[]): Sorted {
  const ours = new Map<string, Uint8Array>();
  const own: KafkaHeader[] = [];
  for (const [name, value] of headers) {
    if (name.startsWith(ESCAPE_PREFIX)) own.push([name.slice(ESCAPE_PREFIX.length), value]);
    else if (!name.startsWith(DEAD_LETTER_PREFIX)) own.push([name, value]);
    else if (value !== null) ours.set(name.slice(DEAD_LETTER_PREFIX.length), value);
  }
  return { ours, own };
}

function textOf({ ours }: Sorted, name: string): string | undefined {
  const bytes = ours.get(name);
  return bytes === undefined ? undefined : decoder.decode(bytes);
}

function integerOf(sorted: Sorted, name: string): bigint | undefined {
  const digits = textOf(sorted, name);
  return digits !== undefined && INTEGER.test(digits) ? BigInt(digits) : undefined;
}

function numberOf(sorted: Sorted, name: string): number | undefined {
  const integer = integerOf(sorted, name);
  return integer === undefined ? undefined : Number(integer);
}

function timeOf(sorted: Sorted, name: string): number | undefined {
  return timeFromTrigger(textOf(sorted, name)) ?? numberOf(sorted, name);
}

function reasonOf(sorted: Sorted): DeadLetterReason | undefined {
  const code = textOf(sorted, "reason-code");
  const reason = textOf(sorted, "reason");
  const route = textOf(sorted, "route");
  const time = timeOf(sorted, "time");
  const attempt = numberOf(sorted, "attempt");
  if (code === undefined || reason === undefined || route === undefined) return undefined;
  if (time === undefined || attempt === undefined) return undefined;
  return { code, reason, route, time, attempt };
}

function recordOf(letter: KafkaRecord, sorted: Sorted): KafkaRecord | undefined {
  const topic = textOf(sorted, "topic");
  const partition = numberOf(sorted, "partition");
  const offset = integerOf(sorted, "offset");
  const timestamp = numberOf(sorted, "timestamp");
  if (topic === undefined || partition === undefined) return undefined;
  if (offset === undefined || timestamp === undefined) return undefined;
  const { key, value } = letter;
  return { topic, partition, offset, timestamp, key, value, headers: sorted.own };
}

function publishOf(letter: KafkaRecord, sorted: Sorted): ReceivedPublish | undefined {
  const topicName = textOf(sorted, "topic");
  const qos = numberOf(sorted, "qos");
  const retain = textOf(sorted, "retain");
  const receivedAt = timeOf(sorted, "received-at");
  if (topicName === undefined || receivedAt === undefined) return undefined;
  if (letter.value === null || (qos !== 0 && qos !== 1)) return undefined;
  const publish: Publish = {
    topicName,
    payload: letter.value,
    qos,
    retain: retain === "true",
    properties: propertiesOf(sorted),
  };
  return { publish, receivedAt };
}

function propertiesOf(sorted: Sorted): PublishProperties {
  const indicator = textOf(sorted, "payload-format-indicator");
  const messageExpiryInterval = numberOf(sorted, "message-expiry-interval");
  const responseTopic = textOf(sorted, "response-topic");
  const correlationData = sorted.ours.get("correlation-data");
  const contentType = textOf(sorted, "content-type");
  return {
    ...(indicator === undefined ? {} : { payloadFormatIndicator: indicator === "1" ? 1 : 0 }),
    ...(messageExpiryInterval === undefined ? {} : { messageExpiryInterval }),
    ...(responseTopic === undefined ? {} : { responseTopic }),
    ...(correlationData === undefined ? {} : { correlationData }),
    ...(contentType === undefined ? {} : { contentType }),
    userProperties: sorted.own.map(
      ([name, value]): UserProperty => [name, value === null ? "" : decoder.decode(value)],
    ),
  };
}
