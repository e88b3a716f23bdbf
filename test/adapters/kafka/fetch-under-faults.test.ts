import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type SandboxKafka,
  startSandboxKafka,
} from "../../../local/sandbox/kafka/sandbox-kafka.ts";
import { kafkaRecordProducer } from "../../../shared/adapters/kafka/kafka-record-producer.ts";
import { kafkaRecordSource } from "../../../shared/adapters/kafka/kafka-record-source.ts";
import type { RecordConsumer, TopicPartition } from "../../../shared/engine/ports.ts";
import type { KafkaEndpoint } from "../../../shared/model/endpoint.ts";
import type { KafkaRecord } from "../../../shared/model/kafka-record.ts";
import { noLog, outgoing, plainEndpoint, unique } from "../../support/kafka-ends.ts";

const PARTITIONS = 4;
const REBALANCE_IN_PROGRESS = 27;

let broker: SandboxKafka;
/** Groups whose next heartbeat loses its connection. */
const cutOff = new Set<string>();
/** Groups whose members are told, until they join again, that the group rebalances. */
const unsettled = new Set<string>();

beforeAll(async () => {
  broker = await startSandboxKafka({
    partitions: PARTITIONS,
    faults: ({ apiName, group = "" }) => {
      if (apiName === "Heartbeat" && cutOff.delete(group)) return { close: true };
      if (apiName === "JoinGroup") unsettled.delete(group);
      const isTold = apiName === "Heartbeat" && unsettled.has(group);
      return isTold ? { errorCode: REBALANCE_IN_PROGRESS } : undefined;
    },
  });
});
afterAll(() => broker.stop());

/** Takes some records and holds the others; knows what came of each assignment. */
class Holder implements RecordConsumer {
  readonly assignments: Map<number, bigint[]>[] = [];
  private readonly free: number;
  private readonly released: Promise<void>;
  private onChange: () => void = () => undefined;

  constructor(free: number, released: Promise<void>) {
    this.free = free;
    this.released = released;
  }

  assigned(_partitions: readonly TopicPartition[]): void {
    this.assignments.push(new Map());
    this.onChange();
  }

  async revoked(): Promise<void> {}

  async records(batch: readonly KafkaRecord[]): Promise<void> {
    const offsets = this.assignments.at(-1);
    for (const { partition, offset } of batch) {
      offsets?.set(partition, [...(offsets.get(partition) ?? []), offset]);
    }
    this.onChange();
    if (this.count(this.assignments.length - 1) > this.free) await this.released;
  }

  failed(error: Error): void {
    throw error;
  }

  count(assignment: number): number {
    return [...(this.assignments[assignment]?.values() ?? [])].flat().length;
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.onChange = resolve;
        setTimeout(resolve, 50);
      });
    }
  }
}

/** A topic with so many records of so many bytes in every partition. */
async function filledTopic(
  endpoint: KafkaEndpoint,
  count: number,
  valueBytes: number,
): Promise<string> {
  const topic = unique("fetched");
  const producer = kafkaRecordProducer({
    ...{ endpoint, clientId: "test", acks: -1, compression: "None", log: noLog },
  });
  await producer.start();
  const step = Math.min(count, Math.floor(200_000 / valueBytes));
  for (let i = 0; i < count; i += step) {
    const records = Array.from({ length: PARTITIONS * step }, (_, at) =>
      outgoing({
        topic,
        value: Buffer.alloc(valueBytes),
        partitioning: { by: "partition", partition: at % PARTITIONS },
      }),
    );
    await producer.send(records);
  }
  await producer.stop();
  return topic;
}

interface Reading {
  readonly holder: Holder;
  readonly group: string;
  /** Lets the records go that the holder holds. */
  release(): void;
  stop(): Promise<void>;
}

/** Reads a topic and holds what comes after the first `free` records. */
async function reading(count: number, valueBytes: number, free: number): Promise<Reading> {
  const endpoint = plainEndpoint(broker.bootstrapServers.join());
  const topic = await filledTopic(endpoint, count, valueBytes);
  const group = unique("group");
  let release: () => void = () => undefined;
  const holder = new Holder(
    free,
    new Promise((resolve) => {
      release = resolve;
    }),
  );
  const source = kafkaRecordSource({
    ...{ endpoint, clientId: "test", consumerGroupId: group, log: noLog },
    topics: [{ kind: "name", topic }],
    sessionTimeoutMs: 6_000,
  });
  await source.start(holder);
  await holder.until(() => holder.count(0) > free);
  return { holder, group, release, stop: () => source.stop() };
}

function expectWhole(offsets: Map<number, bigint[]> | undefined, count: number): void {
  const everything = Array.from({ length: count }, (_, offset) => BigInt(offset));
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    expect(offsets?.get(partition)).toEqual(everything);
  }
}

test("a rebalance while fetches wait for room: every partition is read again from its commit (S-50)", async () => {
  const count = 120;
  // more than one fetch takes of a partition
  const { holder, group, release, stop } = await reading(count, 20_000, PARTITIONS * 50);
  unsettled.add(group);
  await holder.until(() => holder.assignments.length > 1);
  release();
  await holder.until(() => holder.count(1) >= PARTITIONS * count);
  expectWhole(holder.assignments[1], count);
  await stop();
});

test("a lost connection while the first part of a fetch waits for room: the other parts come all the same (S-50)", async () => {
  const count = 3_500;
  const { holder, group, release, stop } = await reading(count, 50, 0);
  cutOff.add(group);
  await holder.until(() => !cutOff.has(group));
  release();
  await holder.until(() => holder.count(holder.assignments.length - 1) >= PARTITIONS * count);
  expectWhole(holder.assignments.at(-1), count);
  await stop();
});
