import type { OutgoingRecord } from "../model/kafka-record.ts";
import type { Publish, UserProperty } from "../model/publish.ts";
import { textFromUtf8, utf8FromText } from "../translate/utf8.ts";

/** The Kafka header and User Property of every canary, by which other consumers can tell it: `<run> <number> <sent at>`. */
export const CANARY = "isthmus-canary";

/** What a canary says of itself. */
export interface CanaryMark {
  /** Tells the canaries of one run from those of others: 8 hexadecimal digits. */
  readonly run: string;
  /** From 0. */
  readonly number: number;
  /** Milliseconds since the Unix epoch, to the microsecond. */
  readonly sentAt: number;
}

/** Two of one name: duplicates, order and text beyond ASCII are to survive. */
const CHECKS = [
  ["isthmus-check", "first"],
  ["isthmus-check", "größer als ∅"],
] as const;
const MARK = /^([0-9a-f]{8}) (\d{1,15}) (\d{1,15}\.\d{3})$/;
const PAYLOAD_MARK = new RegExp(`^\\{"${CANARY}":"([^"]{1,60})"`);
/** The payload's mark ends before this. */
const MARK_WITHIN = 96;
const LONGEST_MARK = 60;

function markText({ run, number, sentAt }: CanaryMark): string {
  return `${run} ${number} ${sentAt.toFixed(3)}`;
}

/** JSON of `size` bytes, or of as many as the mark needs: routes do not carry headers unless they are told to. */
function payloadOf(mark: string, size: number): Uint8Array {
  const plain = `{"${CANARY}":"${mark}"}`;
  const padding = size - plain.length - ',"padding":""'.length;
  if (padding < 0) return utf8FromText(plain);
  return utf8FromText(`{"${CANARY}":"${mark}","padding":"${".".repeat(padding)}"}`);
}

/** Where a canary is sent, and what it is to have. */
export interface CanaryForm {
  /** A Kafka topic or an MQTT Topic Name. */
  readonly topic: string;
  /** Bytes of the payload, where its mark does not need more. */
  readonly size: number;
  /** Names of properties that a route takes the Kafka key from (S-13). */
  readonly keyProperties: readonly string[];
}

/** The record that a canary is in Kafka. Its key is the same for all of a partition. */
export function canaryRecord(
  mark: CanaryMark,
  partition: number,
  form: CanaryForm,
): OutgoingRecord {
  const text = markText(mark);
  return {
    topic: form.topic,
    // few different keys, so that little of a run stays in a compacted topic
    key: utf8FromText(`${CANARY}-${partition}`),
    value: payloadOf(text, form.size),
    headers: pairs(text, form).map(([name, value]) => [name, utf8FromText(value)]),
    partitioning: { by: "partition", partition },
  };
}

/** The message that a canary is in MQTT. */
export function canaryPublish(mark: CanaryMark, form: CanaryForm): Publish {
  const text = markText(mark);
  return {
    topicName: form.topic,
    payload: payloadOf(text, form.size),
    qos: 1,
    retain: false,
    properties: {
      payloadFormatIndicator: 1,
      contentType: "application/json",
      correlationData: utf8FromText(`${CANARY}-${mark.number}`),
      userProperties: pairs(text, form),
    },
  };
}

function pairs(text: string, { keyProperties }: CanaryForm): UserProperty[] {
  const keys = keyProperties.map((name): UserProperty => [name, CANARY]);
  return [[CANARY, text], ...keys, ...CHECKS];
}

/** The mark of a canary, by its payload or, where that is spoilt, by its header. Undefined for anything else. */
export function canaryMark(
  payload: Uint8Array | null,
  headers: readonly (readonly [name: string, value: Uint8Array | string | null])[],
): CanaryMark | undefined {
  const start = payload === null ? undefined : textFromUtf8(payload.subarray(0, MARK_WITHIN));
  const inPayload = parseMark(PAYLOAD_MARK.exec(start ?? "")?.[1]);
  if (inPayload !== undefined) return inPayload;
  const header = headers.find(([name]) => name === CANARY)?.[1];
  if (header === undefined || header === null || header.length > LONGEST_MARK) return undefined;
  return parseMark(typeof header === "string" ? header : textFromUtf8(header));
}

function parseMark(text: string | undefined): CanaryMark | undefined {
  const [, run, number, sentAt] = MARK.exec(text ?? "") ?? [];
  if (run === undefined) return undefined;
  return { run, number: Number(number), sentAt: Number(sentAt) };
}
