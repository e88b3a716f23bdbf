import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkpointFolder } from "../../../shared/adapters/event-hubs/checkpoint-folder.ts";
import {
  type EventHubsRecordSourceOptions,
  eventHubsRecordSource,
} from "../../../shared/adapters/event-hubs/event-hubs-record-source.ts";
import type { KafkaEndpoint } from "../../../shared/model/endpoint.ts";
import type { KafkaRecord } from "../../../shared/model/kafka-record.ts";
import { EventHubsServer } from "../../support/event-hubs/event-hubs-server.ts";
import { Collector, noLog, unique } from "../../support/kafka-ends.ts";

const ended: (() => Promise<unknown>)[] = [];
let server: EventHubsServer;
let folder: string;
beforeEach(async () => {
  server = await EventHubsServer.start({ hubs: { plant: 4 } });
  folder = await mkdtemp(join(tmpdir(), "isthmus-checkpoints-"));
});
afterEach(async () => {
  await Promise.all(ended.splice(0).map((end) => end()));
  await server.stop();
  await rm(folder, { recursive: true });
});

const textOf = ({ value }: KafkaRecord): string => Buffer.from(value ?? []).toString();

function endpointOf(password = server.connectionString()): KafkaEndpoint {
  return {
    bootstrapServers: ["127.0.0.1:9093"],
    isEventHubs: true,
    sasl: { mechanism: "plain", username: "$ConnectionString", password },
  };
}

function sourceOf(over: Partial<EventHubsRecordSourceOptions> = {}) {
  const source = eventHubsRecordSource({
    endpoint: endpointOf(),
    topics: [{ kind: "name", topic: "plant" }],
    consumerGroupId: "$Default",
    ownerId: unique("owner"),
    checkpoints: folder,
    shared: false,
    log: noLog,
    timing: { updateMs: 100, expiryMs: 1500 },
    ...over,
  });
  ended.push(() => source.stop());
  return { source, collector: new Collector(source) };
}

const event = (text: string, properties: Record<string, unknown> = {}) => ({
  body: { typecode: 0x75, content: Buffer.from(text) },
  application_properties: properties,
});

describe("Event Hubs over AMQP, source", () => {
  test("typed values of AMQP senders become text, bytes stay bytes [S-22]", async () => {
    const message = {
      ...event("21.5", { unit: "C", count: 7, on: true, raw: Buffer.from([0xff]), none: null }),
      message_id: "id-1",
      content_type: "application/json",
      message_annotations: { "x-opt-partition-key": "oven-7" },
    };
    server.hub("plant").append("2", [message as never]);
    const { source, collector } = sourceOf();
    await source.start(collector);
    await collector.until(() => collector.received.length === 1);
    const [record] = collector.received as [KafkaRecord];
    expect(record).toMatchObject({ topic: "plant", partition: 2, offset: 0n });
    expect(Buffer.from(record.key ?? []).toString()).toBe("oven-7");
    const headers = record.headers.map(([name, value]) => [name, value && Buffer.from(value)]);
    expect(headers).toEqual([
      ["message-id", Buffer.from("id-1")],
      ["content-type", Buffer.from("application/json")],
      ["unit", Buffer.from("C")],
      ["count", Buffer.from("7")],
      ["on", Buffer.from("true")],
      ["raw", Buffer.from([0xff])],
      ["none", null],
    ]);
  });

  test("two readers share the partitions, and the other takes over from one that stops [S-50]", async () => {
    const one = sourceOf({ shared: true });
    await one.source.start(one.collector);
    const two = sourceOf({ shared: true });
    await two.source.start(two.collector);
    const held = ({ assignments, revocations }: Collector): number =>
      assignments.flat().length - revocations.flat().length;
    await two.collector.until(() => held(two.collector) === 2);
    await one.collector.until(() => held(one.collector) === 2);
    await one.source.stop();
    await two.collector.until(() => held(two.collector) === 4);
    for (const id of ["0", "1", "2", "3"]) server.hub("plant").append(id, [event(id)]);
    await two.collector.until(() => two.collector.received.length === 4);
    expect(two.collector.received.map(textOf).sort()).toEqual(["0", "1", "2", "3"]);
  });

  test("an exchanged connection string is taken up where the old one is refused", async () => {
    const old = endpointOf(server.connectionString({ key: "outdated" }));
    const first = sourceOf({ endpoint: old });
    await expect(first.source.start(first.collector)).rejects.toMatchObject({
      code: "EVENT_HUBS_REFUSED",
      retryable: false,
    });
    const second = sourceOf({
      endpoint: { ...old, reread: () => Promise.resolve(endpointOf()) },
    });
    await second.source.start(second.collector);
    expect(second.source.status?.()).toEqual({ connected: true });
  });

  test("waits for an event hub that is not there yet, and says for which", async () => {
    const { source, collector } = sourceOf({ topics: [{ kind: "name", topic: "later" }] });
    await source.start(collector);
    expect(source.status?.()).toMatchObject({
      connected: false,
      detail: expect.stringContaining("'sb://127.0.0.1/later' could not be found"),
    });
    server.addHub("later", 1);
    server.hub("later").append("0", [event("x")]);
    await collector.until(() => collector.received.length === 1);
    expect(source.status?.()).toEqual({ connected: true });
  });

  test("asks for no more than it can hold, however often a hub has little", async () => {
    const { source, collector } = sourceOf();
    await source.start(collector);
    for (let i = 1; i <= 5; i += 1) {
      server.hub("plant").append("0", [event(String(i))]);
      await collector.until(() => collector.received.length === i);
    }
    expect(server.mostCredit).toBe(100);
  });

  test("refuses a regular expression, for AMQP has no list of event hubs [S-30]", async () => {
    const { source, collector } = sourceOf({
      topics: [{ kind: "pattern", pattern: "plant.*" } as never],
    });
    await expect(source.start(collector)).rejects.toMatchObject({ code: "MANIFEST_INVALID" });
  });
});

