import type { OutgoingRecord } from "../../model/kafka-record.ts";
import { encodeRecordBatch } from "../../wire/kafka-record-encoder.ts";
import { compressor } from "./compression.ts";
import type { ProducerSequences, RequestStamps } from "./producer-sequences.ts";

/**
 * All records that one request takes to one partition, in the shape of one message of kafkajs, which would spend quadratic time on
 * sorting single ones by partition.
 */
export interface RecordGroup {
  /** -1 as long as the partitions of the topic are not known. */
  readonly partition: number;
  /** The partition of the last attempt. */
  sentTo?: number;
  readonly records: readonly OutgoingRecord[];
  /** Of the producer, where it is an idempotent one. */
  readonly sequences?: ProducerSequences | undefined;
  /** kafkajs refuses messages without a value. */
  readonly value: null;
}

/** What kafkajs hands to its Produce request, versions 3 to 7. */
export interface ProduceOptions {
  readonly acks: number;
  readonly timeout: number;
  readonly compression?: number;
  /** As text, as kafkajs reads it; -1 of a producer that is not idempotent. */
  readonly producerId: string | number;
  readonly topicData: readonly {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly messages: readonly RecordGroup[];
    }[];
  }[];
}

/** Of the producer whose request it is: all groups of a request are of one. */
export function sequencesOf({ topicData }: ProduceOptions): ProducerSequences | undefined {
  return topicData[0]?.partitions[0]?.messages[0]?.sequences;
}

/** Whether the request is one of ours. Other producers of the same process keep kafkajs' own encoding. */
export function isOurRequest(options: ProduceOptions): boolean {
  return options.topicData.every(({ partitions }) =>
    partitions.every(({ messages }) => messages.every((message) => Array.isArray(message.records))),
  );
}

/**
 * A Produce request of version 3 to 7: transactional id nullable string, acks int16, timeout int32, topics, each with name and partitions:
 * partition int32, record set bytes. `stamps` are those of an idempotent producer.
 */
export function encodeProduceRequest(
  options: ProduceOptions,
  now: number,
  stamps?: RequestStamps,
): Buffer {
  const codec = options.compression ?? 0;
  const compress = compressor(codec);
  const settings = { now, codec, ...(compress === undefined ? {} : { compress }) };
  const parts: Uint8Array[] = [
    int16(-1),
    int16(sequencesOf(options)?.acks ?? options.acks),
    int32(options.timeout),
    int32(options.topicData.length),
  ];
  for (const { topic, partitions } of options.topicData) {
    const name = Buffer.from(topic, "utf8");
    parts.push(int16(name.length), name, int32(partitions.length));
    for (const { partition, messages } of partitions) {
      const records = recordsOf(messages);
      const stamp = stamps?.stamp(topic, partition, records);
      const batch = encodeRecordBatch(records, {
        ...settings,
        ...(stamp === undefined ? {} : { producer: { ...stamp, id: BigInt(options.producerId) } }),
      });
      parts.push(int32(partition), int32(batch.length), batch);
    }
  }
  return Buffer.concat(parts);
}

function recordsOf(groups: readonly RecordGroup[]): readonly OutgoingRecord[] {
  const [first] = groups;
  if (groups.length === 1 && first !== undefined) return first.records;
  return groups.flatMap((group) => group.records);
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
