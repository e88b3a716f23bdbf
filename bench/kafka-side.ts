import { setTimeout as pause } from "node:timers/promises";
import { type Admin, Kafka, type KafkaMessage, logLevel } from "kafkajs";
import { KafkaWire } from "../test/faults/kafka-wire.ts";
import { fill } from "./messages.ts";

export const PARTITIONS = 4;
/** Bytes of number and time. */
const HEAD = 24;
const AGAIN_MS = 100;
const HEADERS = ["content-type", "trace-id", "source"];

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

  constructor(broker: string) {
    this.broker = broker;
    this.kafka = new Kafka({ brokers: [broker], clientId: "bench", logLevel: logLevel.NOTHING });
    this.admin = this.kafka.admin();
  }

  get port(): number {
    return Number(this.broker.split(":")[1]);
  }

  async open(): Promise<void> {
    await this.admin.connect();
  }

  async close(): Promise<void> {
    await this.admin.disconnect();
  }

  createTopic(topic: string): Promise<void> {
    return this.createTopics([topic], PARTITIONS);
  }

  /** Resolves when all of them can be written to. */
  async createTopics(topics: readonly string[], numPartitions: number): Promise<void> {
    await this.admin.createTopics({
      // kafkajs gives up too soon
      waitForLeaders: false,
      topics: topics.map((topic) => ({ topic, numPartitions, replicationFactor: 1 })),
    });
    while (!(await this.areThere([...topics]))) await pause(AGAIN_MS);
  }

  private async areThere(topics: string[]): Promise<boolean> {
    const found = await this.admin.fetchTopicMetadata({ topics }).catch(() => undefined);
    const partitions = found?.topics.flatMap((topic) => topic.partitions) ?? [];
    return partitions.length > 0 && partitions.every(({ leader }) => leader >= 0);
  }

  async deleteTopics(topics: readonly string[]): Promise<void> {
    await this.admin.deleteTopics({ topics: [...topics] });
  }

  /** Writes numbered messages of three headers over all partitions in turn. */
  async fill(topic: string, messages: number, size: number): Promise<void> {
    const wire = new KafkaWire(this.port);
    await fill(wire, { topics: [topic], partitions: PARTITIONS, messages, size, headers: 3 });
    wire.close();
  }

  /** Records in a topic; a broker that has just become its leader may not know it yet. */
  async length(topic: string): Promise<number> {
    for (;;) {
      const offsets = await this.admin.fetchTopicOffsets(topic).catch(() => undefined);
      if (offsets !== undefined) {
        return offsets.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
      }
      await pause(AGAIN_MS);
    }
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
