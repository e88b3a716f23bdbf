import { CompressionTypes, type IHeaders } from "kafkajs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Lab, openLab, valuesOf } from "./kafkajs-client.ts";

let lab: Lab;
beforeEach(async () => {
  lab = await openLab();
});
afterEach(async () => {
  await lab.close();
  expect(lab.defects).toEqual([]);
});

const text = (bytes: Uint8Array | null | undefined): string | null =>
  bytes === null || bytes === undefined ? null : Buffer.from(bytes).toString();

describe("kafkajs produces to the sandbox", () => {
  test.each([0, 1, -1])("with acks %i every record is stored, in order", async (acks) => {
    lab.broker.createTopic("t", 1);
    const producer = await lab.producer();
    for (let i = 0; i < 5; i += 1) {
      await producer.send({ topic: "t", acks, messages: [{ value: `v${i}` }] });
    }
    // acks 0 has no answer to wait for: the next request on the connection comes after it
    await producer.send({ topic: "t", acks: 1, messages: [{ value: "last" }] });
    const records = lab.broker.records("t");
    expect(records.map(({ value }) => text(value))).toEqual(["v0", "v1", "v2", "v3", "v4", "last"]);
    expect(records.map(({ offset }) => offset)).toEqual([0n, 1n, 2n, 3n, 4n, 5n]);
  });

  test("a topic that is not there is made, with the default number of partitions", async () => {
    const producer = await lab.producer();
    await producer.send({ topic: "new", messages: [{ value: "x" }] });
    expect(lab.broker.endOffsets("new")).toHaveLength(4);
  });

  test("without auto-creation an unknown topic is refused", async () => {
    const strict = await openLab({ autoCreateTopics: false });
    try {
      const producer = await strict.producer({ retry: { retries: 0 } });
      const sent = producer.send({ topic: "nowhere", messages: [{ value: "x" }] });
      await expect(sent).rejects.toThrow("This server does not host this topic-partition");
      expect(strict.broker.topics()).toEqual([]);
    } finally {
      await strict.close();
    }
  });

  test("gzip batches come back as they went in", async () => {
    const producer = await lab.producer();
    const values = Array.from({ length: 100 }, (_, i) => `value ${i} ${"x".repeat(i)}`);
    await producer.send({
      topic: "zipped",
      compression: CompressionTypes.GZIP,
      messages: values.map((value) => ({ value, partition: 0 })),
    });
    const { until } = await lab.reading({ groupId: "g", topics: ["zipped"] });
    expect(valuesOf(await until(100))).toEqual(values);
  });

  test("keys, null keys, tombstones, headers with duplicates and timestamps survive", async () => {
    const producer = await lab.producer();
    const headers: IHeaders = { plain: "a", twice: ["1", "2"], binary: Buffer.from([0, 255, 128]) };
    await producer.send({
      topic: "t",
      messages: [
        { partition: 0, key: "k", value: "v", headers, timestamp: "1700000000123" },
        { partition: 0, key: null, value: null },
        { partition: 0, key: "", value: "" },
      ],
    });
    const { until } = await lab.reading({ groupId: "g", topics: ["t"] });
    const [first, second, third] = (await until(3)).map(({ message }) => message);
    expect(text(first?.key)).toBe("k");
    expect(first?.timestamp).toBe("1700000000123");
    expect(first?.headers).toEqual({
      plain: Buffer.from("a"),
      twice: [Buffer.from("1"), Buffer.from("2")],
      binary: Buffer.from([0, 255, 128]),
    });
    expect([second?.key, second?.value]).toEqual([null, null]);
    expect([third?.key?.length, third?.value?.length]).toEqual([0, 0]);
    expect(lab.broker.records("t")[0]?.headers.map(([name]) => name)).toEqual([
      "plain",
      "twice",
      "twice",
      "binary",
    ]);
  });

  test("900 kB messages pass, through fetches that ask for less", async () => {
    const producer = await lab.producer();
    const value = Buffer.alloc(900_000, 7);
    for (let i = 0; i < 3; i += 1) {
      await producer.send({ topic: "large", messages: [{ value, partition: 0 }] });
    }
    const { until } = await lab.reading({
      groupId: "g",
      topics: ["large"],
      maxBytesPerPartition: 1000,
    });
    const read = await until(3);
    expect(read.every(({ message }) => message.value?.equals(value))).toBe(true);
  });

  test("a message above the limit is refused with MESSAGE_TOO_LARGE and nothing is stored", async () => {
    const producer = await lab.producer({ retry: { retries: 0 } });
    const sent = producer.send({
      topic: "t",
      messages: [{ partition: 0, value: Buffer.alloc(1_100_000) }],
    });
    await expect(sent).rejects.toMatchObject({ type: "MESSAGE_TOO_LARGE" });
    expect(lab.broker.records("t")).toEqual([]);
  });

  test("an idempotent producer with requests in flight at once stores everything once", async () => {
    lab.broker.createTopic("t", 2);
    const producer = await lab.producer({ idempotent: true, maxInFlightRequests: 5 });
    const sent = Array.from({ length: 200 }, (_, i) =>
      producer.send({ topic: "t", messages: [{ partition: i % 2, value: `${i}` }] }),
    );
    await Promise.all(sent);
    const values = lab.broker.records("t").map(({ value }) => Number(text(value)));
    expect([...values].sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, i) => i));
  });

  test("20,000 messages pass both ways; prints the rates", async () => {
    const producer = await lab.producer();
    const value = Buffer.alloc(200, 1);
    const batch = Array.from({ length: 500 }, () => ({ value, headers: { a: "1", b: "2" } }));
    const { until } = await lab.reading({ groupId: "g", topics: ["fast"], fromBeginning: true });
    const start = performance.now();
    for (let i = 0; i < 40; i += 4) {
      const four = Array.from({ length: 4 }, () =>
        producer.send({ topic: "fast", messages: batch }),
      );
      await Promise.all(four);
    }
    const produced = performance.now();
    await until(20_000);
    const consumed = performance.now();
    const perSecond = (from: number, to: number): number => Math.round(20_000_000 / (to - from));
    console.info(
      `sandbox Kafka: produced at ${perSecond(start, produced)}/s, consumed within ${Math.round(consumed - start)} ms of the first`,
    );
    expect(lab.broker.endOffsets("fast").reduce((sum, end) => sum + end, 0n)).toBe(20_000n);
  });
});
