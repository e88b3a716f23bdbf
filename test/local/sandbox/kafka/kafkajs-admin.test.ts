import { type Admin, ConfigResourceTypes } from "kafkajs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Lab, openLab } from "./kafkajs-client.ts";

let lab: Lab;
let admin: Admin;
beforeEach(async () => {
  lab = await openLab();
  admin = await lab.admin();
});
afterEach(async () => {
  await lab.close();
  expect(lab.defects).toEqual([]);
});

async function fill(topic: string, values: readonly string[]): Promise<void> {
  const producer = await lab.producer();
  for (const [i, value] of values.entries()) {
    await producer.send({
      topic,
      messages: [{ value, partition: 0, timestamp: String(1_700_000_000_000 + i * 1000) }],
    });
  }
}

describe("kafkajs administers the sandbox", () => {
  test("creates, lists, describes and deletes topics", async () => {
    await admin.createTopics({
      topics: [
        { topic: "a", numPartitions: 3, configEntries: [{ name: "retention.ms", value: "60000" }] },
        { topic: "b" },
      ],
    });
    expect((await admin.listTopics()).sort()).toEqual(["a", "b"]);
    const { topics } = await admin.fetchTopicMetadata({ topics: ["a", "b"] });
    expect(topics.map(({ name, partitions }) => [name, partitions.length]).sort()).toEqual([
      ["a", 3],
      ["b", 4],
    ]);
    await admin.deleteTopics({ topics: ["a"] });
    expect(await admin.listTopics()).toEqual(["b"]);
  });

  test.each([
    { what: "a topic that is there", topic: { topic: "there" }, type: "TOPIC_ALREADY_EXISTS" },
    { what: "an illegal name", topic: { topic: "a b" }, type: "INVALID_TOPIC_EXCEPTION" },
    { what: "0 partitions", topic: { topic: "t", numPartitions: 0 }, type: "INVALID_PARTITIONS" },
    {
      what: "three replicas on one broker",
      topic: { topic: "t", replicationFactor: 3 },
      type: "INVALID_REPLICATION_FACTOR",
    },
    {
      what: "a size limit that is no number",
      topic: { topic: "t", configEntries: [{ name: "max.message.bytes", value: "many" }] },
      type: "INVALID_CONFIG",
    },
  ])("refuses to create $what with $type", async ({ topic, type }) => {
    lab.broker.createTopic("there");
    const created = admin.createTopics({ topics: [topic] });
    // kafkajs says of one that is there only that nothing was created
    if (type === "TOPIC_ALREADY_EXISTS") await expect(created).resolves.toBe(false);
    else await expect(created).rejects.toMatchObject({ errors: [{ type }] });
    expect(lab.broker.topics()).toEqual(["there"]);
  });

  test("validates without creating", async () => {
    const topics = [{ topic: "only-asked" }];
    await admin.createTopics({ validateOnly: true, waitForLeaders: false, topics });
    expect(lab.broker.topics()).toEqual([]);
  });

  test("shows a topic's configuration", async () => {
    lab.broker.createTopic("t", 1, { "cleanup.policy": "compact" });
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: "t" }],
    });
    const entries = resources[0]?.configEntries.map(
      ({ configName, configValue, isDefault }) => [configName, configValue, isDefault] as const,
    );
    expect(entries).toContainEqual(["cleanup.policy", "compact", false]);
    expect(entries).toContainEqual(["max.message.bytes", "1048588", true]);
  });

  test("partitions can grow and not shrink", async () => {
    lab.broker.createTopic("t", 2);
    await admin.createPartitions({ topicPartitions: [{ topic: "t", count: 5 }] });
    expect(lab.broker.endOffsets("t")).toHaveLength(5);
    const shrunk = admin.createPartitions({ topicPartitions: [{ topic: "t", count: 3 }] });
    await expect(shrunk).rejects.toMatchObject({ type: "INVALID_PARTITIONS" });
  });

  test("finds offsets by timestamp, to the record", async () => {
    lab.broker.createTopic("t", 1);
    await fill("t", ["0", "1", "2", "3"]);
    const at = async (timestamp: number): Promise<string | undefined> =>
      (await admin.fetchTopicOffsetsByTimestamp("t", timestamp))[0]?.offset;
    expect(await at(1_700_000_000_000)).toBe("0");
    expect(await at(1_700_000_001_001)).toBe("2");
    expect(await at(1_700_000_003_000)).toBe("3");
    // later than all: kafkajs puts the end in the place of -1
    expect(await at(1_700_000_009_000)).toBe("4");
  });

  test("finds offsets by timestamp within a compressed batch", async () => {
    lab.broker.createTopic("t", 1);
    const producer = await lab.producer();
    await producer.send({
      topic: "t",
      compression: 1,
      messages: [0, 1, 2].map((i) => ({ value: `${i}`, timestamp: `${1_700_000_000_000 + i}` })),
    });
    const found = await admin.fetchTopicOffsetsByTimestamp("t", 1_700_000_000_002);
    expect(found).toEqual([{ partition: 0, offset: "2" }]);
  });

  test("deletes records up to an offset: the start moves and the rest stays", async () => {
    lab.broker.createTopic("t", 1);
    await fill("t", ["0", "1", "2", "3"]);
    // kafkajs looks for the leader in metadata that it has not asked for by itself
    await admin.fetchTopicOffsets("t");
    await admin.deleteTopicRecords({ topic: "t", partitions: [{ partition: 0, offset: "2" }] });
    expect(await admin.fetchTopicOffsets("t")).toEqual([
      { partition: 0, offset: "4", high: "4", low: "2" },
    ]);
    const values = lab.broker.records("t").map(({ value }) => Buffer.from(value ?? []).toString());
    expect(values).toEqual(["2", "3"]);
  });

  test("lists, describes and deletes groups; one with members is not deleted", async () => {
    lab.broker.createTopic("t", 2);
    const reading = await lab.reading({ groupId: "g", topics: ["t"] });
    expect((await admin.listGroups()).groups).toEqual([{ groupId: "g", protocolType: "consumer" }]);
    const { groups } = await admin.describeGroups(["g"]);
    expect(groups[0]).toMatchObject({ state: "Stable", protocol: "RoundRobinAssigner" });
    expect(groups[0]?.members).toHaveLength(1);
    await expect(admin.deleteGroups(["g"])).rejects.toMatchObject({
      groups: [{ groupId: "g", errorCode: 68 }],
    });
    await reading.consumer.disconnect();
    await admin.deleteGroups(["g"]);
    expect((await admin.listGroups()).groups).toEqual([]);
  });

  test("shows the offsets of a group with their metadata; deleting the topic forgets them", async () => {
    lab.broker.createTopic("t", 2);
    await fill("t", ["0", "1", "2"]);
    const run = { autoCommit: false };
    const { consumer } = await lab.reading({ groupId: "g", topics: ["t"], run });
    await consumer.commitOffsets([{ topic: "t", partition: 0, offset: "2", metadata: "why" }]);
    expect(await admin.fetchOffsets({ groupId: "g", topics: ["t"] })).toEqual([
      {
        topic: "t",
        partitions: [
          { partition: 0, offset: "2", metadata: "why" },
          { partition: 1, offset: "-1", metadata: null },
        ],
      },
    ]);
    await admin.deleteTopics({ topics: ["t"] });
    expect(lab.broker.committed("g", "t", 0)).toBeUndefined();
  });

  test("describes the cluster: one node, which is the controller", async () => {
    const { brokers, controller, clusterId } = await admin.describeCluster();
    expect(brokers).toEqual([{ nodeId: 1, host: "127.0.0.1", port: lab.broker.port }]);
    expect([controller, clusterId]).toEqual([1, "isthmus-sandbox"]);
  });
});

describe("SASL/PLAIN", () => {
  const sasl = (password: string) => ({ mechanism: "plain", username: "alice", password }) as const;

  test("lets in whom it knows, refuses a wrong password and who does not log in", async () => {
    const guarded = await openLab({ users: new Map([["alice", "right"]]) });
    try {
      const known = await guarded.admin({ sasl: sasl("right") });
      expect(await known.listTopics()).toEqual([]);
      const wrong = guarded.admin({ sasl: sasl("wrong"), retry: { retries: 0 } });
      await expect(wrong).rejects.toThrow("Authentication failed: Invalid username or password");
      const stranger = await guarded.admin({ retry: { retries: 0 } });
      await expect(stranger.listTopics()).rejects.toThrow("Closed connection");
    } finally {
      await guarded.close();
    }
  });

  test("is refused by a broker without users", async () => {
    const login = lab.admin({ sasl: sasl("any"), retry: { retries: 0 } });
    await expect(login).rejects.toMatchObject({ name: expect.stringMatching(/KafkaJS/) });
  });
});