describe("checkpointFolder()", () => {
  const place = {
    fullyQualifiedNamespace: "Plant.servicebus.windows.net",
    eventHubName: "../../Plant",
    consumerGroup: "$Default",
  };
  const names = [place.fullyQualifiedNamespace, place.eventHubName, place.consumerGroup] as const;

  test("keeps the newest checkpoint of each partition, over restarts, inside of its folder", async () => {
    const store = checkpointFolder(folder);
    for (const sequenceNumber of [1, 2]) {
      const offset = String(sequenceNumber * 64);
      await store.updateCheckpoint({ ...place, partitionId: "0", sequenceNumber, offset });
    }
    const [host, hub, group] = names;
    const found = await checkpointFolder(folder).listCheckpoints(host.toLowerCase(), hub, group);
    expect(found).toMatchObject([{ partitionId: "0", sequenceNumber: 2, offset: "128" }]);
    expect(await readdir(folder)).toEqual(["plant.servicebus.windows.net"]);
    expect(await store.listCheckpoints(host, hub, "other")).toEqual([]);
  });

  test("gives a partition to the one that has seen its last owner", async () => {
    const store = checkpointFolder(folder);
    const claim = (ownerId: string, etag?: string) =>
      store.claimOwnership([
        { ...place, partitionId: "0", ownerId, ...(etag === undefined ? {} : { etag }) },
      ]);
    const [mine] = await claim("one");
    expect(await claim("two")).toEqual([]);
    expect(await claim("two", mine?.etag)).toMatchObject([{ ownerId: "two" }]);
    expect(await claim("one", mine?.etag)).toEqual([]);
    expect(await store.listOwnership(...names)).toMatchObject([{ ownerId: "two" }]);
  });

  test("tells of a file that is damaged, instead of reading all from the beginning", async () => {
    const store = checkpointFolder(folder);
    await store.updateCheckpoint({ ...place, partitionId: "0", sequenceNumber: 1, offset: "64" });
    const [home = ""] = await readdir(folder, { recursive: true }).then((all) =>
      all.filter((name) => name.endsWith("0.json")),
    );
    await writeFile(join(folder, home), "{");
    await expect(store.listCheckpoints(...names)).rejects.toMatchObject({
      code: "STATE_UNAVAILABLE",
      message: expect.stringContaining("Delete it to read its partition from the beginning"),
    });
  });
});
