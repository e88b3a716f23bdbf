import { afterEach, beforeEach, expect, test } from "vitest";
import { kafkaAdmin } from "../../../shared/adapters/kafka/kafka-admin.ts";
import { kafkaRecordProducer } from "../../../shared/adapters/kafka/kafka-record-producer.ts";
import { kafkaRecordSource } from "../../../shared/adapters/kafka/kafka-record-source.ts";
import { ProducerSequences } from "../../../shared/adapters/kafka/producer-sequences.ts";
import type { OutgoingRecord } from "../../../shared/model/kafka-record.ts";
import { encodeRecordBatch } from "../../../shared/wire/kafka-record-encoder.ts";
import { KafkaWire } from "../../faults/kafka-wire.ts";
import { Collector, noLog, outgoing, plainEndpoint, unique } from "../../support/kafka-ends.ts";
import { brokerAddress, describeReal } from "../../support/real-brokers.ts";

const WRITTEN = 0;
const INVALID_PRODUCER_EPOCH = 47;

const address = () => brokerAddress("ISTHMUS_TEST_KAFKA");

describeReal("an idempotent producer and a real Kafka", ["ISTHMUS_TEST_KAFKA"], () => {
  let topic: string;
  let wire: KafkaWire;
  let ends: { stop(): Promise<void> }[];

  beforeEach(async () => {
    topic = unique("idempotent");
    await kafkaAdmin(plainEndpoint(address()), "test", noLog).createTopics([
      { topic, partitions: 1 },
    ]);
    wire = new KafkaWire(Number(address().split(":")[1]));
    ends = [];
  });

  afterEach(async () => {
    wire.close();
    await Promise.all(ends.map((end) => end.stop()));
  });

  const records = (...values: string[]): OutgoingRecord[] =>
    values.map((value) => outgoing({ topic, value: Buffer.from(value) }));

  /** The values that the topic holds, once there are so many. */
  async function written(count: number): Promise<string[]> {
    const source = kafkaRecordSource({
      endpoint: plainEndpoint(address()),
      clientId: "test",
      consumerGroupId: unique("group"),
      log: noLog,
      topics: [{ kind: "name", topic }],
    });
    ends.push(source);
    const collector = new Collector(source);
    await source.start(collector);
    await collector.until(() => collector.received.length >= count);
    return collector.received.map(({ value }) => Buffer.from(value ?? []).toString());
  }

  /** Batches of one producer, put together as our requests are and sent when the test says so. */
  async function batches() {
    const id = await wire.producerId();
    const sequences = new ProducerSequences();
    return (of: readonly OutgoingRecord[]) => {
      const stamps = sequences.forRequest();
      const producer = { ...stamps.stamp(topic, 0, of), id };
      const batch = encodeRecordBatch(of, { now: Date.now(), codec: 0, producer });
      return {
        settle: (): void => stamps.settle(topic, 0, true),
        arrives: async (): Promise<number | undefined> =>
          (await wire.produce([{ topic, partition: 0, batch }]))[0]?.errorCode,
      };
    };
  }

  test("write a batch once that is sent again because its answer was lost [S-51]", async () => {
    const batchOf = await batches();
    const again = records("a", "b");
    expect(await batchOf(again).arrives()).toBe(WRITTEN);
    const repetition = batchOf(again);
    expect(await repetition.arrives()).toBe(WRITTEN);
    repetition.settle();
    expect(await batchOf(records("c")).arrives()).toBe(WRITTEN);
    expect(await written(3)).toEqual(["a", "b", "c"]);
  });

  test("refuse a copy that comes late, behind the records that were sent anew [S-53]", async () => {
    const batchOf = await batches();
    const first = batchOf(records("a"));
    expect(await first.arrives()).toBe(WRITTEN);
    first.settle();
    const late = batchOf(records("b", "c"));
    const anew = batchOf(records("b", "c"));
    expect(await anew.arrives()).toBe(WRITTEN);
    anew.settle();
    expect(await late.arrives()).toBe(INVALID_PRODUCER_EPOCH);
    expect(await batchOf(records("d")).arrives()).toBe(WRITTEN);
    expect(await written(4)).toEqual(["a", "b", "c", "d"]);
  });

  test("go on when a copy comes before the records that are sent anew [S-51]", async () => {
    const batchOf = await batches();
    expect(await batchOf(records("a", "b")).arrives()).toBe(WRITTEN);
    expect(await batchOf(records("a", "b", "c")).arrives()).toBe(WRITTEN);
    expect(await written(5)).toEqual(["a", "b", "a", "b", "c"]);
  });

  test("may be acknowledged by the leader alone (kafkaAcks One) [S-14]", async () => {
    const producer = kafkaRecordProducer({
      ...{ endpoint: plainEndpoint(address()), clientId: "test", acks: 1, compression: "None" },
      log: noLog,
    });
    ends.push(producer);
    await producer.start();
    for (const value of ["a", "b", "c"]) await producer.send(records(value));
    expect(await written(3)).toEqual(["a", "b", "c"]);
  });

  test("take a new producer id when the epochs of the last are used up", async () => {
    const producer = kafkaRecordProducer({
      ...{ endpoint: plainEndpoint(address()), clientId: "test", acks: -1, compression: "None" },
      ...{ log: noLog, lastEpoch: 0 },
    });
    ends.push(producer);
    await producer.start();
    await producer.send(records("first of the second id"));
    await producer.send(records("second"));
    expect(await written(2)).toEqual(["first of the second id", "second"]);
  });
});
