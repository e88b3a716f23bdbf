import type { KafkaRecord } from "../model/kafka-record.ts";
import { crcTable } from "./kafka-crc32c.ts";
import { Corrupt } from "./kafka-record-reader.ts";
import type { DecodeSettings, RecordBatch } from "./kafka-record-set.ts";

const TABLE = crcTable(0xedb88320);
const ATTRIBUTES_AT = 17;
const NO_HEADERS: KafkaRecord["headers"] = [];

/** One entry of a message set, and the messages that it holds when it is compressed. */
interface Message {
  readonly offset: bigint;
  /** -1 in format 0, which has none. */
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly attributes: number;
  readonly magic: number;
}

/*
 * Message of formats 0 and 1, as logs older than Kafka 0.11 hold them: offset int64, length int32, CRC-32 uint32 of all that follows, magic
 * int8, attributes int8, from format 1 on timestamp int64, key bytes, value bytes. Compressed, the value is a message set.
 */
export function findMessage(bytes: Uint8Array, settings: DecodeSettings): RecordBatch {
  const offset = new DataView(bytes.buffer, bytes.byteOffset).getBigInt64(0);
  return {
    baseOffset: offset,
    lastOffset: offset,
    producerId: -1n,
    inTransaction: false,
    isEmpty: false,
    records: () => decodeMessage(bytes, settings),
  };
}

function decodeMessage(bytes: Uint8Array, settings: DecodeSettings): KafkaRecord[] {
  const outer = read(bytes);
  const codec = outer.attributes & 0x7;
  const messages =
    codec === 0 ? [outer] : inner(outer, settings.decompress(codec, contentOf(outer)));
  const { topic, partition } = settings;
  return messages.map(({ offset, timestamp, key, value }) => ({
    topic,
    partition,
    offset,
    timestamp,
    key,
    value,
    headers: NO_HEADERS,
  }));
}

function contentOf({ value }: Message): Uint8Array {
  if (value === null) throw new Corrupt("a compressed message is empty");
  return value;
}

/** In format 1 the offsets within are relative, and the outer one is that of the last message. */
function inner(outer: Message, set: Uint8Array): Message[] {
  const view = new DataView(set.buffer, set.byteOffset, set.byteLength);
  const messages: Message[] = [];
  for (let at = 0; at < set.length; ) {
    if (set.length - at < 12) throw new Corrupt("a message ends too early");
    const end = at + 12 + view.getInt32(at + 8);
    if (end <= at + 12 || end > set.length) throw new Corrupt("a message ends too early");
    messages.push(read(set.subarray(at, end)));
    at = end;
  }
  const last = messages.at(-1);
  if (outer.magic === 0 || last === undefined) return messages;
  const shift = outer.offset - last.offset;
  const logAppendTime = (outer.attributes & 0x8) !== 0;
  return messages.map((message) => ({
    ...message,
    offset: message.offset + shift,
    timestamp: logAppendTime ? outer.timestamp : message.timestamp,
  }));
}

function read(bytes: Uint8Array): Message {
  const magic = bytes[16] ?? 0;
  const keyAt = magic === 0 ? 18 : 26;
  if (bytes.length < keyAt + 8) throw new Corrupt("a message ends too early");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (crc32(bytes, 16) !== view.getUint32(12)) {
    throw new Corrupt("the checksum of a message is wrong");
  }
  const key = nullable(bytes, view, keyAt);
  const value = nullable(bytes, view, keyAt + 4 + (key?.length ?? 0));
  return {
    offset: view.getBigInt64(0),
    timestamp: magic === 0 ? -1 : Number(view.getBigInt64(18)),
    key,
    value,
    attributes: bytes[ATTRIBUTES_AT] as number,
    magic,
  };
}

function nullable(bytes: Uint8Array, view: DataView, at: number): Uint8Array | null {
  if (at + 4 > bytes.length) throw new Corrupt("a message ends too early");
  const length = view.getInt32(at);
  if (length < 0) return null;
  if (at + 4 + length > bytes.length) throw new Corrupt("a message ends too early");
  return bytes.subarray(at + 4, at + 4 + length);
}

function crc32(bytes: Uint8Array, start: number): number {
  let crc = -1;
  for (let at = start; at < bytes.length; at += 1) {
    crc = (TABLE[(crc ^ (bytes[at] as number)) & 0xff] as number) ^ (crc >>> 8);
  }
  return (crc ^ -1) >>> 0;
}
