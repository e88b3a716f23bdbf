import type { KafkaRecord, OutgoingRecord } from "../model/kafka-record.ts";
import type { Delivery } from "./ports.ts";

/** Bytes that objects take besides their content, until their record is done: measured with --expose-gc on 64 bits. */
const OF_RECORD = 340;
const OF_KEY = 100;
const OF_HEADERS = 180;
const OF_HEADER = 160;
const OF_DELIVERY = 350;
const OF_USER_PROPERTY = 130;
/** For what is free and not collected yet, and for what is on its way in or out and so there twice. */
const SLACK = 1.5;

interface Sized {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: KafkaRecord["headers"];
}

function contentBytes(record: Sized): number {
  let bytes = (record.key?.length ?? 0) + (record.value?.length ?? 0);
  for (const [name, value] of record.headers) bytes += name.length + (value?.length ?? 0) + 4;
  return bytes;
}

/** Bytes of memory that holding a record takes, for budgets. */
export function recordMemory(record: KafkaRecord): number {
  const { key, headers } = record;
  const ofHeaders = headers.length === 0 ? 0 : OF_HEADERS + headers.length * OF_HEADER;
  const objects = OF_RECORD + (key === null ? 0 : OF_KEY) + ofHeaders;
  return Math.ceil((contentBytes(record) + objects) * SLACK);
}

/** The same for a delivery. */
export function deliveryMemory({ bytes, publish }: Delivery): number {
  const { userProperties } = publish.properties;
  return Math.ceil((bytes + OF_DELIVERY + userProperties.length * OF_USER_PROPERTY) * SLACK);
}

/** Bytes that a record takes in an uncompressed record batch, within a few: what S-16 measures. */
export function encodedBytes(record: OutgoingRecord): number {
  return contentBytes(record) + 16;
}
