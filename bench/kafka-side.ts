import { type Admin, Kafka, logLevel, type Producer } from "kafkajs";

export const PARTITIONS = 4;
const BATCH = 1000;

const HEAD = 24;

/** A numbered payload as the native tool writes and reads them: number, time of sending in microseconds, filling. */
function payload(number: number, size: number): Buffer {
  const micros = Math.round((performance.timeOrigin + performance.now()) * 1000);
  const head = number.toString(16).padStart(8, "0") + micros.toString(16).padStart(16, "0");
  return Buffer.from(head + "x".repeat(Math.max(0, size - HEAD)));
}

export interface Counted {
  readonly unique: number;
  readonly doubled: number;
  readonly reordered: number;
  readonly whole: number;
  /** Milliseconds from the stamp to the log's timestamp or the reader, where asked for. */
  readonly latencies: readonly number[];
}

/** The Kafka end of the benchmark: plain kafkajs, outside the timed part wherever that can be. */
export class KafkaSide {
  readonly broker: string;
  private readonly kafka: Kafka;
  private readonly admin: Admin;
  private readonly producer: Producer;

  constructor(broker: string) {
    this.broker = broker;
    this.kafka = new Kafka({ brokers: [broker], clientId: "bench", logLevel: logLevel.ERROR });
    this.admin = this.kafka.admin();
    this.producer = this.kafka.producer();
  }

  async open(): Promise<void> {
    await Promise.all([this.admin.connect(), this.producer.connect()]);
  }

  async close(): Promise<void> {
    await Promise.all([this.admin.disconnect(), this.producer.disconnect()]);
  }

  async createTopic(topic: string, partitions: number = PARTITIONS): Promise<void> {
    await this.admin.createTopics({
      waitForLeaders: true,
      topics: [{ topic, numPartitions: partitions, replicationFactor: 1 }],
    });
  }

  /** Writes messages `from` to `to`, three headers each, over all partitions in turn. */
  async fill(topic: string, from: number, to: number, size: number): Promise<void> {
    for (let at = from; at < to; at += BATCH) {
      const messages = Array.from({ length: Math.min(BATCH, to - at) }, (_, i) => ({
        partition: (at + i) % PARTITIONS,
        value: payload(at + i, size),
        headers: {
          "content-type": "application/json",
          "trace-id": (at + i).toString(16).padStart(8, "0"),
          source: "bench",
        },
      }));
      await this.producer.send({ topic, messages });
    }
  }

  /** Records in a topic. */
  async length(topic: string): Promise<number> {
    const offsets = await this.admin.fetchTopicOffsets(topic);
    return offsets.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
  }

  /** Reads a topic until `count` numbered messages have come, or nothing more comes. */
  async read(topic: string, count: number): Promise<Counted> {
    const consumer = this.kafka.consumer({ groupId: `reader-${topic}`, maxWaitTimeInMs: 100 });
    const seen = new Uint8Array(count);
    const result = { unique: 0, doubled: 0, reordered: 0, whole: 0, latencies: [] as number[] };
    const newest: number[] = [];
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await new Promise<void>((done) => {
      let idle = setTimeout(done, 15_000);
      void consumer.run({
        autoCommit: false,
        eachBatch: async ({ batch: { partition, messages } }) => {
          clearTimeout(idle);
          idle = setTimeout(done, 3_000);
          for (const { value, headers, timestamp } of messages) {
            const text = value?.toString("latin1", 0, 24) ?? "";
            const number = Number.parseInt(text.slice(0, 8), 16);
            if (text.length < 24 || !(number >= 0 && number < count)) continue;
            result.latencies.push(
              Number(timestamp) - Number.parseInt(text.slice(8, 24), 16) / 1000,
            );
            if (seen[number] === 1) result.doubled += 1;
            else result.unique += 1;
            seen[number] = 1;
            if (number < (newest[partition] ?? -1)) result.reordered += 1;
            newest[partition] = number;
            if (headers?.["content-type"] && headers["trace-id"] && headers["source"])
              result.whole += 1;
          }
          if (result.unique === count) done();
        },
      });
    });
    await consumer.disconnect();
    return result;
  }
}
