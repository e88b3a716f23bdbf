import { crc32c } from "../../../../shared/wire/kafka-crc32c.ts";

export interface BatchFields {
  readonly count?: number;
  readonly body?: Uint8Array;
  readonly maxTimestamp?: number;
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  readonly attributes?: number;
  readonly magic?: number;
}

/** A record batch whose header is right and whose records are `body`, whatever that is. */
export function batch(fields: BatchFields = {}): Buffer {
  const { count = 1, body = Buffer.from("records"), maxTimestamp = 0, attributes = 0 } = fields;
  const bytes = Buffer.alloc(61 + body.length);
  bytes.writeInt32BE(bytes.length - 12, 8);
  bytes.writeInt32BE(-1, 12);
  bytes.writeInt8(fields.magic ?? 2, 16);
  bytes.writeInt16BE(attributes, 21);
  bytes.writeInt32BE(count - 1, 23);
  bytes.writeBigInt64BE(BigInt(maxTimestamp), 35);
  bytes.writeBigInt64BE(BigInt(fields.producerId ?? -1), 43);
  bytes.writeInt16BE(fields.producerEpoch ?? -1, 51);
  bytes.writeInt32BE(fields.baseSequence ?? -1, 53);
  bytes.writeInt32BE(count, 57);
  bytes.set(body, 61);
  bytes.writeUInt32BE(crc32c(bytes, 21), 17);
  return bytes;
}
