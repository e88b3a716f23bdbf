import { afterEach, expect, test } from "vitest";
import type { RecordProducer, RecordSource } from "../../shared/engine/ports.ts";
import type { KafkaRecord, OutgoingRecord } from "../../shared/model/kafka-record.ts";
import { Collector, outgoing, unique } from "../support/kafka-ends.ts";

/** What a transport has to bring to be held to the contracts of RecordSource and RecordProducer in shared/engine/ports.ts. */
export interface Transport {
  /** A new topic with two partitions. */
  topic(): Promise<string>;
  producer(): RecordProducer;
  source(topic: string, consumerGroupId: string): RecordSource;
  /** Cuts all connections without a word. */
  cut(): void;
}

const textOf = ({ value }: KafkaRecord): string => Buffer.from(value ?? []).toString();
const upTo = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));

/** One suite for every transport: what it promises, it promises of them all. */
export function recordPortsContract(transport: () => Transport): void {
  const open: { stop(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const port of open.splice(0).reverse()) await port.stop();
  });

  async function producer(): Promise<RecordProducer> {
    const port = transport().producer();
    open.push(port);
    await port.start();
    return port;
  }

  async function reader(topic: string, group = unique("group"), gate?: Promise<void>) {
    const source = transport().source(topic, group);
    open.push(source);
    const collector = new Collector(source);
    collector.gate = gate;
    await source.start(collector);
    return { source, collector, group };
  }

  const inPartition = (topic: string, value: string, over: Partial<OutgoingRecord> = {}) =>
    outgoing({
      topic,
      value: Buffer.from(value),
      partitioning: { by: "partition", partition: 0 },
      ...over,
    });

  test("hands over what was sent, in the order of the partition, with text and bytes as they were", async () => {
    const topic = await transport().topic();
    const port = await producer();
    const headers = [
      ["unit", Buffer.from("°C")],
      ["raw", Buffer.from([0xff, 0x00])],
    ] as const;
    const before = Date.now();
    await port.send(upTo(20).map((value) => inPartition(topic, value, { headers })));
    const { collector } = await reader(topic);
    await collector.until(() => collector.received.length === 20);
    expect(collector.received.map(textOf)).toEqual(upTo(20));
    const offsets = collector.received.map(({ offset }) => offset);
    expect(offsets).toEqual(offsets.toSorted((a, b) => Number(a - b)));
    const [first] = collector.received;
    expect(first).toMatchObject({ topic, partition: 0 });
    expect(first?.timestamp).toBeGreaterThanOrEqual(before - 1000);
    expect(first?.headers.map(([name, value]) => [name, Buffer.from(value ?? [])])).toEqual(
      headers,
    );
    expect(collector.assignments.flat()).toContainEqual({ topic, partition: 0 });
  });

  test("records of a key are in one partition, in their order, and come with their key", async () => {
    const topic = await transport().topic();
    const port = await producer();
    const keyed = (key: string, value: string) =>
      outgoing({
        topic,
        key: Buffer.from(key),
        value: Buffer.from(value),
        partitioning: { by: "key" },
      });
    for (const part of [upTo(10), upTo(10)]) {
      await port.send(part.flatMap((n) => [keyed("a", `a${n}`), keyed("b", `b${n}`)]));
    }
    const { collector } = await reader(topic);
    await collector.until(() => collector.received.length === 40);
    for (const key of ["a", "b"]) {
      const of = collector.received.filter(
        (record) => Buffer.from(record.key ?? []).toString() === key,
      );
      expect(of.map(textOf)).toEqual([...upTo(10), ...upTo(10)].map((n) => `${key}${n}`));
      expect(new Set(of.map(({ partition }) => partition)).size).toBe(1);
    }
  });

  test("the next of its group goes on behind what was committed, and reads again what was not", async () => {
    const topic = await transport().topic();
    const port = await producer();
    await port.send(upTo(6).map((value) => inPartition(topic, value)));
    const first = await reader(topic);
    await first.collector.until(() => first.collector.received.length === 6);
    first.collector.commitOnRevoke = false;
    const third = first.collector.received[2] as KafkaRecord;
    await first.source.commit([{ topic, partition: 0, offset: third.offset + 1n }]);
    await first.source.stop();
    const second = await reader(topic, first.group);
    await second.collector.until(() => second.collector.received.length === 3);
    expect(second.collector.received.map(textOf)).toEqual(["3", "4", "5"]);
  });

  test("a group of its own reads from the beginning", async () => {
    const topic = await transport().topic();
    await (await producer()).send([inPartition(topic, "x")]);
    const one = await reader(topic);
    await one.collector.until(() => one.collector.received.length === 1);
    await one.collector.commit();
    const other = await reader(topic);
    await other.collector.until(() => other.collector.received.length === 1);
  });

  test("hands over no more of a partition while there is no room", async () => {
    const topic = await transport().topic();
    const port = await producer();
    await port.send([inPartition(topic, "first")]);
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const { collector } = await reader(topic, unique("group"), gate);
    await collector.until(() => collector.received.length >= 1);
    for (const value of upTo(5)) await port.send([inPartition(topic, value)]);
    expect(collector.received.map(textOf)).toEqual(["first"]);
    collector.gate = undefined;
    open();
    await collector.until(() => collector.received.length === 6);
    expect(collector.received.map(textOf)).toEqual(["first", ...upTo(5)]);
  });

  test("gives its partitions up before it has stopped, and calls nothing afterwards", async () => {
    const topic = await transport().topic();
    const port = await producer();
    await port.send([inPartition(topic, "x")]);
    const { source, collector } = await reader(topic);
    await collector.until(() => collector.received.length === 1);
    await source.stop();
    expect(collector.revocations.flat()).toContainEqual({ topic, partition: 0 });
    const { length } = collector.revocations;
    await port.send([inPartition(topic, "later")]);
    expect(collector.received.map(textOf)).toEqual(["x"]);
    expect(collector.revocations).toHaveLength(length);
  });

  test("ignores commits of partitions that it does not read", async () => {
    const topic = await transport().topic();
    const { source } = await reader(topic);
    await source.commit([{ topic: "another", partition: 0, offset: 5n }]);
  });

  test("reads and writes on after all connections were cut, and loses nothing", async () => {
    const topic = await transport().topic();
    const port = await producer();
    const { collector } = await reader(topic);
    await port.send([inPartition(topic, "before")]);
    await collector.until(() => collector.received.length >= 1);
    transport().cut();
    for (let sent = false; !sent; ) {
      sent = await port.send([inPartition(topic, "after")]).then(
        () => true,
        (error: unknown) => {
          expect(error).toMatchObject({ retryable: true });
          return false;
        },
      );
    }
    await collector.until(() => collector.received.map(textOf).includes("after"));
    expect(collector.failures).toEqual([]);
  });
}
