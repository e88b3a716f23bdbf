import type { KafkaRecord } from "../model/kafka-record.ts";
import { crc32c } from "./kafka-crc32c.ts";
import { findMessage } from "./kafka-message-decoder.ts";
import { Corrupt, RecordReader } from "./kafka-record-reader.ts";
import type {
  DecodedBatch,
  DecodeSettings,
  FoundBatches,
  RecordBatch,
  RecordProblem,
  RecordSet,
} from "./kafka-record-set.ts";

/** Offset and length, which come before what the length counts. */
const OVERHEAD = 12;
const HEADER = 61;
const MAGIC_AT = 16;
const CRC_AT = 17;
const ATTRIBUTES_AT = 21;
const NONE: readonly KafkaRecord[] = [];

/**
 * Finds the batches of a fetch response's record set, of formats 0, 1 and 2. A batch cut off at the end (as Kafka's size limits do) is left
 * out: the next fetch brings it whole. Total over any bytes: what is wrong is a problem, after the batches before it.
 */
export function findBatches(set: Uint8Array, settings: DecodeSettings): FoundBatches {
  const view = new DataView(set.buffer, set.byteOffset, set.byteLength);
  const batches: RecordBatch[] = [];
  let at = 0;
  while (set.length - at > MAGIC_AT) {
    const length = view.getInt32(at + 8);
    const end = at + OVERHEAD + length;
    if (length >= 0 && end > set.length) break;
    try {
      if (length <= MAGIC_AT - OVERHEAD) throw new Corrupt("a length is too small");
      batches.push(findOne(set.subarray(at, end), settings));
    } catch (cause) {
      return { batches, problem: recordProblem(view.getBigInt64(at), cause) };
    }
    at = end;
  }
  return { batches };
}

/** What {@link findBatches} finds, decoded; as total as that. */
export function decodeRecordSet(set: Uint8Array, settings: DecodeSettings): RecordSet {
  const { batches, problem } = findBatches(set, settings);
  const decoded: DecodedBatch[] = [];
  for (const { isEmpty: _, ...batch } of batches) {
    try {
      decoded.push({ ...batch, records: batch.records() });
    } catch (cause) {
      return { batches: decoded, problem: recordProblem(batch.baseOffset, cause) };
    }
  }
  return { batches: decoded, ...(problem === undefined ? {} : { problem }) };
}

/** What `cause`, thrown by the records of a batch, says of the log. */
export function recordProblem(offset: bigint, cause: unknown): RecordProblem {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return cause instanceof Corrupt ? { offset, reason } : { offset, reason, cause };
}

function findOne(bytes: Uint8Array, settings: DecodeSettings): RecordBatch {
  const magic = bytes[MAGIC_AT] as number;
  if (magic < 2) return findMessage(bytes, settings);
  if (magic > 2) throw new Corrupt(`a record batch has the unknown format ${magic}`);
  if (bytes.length < HEADER) throw new Corrupt("a record batch is shorter than its header");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const attributes = view.getInt16(ATTRIBUTES_AT);
  const baseOffset = view.getBigInt64(0);
  const batch = {
    baseOffset,
    lastOffset: baseOffset + BigInt(view.getInt32(23)),
    producerId: view.getBigInt64(43),
    inTransaction: (attributes & 0x10) !== 0,
  };
  if ((attributes & 0x20) === 0) {
    const isEmpty = view.getInt32(57) === 0;
    const records = (): KafkaRecord[] =>
      readRecords(view, contentReader(bytes, view, settings), settings);
    return { ...batch, isEmpty, records };
  }
  const ends = readControl(contentReader(bytes, view, settings));
  return { ...batch, ends, isEmpty: true, records: () => NONE };
}

/** Before the records; the content must be what its checksum says. */
function contentReader(
  bytes: Uint8Array,
  view: DataView,
  { decompress }: DecodeSettings,
): RecordReader {
  if (crc32c(bytes, ATTRIBUTES_AT) !== view.getUint32(CRC_AT)) {
    throw new Corrupt("the checksum of a record batch is wrong");
  }
  const codec = view.getInt16(ATTRIBUTES_AT) & 0x7;
  const body = bytes.subarray(HEADER);
  return new RecordReader(codec === 0 ? body : decompress(codec, body));
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
