import { afterEach, describe, expect, test } from "vitest";
import { kafkaAdmin } from "../../../shared/adapters/kafka/kafka-admin.ts";
import { kafkaRecordProducer } from "../../../shared/adapters/kafka/kafka-record-producer.ts";
import {
  type KafkaRecordSourceOptions,
  kafkaRecordSource,
} from "../../../shared/adapters/kafka/kafka-record-source.ts";
import type { RecordProducer, RecordSource } from "../../../shared/engine/ports.ts";
import type { KafkaHeader, KafkaRecord } from "../../../shared/model/kafka-record.ts";
import type { Compression } from "../../../shared/model/route.ts";
import { Collector, noLog, outgoing, plainEndpoint, unique } from "../../support/kafka-ends.ts";
import { brokerAddress, describeReal } from "../../support/real-brokers.ts";

const open: (RecordProducer | RecordSource)[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((port) => port.stop()));
});

const endpoint = () => plainEndpoint(brokerAddress("ISTHMUS_TEST_KAFKA"));
const admin = () => kafkaAdmin(endpoint(), "test", noLog);

async function topicWith(partitions: number, name = unique("adapter")): Promise<string> {
  await admin().createTopics([{ topic: name, partitions }]);
  return name;
}

async function producer(
  over: { acks?: -1 | 0 | 1; compression?: Compression } = {},
): Promise<RecordProducer> {
  const port = kafkaRecordProducer({
    endpoint: endpoint(),
    clientId: "test",
    acks: over.acks ?? -1,
    compression: over.compression ?? "None",
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

const named = (...topics: string[]) => topics.map((topic) => ({ kind: "name" as const, topic }));
const textOf = (record: KafkaRecord): string => Buffer.from(record.value ?? []).toString();
const comparable = (headers: readonly KafkaHeader[]) =>
  headers.map(([name, value]) => [name, value === null ? null : [...value]]);

const HEADERS: KafkaHeader[] = [
  ["a", Buffer.from("1")],
  ["b", Buffer.from([0xff, 0, 1])],
  ["a", Buffer.from("2")],
  ["constructor", Buffer.from("3")],
  ["__proto__", Buffer.from("4")],
  ["10", Buffer.from("5")],
  ["nothing", null],
  ["", Buffer.from("")],
];

describeReal("kafkajs adapters against a real Kafka", ["ISTHMUS_TEST_KAFKA"], () => {
  test.each<Compression>(["None", "Gzip", "Snappy", "Lz4"])(
    "keep headers, keys, tombstones and bytes with compression %s [S-10, S-15]",
    async (compression) => {
      const topic = await topicWith(1);
      const port = await producer({ compression });
      const big = Buffer.alloc(200_000, "x");
      await port.send([
        outgoing({ topic, key: Buffer.from("k"), headers: HEADERS }),
        outgoing({ topic, value: null }),
        outgoing({ topic, value: big }),
      ]);
      const { collector } = await reader({ topics: named(topic) });
      await collector.until(() => collector.received.length === 3);
      const [first, second, third] = collector.received;
      expect(comparable(first?.headers ?? [])).toEqual(comparable(HEADERS));
      expect(Buffer.from(first?.key ?? []).toString()).toBe("k");
      expect(first?.offset).toBe(0n);
      expect(Math.abs((first?.timestamp ?? 0) - Date.now())).toBeLessThan(60_000);
      expect(second?.value).toBeNull();
      expect(third?.value?.length).toBe(big.length);
    },
  );

  test("partitioning: by key as Java does, by instance, by number, round robin [S-13]", async () => {
    const topic = await topicWith(4);
    const port = await producer();
    await port.send([
      outgoing({
        topic,
        key: Buffer.from("device-7"),
        value: Buffer.from("key"),
        partitioning: { by: "key" },
      }),
      outgoing({
        topic,
        key: Buffer.from("device-7"),
        value: Buffer.from("key"),
        partitioning: { by: "key" },
      }),
      outgoing({
        topic,
        value: Buffer.from("instance"),
        partitioning: { by: "instance", instance: 6 },
      }),
      outgoing({
        topic,
        value: Buffer.from("number"),
        partitioning: { by: "partition", partition: 3 },
      }),
      ...Array.from({ length: 8 }, () => outgoing({ topic, value: Buffer.from("robin") })),
    ]);
    const { collector } = await reader({ topics: named(topic) });
    await collector.until(() => collector.received.length === 12);
    const at = (value: string): number[] =>
      collector.received.filter((r) => textOf(r) === value).map((r) => r.partition);
    // murmur2("device-7") in Java's DefaultPartitioner over four partitions
    expect(new Set(at("key")).size).toBe(1);
    expect(at("instance")).toEqual([2]);
    expect(at("number")).toEqual([3]);
    expect(at("robin").toSorted()).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
  });

  test("resume from the committed offset, and from the earliest without one [S-25]", async () => {
    const topic = await topicWith(1);
    const port = await producer();
    await port.send(["1", "2", "3"].map((v) => outgoing({ topic, value: Buffer.from(v) })));
    const consumerGroupId = unique("group");
    const first = await reader({ topics: named(topic), consumerGroupId });
    await first.collector.until(() => first.collector.received.length === 3);
    await first.source.commit([{ topic, partition: 0, offset: 2n }]);
    first.collector.commitOnRevoke = false;
    await first.source.stop();
    const second = await reader({ topics: named(topic), consumerGroupId });
    await second.collector.until(() => second.collector.received.length === 1);
    expect(second.collector.received.map(textOf)).toEqual(["3"]);
  });

  test("members come and go over four partitions without losing a record [S-26, S-50]", async () => {
    const topic = await topicWith(4);
    const port = await producer();
    const consumerGroupId = unique("group");
    const seen = new Set<string>();
    const all = async () => reader({ topics: named(topic), consumerGroupId });
    const members = [await all()];
    let n = 0;
    const send = async (count: number): Promise<void> => {
      const records = Array.from({ length: count }, () => {
        n += 1;
        return outgoing({ topic, value: Buffer.from(String(n)) });
      });
      await port.send(records);
    };
    const complete = (): boolean => {
      for (const { collector } of members) for (const r of collector.received) seen.add(textOf(r));
      return seen.size === n;
    };
    const settled = async (): Promise<void> => {
      while (!complete()) {
        await Promise.race(members.map(({ collector }) => collector.until(() => true)));
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    await send(400);
    await settled();
    members.push(await all(), await all());
    await send(400);
    await settled();
    await members[0]?.source.stop();
    await send(400);
    await settled();
    expect(seen.size).toBe(1200);
  });

  test("two flows of one group read their own topics only [S-26]", async () => {
    const [one, two] = [await topicWith(2), await topicWith(2)];
    const consumerGroupId = unique("group");
    const first = await reader({ topics: named(one), consumerGroupId });
    const second = await reader({ topics: named(two), consumerGroupId });
    const held = (collector: Collector, topic: string): boolean =>
      collector.assignments.at(-1)?.filter((p) => p.topic === topic).length === 2;
    await second.collector.until(() => held(second.collector, two));
    await first.collector.until(() => held(first.collector, one));
    const port = await producer();
    await port.send([outgoing({ topic: one }), outgoing({ topic: two })]);
    await first.collector.until(() => first.collector.received.length === 1);
    await second.collector.until(() => second.collector.received.length === 1);
    const topicsOf = ({ collector }: typeof first): string[] => [
      ...new Set(collector.assignments.flat().map((p) => p.topic)),
    ];
    expect(topicsOf(first)).toEqual([one]);
    expect(topicsOf(second)).toEqual([two]);
  });

  test("a topic created later that matches the pattern is read within 30 s [S-30]", async () => {
    const prefix = unique("plant");
    const before = await topicWith(1, `${prefix}-w1`);
    const letters = await topicWith(1, `${prefix}-letters`);
    const { collector } = await reader({
      topics: [{ kind: "pattern", pattern: `^${prefix}-.*$` }],
      neverMatched: [letters],
      discoverEveryMs: 1000,
    });
    const port = await producer();
    await port.send([outgoing({ topic: letters }), outgoing({ topic: before })]);
    await collector.until(() => collector.received.length === 1);
    const later = await topicWith(1, `${prefix}-w2`);
    await topicWith(1, `other-${prefix}-w3`);
    await port.send([outgoing({ topic: later })]);
    const started = Date.now();
    await collector.until(() => collector.received.some((r) => r.topic === later));
    expect(Date.now() - started).toBeLessThan(30_000);
    expect(new Set(collector.received.map((r) => r.topic))).toEqual(new Set([before, later]));
  });

  test("a pattern that matches nothing yet waits for its first topic [S-30]", async () => {
    const prefix = unique("later");
    const { collector } = await reader({
      topics: [{ kind: "pattern", pattern: `^${prefix}.*` }],
      discoverEveryMs: 500,
    });
    const topic = await topicWith(1, `${prefix}-1`);
    const port = await producer();
    await port.send([outgoing({ topic })]);
    await collector.until(() => collector.received.length === 1);
  });

  test("keeps its membership while it is held back for longer than the session timeout [S-53]", async () => {
    const topic = await topicWith(1);
    const port = await producer();
    const { collector } = await reader({ topics: named(topic), sessionTimeoutMs: 6000 });
    let release = (): void => undefined;
    collector.gate = new Promise((resolve) => {
      release = resolve;
    });
    await port.send([outgoing({ topic })]);
    await collector.until(() => collector.received.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    collector.gate = undefined;
    release();
    await port.send([outgoing({ topic })]);
    await collector.until(() => collector.received.length === 2);
    expect(collector.assignments).toHaveLength(1);
    expect(collector.received.map((r) => r.offset)).toEqual([0n, 1n]);
  });

  test("what is too large is refused for good, and says so [S-54]", async () => {
    const topic = await topicWith(1);
    const port = await producer();
    const value = Buffer.alloc(1_200_000);
    await expect(port.send([outgoing({ topic, value })])).rejects.toMatchObject({
      code: "KAFKA_MESSAGE_TOO_LARGE",
      retryable: false,
    });
  });

  test("acks 0 and 1 write too [S-14]", async () => {
    const topic = await topicWith(1);
    for (const acks of [0, 1] as const)
      await (await producer({ acks })).send([outgoing({ topic })]);
    const { collector } = await reader({ topics: named(topic) });
    await collector.until(() => collector.received.length === 2);
  });
});

describeReal("SASL against a real Kafka", ["ISTHMUS_TEST_KAFKA_SASL"], () => {
  const secured = (password: string, mechanism: "plain" | "scram-sha-256" | "scram-sha-512") => ({
    ...plainEndpoint(brokerAddress("ISTHMUS_TEST_KAFKA_SASL")),
    sasl: { mechanism, username: "alice", password },
  });

  test.each(["plain", "scram-sha-256", "scram-sha-512"] as const)(
    "%s: the right password lists topics, a wrong one is one clear error",
    async (mechanism) => {
      const right = kafkaAdmin(secured("alice-secret", mechanism), "test", noLog);
      expect(Array.isArray(await right.listTopics())).toBe(true);
      const source = kafkaRecordSource({
        endpoint: secured("not-the-password", mechanism),
        clientId: "test",
        consumerGroupId: "group",
        topics: named("any"),
        log: noLog,
      });
      const error = await source.start(new Collector(source)).catch((cause: Error) => cause);
      expect(error).toMatchObject({ code: "KAFKA_AUTHENTICATION_FAILED", retryable: false });
      expect(String(error)).not.toContain("not-the-password");
      await source.stop();
    },
  );
});

describe("without a broker", () => {
  test("says in its status what cannot be reached, and goes on trying until it is stopped", async () => {
    const source = kafkaRecordSource({
      endpoint: plainEndpoint("127.0.0.1:1"),
      clientId: "test",
      consumerGroupId: "group",
      topics: named("any"),
      log: noLog,
    });
    const started = source.start(new Collector(source));
    while (source.status?.().detail === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(source.status?.()).toMatchObject({
      connected: false,
      detail: expect.stringMatching(/^Cannot [a-z ]+ Kafka at 127\.0\.0\.1:1: /),
    });
    const stopped = source.stop();
    await expect(started).rejects.toMatchObject({ code: "STOPPED" });
    await stopped;
  });
});
