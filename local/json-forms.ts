import * as z from "zod";
import type { KafkaRecord, OutgoingRecord } from "../shared/model/kafka-record.ts";
import type { Publish } from "../shared/model/publish.ts";

const base64 = z
  .string()
  .regex(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, "is not Base64")
  .transform((text): Uint8Array => Buffer.from(text, "base64"));

const offset = z
  .union([z.int().min(0), z.string().regex(/^\d{1,19}$/, "is not a whole number")])
  .transform(BigInt);

const recordForm = z.strictObject({
  topic: z.string(),
  partition: z.int().min(0).default(0),
  offset: offset.default(0n),
  timestamp: z.int().default(-1),
  key: base64.nullable().default(null),
  value: base64.nullable().default(null),
  headers: z.array(z.tuple([z.string(), base64.nullable()])).default([]),
});

const publishForm = z.strictObject({
  topic: z.string(),
  payload: base64.default(new Uint8Array()),
  qos: z.union([z.literal(0), z.literal(1)]).default(1),
  retain: z.boolean().default(false),
  properties: z
    .strictObject({
      payloadFormatIndicator: z.union([z.literal(0), z.literal(1)]).optional(),
      messageExpiryInterval: z.int().min(0).max(4_294_967_295).optional(),
      responseTopic: z.string().optional(),
      correlationData: base64.optional(),
      contentType: z.string().optional(),
      userProperties: z.array(z.tuple([z.string(), z.string()])).default([]),
    })
    .prefault({}),
  ageMs: z.number().min(0).default(0),
});

/** A PUBLISH and how long it has waited. */
export interface AgedPublish {
  readonly publish: Publish;
  readonly ageMs: number;
}

/** Bad input is a value here: a line that cannot be read is reported, and the next one is read. */
export type Parsed<T> = { readonly value: T } | { readonly problem: string };

function parse<T>(form: z.ZodType<T>, line: string): Parsed<T> {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return { problem: "not JSON" };
  }
  const result = form.safeParse(json);
  if (result.success) return { value: result.data };
  const problems = result.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `"${path.join(".")}": ${message}`,
  );
  return { problem: problems.join("; ") };
}

/** Drops keys without a value, as optional fields must not be there at all. */
function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}

/** Reads one JSON line as a Kafka record; what is left out is 0, null or empty, and `timestamp` -1 (none). */
export function parseRecord(line: string): Parsed<KafkaRecord> {
  return parse(recordForm, line);
}

/** Reads one JSON line as a PUBLISH; what is left out is empty, QoS 1 and not retained. */
export function parsePublish(line: string): Parsed<AgedPublish> {
  const parsed = parse(publishForm, line);
  if ("problem" in parsed) return parsed;
  const { topic, ageMs, properties, ...rest } = parsed.value;
  return {
    value: { publish: { topicName: topic, ...rest, properties: defined(properties) }, ageMs },
  };
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

function nullable(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : toBase64(bytes);
}

/** The JSON form of a PUBLISH; properties that it does not have are left out. */
export function publishJson({ topicName, payload, qos, retain, properties }: Publish): object {
  const { correlationData, userProperties } = properties;
  return {
    topic: topicName,
    payload: toBase64(payload),
    qos,
    retain,
    properties: defined({
      payloadFormatIndicator: properties.payloadFormatIndicator,
      messageExpiryInterval: properties.messageExpiryInterval,
      responseTopic: properties.responseTopic,
      correlationData: correlationData === undefined ? undefined : toBase64(correlationData),
      contentType: properties.contentType,
      userProperties,
    }),
  };
}

/** The JSON form of a record as it was read; the offset is text where a JSON number would not hold it. */
export function readRecordJson(record: KafkaRecord): object {
  const { topic, partition, offset, timestamp, key, value, headers } = record;
  return {
    topic,
    partition,
    offset: offsetJson(offset),
    timestamp,
    key: nullable(key),
    value: nullable(value),
    headers: headers.map(([name, bytes]) => [name, nullable(bytes)]),
  };
}

/** An offset as a number, or as digits where a JSON number would not hold it. */
export function offsetJson(offset: bigint): number | string {
  return offset <= Number.MAX_SAFE_INTEGER ? Number(offset) : String(offset);
}

/** The JSON form of a record on its way to Kafka. It has no offset and time yet; `partition` is there when the route fixes it. */
export function recordJson(record: OutgoingRecord): object {
  const { topic, partitioning, key, value, headers } = record;
  const partition =
    partitioning.by === "partition"
      ? partitioning.partition
      : partitioning.by === "instance"
        ? partitioning.instance
        : undefined;
  return defined({
    topic,
    partition,
    key: nullable(key),
    value: nullable(value),
    headers: headers.map(([name, bytes]) => [name, nullable(bytes)]),
  });
}
