import type { KafkaRecord } from "../model/kafka-record.ts";
import { crc32c } from "./kafka-crc32c.ts";
import { decodeMessage } from "./kafka-message-decoder.ts";
import { Corrupt, RecordReader } from "./kafka-record-reader.ts";
import type { DecodedBatch, DecodeSettings, RecordSet } from "./kafka-record-set.ts";

/** Offset and length, which come before what the length counts. */
const OVERHEAD = 12;
const HEADER = 61;
const MAGIC_AT = 16;
const CRC_AT = 17;
const ATTRIBUTES_AT = 21;

/**
 * The batches of a fetch response's record set, of formats 0, 1 and 2. A batch cut off at the end (as Kafka's size limits do) is left
 * out: the next fetch brings it whole. Total over any bytes: what is wrong is a problem, after the batches before it.
 */
export function decodeRecordSet(set: Uint8Array, settings: DecodeSettings): RecordSet {
  const view = new DataView(set.buffer, set.byteOffset, set.byteLength);
  const batches: DecodedBatch[] = [];
  let at = 0;
  while (set.length - at > MAGIC_AT) {
    const length = view.getInt32(at + 8);
    const end = at + OVERHEAD + length;
    if (length >= 0 && end > set.length) break;
    try {
      if (length <= MAGIC_AT - OVERHEAD) throw new Corrupt("a length is too small");
      batches.push(decodeOne(set.subarray(at, end), settings));
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const problem = { offset: view.getBigInt64(at), reason };
      return {
        batches,
        problem: cause instanceof Corrupt ? problem : { ...problem, cause },
      };
    }
    at = end;
  }
  return { batches };
}

function decodeOne(bytes: Uint8Array, settings: DecodeSettings): DecodedBatch {
  const magic = bytes[MAGIC_AT] as number;
  if (magic < 2) return decodeMessage(bytes, settings);
  if (magic > 2) throw new Corrupt(`a record batch has the unknown format ${magic}`);
  if (bytes.length < HEADER) throw new Corrupt("a record batch is shorter than its header");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (crc32c(bytes, ATTRIBUTES_AT) !== view.getUint32(CRC_AT)) {
    throw new Corrupt("the checksum of a record batch is wrong");
  }
  const attributes = view.getInt16(ATTRIBUTES_AT);
  const codec = attributes & 0x7;
  const body = bytes.subarray(HEADER);
  const reader = new RecordReader(codec === 0 ? body : settings.decompress(codec, body));
  const batch = {
    lastOffset: view.getBigInt64(0) + BigInt(view.getInt32(23)),
    producerId: view.getBigInt64(43),
    inTransaction: (attributes & 0x10) !== 0,
  };
  if ((attributes & 0x20) === 0) return { ...batch, records: readRecords(view, reader, settings) };
  return { ...batch, ends: readControl(reader), records: [] };
}

function readRecords(view: DataView, reader: RecordReader, from: DecodeSettings): KafkaRecord[] {
  const baseOffset = view.getBigInt64(0);
  const baseTimestamp = Number(view.getBigInt64(27));
  const logAppendTime = (view.getInt16(ATTRIBUTES_AT) & 0x8) !== 0;
  const appendedAt = Number(view.getBigInt64(35));
  const count = view.getInt32(57);
  const { topic, partition } = from;
  const records: KafkaRecord[] = [];
  for (let i = 0; i < count; i += 1) {
    const length = reader.varint();
    const end = reader.at + length;
    reader.skip(1);
    const timestamp = baseTimestamp + reader.varint();
    records.push({
      topic,
      partition,
      offset: baseOffset + BigInt(reader.varint()),
      timestamp: logAppendTime ? appendedAt : timestamp,
      key: reader.nullable(),
      value: reader.nullable(),
      headers: reader.headers(),
    });
    if (reader.at !== end) throw new Corrupt("a record has another length than it says");
  }
  return records;
}

/** The key of a control record: version int16, type int16 (0 abort, 1 commit). */
function readControl(reader: RecordReader): "abort" | "commit" {
  reader.varint();
  reader.skip(1);
  reader.varint();
  reader.varint();
  const key = reader.nullable();
  return key?.[3] === 0 ? "abort" : "commit";
}
