import { randomBytes } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { eventHubsRecordProducer } from "../../../shared/adapters/event-hubs/event-hubs-record-producer.ts";
import type { RecordProducer } from "../../../shared/engine/ports.ts";
import type { KafkaEndpoint } from "../../../shared/model/endpoint.ts";
import type { OutgoingRecord } from "../../../shared/model/kafka-record.ts";
import {
  EventHubsServer,
  type EventHubsServerOptions,
} from "../../support/event-hubs/event-hubs-server.ts";
import { noLog, outgoing } from "../../support/kafka-ends.ts";

const ended: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

async function namespace(over: Partial<EventHubsServerOptions> = {}): Promise<EventHubsServer> {
  const server = await EventHubsServer.start({ hubs: { plant: 4, other: 1 }, ...over });
  ended.push(() => server.stop());
  return server;
}

function byKey(server: EventHubsServer, connectionString = server.connectionString()) {
  return endpointOf({
    mechanism: "plain",
    username: "$ConnectionString",
    password: connectionString,
  });
}

function endpointOf(sasl: NonNullable<KafkaEndpoint["sasl"]>): KafkaEndpoint {
  return { bootstrapServers: ["127.0.0.1:9093"], isEventHubs: true, sasl };
}

function producerOf(endpoint: KafkaEndpoint, eventHubs: readonly string[] = []): RecordProducer {
  const producer = eventHubsRecordProducer({ endpoint, eventHubs, log: noLog });
  ended.push(() => producer.stop());
  return producer;
}

const of = (value: string | Uint8Array, over: Partial<OutgoingRecord> = {}): OutgoingRecord =>
  outgoing({ topic: "plant", value: Buffer.from(value), ...over });
const keyed = (key: string, value: string): OutgoingRecord =>
  of(value, { key: Buffer.from(key), partitioning: { by: "key" } });
const upTo = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));

describe("Event Hubs over AMQP, producer", () => {
  test("keeps the order of a key, in one partition, over several sends [S-50]", async () => {
    const server = await namespace();
    const producer = producerOf(byKey(server));
    for (const part of [upTo(50), upTo(50)]) {
      await producer.send(part.flatMap((n) => [keyed("a", `a${n}`), keyed("b", `b${n}`)]));
    }
    const logs = server.hub("plant").partitionIds.map((id) => server.hub("plant").texts(id));
    for (const key of ["a", "b"]) {
      const of = logs.map((log) => log.filter((text) => text.startsWith(key)));
      const expected = [...upTo(50), ...upTo(50)].map((n) => `${key}${n}`);
      expect(of.filter((log) => log.length > 0)).toEqual([expected]);
    }
  });

  test("writes to the partition of the instance, modulo their number [S-13]", async () => {
    const server = await namespace();
    await producerOf(byKey(server)).send([
      of("x", { partitioning: { by: "instance", instance: 6 } }),
    ]);
    expect(server.hub("plant").texts("2")).toEqual(["x"]);
  });

  test("hands on body and headers, text as text and bytes as bytes [S-10]", async () => {
    const server = await namespace();
    const body = randomBytes(300);
    await producerOf(byKey(server)).send([
      of(body, {
        headers: [
          ["a", Buffer.from("1")],
          ["a", Buffer.from("2")],
          ["b", Buffer.from([0xff, 0x00])],
        ],
        partitioning: { by: "partition", partition: 1 },
      }),
    ]);
    const [event] = server.hub("plant").log("1");
    expect(event?.message).toMatchObject({
      body: { content: body },
      application_properties: { a: "1", "a;2": "2", b: Buffer.from([0xff, 0x00]) },
    });
  });

  test("cuts what is larger than a publication may be, and loses no order", async () => {
    const server = await namespace({ maxMessageBytes: 64 * 1024 });
    const values = upTo(40).map((n) => n.padEnd(10_000, "."));
    await producerOf(byKey(server)).send(values.map((value) => keyed("k", value)));
    const logs = server.hub("plant").partitionIds.map((id) => server.hub("plant").texts(id));
    expect(logs.filter((log) => log.length > 0)).toEqual([values]);
  });

  test("an event that is larger than the hub takes is refused for good, and named [S-54]", async () => {
    const server = await namespace({ maxMessageBytes: 64 * 1024 });
    await expect(producerOf(byKey(server)).send([of("x".repeat(70_000))])).rejects.toMatchObject({
      code: "KAFKA_MESSAGE_TOO_LARGE",
      retryable: false,
      message: expect.stringContaining('event hub "plant"'),
    });
  });

  test.each([
    ["a busy service", "send", "com.microsoft:server-busy"],
    ["a detached link", "attach", "amqp:link:detach-forced"],
  ] as const)("%s is tried again, and the event is there once", async (_, at, condition) => {
    const server = await namespace();
    server.plan({ at, error: { condition, description: "later" } });
    await producerOf(byKey(server)).send([keyed("a", "x")]);
    const logs = server.hub("plant").partitionIds.map((id) => server.hub("plant").texts(id));
    expect(logs.flat()).toEqual(["x"]);
  });

  test("throttling that lasts is told of as passing, and over with the next success [S-54]", async () => {
    const server = await namespace();
    const producer = producerOf(byKey(server));
    const error = { condition: "com.microsoft:server-busy", description: "over its units" };
    server.plan({ at: "send", error, times: 3 });
    await expect(producer.send([of("x")])).rejects.toMatchObject({
      code: "EVENT_HUBS_UNAVAILABLE",
      retryable: true,
    });
    expect(producer.status?.()).toMatchObject({ connected: false, detail: /over its units/ });
    await producer.send([of("x")]);
    expect(producer.status?.()).toEqual({ connected: true });
  });

  test("a cut connection fails a send as passing at most, and the next goes over a new one", async () => {
    const server = await namespace();
    const producer = producerOf(byKey(server));
    await producer.send([keyed("a", "1")]);
    server.cut();
    await producer.send([keyed("a", "2")]).catch((error: unknown) => {
      expect(error).toMatchObject({ code: "EVENT_HUBS_UNAVAILABLE", retryable: true });
      return producer.send([keyed("a", "2")]);
    });
    const logs = server.hub("plant").partitionIds.map((id) => server.hub("plant").texts(id));
    expect(logs.flat()).toEqual(["1", "2"]);
  });

  test("an exchanged connection string is taken up where the old one is refused", async () => {
    const server = await namespace();
    const old = byKey(server, server.connectionString({ key: "outdated" }));
    const producer = producerOf({ ...old, reread: () => Promise.resolve(byKey(server)) });
    await producer.send([of("x", { partitioning: { by: "partition", partition: 0 } })]);
    expect(server.hub("plant").texts("0")).toEqual(["x"]);
  });
});

