import { Kafka, logLevel } from "kafkajs";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  type SandboxKafka,
  startSandboxKafka,
} from "../../../local/sandbox/kafka/sandbox-kafka.ts";
import { kafkaRecordProducer } from "../../../shared/adapters/kafka/kafka-record-producer.ts";
import {
  type KafkaTopicTail,
  kafkaTopicTail,
} from "../../../shared/adapters/kafka/kafka-topic-tail.ts";
import type { Log, LogLevel, RecordProducer } from "../../../shared/engine/ports.ts";
import { noLog, plainEndpoint } from "../../support/kafka-ends.ts";

const TOPIC = "tail";
const PARTITIONS = 3;

let kafka: SandboxKafka;
let tail: KafkaTopicTail;
let producer: RecordProducer;
let read: string[];
let troubles: LogLevel[];

const log: Log = (level, message) => {
  if (message.startsWith("Kafka cannot be read")) troubles.push(level);
};

beforeEach(async () => {
  kafka = await startSandboxKafka({ autoCreateTopics: false });
  kafka.createTopic(TOPIC, PARTITIONS);
  const endpoint = plainEndpoint(kafka.bootstrapServers[0] ?? "");
  tail = kafkaTopicTail({ endpoint, clientId: "tail", topic: TOPIC, log });
  producer = kafkaRecordProducer({
    ...{ endpoint, clientId: "test", acks: -1, compression: "None", log: noLog },
  });
  await producer.start();
  read = [];
  troubles = [];
});

afterEach(async () => {
  await tail.stop();
  await producer.stop();
  await kafka.stop();
});

function start(): Promise<void> {
  return tail.start((records) => {
    for (const { value } of records) read.push(Buffer.from(value ?? []).toString());
  });
}

/** Writes texts over all partitions in turn, again and again until the broker has them. */
async function write(...texts: string[]): Promise<void> {
  const records = texts.map((text, index) => ({
    ...{ topic: TOPIC, key: null, value: Buffer.from(text), headers: [] },
    partitioning: { by: "partition", partition: index % PARTITIONS } as const,
  }));
  await vi.waitFor(() => producer.send(records), { timeout: 15_000 });
}

const arrived = (texts: readonly string[]): Promise<void> =>
  vi.waitFor(() => expect(read.toSorted()).toEqual(texts.toSorted()), { timeout: 15_000 });

/** Waits until the tail has failed so often. */
const troubled = (times: number): Promise<void> =>
  vi.waitFor(() => expect(troubles.length).toBeGreaterThanOrEqual(times), { timeout: 15_000 });

describe("kafkaTopicTail", () => {
  test("reads what is written after it has started, of all partitions, once, and nothing older", async () => {
    await write("old 1", "old 2", "old 3");
    await start();
    await write("a", "b", "c", "d");
    await arrived(["a", "b", "c", "d"]);
  });

  test("goes on where it was when the broker comes back, and warns of it once", async () => {
    await start();
    await write("a");
    await arrived(["a"]);
    await kafka.goDown();
    await troubled(3);
    await kafka.comeUp();
    await write("b", "c");
    await arrived(["a", "b", "c"]);
    expect(troubles.filter((level) => level === "warn")).toHaveLength(1);
  });

  test("reads each record once, however often its connections are cut", async () => {
    await start();
    const texts: string[] = [];
    for (let round = 0; round < 5; round += 1) {
      const more = [0, 1, 2].map((number) => `${round} ${number}`);
      await write(...more);
      texts.push(...more);
      await arrived(texts);
      kafka.dropConnections();
    }
  });

  test("reads a topic that is made anew from its beginning", async () => {
    await start();
    const old = Array.from({ length: 5 * PARTITIONS }, (_, number) => `old ${number}`);
    await write(...old);
    await arrived(old);
    const admin = new Kafka({
      brokers: [...kafka.bootstrapServers],
      logLevel: logLevel.NOTHING,
    }).admin();
    await admin.connect();
    await admin.deleteTopics({ topics: [TOPIC] });
    await admin.disconnect();
    await troubled(1);
    kafka.createTopic(TOPIC, PARTITIONS);
    await write("new");
    await arrived([...old, "new"]);
  });

  test("refuses a topic that is not there", async () => {
    await tail.stop();
    const endpoint = plainEndpoint(kafka.bootstrapServers[0] ?? "");
    tail = kafkaTopicTail({ endpoint, clientId: "tail", topic: "nowhere", log: noLog });
    await expect(start()).rejects.toMatchObject({ code: "KAFKA_TOPIC_MISSING" });
  });

  test("hands nothing over once it has stopped", async () => {
    await start();
    await tail.stop();
    await write("late");
    expect(read).toEqual([]);
  });
});
