import type { KafkaRecord, OutgoingRecord } from "../model/kafka-record.ts";

/** What an object costs besides its bytes; measured with --expose-gc, rounded up. */
const OVERHEAD = 256;

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
  return contentBytes(record) + OVERHEAD + 64 * record.headers.length;
}

/** Bytes that a record takes in an uncompressed record batch, within a few: what S-16 measures. */
export function encodedBytes(record: OutgoingRecord): number {
  return contentBytes(record) + 16;
}
