import { type BatchRecord, encodeRecordBatch } from "../../wire/kafka-record-encoder.ts";
import { compressor } from "./compression.ts";

/** What kafkajs hands to its Produce request, versions 3 to 7. */
export interface ProduceOptions {
  readonly acks: number;
  readonly timeout: number;
  readonly transactionalId?: string | null;
  readonly producerId?: { toString(): string };
  readonly producerEpoch?: number;
  readonly compression?: number;
  readonly topicData: readonly {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly firstSequence?: number;
      readonly messages: readonly BatchRecord[];
    }[];
  }[];
}

/*
 * Produce request, versions 3 to 7: transactional id nullable string, acks int16, timeout int32,
 * topics, each with name and partitions: partition int32, record set bytes.
 */
export function encodeProduceRequest(options: ProduceOptions, now: number): Buffer {
  const codec = options.compression ?? 0;
  const compress = compressor(codec);
  const transactionalId = options.transactionalId ?? null;
  const settings = {
    now,
    codec,
    ...(compress === undefined ? {} : { compress }),
    producerId: BigInt(options.producerId?.toString() ?? "-1"),
    producerEpoch: options.producerEpoch ?? -1,
    transactional: transactionalId !== null,
  };
  const parts: Uint8Array[] = [
    text(transactionalId),
    int16(options.acks),
    int32(options.timeout),
    int32(options.topicData.length),
  ];
  for (const { topic, partitions } of options.topicData) {
    parts.push(text(topic), int32(partitions.length));
    for (const { partition, messages, firstSequence } of partitions) {
      const batch = encodeRecordBatch(messages, {
        ...settings,
        firstSequence: firstSequence ?? -1,
      });
      parts.push(int32(partition), int32(batch.length), batch);
    }
  }
  return Buffer.concat(parts);
}

function int16(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function text(value: string | null): Buffer {
  if (value === null) return int16(-1);
  const bytes = Buffer.from(value, "utf8");
  return Buffer.concat([int16(bytes.length), bytes]);
}
