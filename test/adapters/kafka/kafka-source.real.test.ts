import { Kafka, logLevel } from "kafkajs";
import { afterEach, expect, test } from "vitest";
import { kafkaRecordProducer } from "../../../shared/adapters/kafka/kafka-record-producer.ts";
import {
  type KafkaRecordSourceOptions,
  kafkaRecordSource,
} from "../../../shared/adapters/kafka/kafka-record-source.ts";
import type { RecordProducer, RecordSource, TopicPartition } from "../../../shared/engine/ports.ts";
import type { KafkaRecord } from "../../../shared/model/kafka-record.ts";
import { Collector, noLog, outgoing, plainEndpoint, unique } from "../../support/kafka-ends.ts";
import { brokerAddress, describeReal } from "../../support/real-brokers.ts";

const open: (RecordProducer | RecordSource)[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((port) => port.stop()));
});

const endpoint = () => plainEndpoint(brokerAddress("ISTHMUS_TEST_KAFKA"));
const named = (...topics: string[]) => topics.map((topic) => ({ kind: "name" as const, topic }));
const textOf = (record: KafkaRecord): string => Buffer.from(record.value ?? []).toString();

/** kafkajs as it comes, in the same process as our adapters. */
const plainKafka = (): Kafka =>
  new Kafka({ brokers: [brokerAddress("ISTHMUS_TEST_KAFKA")], logLevel: logLevel.NOTHING });

async function withAdmin<T>(work: (admin: ReturnType<Kafka["admin"]>) => Promise<T>): Promise<T> {
  const admin = plainKafka().admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

async function topicWith(
  numPartitions: number,
  config: Record<string, string> = {},
  topic = unique("source"),
): Promise<string> {
  const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
  await withAdmin((admin) =>
    admin.createTopics({ topics: [{ topic, numPartitions, configEntries }] }),
  );
  return topic;
}

async function producer(): Promise<RecordProducer> {
  const port = kafkaRecordProducer({
    endpoint: endpoint(),
    clientId: "test",
    acks: -1,
    compression: "None",
    log: noLog,
  });
  open.push(port);
  await port.start();
  return port;
}

async function reader(
  over: Partial<KafkaRecordSourceOptions> & Pick<KafkaRecordSourceOptions, "topics">,
): Promise<{ source: RecordSource; collector: Collector }> {
  const source = kafkaRecordSource({
    endpoint: endpoint(),
    clientId: "test",
    consumerGroupId: unique("group"),
    log: noLog,
    ...over,
  });
  open.push(source);
  const collector = new Collector(source);
  await source.start(collector);
  return { source, collector };
}

const byPlace = (a: TopicPartition, b: TopicPartition): number =>
  a.topic.localeCompare(b.topic) || a.partition - b.partition;

const numbers = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, i) => String(from + i));

