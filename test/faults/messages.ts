/**
 * The messages of a run, and what docs/mapping.md says they become: written from that page, not from shared/translate. A payload begins
 * with the number of its message and the number of its copy, so that every arrival can be accounted for.
 */
import { PropertyWriter } from "./property-writer.ts";

export type Header = readonly [name: string, value: Uint8Array];

/** A record for Kafka, and the User Properties that its PUBLISH is to have, as they are encoded. */
export interface RecordContent {
  payload(index: number, copy: number): Buffer;
  record(index: number, copy: number): SourceRecord;
  userProperties(index: number): Buffer;
}

export interface SourceRecord {
  readonly key: Buffer | null;
  readonly value: Buffer;
  readonly headers: readonly Header[];
  readonly timestamp: number;
}

/** A PUBLISH for the bridge, and the headers that its record is to have. */
export interface PublishContent {
  payload(index: number, copy: number): Buffer;
  publish(index: number, copy: number): SourcePublish;
  /** How the headers of message `index` differ from what they should be. */
  headersProblem(
    index: number,
    topicName: string,
    headers: readonly (readonly [string, Uint8Array | null])[],
  ): string | undefined;
}

export interface SourcePublish {
  /** As they are encoded. */
  readonly properties: Buffer;
  readonly payload: Buffer;
}

const FIRST_TIMESTAMP = 1_780_000_000_000;
export const COUNTS = 8;

/** Arbitrary bytes that are the same at every run. */
const POOL: Buffer = Buffer.alloc(4096);
for (let i = 0, state = 1; i < POOL.length; i += 1) {
  state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
  POOL[i] = state >>> 24;
}

/** The numbers of message and copy, and then `length` bytes that only this message has so. */
export function payloadOf(index: number, copy: number, length: number = 16 + (index % 97)): Buffer {
  const payload = Buffer.allocUnsafe(COUNTS + length);
  payload.writeUInt32BE(index, 0);
  payload.writeUInt32BE(copy, 4);
  let at = COUNTS;
  let from = (index * 31) % (POOL.length - 128);
  while (at < payload.length) {
    at += POOL.copy(payload, at, from);
    from = 0;
  }
  return payload;
}

const SITE = Buffer.from("Zürich–北京 🏭");
const SECOND = Buffer.from("second");
const NOT_UTF8 = Buffer.from([0xc3, 0x28]);

function keyOf(index: number): Buffer | null {
  if (index % 10 === 0) return null;
  return index % 11 === 0 ? NOT_UTF8 : Buffer.from(`device-${index % 50}`);
}

/** Records with keys and headers of every kind: what is not UTF-8 does not cross (S-20, S-21). */
export const plainRecords: RecordContent = {
  payload: payloadOf,
  record: (index, copy) => ({
    key: keyOf(index),
    value: payloadOf(index, copy),
    headers: [
      ["site", SITE],
      ["twice", Buffer.from(`first ${index}`)],
      ["twice", SECOND],
      ...(index % 7 === 0 ? [["binary", NOT_UTF8] as const] : []),
    ],
    timestamp: FIRST_TIMESTAMP + index,
  }),
  userProperties(index) {
    const writer = new PropertyWriter();
    if (index % 10 !== 0 && index % 11 !== 0) writer.user("Key", `device-${index % 50}`);
    writer.user("Timestamp", String(FIRST_TIMESTAMP + index));
    writer.user("site", SITE);
    writer.user("twice", `first ${index}`);
    writer.user("twice", SECOND);
    return writer.take();
  },
};

/** Messages with each property in changing company (S-10, S-11). */
export const plainPublishes: PublishContent = {
  payload: payloadOf,
  publish(index, copy) {
    const writer = new PropertyWriter();
    if (index % 2 === 0) writer.byte(0x01, index % 4 === 0 ? 1 : 0);
    if (index % 5 === 0) writer.text(0x08, `replies/${index}`);
    if (index % 7 === 0) writer.text(0x09, Buffer.from([0, 0xff, index & 0xff]));
    if (index % 11 === 0) writer.text(0x03, "application/json");
    writer.user("site", SITE);
    writer.user("twice", `first ${index}`);
    writer.user("twice", SECOND);
    return { properties: writer.take(), payload: payloadOf(index, copy) };
  },
  headersProblem: (index, topicName, headers) =>
    listProblem(headers, [
      ...builtIns(index),
      ["MQTT Topic", Buffer.from(topicName)],
      ...users(index),
    ]),
};

function builtIns(index: number): Header[] {
  const list: Header[] = [];
  if (index % 2 === 0) {
    list.push(["Payload Format Indicator", Buffer.from(index % 4 === 0 ? "1" : "0")]);
  }
  if (index % 5 === 0) list.push(["Response Topic", Buffer.from(`replies/${index}`)]);
  if (index % 7 === 0) list.push(["Correlation Data", Buffer.from([0, 0xff, index & 0xff])]);
  if (index % 11 === 0) list.push(["Content Type", Buffer.from("application/json")]);
  return list;
}

function users(index: number): Header[] {
  return [
    ["site", SITE],
    ["twice", Buffer.from(`first ${index}`)],
    ["twice", SECOND],
  ];
}

/** How two lists of headers differ, in words. */
export function listProblem(
  got: readonly (readonly [string, Uint8Array | null])[],
  wanted: readonly Header[],
): string | undefined {
  if (got.length !== wanted.length) {
    return `it has headers ${names(got)} instead of ${names(wanted)}`;
  }
  for (const [i, [name, value]] of wanted.entries()) {
    const [gotName, gotValue] = got[i] ?? ["", null];
    if (gotName !== name) return `it has headers ${names(got)} instead of ${names(wanted)}`;
    if (gotValue === null || Buffer.compare(gotValue, value) !== 0) {
      return `header "${name}" has the wrong bytes`;
    }
  }
  return undefined;
}

function names(list: readonly (readonly [string, unknown])[]): string {
  return JSON.stringify(list.map(([name]) => name));
}
