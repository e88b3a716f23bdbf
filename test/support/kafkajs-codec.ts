import { createRequire } from "node:module";
import type { KafkaHeader } from "../../shared/model/kafka-record.ts";

const load = createRequire(import.meta.url);

interface Encoder {
  readonly buffer: Buffer;
}

/** A message as kafkajs' own codec takes and gives it. */
export interface PlainMessage {
  readonly offset?: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: Record<string, Buffer | string>;
  readonly timestamp?: string | number;
}

const record = load("kafkajs/src/protocol/recordBatch/record/v0") as (message: object) => Encoder;
const { RecordBatch } = load("kafkajs/src/protocol/recordBatch/v0") as {
  RecordBatch(options: object): Promise<Encoder>;
};
const decodeBatch = load("kafkajs/src/protocol/recordBatch/v0/decoder") as (
  decoder: object,
) => Promise<{ records: PlainMessage[] }>;
const messageSet = load("kafkajs/src/protocol/messageSet") as (options: object) => Encoder;
const Decoder = load("kafkajs/src/protocol/decoder") as new (bytes: Buffer) => object;

/** A record batch by kafkajs' encoder. */
export async function batchByKafkajs(
  messages: readonly PlainMessage[],
  options: {
    timestamp: number;
    compression?: number;
    producerId?: number;
    transactional?: boolean;
  },
): Promise<Buffer> {
  const batch = await RecordBatch({
    ...options,
    firstTimestamp: options.timestamp,
    maxTimestamp: options.timestamp,
    lastOffsetDelta: messages.length - 1,
    records: messages.map((message, offsetDelta) =>
      record({ ...message, offsetDelta, timestampDelta: 0 }),
    ),
  });
  return batch.buffer;
}

/** The records of one batch by kafkajs' decoder. */
export async function readByKafkajs(batch: Uint8Array): Promise<readonly PlainMessage[]> {
  return (await decodeBatch(new Decoder(Buffer.from(batch)))).records;
}

/** A message set of the formats before record batches, by kafkajs' encoder: offsets are -1, or count from 0 for a compressed set. */
export function messageSetByKafkajs(
  messageVersion: 0 | 1,
  entries: readonly PlainMessage[],
  options: { counted: boolean },
): Buffer {
  return messageSet({ messageVersion, compression: options.counted ? 1 : 0, entries }).buffer;
}

export const headersOf = (headers: readonly KafkaHeader[]): Record<string, string | null> =>
  Object.fromEntries(
    headers.map(([name, value]) => [name, value === null ? null : Buffer.from(value).toString()]),
  );