describeReal("kafkaRecordSource() against a real Kafka", ["ISTHMUS_TEST_KAFKA"], () => {
  test("reads what transactions committed, not what they aborted, and goes on behind their markers", async () => {
    const topic = await topicWith(1);
    const writer = plainKafka().producer({ transactionalId: unique("tx"), maxInFlightRequests: 1 });
    await writer.connect();
    for (const [value, outcome] of [
      ["committed", "commit"],
      ["aborted", "abort"],
    ] as const) {
      const transaction = await writer.transaction();
      await transaction.send({ topic, messages: [{ value, headers: { h: "1" } }] });
      await transaction[outcome]();
    }
    await writer.send({ topic, messages: [{ value: "after" }] });
    await writer.disconnect();
    const consumerGroupId = unique("group");
    const first = await reader({ topics: named(topic), consumerGroupId });
    await first.collector.until(() => first.collector.received.length === 2);
    expect(first.collector.received.map(textOf)).toEqual(["committed", "after"]);
    await first.collector.commit();
    await first.source.stop();
    const port = await producer();
    await port.send([outgoing({ topic, value: Buffer.from("next") })]);
    const second = await reader({ topics: named(topic), consumerGroupId });
    await second.collector.until(() => second.collector.received.length === 1);
    expect(second.collector.received.map(textOf)).toEqual(["next"]);
  });

  test("leaves other kafkajs clients of the process as they are", async () => {
    const topic = await topicWith(1);
    const port = await producer();
    await port.send([outgoing({ topic, headers: [["a", Buffer.from("1")]] })]);
    const consumer = plainKafka().consumer({ groupId: unique("plain"), maxWaitTimeInMs: 200 });
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    const message = await new Promise<{ value: string; headers: unknown }>((resolve) => {
      void consumer.run({
        eachMessage: async ({ message: { value, headers } }) =>
          resolve({ value: String(value), headers }),
      });
    });
    await consumer.disconnect();
    expect(message).toMatchObject({ value: "value", headers: { a: Buffer.from("1") } });
  });

  test("waits for a topic that is not there yet, and says for which", async () => {
    const topic = unique("not-yet");
    const { source, collector } = await reader({ topics: named(topic), discoverEveryMs: 300 });
    expect(source.status?.()).toEqual({
      connected: true,
      detail: `Waiting for topic "${topic}"`,
    });
    await topicWith(1, {}, topic);
    const port = await producer();
    await port.send([outgoing({ topic })]);
    await collector.until(() => collector.received.length === 1);
    expect(source.status?.()).toEqual({ connected: true });
  });

  test("gives its partitions up, with a last commit, before another member reads them [S-50]", async () => {
    const topic = await topicWith(4);
    const port = await producer();
    const consumerGroupId = unique("group");
    const order: string[] = [];
    const one = await reader({ topics: named(topic), consumerGroupId });
    const revoked = one.collector.revoked.bind(one.collector);
    one.collector.revoked = async (partitions) => {
      await revoked(partitions);
      order.push("given up");
    };
    await port.send(numbers(0, 400).map((v) => outgoing({ topic, value: Buffer.from(v) })));
    await one.collector.until(() => one.collector.received.length === 400);
    const two = await reader({ topics: named(topic), consumerGroupId });
    await two.collector.until(() => two.collector.assignments.length > 0);
    order.push("taken over");
    await port.send(numbers(400, 400).map((v) => outgoing({ topic, value: Buffer.from(v) })));
    const total = (): number => one.collector.received.length + two.collector.received.length;
    while (total() < 800) {
      await Promise.race([
        one.collector.until(() => total() >= 800),
        two.collector.until(() => total() >= 800),
      ]);
    }
    expect(order.slice(0, 2)).toEqual(["given up", "taken over"]);
    const values = [...one.collector.received, ...two.collector.received].map(textOf);
    expect(values.toSorted()).toEqual(numbers(0, 800).toSorted());
  });

  test("takes the place of a silent member of the same name at once, with its own topics and new partitions [S-50]", async () => {
    const [topic, another] = [await topicWith(2), await topicWith(1)];
    const of = { consumerGroupId: unique("group"), groupInstanceId: unique("host") };
    // it is heard of every 12 s, and so as good as dead meanwhile
    const silent = { ...of, sessionTimeoutMs: 60_000 };
    const before = await reader({ ...silent, topics: named(topic) });
    await before.collector.until(() => before.collector.assignments.length > 0);
    await withAdmin((admin) => admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] }));
    const started = Date.now();
    const after = await reader({ ...silent, topics: named(topic, another) });
    await after.collector.until(() => after.collector.assignments.length > 0);
    expect(Date.now() - started).toBeLessThan(6_000);
    expect(after.collector.assignments.at(-1)?.toSorted(byPlace)).toEqual(
      [
        ...[0, 1, 2].map((partition) => ({ topic, partition })),
        { topic: another, partition: 0 },
      ].toSorted(byPlace),
    );
  });

  test("shares with a member that comes with the same name, instead of fencing it out by turns", async () => {
    const topic = await topicWith(4);
    const of = { consumerGroupId: unique("group"), groupInstanceId: unique("host") };
    const warnings: string[] = [];
    const first = await reader({
      ...{ ...of, topics: named(topic) },
      log: (level, message) => level === "warn" && warnings.push(message),
    });
    await first.collector.until(() => first.collector.assignments.length > 0);
    const second = await reader({ ...of, topics: named(topic) });
    const held = (): number[] =>
      [first, second].map(({ collector }) => collector.assignments.at(-1)?.length ?? 0);
    while (held().join() !== "2,2") {
      const changed = [first, second].map(({ collector }) => {
        const { length } = collector.assignments;
        return collector.until(() => collector.assignments.length > length);
      });
      await Promise.race(changed);
    }
    const port = await producer();
    await port.send(numbers(0, 40).map((v) => outgoing({ topic, value: Buffer.from(v) })));
    await first.collector.until(() => first.collector.received.length === 20);
    await second.collector.until(() => second.collector.received.length === 20);
    expect(warnings).toContainEqual(expect.stringContaining("Another process"));
    expect([...first.collector.failures, ...second.collector.failures]).toEqual([]);
  });

  test("a codec that this Node.js has not is one clear failure that names the topic", async ({
    skip,
  }) => {
    const { zstdDecompressSync } = (await import("node:zlib")) as { zstdDecompressSync?: unknown };
    if (zstdDecompressSync !== undefined) skip("this Node.js reads zstd");
    const topic = await topicWith(1, { "compression.type": "zstd" });
    const port = await producer();
    await port.send([outgoing({ topic })]);
    const { source, collector } = await reader({ topics: named(topic) });
    await collector.until(() => collector.failures.length === 1);
    expect(collector.failures[0]).toMatchObject({
      code: "KAFKA_REFUSED",
      retryable: false,
      message: expect.stringMatching(
        new RegExp(`^Cannot read partition 0 of topic "${topic}" from offset 0: .*22\\.15`),
      ),
    });
    expect(source.status?.().connected).toBe(false);
  });

  test("a topic with the broker's own times has them", async () => {
    const topic = await topicWith(1, { "message.timestamp.type": "LogAppendTime" });
    const port = await producer();
    await port.send([outgoing({ topic }), outgoing({ topic })]);
    const { collector } = await reader({ topics: named(topic) });
    await collector.until(() => collector.received.length === 2);
    const [a, b] = collector.received.map(({ timestamp }) => timestamp);
    expect(a).toBe(b);
    expect(Math.abs((a ?? 0) - Date.now())).toBeLessThan(60_000);
  });

  test("commits only for partitions that it holds, and after the end for none", async () => {
    const topic = await topicWith(1);
    const consumerGroupId = unique("group");
    const { source, collector } = await reader({ topics: named(topic), consumerGroupId });
    await collector.until(() => collector.assignments.length > 0);
    await source.commit([{ topic: "another", partition: 0, offset: 3n }]);
    await source.commit([{ topic, partition: 0, offset: 0n }]);
    await source.stop();
    await source.commit([{ topic, partition: 0, offset: 9n }]);
    const offsets = await withAdmin((admin) => admin.fetchOffsets({ groupId: consumerGroupId }));
    expect(offsets).toEqual([
      { topic, partitions: [{ partition: 0, offset: "0", metadata: null }] },
    ]);
  });

  test("stops at once, and tells nothing afterwards", async () => {
    const topic = await topicWith(1);
    const port = await producer();
    const { source, collector } = await reader({ topics: named(topic) });
    await port.send([outgoing({ topic })]);
    await collector.until(() => collector.received.length === 1);
    const started = Date.now();
    await source.stop();
    expect(Date.now() - started).toBeLessThan(3000);
    expect(collector.revocations.flat()).toEqual([{ topic, partition: 0 }]);
    const told = collector.received.length + collector.assignments.length;
    await port.send([outgoing({ topic })]);
    expect(collector.received.length + collector.assignments.length).toBe(told);
    expect(collector.failures).toEqual([]);
  });
});

