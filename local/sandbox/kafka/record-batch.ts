import { crc32c } from "../../../shared/wire/kafka-crc32c.ts";
import { ERROR } from "./error-codes.ts";

/*
 * RecordBatch => baseOffset int64, batchLength int32, partitionLeaderEpoch int32, magic int8, crc uint32, attributes int16,
 *   lastOffsetDelta int32, baseTimestamp int64, maxTimestamp int64, producerId int64, producerEpoch int16, baseSequence int32,
 *   recordCount int32, records
 */
const LENGTH_AT = 8;
const MAGIC_AT = 16;
const CRC_AT = 17;
const ATTRIBUTES_AT = 21;
const LAST_OFFSET_DELTA_AT = 23;
const MAX_TIMESTAMP_AT = 35;
const PRODUCER_ID_AT = 43;
const PRODUCER_EPOCH_AT = 51;
const BASE_SEQUENCE_AT = 53;
const COUNT_AT = 57;
const HEADER_LENGTH = 61;
/** What baseOffset and batchLength take: batchLength counts from behind itself. */
const OVERHEAD = 12;

/** One record batch as a producer sent it, with what the log must know of it. Its records are never looked at. */
export interface RecordBatch {
  readonly bytes: Buffer;
  readonly count: number;
  readonly maxTimestamp: number;
  /** -1 for a producer that is not idempotent. */
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
}

/** Checks what a Produce request holds for one partition: exactly one batch of format 2, whole and unharmed. */
export function readRecordBatch(
  bytes: Buffer,
  maxBytes: number,
): RecordBatch | { readonly errorCode: number } {
  if (bytes.length < HEADER_LENGTH) return { errorCode: ERROR.corruptMessage };
  if (bytes.readInt8(MAGIC_AT) !== 2) return { errorCode: ERROR.invalidRecord };
  if (bytes.readInt32BE(LENGTH_AT) + OVERHEAD !== bytes.length) {
    return { errorCode: ERROR.invalidRecord };
  }
  if (bytes.length > maxBytes) return { errorCode: ERROR.messageTooLarge };
  if (crc32c(bytes, ATTRIBUTES_AT) !== bytes.readUInt32BE(CRC_AT)) {
    return { errorCode: ERROR.corruptMessage };
  }
  const count = bytes.readInt32BE(COUNT_AT);
  const isTransactionalOrControl = (bytes.readInt16BE(ATTRIBUTES_AT) & 0x30) !== 0;
  if (count < 1 || bytes.readInt32BE(LAST_OFFSET_DELTA_AT) !== count - 1) {
    return { errorCode: ERROR.invalidRecord };
  }
  if (isTransactionalOrControl) return { errorCode: ERROR.invalidRecord };
  return {
    bytes,
    count,
    maxTimestamp: Number(bytes.readBigInt64BE(MAX_TIMESTAMP_AT)),
    producerId: Number(bytes.readBigInt64BE(PRODUCER_ID_AT)),
    producerEpoch: bytes.readInt16BE(PRODUCER_EPOCH_AT),
    baseSequence: bytes.readInt32BE(BASE_SEQUENCE_AT),
  };
}

/** Gives a stored batch its place in the log. The checksum does not cover these bytes. */
export function writeBaseOffset(batch: Buffer, offset: number): void {
  batch.writeBigInt64BE(BigInt(offset), 0);
}
