import { Kafka, type KafkaMessage, logLevel, type Producer } from "kafkajs";
import type { Tally } from "../support/tally.ts";
import {
  difference,
  EXPIRY_SECONDS,
  expectedHeaders,
  PARTITIONS,
  type Pairs,
  type SourcePublish,
  type SourceRecord,
} from "./messages.ts";

const BATCH = 500;
const BURSTS_PER_SECOND = 40;
const EXPIRY_HEADER = "Message Expiry Interval";

interface CollectOptions {
  readonly topic: string;
  readonly run: string;
  readonly tally: Tally;
  readonly lane: "topic" | "none";
  publish(index: number): SourcePublish;
  keyOf(publish: SourcePublish): string;
}

/** A Kafka client at one end of the bridge: kafkajs alone, none of our code. */
export class KafkaEnd {
  private readonly kafka: Kafka;
  private readonly producer: Producer;

  constructor(broker: string) {
    this.kafka = new Kafka({
      brokers: [broker],
      clientId: "kafka-end",
      logLevel: logLevel.NOTHING,
      retry: { initialRetryTime: 100, maxRetryTime: 1000, retries: 60 },
    });
    this.producer = this.kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  }

  async createTopics(topics: readonly string[], numPartitions = PARTITIONS): Promise<void> {
    const admin = this.kafka.admin();
    await admin.connect();
    await admin.createTopics({
      waitForLeaders: true,
      topics: topics.map((topic) => ({ topic, numPartitions, replicationFactor: 1 })),
    });
    await admin.disconnect();
  }

  async connect(): Promise<void> {
    await this.producer.connect();
  }

  /** Sends all of them, in order within each partition, no faster than `perSecond`. */
  async send(
    records: readonly SourceRecord[],
    perSecond = Number.POSITIVE_INFINITY,
  ): Promise<void> {
    const started = Date.now();
    const size = Math.min(BATCH, Math.ceil(perSecond / BURSTS_PER_SECOND));
    for (let from = 0; from < records.length; from += size) {
      const topics = new Map<string, SourceRecord[]>();
      for (const record of records.slice(from, from + size)) {
        const list = topics.get(record.topic) ?? [];
        topics.set(record.topic, [...list, record]);
      }
      await this.producer.sendBatch({
        topicMessages: [...topics].map(([topic, list]) => ({
          topic,
          messages: list.map((record) => ({ ...record, timestamp: String(record.timestamp) })),
        })),
      });
      await pause(started + (from / perSecond) * 1000 - Date.now());
    }
  }

  /** Reads `topic` from its beginning and counts every message of `run`; order is kept by MQTT topic, or nowhere. The result ends it. */
  async collect(options: CollectOptions): Promise<() => Promise<void>> {
    const consumer = this.kafka.consumer({
      groupId: `collector of ${options.run}`,
      maxWaitTimeInMs: 100,
    });
    await consumer.connect();
    await consumer.subscribe({ topic: options.topic, fromBeginning: true });
    const next = new Map<number, bigint>();
    const partitions = new Map<string, number>();
    const reading = new Promise((resolve) => consumer.on(consumer.events.FETCH, resolve));
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch: { partition, messages } }) => {
        for (const message of messages) {
          // read again after a reconnect: the same record is no second copy
          const offset = BigInt(message.offset);
          if (offset < (next.get(partition) ?? 0n)) continue;
          next.set(partition, offset + 1n);
          count(message, partition, partitions, options);
        }
      },
    });
    await reading;
    return () => consumer.disconnect();
  }

  async close(): Promise<void> {
    await this.producer.disconnect();
  }
}

/** Counts one message of the run; `partitions` remembers where each key lives. */
function count(
  message: KafkaMessage,
  partition: number,
  partitions: Map<string, number>,
  options: CollectOptions,
): void {
  if (String(message.headers?.["run"]) !== options.run) return;
  const headers = pairs(message.headers ?? {});
  const index = Number(headers["index"]?.[0]);
  const source = options.publish(index);
  const key = message.key?.toString("utf8") ?? "";
  const home = partitions.get(key) ?? partition;
  partitions.set(key, home);
  const problem =
    difference("key", key, options.keyOf(source)) ??
    difference(`partition of key ${key}`, partition, home) ??
    difference("value", message.value?.toString("hex"), source.payload.toString("hex")) ??
    headersProblem(headers, source);
  options.tally.add(index, options.lane === "topic" ? source.topic : String(index), problem);
}

function pairs(headers: Readonly<Record<string, unknown>>): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      [value].flat().map((bytes) => (bytes as Buffer).toString("latin1")),
    ]),
  );
}

function headersProblem(headers: Pairs, source: SourcePublish): string | undefined {
  const { [EXPIRY_HEADER]: expiry, ...rest } = headers;
  return (
    expiryProblem(expiry, source.properties.messageExpiryInterval) ??
    difference("headers", rest, expectedHeaders(source))
  );
}

/** S-12: what is left of it, and no test takes two minutes. */
function expiryProblem(
  header: readonly string[] | undefined,
  interval: number | undefined,
): string | undefined {
  if (interval === undefined) return difference(EXPIRY_HEADER, header, undefined);
  const left = Number(header?.[0]);
  if (left <= EXPIRY_SECONDS && left > EXPIRY_SECONDS - 120) return undefined;
  return `${EXPIRY_HEADER} is ${header?.[0]} of ${interval}`;
}

function pause(ms: number): Promise<void> {
  return ms <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms));
}
