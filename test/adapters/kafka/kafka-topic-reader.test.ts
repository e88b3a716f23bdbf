import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { kafkaRecordProducer } from "../../../shared/adapters/kafka/kafka-record-producer.ts";
import { kafkaTopicReader } from "../../../shared/adapters/kafka/kafka-topic-reader.ts";
import type { PartitionRange, TopicReader } from "../../../shared/engine/ports.ts";
import type { KafkaRecord } from "../../../shared/model/kafka-record.ts";
import { type Lab, openLab } from "../../local/sandbox/kafka/kafkajs-client.ts";
import { noLog, outgoing, plainEndpoint } from "../../support/kafka-ends.ts";

let lab: Lab;
let reader: TopicReader;
beforeEach(async () => {
  lab = await openLab();
  const endpoint = plainEndpoint(`${lab.broker.host}:${lab.broker.port}`);
  reader = kafkaTopicReader({ endpoint, clientId: "reader", log: noLog, patienceMs: 2000 });
});
afterEach(async () => {
  await reader.close();
  await lab.close();
});

async function fill(topic: string, count: number): Promise<void> {
  const admin = await lab.admin();
  await admin.createTopics({ topics: [{ topic, numPartitions: 2 }] });
  const producer = kafkaRecordProducer({
    endpoint: plainEndpoint(`${lab.broker.host}:${lab.broker.port}`),
    ...{ clientId: "filler", acks: -1, compression: "None", log: noLog },
  });
  await producer.start();
  await producer.send(
    Array.from({ length: count }, (_, index) =>
      outgoing({
        topic,
        value: Buffer.from(String(index)),
        headers: [
          ["2", null],
          ["1", Buffer.from("x")],
          ["2", Buffer.from("y")],
        ],
        partitioning: { by: "partition", partition: 1 },
      }),
    ),
  );
  await producer.stop();
}

async function read(range: PartitionRange): Promise<KafkaRecord[]> {
  const records: KafkaRecord[] = [];
  for await (const some of reader.read(range)) records.push(...some);
  return records;
}

const values = (records: readonly KafkaRecord[]): string[] =>
  records.map(({ value }) => Buffer.from(value ?? []).toString());

describe("kafkaTopicReader()", () => {
  test("knows where partitions begin and end, and that a topic is not there", async () => {
    await fill("t", 5);
    expect(await reader.ranges("t")).toEqual([
      { topic: "t", partition: 0, from: 0n, to: 0n },
      { topic: "t", partition: 1, from: 0n, to: 5n },
    ]);
    expect(await reader.ranges("gone")).toEqual([]);
    const admin = await lab.admin();
    expect(await admin.listTopics()).toEqual(["t"]);
  });

  test("reads a range and no farther, headers in their order, of no group", async () => {
    await fill("t", 9);
    const [, range] = await reader.ranges("t");
    const records = await read({ ...(range as PartitionRange), from: 2n, to: 7n });
    expect(values(records)).toEqual(["2", "3", "4", "5", "6"]);
    expect(records[0]?.headers.map(([name]) => name)).toEqual(["2", "1", "2"]);
    const admin = await lab.admin();
    expect((await admin.listGroups()).groups).toEqual([]);
  });

  test("passes over what is deleted meanwhile", async () => {
    await fill("t", 9);
    const [, range] = (await reader.ranges("t")) as [PartitionRange, PartitionRange];
    const admin = await lab.admin();
    // kafkajs deletes records only of topics that it has seen
    await admin.fetchTopicOffsets("t");
    await admin.deleteTopicRecords({ topic: "t", partitions: [{ partition: 1, offset: "6" }] });
    expect(values(await read(range))).toEqual(["6", "7", "8"]);
    await admin.deleteTopics({ topics: ["t"] });
    expect(await read(range)).toEqual([]);
  });

  test("says so when nothing comes though there is more to come", async () => {
    await fill("t", 3);
    await expect(read({ topic: "t", partition: 1, from: 0n, to: 99n })).rejects.toMatchObject({
      code: "KAFKA_UNAVAILABLE",
      message: expect.stringContaining("from offset 3: nothing came, though it goes to 99"),
    });
  });

  test("ends its patience with a broker that is not there", async () => {
    const endpoint = plainEndpoint("127.0.0.1:1");
    const nobody = kafkaTopicReader({ endpoint, clientId: "r", log: noLog, patienceMs: 100 });
    await expect(nobody.ranges("t")).rejects.toMatchObject({
      code: "KAFKA_UNAVAILABLE",
      retryable: true,
    });
    await nobody.close();
  });
});