describeReal("kafkaRecordProducer() against a real Kafka", ["ISTHMUS_TEST_KAFKA"], () => {
  test("keeps the order of a partition, from the first records of a topic on", async () => {
    const topic = await topicWith(3);
    const port = await producer();
    const sent = numbers(0, 1500);
    const record = (value: string) =>
      outgoing({
        topic,
        key: Buffer.from(`k${Number(value) % 10}`),
        value: Buffer.from(value),
        partitioning: { by: "key" },
      });
    await port.send(sent.slice(0, 500).map(record));
    await port.send(sent.slice(500).map(record));
    const { collector } = await reader({ topics: named(topic) });
    await collector.until(() => collector.received.length === 1500);
    for (const partition of [0, 1, 2]) {
      const order = collector.received
        .filter((r) => r.partition === partition)
        .map((r) => Number(textOf(r)));
      expect(order).toEqual(order.toSorted((a, b) => a - b));
    }
    expect(new Set(collector.received.map(textOf))).toEqual(new Set(sent));
  });

  test("many topics in one batch each get theirs", async () => {
    const topics = await Promise.all(numbers(0, 5).map(() => topicWith(2)));
    const port = await producer();
    await port.send(topics.flatMap((topic) => [outgoing({ topic }), outgoing({ topic })]));
    const { collector } = await reader({ topics: named(...topics) });
    await collector.until(() => collector.received.length === 10);
    for (const topic of topics) {
      const at = collector.received.filter((r) => r.topic === topic).map((r) => r.partition);
      expect(at.toSorted()).toEqual([0, 1]);
    }
  });

  test("refuses a partition that is not there instead of dropping the record", async () => {
    const topic = await topicWith(2);
    const port = await producer();
    const missing = outgoing({ topic, partitioning: { by: "partition", partition: 2 } });
    for (const attempt of [1, 2]) {
      await expect(port.send([missing]), `attempt ${attempt}`).rejects.toMatchObject({
        code: "KAFKA_REFUSED",
        retryable: false,
      });
    }
  });

  test("a record without a key is refused for good by a compacted topic, and one with a key is taken [S-54]", async () => {
    const topic = await topicWith(1, { "cleanup.policy": "compact" });
    const port = await producer();
    await expect(port.send([outgoing({ topic })])).rejects.toMatchObject({
      code: "KAFKA_REFUSED",
      retryable: false,
      message: expect.stringContaining("(INVALID_RECORD)"),
    });
    await port.send([outgoing({ topic, key: Buffer.from("key") })]);
  });

  test("loses nothing when a topic comes back with fewer partitions", async () => {
    const topic = await topicWith(4);
    const port = await producer();
    await port.send(numbers(0, 8).map((v) => outgoing({ topic, value: Buffer.from(v) })));
    await withAdmin((admin) => admin.deleteTopics({ topics: [topic] }));
    await topicWith(1, {}, topic);
    const again = numbers(8, 8).map((v) => outgoing({ topic, value: Buffer.from(v) }));
    for (;;) {
      const error = await port.send(again).catch((cause: { retryable: boolean }) => cause);
      if (error === undefined) break;
      expect(error.retryable).toBe(true);
    }
    const { collector } = await reader({ topics: named(topic) });
    await collector.until(() => new Set(collector.received.map(textOf)).size === 8);
    expect(new Set(collector.received.map(textOf))).toEqual(new Set(numbers(8, 8)));
  });

  test("nothing to send is nothing to do", async () => {
    const port = await producer();
    await expect(port.send([])).resolves.toBeUndefined();
  });
});
