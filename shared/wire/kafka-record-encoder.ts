import type { KafkaHeader } from "../model/kafka-record.ts";
import { crc32c } from "./kafka-crc32c.ts";

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
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly firstSequence: number;
  readonly transactional: boolean;
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

/** One record batch (magic 2) of these records, in their order. */
export function encodeRecordBatch(
  records: readonly BatchRecord[],
  settings: BatchSettings,
): Uint8Array {
  const { base, maximum } = timeSpan(records, settings.now);
  const sizes: number[] = [];
  let total = 0;
  for (let i = 0; i < records.length; i += 1) {
    const record = records[i] as BatchRecord;
    const size = recordSize(record, (record.timestamp ?? settings.now) - base, i);
    sizes.push(size);
    total += size + varintSize(size);
  }
  const plain = Buffer.allocUnsafe(HEADER + total);
  let at = HEADER;
  for (let i = 0; i < records.length; i += 1) {
    const record = records[i] as BatchRecord;
    at = writeVarint(plain, sizes[i] as number, at);
    at = writeRecord(plain, at, record, {
      timestampDelta: (record.timestamp ?? settings.now) - base,
      offsetDelta: i,
    });
  }
  const body = settings.compress?.(plain.subarray(HEADER));
  const batch = body === undefined ? plain : Buffer.concat([plain.subarray(0, HEADER), body]);
  writeHeader(batch, records.length, settings, { base, maximum });
  return batch;
}

function timeSpan(records: readonly BatchRecord[], now: number): { base: number; maximum: number } {
  let base = records[0]?.timestamp ?? now;
  let maximum = base;
  for (const record of records) {
    const time = record.timestamp ?? now;
    if (time < base) base = time;
    if (time > maximum) maximum = time;
  }
  return { base, maximum };
}

function writeHeader(
  batch: Buffer,
  count: number,
  settings: BatchSettings,
  time: { base: number; maximum: number },
): void {
  batch.writeBigInt64BE(0n, 0);
  batch.writeInt32BE(batch.length - 12, 8);
  batch.writeInt32BE(-1, 12);
  batch.writeInt8(2, 16);
  batch.writeInt16BE(settings.codec | (settings.transactional ? 0x10 : 0), ATTRIBUTES_AT);
  batch.writeInt32BE(count - 1, 23);
  batch.writeBigInt64BE(BigInt(time.base), 27);
  batch.writeBigInt64BE(BigInt(time.maximum), 35);
  batch.writeBigInt64BE(settings.producerId, 43);
  batch.writeInt16BE(settings.producerEpoch, 51);
  batch.writeInt32BE(settings.firstSequence, 53);
  batch.writeInt32BE(count, 57);
  batch.writeUInt32BE(crc32c(batch, ATTRIBUTES_AT), CRC_AT);
}

function recordSize(record: BatchRecord, timestampDelta: number, offsetDelta: number): number {
  let size =
    1 +
    varintSize(timestampDelta) +
    varintSize(offsetDelta) +
    bytesSize(record.key) +
    bytesSize(record.value) +
    varintSize(record.headers.length);
  for (const [name, value] of record.headers) {
    const nameBytes = Buffer.byteLength(name);
    size += varintSize(nameBytes) + nameBytes + bytesSize(value);
  }
  return size;
}

function bytesSize(bytes: Uint8Array | null): number {
  return bytes === null ? 1 : varintSize(bytes.length) + bytes.length;
}

function writeRecord(
  out: Buffer,
  start: number,
  record: BatchRecord,
  deltas: { timestampDelta: number; offsetDelta: number },
): number {
  let at = start;
  out[at] = 0;
  at = writeVarint(out, deltas.timestampDelta, at + 1);
  at = writeVarint(out, deltas.offsetDelta, at);
  at = writeBytes(out, record.key, at);
  at = writeBytes(out, record.value, at);
  at = writeVarint(out, record.headers.length, at);
  for (const [name, value] of record.headers) {
    at = writeVarint(out, Buffer.byteLength(name), at);
    at += out.write(name, at, "utf8");
    at = writeBytes(out, value, at);
  }
  return at;
}

function writeBytes(out: Buffer, bytes: Uint8Array | null, start: number): number {
  if (bytes === null) return writeVarint(out, -1, start);
  const at = writeVarint(out, bytes.length, start);
  out.set(bytes, at);
  return at + bytes.length;
}

/** Zigzag varint; deltas beyond 32 bits (days between two timestamps) take the slow way. */
function writeVarint(out: Buffer, value: number, start: number): number {
  let at = start;
  let rest = value >= 0 ? value * 2 : -value * 2 - 1;
  while (rest > 0x7f) {
    out[at] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
    at += 1;
  }
  out[at] = rest;
  return at + 1;
}

function varintSize(value: number): number {
  let rest = value >= 0 ? value * 2 : -value * 2 - 1;
  let size = 1;
  while (rest > 0x7f) {
    rest = rest > 0x7fffffff ? Math.floor(rest / 128) : rest >>> 7;
    size += 1;
  }
  return size;
}
