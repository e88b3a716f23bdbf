import type { KafkaHeader } from "../model/kafka-record.ts";
import { crc32c } from "./kafka-crc32c.ts";
import { headerNameBytes } from "./kafka-header-names.ts";

/** What a record batch holds of one record. */
export interface BatchRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly KafkaHeader[];
  /** Milliseconds since the Unix epoch; the batch's own time when absent. */
  readonly timestamp?: number;
}

export interface BatchSettings {
  /** Milliseconds since the Unix epoch, for records without a time of their own. */
  readonly now: number;
  /** Bits 0 to 2 of the batch's attributes: 0 none, 1 gzip, 2 snappy, 3 lz4. */
  readonly codec: number;
  /** Compresses the records' bytes; absent for codec 0. */
  readonly compress?: (bytes: Uint8Array) => Uint8Array;
  /** Of an idempotent producer; `sequence` is that of the first record. */
  readonly producer?: { readonly id: bigint; readonly epoch: number; readonly sequence: number };
}

/*
 * RecordBatch v2, in this order: base offset int64, length int32, leader epoch int32, magic int8, CRC-32C uint32 of all that follows,
 * attributes int16, last offset delta int32, base and maximum timestamp int64, producer id int64, producer epoch int16,
 * base sequence int32, number of records int32, records. Each record: length, then attributes int8, timestamp delta, offset delta,
 * key, value and headers, all numbers zigzag varints and -1 for null.
 */
const HEADER = 61;
const CRC_AT = 17;
const ATTRIBUTES_AT = 21;
const NO_PRODUCER = { id: -1n, epoch: -1, sequence: -1 };
/** Below this a loop copies faster than the call of set(). */
const SHORT = 24;
/** Below this, doubled, a number has 31 bits: shifts do. */
const QUICK = 0x3fffffff;

/** One record batch (magic 2) of these records, in their order; by no transactional producer. */
export function encodeRecordBatch(
  records: readonly BatchRecord[],
  settings: BatchSettings,
): Uint8Array {
  const time = timeSpan(records, settings.now);
  const sizes: number[] = [];
  let total = 0;
  for (let i = 0; i < records.length; i += 1) {
    const record = records[i] as BatchRecord;
    const size = recordSize(record, (record.timestamp ?? settings.now) - time.base, i);
    sizes.push(size);
    total += size + varintSize(size);
  }
  const plain = new Uint8Array(HEADER + total);
  let at = HEADER;
  for (let i = 0; i < records.length; i += 1) {
    const record = records[i] as BatchRecord;
    at = writeVarint(plain, sizes[i] as number, at);
    at = writeVarint(plain, (record.timestamp ?? settings.now) - time.base, at + 1);
    at = writeVarint(plain, i, at);
    at = writeContent(plain, at, record);
  }
  const batch =
    settings.compress === undefined ? plain : packed(settings.compress(plain.subarray(HEADER)));
  writeHeader(batch, records.length, settings, time);
  return batch;
}

/** Bytes that a record takes within an uncompressed batch, at most. */
export function encodedRecordSize(record: BatchRecord): number {
  const size = recordSize(record, 2 ** 45, 2 ** 30);
  return size + varintSize(size);
}

/** Bytes of a batch besides its records. */
export const BATCH_OVERHEAD: number = HEADER;

interface TimeSpan {
  readonly base: number;
  readonly maximum: number;
}

function timeSpan(records: readonly BatchRecord[], now: number): TimeSpan {
  let base = records[0]?.timestamp ?? now;
  let maximum = base;
  for (const record of records) {
    const time = record.timestamp ?? now;
    if (time < base) base = time;
    if (time > maximum) maximum = time;
  }
  return { base, maximum };
}

function packed(body: Uint8Array): Uint8Array {
  const batch = new Uint8Array(HEADER + body.length);
  batch.set(body, HEADER);
  return batch;
}

function writeHeader(
  batch: Uint8Array,
  count: number,
  { codec, producer = NO_PRODUCER }: BatchSettings,
  time: TimeSpan,
): void {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
  view.setInt32(8, batch.length - 12);
  view.setInt32(12, -1);
  view.setInt8(16, 2);
  view.setInt16(ATTRIBUTES_AT, codec);
  view.setInt32(23, count - 1);
  view.setBigInt64(27, BigInt(time.base));
  view.setBigInt64(35, BigInt(time.maximum));
  view.setBigInt64(43, producer.id);
  view.setInt16(51, producer.epoch);
  view.setInt32(53, producer.sequence);
  view.setInt32(57, count);
  view.setUint32(CRC_AT, crc32c(batch, ATTRIBUTES_AT));
}

function recordSize(record: BatchRecord, timestampDelta: number, offsetDelta: number): number {
  const { headers } = record;
  let size =
    1 +
    varintSize(timestampDelta) +
    varintSize(offsetDelta) +
    bytesSize(record.key) +
    bytesSize(record.value) +
    varintSize(headers.length);
  for (let i = 0; i < headers.length; i += 1) {
    const [name, value] = headers[i] as KafkaHeader;
    size += bytesSize(headerNameBytes(name)) + bytesSize(value);
  }
  return size;
}

function bytesSize(bytes: Uint8Array | null): number {
  return bytes === null ? 1 : varintSize(bytes.length) + bytes.length;
}

function writeContent(out: Uint8Array, start: number, record: BatchRecord): number {
  const { headers } = record;
  let at = writeBytes(out, record.key, start);
  at = writeBytes(out, record.value, at);
  at = writeVarint(out, headers.length, at);
  for (let i = 0; i < headers.length; i += 1) {
    const [name, value] = headers[i] as KafkaHeader;
    at = writeBytes(out, headerNameBytes(name), at);
    at = writeBytes(out, value, at);
  }
  return at;
}

function writeBytes(out: Uint8Array, bytes: Uint8Array | null, start: number): number {
  if (bytes === null) return writeVarint(out, -1, start);
  const { length } = bytes;
  const at = writeVarint(out, length, start);
  if (length > SHORT) out.set(bytes, at);
  else for (let i = 0; i < length; i += 1) out[at + i] = bytes[i] as number;
  return at + length;
}

function writeVarint(out: Uint8Array, value: number, start: number): number {
  let at = start;
  let rest = zigzag(value);
  while (rest > 0x7f) {
    out[at] = (rest & 0x7f) | 0x80;
    rest = rest > QUICK ? Math.floor(rest / 128) : rest >>> 7;
    at += 1;
  }
  out[at] = rest;
  return at + 1;
}

function varintSize(value: number): number {
  let rest = zigzag(value);
  let size = 1;
  while (rest > 0x7f) {
    rest = rest > QUICK ? Math.floor(rest / 128) : rest >>> 7;
    size += 1;
  }
  return size;
}

/** Timestamp deltas may have more than 32 bits (25 days between two records of a batch): then without bit operations. */
function zigzag(value: number): number {
  if (value >= 0 && value < QUICK) return value << 1;
  return value >= 0 ? value * 2 : -value * 2 - 1;
}
