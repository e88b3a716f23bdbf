/**
 * The messages that cross, and what docs/mapping.md says they become. Written from that page and not from shared/translate,
 * so that the two can disagree. Header values are text here: of bytes, Latin-1.
 */
import { isDeepStrictEqual } from "node:util";

/** Names with their values in order; a name that comes more than once has several. */
export type Pairs = Readonly<Record<string, readonly string[]>>;

export interface SourceRecord {
  readonly topic: string;
  readonly partition: number;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Record<string, Buffer | Buffer[]>;
}

const FIRST_TIMESTAMP = 1_780_000_000_000;
export const PARTITIONS = 3;

/** Record number `index` of `run`: keys and values of every kind, headers that can cross and some that cannot. */
export function sourceRecord(run: string, index: number, topics: readonly string[]): SourceRecord {
  const lane = index % (topics.length * PARTITIONS);
  return {
    topic: topics[lane % topics.length] ?? "",
    partition: Math.floor(lane / topics.length),
    timestamp: FIRST_TIMESTAMP + index,
    key: keyOf(index),
    value: index % 1000 === 999 ? null : Buffer.from(`{"temperature":${index / 10}}`),
    headers: {
      run: Buffer.from(run),
      index: Buffer.from(String(index)),
      site: Buffer.from("Zürich–北京 🏭"),
      empty: Buffer.alloc(0),
      twice: [Buffer.from(`first ${index}`), Buffer.from("second")],
      constructor: Buffer.from("not a function"),
      ...(index % 5 === 0 ? { amqp: Buffer.from([0xa1, 3, 0x62, 0x61, 0x72]) } : {}),
      ...(index % 7 === 0 ? { binary: Buffer.from([0xff, 0xfe, index & 0xff]) } : {}),
    },
  };
}

function keyOf(index: number): Buffer | null {
  if (index % 10 === 0) return null;
  if (index % 11 === 0) return Buffer.from([0xc3, 0x28]);
  return Buffer.from(`device-${index % 50}`);
}

/** The User Properties that {@link sourceRecord} becomes (S-20 to S-22). */
export function expectedProperties(record: SourceRecord, index: number): Pairs {
  const key = index % 10 === 0 || index % 11 === 0 ? {} : { Key: [`device-${index % 50}`] };
  const { run, index: number, site, empty, twice } = record.headers;
  return {
    ...key,
    Timestamp: [String(record.timestamp)],
    run: texts(run),
    index: texts(number),
    site: texts(site),
    empty: texts(empty),
    twice: texts(twice),
    constructor: ["not a function"],
    ...(index % 5 === 0 ? { amqp: ["bar"] } : {}),
  };
}

function texts(value: Buffer | Buffer[] | undefined): string[] {
  return [value ?? []].flat().map((bytes) => bytes.toString("utf8"));
}

export interface SourcePublish {
  readonly topic: string;
  readonly payload: Buffer;
  readonly properties: {
    readonly payloadFormatIndicator?: boolean;
    readonly messageExpiryInterval?: number;
    readonly responseTopic?: string;
    readonly correlationData?: Buffer;
    readonly contentType?: string;
    readonly userProperties: Record<string, string | string[]>;
  };
}

export const EXPIRY_SECONDS = 3600;

/** Message number `index` of `run`: every property that can be present, in changing company. */
export function sourcePublish(
  run: string,
  index: number,
  topics: readonly string[],
): SourcePublish {
  return {
    topic: topics[index % topics.length] ?? "",
    payload: index % 500 === 499 ? Buffer.alloc(0) : Buffer.from([index & 0xff, 0, 0xff, ...TEXT]),
    properties: {
      ...(index % 2 === 0 ? { payloadFormatIndicator: index % 4 === 0 } : {}),
      ...(index % 3 === 0 ? { messageExpiryInterval: EXPIRY_SECONDS } : {}),
      ...(index % 5 === 0 ? { responseTopic: `replies/${index}` } : {}),
      ...(index % 7 === 0 ? { correlationData: Buffer.from([0, 0xff, index & 0xff]) } : {}),
      ...(index % 11 === 0 ? { contentType: "application/json; charset=utf-8" } : {}),
      userProperties: {
        run,
        index: String(index),
        "device-id": `device-${index % 20}`,
        site: "Zürich–北京 🏭",
        empty: "",
        twice: [`first ${index}`, "second"],
      },
    },
  };
}

const TEXT = Buffer.from('{"temperature":21.5}');

/** The headers that {@link sourcePublish} becomes (S-10, S-11), without the one that time changes. */
export function expectedHeaders(publish: SourcePublish): Pairs {
  const { payloadFormatIndicator, responseTopic, correlationData, contentType, userProperties } =
    publish.properties;
  const users = Object.entries(userProperties).map(([name, value]) => [
    name,
    [value].flat().map((text) => Buffer.from(text).toString("latin1")),
  ]);
  return {
    ...(payloadFormatIndicator === undefined
      ? {}
      : { "Payload Format Indicator": [payloadFormatIndicator ? "1" : "0"] }),
    ...(responseTopic === undefined ? {} : { "Response Topic": [responseTopic] }),
    ...(correlationData === undefined
      ? {}
      : { "Correlation Data": [correlationData.toString("latin1")] }),
    ...(contentType === undefined ? {} : { "Content Type": [contentType] }),
    "MQTT Topic": [publish.topic],
    ...Object.fromEntries(users),
  };
}

/** How two differ, in words; undefined when they do not. */
export function difference(what: string, got: unknown, wanted: unknown): string | undefined {
  if (isDeepStrictEqual(got, wanted)) return undefined;
  return `${what} is ${JSON.stringify(got)} instead of ${JSON.stringify(wanted)}`;
}
