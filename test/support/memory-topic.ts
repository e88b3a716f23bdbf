import type { PartitionRange, TopicReader } from "../../shared/engine/ports.ts";
import type { KafkaRecord, OutgoingRecord } from "../../shared/model/kafka-record.ts";

/** A topic in memory: what is appended can be read again, some records at a time. */
export class MemoryTopic implements TopicReader {
  readonly partitions: readonly KafkaRecord[][];
  readonly topic: string;
  /** How many times a range was read. */
  reads = 0;
  /** Readings that were begun and neither ended nor given up. */
  open = 0;
  private next = 0;

  constructor(topic: string, partitions: number) {
    this.topic = topic;
    this.partitions = Array.from({ length: partitions }, () => []);
  }

  append(records: readonly OutgoingRecord[]): void {
    for (const { topic, key, value, headers, partitioning } of records) {
      const partition =
        partitioning.by === "partition"
          ? partitioning.partition
          : this.next++ % this.partitions.length;
      const log = this.partitions[partition] as KafkaRecord[];
      const offset = BigInt(log.length);
      log.push({ topic, partition, offset, timestamp: 0, key, value, headers });
    }
  }

  async ranges(topic: string): Promise<readonly PartitionRange[]> {
    if (topic !== this.topic) return [];
    return this.partitions.map((log, partition) => ({
      ...{ topic, partition, from: 0n },
      to: BigInt(log.length),
    }));
  }

  async *read({ partition, from, to }: PartitionRange): AsyncGenerator<readonly KafkaRecord[]> {
    const log = this.partitions[partition] as KafkaRecord[];
    this.reads += 1;
    this.open += 1;
    try {
      for (let at = Number(from); at < Number(to); at += 7) {
        yield log.slice(at, Math.min(at + 7, Number(to)));
      }
    } finally {
      this.open -= 1;
    }
  }

  async close(): Promise<void> {}
}
