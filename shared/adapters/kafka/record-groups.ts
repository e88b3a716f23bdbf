import type { PartitionMetadata } from "kafkajs";
import { BridgeError } from "../../errors.ts";
import type { OutgoingRecord } from "../../model/kafka-record.ts";
import { partitionOfKey } from "../../wire/kafka-murmur2.ts";
import type { RecordGroup } from "./produce-request.ts";
import type { ProducerSequences } from "./producer-sequences.ts";

/** Where the records of one topic go. Numbers are those of partitions, in order; available are those with a leader. */
export interface TopicPartitions {
  readonly all: readonly number[];
  readonly available: readonly number[];
}

export function topicPartitions(metadata: readonly PartitionMetadata[]): TopicPartitions {
  const sorted = metadata.toSorted((a, b) => a.partitionId - b.partitionId);
  const withLeader = sorted.filter(({ leader }) => leader >= 0);
  return {
    all: sorted.map(({ partitionId }) => partitionId),
    available: withLeader.map(({ partitionId }) => partitionId),
  };
}

/** Sorts records by partition (S-13), keeping their order; round robin goes on from send to send. */
export class RecordGrouper {
  private readonly turns = new Map<string, number>();
  private readonly sequences: ProducerSequences | undefined;

  constructor(sequences?: ProducerSequences) {
    this.sequences = sequences;
  }

  /** @throws BridgeError, not retryable, when a record names a partition that its topic does not have */
  group(
    topic: string,
    records: readonly OutgoingRecord[],
    partitions: TopicPartitions,
  ): RecordGroup[] {
    const groups = new Map<number, OutgoingRecord[]>();
    for (const record of records) {
      const partition = this.partitionOf(topic, record, partitions);
      const group = groups.get(partition);
      if (group === undefined) groups.set(partition, [record]);
      else group.push(record);
    }
    return [...groups].map(([partition, grouped]) => this.groupOf(partition, grouped));
  }

  /** One for each record, for a topic whose partitions are not known yet. */
  single(records: readonly OutgoingRecord[]): RecordGroup[] {
    return records.map((record) => this.groupOf(-1, [record]));
  }

  private groupOf(partition: number, records: readonly OutgoingRecord[]): RecordGroup {
    return { partition, records, sequences: this.sequences, value: null };
  }

  private partitionOf(topic: string, record: OutgoingRecord, to: TopicPartitions): number {
    const { partitioning, key } = record;
    switch (partitioning.by) {
      case "partition":
        return existing(topic, partitioning.partition, to);
      case "instance":
        return to.all[partitioning.instance % to.all.length] ?? 0;
      case "key":
        if (key === null) return this.nextInTurn(topic, to);
        return to.all[partitionOfKey(key, to.all.length)] ?? 0;
      case "roundRobin":
        return this.nextInTurn(topic, to);
    }
  }

  private nextInTurn(topic: string, { all, available }: TopicPartitions): number {
    const turn = this.turns.get(topic) ?? 0;
    this.turns.set(topic, (turn + 1) % 0x3fffffff);
    const choice = available.length > 0 ? available : all;
    return choice[turn % choice.length] ?? 0;
  }
}

/** kafkajs leaves records for a partition that is not there out, and reports success. */
function existing(topic: string, partition: number, { all }: TopicPartitions): number {
  if (all.includes(partition)) return partition;
  throw new BridgeError(
    "KAFKA_REFUSED",
    `Cannot send to partition ${partition} of topic "${topic}": it has ${all.length}`,
  );
}