describe("Event Hubs over AMQP, credentials", () => {
  test("takes a connection string, of the namespace or of the one hub", async () => {
    const server = await namespace();
    const ofHub = server.connectionString({ entityPath: "PLANT" });
    for (const connectionString of [server.connectionString(), ofHub]) {
      const producer = producerOf(byKey(server, connectionString), ["plant"]);
      await producer.start();
      expect(producer.status?.()).toEqual({ connected: true });
    }
  });

  test("ends a start with a wrong key in one error that holds nothing of it [S-3]", async () => {
    const server = await namespace();
    const wrong = server.connectionString({ key: "wrong-key-that-nobody-may-see" });
    const start = producerOf(byKey(server, wrong), ["plant"]).start();
    await expect(start).rejects.toMatchObject({
      code: "EVENT_HUBS_REFUSED",
      retryable: false,
      message: expect.stringMatching(/^Cannot open event hub "plant" of 127\.0\.0\.1: .*signature/),
    });
    await expect(start).rejects.toMatchObject({
      message: expect.not.stringContaining("nobody-may-see"),
    });
  });

  test.each([
    ["another hub", { entityPath: "other" }, /EntityPath says that it is for "other" alone/],
    ["no key", { key: "" }, /it has no "SharedAccessKey"/],
  ])("ends a start with a connection string for %s", async (_, over, message) => {
    const server = await namespace();
    const wrong = byKey(server, server.connectionString(over));
    await expect(producerOf(wrong, ["plant"]).start()).rejects.toMatchObject({
      code: "SECRET_INVALID",
      message: expect.stringMatching(message),
    });
  });

  test("ends a start with a connection string for another namespace", async () => {
    const server = await namespace();
    const endpoint = { ...byKey(server), bootstrapServers: ["elsewhere.servicebus.windows.net"] };
    await expect(producerOf(endpoint, ["plant"]).start()).rejects.toMatchObject({
      code: "SECRET_INVALID",
      message: expect.stringContaining("it is for the namespace 127.0.0.1"),
    });
  });

  test("a key without the Send claim starts, and dead-letters what it may not send [S-54]", async () => {
    const server = await namespace();
    const reader = { name: "reader", key: "of-the-reader", claims: ["Listen"] as const };
    server.policies.push(reader);
    const producer = producerOf(byKey(server, server.connectionString({ policy: reader })), [
      "plant",
    ]);
    await producer.start();
    await expect(producer.send([of("x")])).rejects.toMatchObject({
      code: "KAFKA_NOT_AUTHORIZED",
      retryable: false,
    });
  });

  test("waits for a namespace that is not there yet, and stops when it is told to", async () => {
    const server = await namespace();
    const endpoint = byKey(server);
    await server.stop();
    const producer = producerOf(endpoint, ["plant"]);
    const started = producer.start().catch((error: unknown) => error);
    await expect
      .poll(() => producer.status?.().detail, { timeout: 15_000 })
      .toMatch(/ECONNREFUSED/);
    await producer.stop();
    expect(await started).toMatchObject({ code: "STOPPED" });
  });
});
