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
import { type Series, sendSeries } from "./series.ts";

const BATCH = 500;
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

  async createTopics(topics: readonly string[], numPartitions: number = PARTITIONS): Promise<void> {
    const admin = this.kafka.admin();
    await admin.connect();
    await admin.createTopics({
      waitForLeaders: true,
      topics: topics.map((topic) => ({ topic, numPartitions, replicationFactor: 1 })),
    });
    await admin.disconnect();
  }

  private async endsOf(topic: string): Promise<{ partition: number; offset: string }[]> {
    const admin = this.kafka.admin();
    await admin.connect();
    const ends = await admin.fetchTopicOffsets(topic);
    await admin.disconnect();
    return ends.map(({ partition, high }) => ({ partition, offset: high }));
  }

  async connect(): Promise<void> {
    await this.producer.connect();
  }

  /** Sends the series, in order within each partition. */
  async send(series: Series<SourceRecord>): Promise<void> {
    await sendSeries(series, BATCH, async (records) => {
      const topics = new Map<string, SourceRecord[]>();
      for (const record of records) {
        topics.set(record.topic, [...(topics.get(record.topic) ?? []), record]);
      }
      await this.producer.sendBatch({
        topicMessages: [...topics].map(([topic, list]) => ({
          topic,
          messages: list.map((record) => ({ ...record, timestamp: String(record.timestamp) })),
        })),
      });
    });
  }

  /** Reads `topic` from here on and counts every message of `run`; order is kept by MQTT topic, or nowhere. The result ends it. */
  async collect(options: CollectOptions): Promise<() => Promise<void>> {
    const consumer = this.kafka.consumer({
      groupId: `collector of ${options.run}`,
      maxWaitTimeInMs: 100,
    });
    await consumer.connect();
    await consumer.subscribe({ topic: options.topic, fromBeginning: true });
    const ends = await this.endsOf(options.topic);
    const next = new Map(ends.map(({ partition, offset }) => [partition, BigInt(offset)]));
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
    // from the beginning is for what is read again after a reconnect; now it would only take time
    for (const { partition, offset } of ends) {
      consumer.seek({ topic: options.topic, partition, offset });
    }
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
