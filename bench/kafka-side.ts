import { type Admin, Kafka, type KafkaMessage, logLevel, type Producer } from "kafkajs";

export const PARTITIONS = 4;
const BATCH = 1000;

/** Bytes of number and time. */
const HEAD = 24;
const HEADERS = ["content-type", "trace-id", "source"];

/** A numbered payload as the native tool writes and reads them: number, time of sending in microseconds, filling. */
function payload(number: number, size: number): Buffer {
  const micros = Math.round((performance.timeOrigin + performance.now()) * 1000);
  const head = number.toString(16).padStart(8, "0") + micros.toString(16).padStart(16, "0");
  return Buffer.from(head + "x".repeat(Math.max(0, size - HEAD)));
}

/** Counts numbered messages: how many came, how often, in which order, with all their headers. */
export class Counted {
  unique = 0;
  doubled = 0;
  reordered = 0;
  whole = 0;
  private readonly seen: Uint8Array;
  /** By partition, in which order holds. */
  private readonly newest: number[] = [];

  constructor(count: number) {
    this.seen = new Uint8Array(count);
  }

  get isComplete(): boolean {
    return this.unique === this.seen.length;
  }

  add(partition: number, { value, headers }: KafkaMessage): void {
    const number = Number.parseInt(value?.toString("latin1", 0, 8) ?? "", 16);
    // not one of ours, such as a probe
    if (value === null || value.length < HEAD || !(number < this.seen.length)) return;
    if (this.seen[number] === 1) this.doubled += 1;
    else this.unique += 1;
    this.seen[number] = 1;
    if (number < (this.newest[partition] ?? -1)) this.reordered += 1;
    this.newest[partition] = number;
    if (HEADERS.every((name) => headers?.[name] !== undefined)) this.whole += 1;
  }
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
    const counted = new Counted(count);
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await new Promise<void>((done) => {
      let idle = setTimeout(done, 15_000);
      void consumer.run({
        autoCommit: false,
        eachBatch: async ({ batch: { partition, messages } }) => {
          clearTimeout(idle);
          idle = setTimeout(done, 3_000);
          for (const message of messages) counted.add(partition, message);
          if (counted.isComplete) done();
        },
      });
    });
    await consumer.disconnect();
    return counted;
  }
}
