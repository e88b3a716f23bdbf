import type { KafkaHeader, KafkaRecord } from "../model/kafka-record.ts";
import { crc32c } from "./kafka-crc32c.ts";

/** What a client needs to know of a batch besides its records. */
export interface DecodedBatch {
  readonly baseOffset: bigint;
  readonly lastOffset: bigint;
  readonly producerId: bigint;
  readonly inTransaction: boolean;
  readonly isControlBatch: boolean;
  readonly records: readonly KafkaRecord[];
}

export type RecordSet =
  | { readonly ok: true; readonly batches: readonly DecodedBatch[] }
  /** Message formats before record batches (magic 0 and 1). */
  | { readonly ok: false; readonly problem: "old_format" }
  | { readonly ok: false; readonly problem: "corrupt"; readonly reason: string };

/** Where a record set was read from, and how its codecs are undone. */
export interface DecodeSettings {
  readonly topic: string;
  readonly partition: number;
  /** @throws when the bytes are no such stream, or the codec is not known */
  readonly decompress: (codec: number, bytes: Uint8Array) => Uint8Array;
}

const OVERHEAD = 12;
const HEADER = 61;
const MAGIC_AT = 16;
const CRC_AT = 17;
const ATTRIBUTES_AT = 21;
const MAXIMUM_INT32 = 0x7fffffff;

/** Thrown inside this file only, and caught at its edge. */
class Corrupt extends Error {}

/**
 * The batches of a fetch response's record set. A batch cut off at the end (as Kafka's size limits do) is left out:
 * the next fetch brings it whole. Total over any bytes.
 */
export function decodeRecordSet(set: Buffer, settings: DecodeSettings): RecordSet {
  const batches: DecodedBatch[] = [];
  let at = 0;
  try {
    while (set.length - at >= MAGIC_AT + 1) {
      const length = set.readInt32BE(at + 8);
      const magic = set[at + MAGIC_AT] as number;
      if (magic < 2) return { ok: false, problem: "old_format" };
      if (magic > 2) throw new Corrupt(`a record batch has the unknown format ${magic}`);
      if (length < HEADER - OVERHEAD)
        throw new Corrupt("a record batch is shorter than its header");
      const end = at + OVERHEAD + length;
      if (end > set.length) break;
      batches.push(decodeBatch(set.subarray(at, end), settings));
      at = end;
    }
    return { ok: true, batches };
  } catch (cause) {
    if (cause instanceof Corrupt) return { ok: false, problem: "corrupt", reason: cause.message };
    throw cause;
  }
}

function decodeBatch(batch: Buffer, settings: DecodeSettings): DecodedBatch {
  if (crc32c(batch, ATTRIBUTES_AT) !== batch.readUInt32BE(CRC_AT)) {
    throw new Corrupt("the checksum of a record batch is wrong");
  }
  const baseOffset = batch.readBigInt64BE(0);
  const attributes = batch.readInt16BE(ATTRIBUTES_AT);
  const codec = attributes & 0x7;
  const body = batch.subarray(HEADER);
  const reader = new Reader(codec === 0 ? body : asBuffer(settings.decompress(codec, body)));
  const count = batch.readInt32BE(57);
  const logAppendTime = (attributes & 0x8) !== 0;
  const baseTimestamp = Number(batch.readBigInt64BE(27));
  const maximumTimestamp = Number(batch.readBigInt64BE(35));
  const records: KafkaRecord[] = [];
  for (let i = 0; i < count; i += 1) {
    const end = reader.varint() + reader.at;
    reader.int8();
    const timestampDelta = reader.varint();
    const offsetDelta = reader.varint();
    records.push({
      topic: settings.topic,
      partition: settings.partition,
      offset: baseOffset + BigInt(offsetDelta),
      timestamp: logAppendTime ? maximumTimestamp : baseTimestamp + timestampDelta,
      key: reader.bytes(),
      value: reader.bytes(),
      headers: readHeaders(reader),
    });
    if (reader.at !== end) throw new Corrupt("a record has another length than it says");
  }
  return {
    baseOffset,
    lastOffset: baseOffset + BigInt(batch.readInt32BE(23)),
    producerId: batch.readBigInt64BE(43),
    inTransaction: (attributes & 0x10) !== 0,
    isControlBatch: (attributes & 0x20) !== 0,
    records,
  };
}

const NO_HEADERS: readonly KafkaHeader[] = [];

function readHeaders(reader: Reader): readonly KafkaHeader[] {
  const count = reader.varint();
  if (count === 0) return NO_HEADERS;
  const headers: KafkaHeader[] = [];
  for (let i = 0; i < count; i += 1) headers.push([reader.text(), reader.bytes()]);
  return headers;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

class Reader {
  at = 0;
  private readonly buffer: Buffer;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
  }

  int8(): number {
    const value = this.buffer[this.at];
    if (value === undefined) throw new Corrupt("a record ends too early");
    this.at += 1;
    return value;
  }

  /** A zigzag varint of up to 63 bits; beyond 53 bits no length, delta or count of Kafka is legal. */
  varint(): number {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = this.int8();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) break;
      factor *= 128;
      if (factor > 2 ** 56) throw new Corrupt("a number of a record is too long");
    }
    if (value > MAXIMUM_INT32) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    return (value >>> 1) ^ -(value & 1);
  }

  bytes(): Uint8Array | null {
    const length = this.varint();
    if (length < 0) return null;
    return this.take(length);
  }

  text(): string {
    const length = this.varint();
    if (length < 0) throw new Corrupt("the name of a header is null");
    const bytes = this.take(length);
    return bytes.toString("utf8");
  }

  private take(length: number): Buffer {
    const end = this.at + length;
    if (end > this.buffer.length) throw new Corrupt("a record ends too early");
    const bytes = this.buffer.subarray(this.at, end);
    this.at = end;
    return bytes;
  }
}
