import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type MqttSubscriberOptions,
  mqttSubscriber,
} from "../../../shared/adapters/mqtt/mqtt-subscriber.ts";
import type { Delivery, Subscriber, SubscriptionRequest } from "../../../shared/engine/ports.ts";
import type { BridgeError } from "../../../shared/errors.ts";
import { endpointAt, memoryLog, quickClock } from "../../support/mqtt-bench.ts";
import { type AnyPacket, generatePacket } from "../../support/mqtt-packet.ts";
import {
  connack,
  type ScriptedConnection,
  ScriptServer,
} from "../../support/mqtt-script-server.ts";

const REQUEST: SubscriptionRequest = { topicFilters: ["plant/#", "$share/g/line/+"], qos: 1 };

let server: ScriptServer;
let subscribers: Subscriber[];
const journal = memoryLog();

beforeEach(async () => {
  server = await ScriptServer.open();
  subscribers = [];
  journal.entries.length = 0;
});

afterEach(async () => {
  await Promise.all(subscribers.map((subscriber) => subscriber.stop()));
  await server.close();
});

/** What has been delivered, and a way to wait for it. */
class Inbox {
  readonly deliveries: Delivery[] = [];
  private waiting: (() => void)[] = [];

  readonly take = (delivery: Delivery): void => {
    this.deliveries.push(delivery);
    for (const resolve of this.waiting.splice(0)) resolve();
  };

  async until(count: number): Promise<Delivery[]> {
    while (this.deliveries.length < count) {
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
    return this.deliveries;
  }

  get payloads(): string[] {
    return this.deliveries.map(({ publish }) => Buffer.from(publish.payload).toString());
  }

  acknowledge(...indexes: number[]): void {
    for (const index of indexes) (this.deliveries[index] as Delivery).acknowledge();
  }
}

function open(over: Partial<MqttSubscriberOptions> = {}): Subscriber {
  const subscriber = mqttSubscriber({
    endpoint: over.endpoint ?? endpointAt(server.port),
    clientIdentifier: "isthmus-test",
    receiveMaximum: 10,
    log: journal.log,
    clock: quickClock(),
    ...over,
  });
  subscribers.push(subscriber);
  return subscriber;
}

interface Subscribed {
  readonly subscriber: Subscriber;
  readonly connection: ScriptedConnection;
  readonly inbox: Inbox;
}

async function subscribed(over: Partial<MqttSubscriberOptions> = {}): Promise<Subscribed> {
  const subscriber = open(over);
  const inbox = new Inbox();
  const started = subscriber.start(REQUEST, inbox.take);
  const connection = await server.accept();
  await connection.welcome();
  await connection.grant();
  await started;
  return { subscriber, connection, inbox };
}

const message = (messageId: number, payload: string, over: object = {}): AnyPacket => ({
  cmd: "publish",
  topic: "plant/7",
  payload,
  qos: 1,
  messageId,
  retain: false,
  dup: false,
  ...over,
});

const acknowledged = (connection: ScriptedConnection): unknown[] =>
  connection.of("puback").map((packet) => packet["messageId"]);

/** A packet that the client answers at once, to know that it has read all before it. */
async function fence(connection: ScriptedConnection): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(connection.closed).toBe(false);
}

describe("mqttSubscriber() connecting", () => {
  test("goes on with its session, announces Receive Maximum, and subscribes with what bridges need (S-51)", async () => {
    const subscriber = open();
    const started = subscriber.start(REQUEST, () => undefined);
    const connection = await server.accept();
    expect(await connection.welcome()).toMatchObject({
      clean: false,
      clientId: "isthmus-test",
      properties: { sessionExpiryInterval: 300, receiveMaximum: 10 },
    });
    const subscribe = await connection.grant();
    expect(subscribe["subscriptions"]).toEqual([
      { topic: "plant/#", qos: 1, nl: false, rap: true, rh: 1 },
      { topic: "$share/g/line/+", qos: 1, nl: false, rap: true, rh: 1 },
    ]);
    await started;
    expect(subscriber.status?.()).toEqual({ connected: true });
  });

  test("what a resumed session sends in one chunk with CONNACK is delivered, nothing lost (S-51)", async () => {
    const subscriber = open();
    const inbox = new Inbox();
    const started = subscriber.start(REQUEST, inbox.take);
    const connection = await server.accept();
    await connection.next("connect");
    connection.send(
      connack({ sessionPresent: true }),
      ...Array.from({ length: 5 }, (_, i) => message(i + 1, String(i), { dup: true })),
    );
    await inbox.until(5);
    inbox.acknowledge(0, 1, 2, 3, 4);
    await connection.grant();
    await started;
    await connection.until(() => connection.of("puback").length === 5);
    expect(inbox.payloads).toEqual(["0", "1", "2", "3", "4"]);
    expect(acknowledged(connection)).toEqual([1, 2, 3, 4, 5]);
  });

  test("subscribes once per start even with a session, and again only when the session is lost", async () => {
    const { connection } = await subscribed();
    connection.reset();
    const second = await server.accept();
    await second.welcome({}, true);
    second.send(message(1, "goes on"));
    await fence(second);
    expect(second.of("subscribe")).toEqual([]);
    second.reset();
    const third = await server.accept();
    await third.welcome({}, false);
    await third.grant();
    expect(journal.entries.some(({ message: text }) => text.includes("lost the session"))).toBe(
      true,
    );
  });

  test.each([
    { reasonCode: 0x87, code: "MQTT_NOT_AUTHORIZED" },
    { reasonCode: 0x8f, code: "MQTT_REFUSED" },
    { reasonCode: 0x9e, code: "MQTT_REFUSED" },
    { reasonCode: 0xa2, code: "MQTT_REFUSED" },
  ])(
    "start() rejects when SUBACK says $reasonCode for one filter",
    async ({ reasonCode, code }) => {
      const started = open().start(REQUEST, () => undefined);
      const refused = expect(started).rejects.toMatchObject({
        code,
        retryable: false,
        message: expect.stringContaining('"$share/g/line/+"'),
      });
      const connection = await server.accept();
      await connection.welcome();
      await connection.grant(1, reasonCode);
      await refused;
    },
  );

  test.each([0x80, 0x83, 0x91, 0x97])(
    "start() goes on trying when SUBACK says %i",
    async (reasonCode) => {
      const started = open().start(REQUEST, () => undefined);
      const connection = await server.accept();
      await connection.welcome();
      await connection.grant(1, reasonCode);
      await connection.untilClosed();
      const second = await server.accept();
      await second.welcome();
      await second.grant();
      await started;
    },
  );

  test("says before SUBSCRIBE that the broker has no shared subscriptions (S-33)", async () => {
    const started = open().start(REQUEST, () => undefined);
    const refused = expect(started).rejects.toThrow("Shared Subscriptions not supported");
    const connection = await server.accept();
    await connection.welcome({ sharedSubscriptionAvailable: false });
    await refused;
    expect(connection.of("subscribe")).toEqual([]);
  });

  test("warns when the broker grants QoS 0 where QoS 1 was asked for (S-50)", async () => {
    const started = open().start(REQUEST, () => undefined);
    const connection = await server.accept();
    await connection.welcome();
    await connection.grant(1, 0);
    await started;
    const entry = journal.entries.find(({ level }) => level === "warn");
    expect(entry?.fields).toMatchObject({ topicFilter: "$share/g/line/+", granted: 0 });
  });

  test("warns when the broker keeps the session for less long than asked (S-51)", async () => {
    const started = open().start(REQUEST, () => undefined);
    const connection = await server.accept();
    await connection.welcome({ sessionExpiryInterval: 60 });
    await connection.grant();
    await started;
    const entry = journal.entries.find(({ message: text }) => text.includes("shortens"));
    expect(entry?.fields).toMatchObject({ requested: 300, granted: 60 });
  });

  test("a refusal after start is reported by onFailed", async () => {
    const failures: BridgeError[] = [];
    const { connection } = await subscribed({ onFailed: (error) => failures.push(error) });
    connection.reset();
    const second = await server.accept();
    await second.next("connect");
    second.send(connack({ reasonCode: 0x86 }));
    await server.accept();
    expect(failures.map(({ code }) => code)).toEqual(["MQTT_AUTHENTICATION_FAILED"]);
  });

  test("stop() sends what is acknowledged, then DISCONNECT 0x00, and keeps the session (S-51, S-55)", async () => {
    const { subscriber, connection, inbox } = await subscribed();
    connection.send(message(1, "a"), message(2, "b"));
    await inbox.until(2);
    inbox.acknowledge(0);
    await subscriber.stop();
    const disconnect = await connection.next("disconnect");
    expect(disconnect).toMatchObject({ reasonCode: 0 });
    expect(disconnect["properties"]).toBeUndefined();
    expect(acknowledged(connection)).toEqual([1]);
  });

  test("stop() while paused sees the connection end and waits for nothing", async () => {
    // twenty times slower: what waits for the clock does not come through in time
    const { subscriber, connection } = await subscribed({ clock: quickClock(0.05) });
    subscriber.pause();
    connection.send(message(1, "unread"));
    await fence(connection);
    await subscriber.stop();
    expect(connection.of("disconnect")).toHaveLength(1);
  });

  test("stop() ends a start that has not come through", async () => {
    const subscriber = open();
    const started = subscriber.start(REQUEST, () => undefined);
    const stopped = expect(started).rejects.toMatchObject({ code: "STOPPED" });
    const connection = await server.accept();
    await connection.welcome();
    await connection.next("subscribe");
    await subscriber.stop();
    await stopped;
    await connection.untilClosed();
  });
});

describe("mqttSubscriber() delivering", () => {
  test("hands over User Properties in order, with duplicates, and the time and size of receipt", async () => {
    const { connection, inbox } = await subscribed({
      clock: { ...quickClock(), now: () => 1_700_000_000_000 },
    });
    // mqtt-packet cannot write duplicates apart from each other, so the bytes are written by hand.
    const pairs = [
      ["b", "1"],
      ["constructor", "x"],
      ["a", "2"],
      ["b", "3"],
    ].flatMap(([name, value]) => [0x26, 0, ...lengthOf(name), 0, ...lengthOf(value)]);
    const body = [0, 1, 0x74, 0, 9, pairs.length, ...pairs, 0x70];
    connection.raw(Uint8Array.from([0x32, body.length, ...body]));
    const [delivery] = await inbox.until(1);
    expect(delivery?.publish.properties.userProperties).toEqual([
      ["b", "1"],
      ["constructor", "x"],
      ["a", "2"],
      ["b", "3"],
    ]);
    expect(delivery).toMatchObject({ receivedAt: 1_700_000_000_000, bytes: body.length + 2 });
  });

  test("PUBACKs go out in the order of receipt, however the engine acknowledges [MQTT-4.6.0-2]", async () => {
    const { connection, inbox } = await subscribed();
    connection.send(...[5, 3, 9, 1].map((id) => message(id, String(id))));
    await inbox.until(4);
    inbox.acknowledge(3, 1);
    await fence(connection);
    expect(acknowledged(connection)).toEqual([]);
    inbox.acknowledge(0);
    await connection.until(() => connection.of("puback").length === 2);
    expect(acknowledged(connection)).toEqual([5, 3]);
    inbox.acknowledge(2);
    await connection.until(() => connection.of("puback").length === 4);
    expect(acknowledged(connection)).toEqual([5, 3, 9, 1]);
  });

  test("all that is acknowledged in one turn leaves in one write", async () => {
    const { connection, inbox } = await subscribed({ receiveMaximum: 1000 });
    connection.send(...Array.from({ length: 800 }, (_, i) => message(i + 1, "x")));
    await inbox.until(800);
    const before = connection.reads;
    for (const delivery of inbox.deliveries) delivery.acknowledge();
    await connection.until(() => connection.of("puback").length === 800);
    expect(connection.reads - before).toBe(1);
  });

  test("QoS 0 is delivered and never acknowledged", async () => {
    const { connection, inbox } = await subscribed();
    connection.send(message(0, "zero", { qos: 0 }), message(1, "one"));
    await inbox.until(2);
    inbox.acknowledge(0, 1);
    await connection.until(() => connection.of("puback").length === 1);
    expect(acknowledged(connection)).toEqual([1]);
  });

  test("a broker that exceeds our Receive Maximum is not read until there is room, and nothing is lost", async () => {
    const { connection, inbox } = await subscribed({ receiveMaximum: 5 });
    const payload = "x".repeat(100_000);
    for (let i = 1; i <= 200; i += 1) connection.raw(generatePacket(message(i, payload)));
    await inbox.until(6);
    await fence(connection);
    expect(inbox.deliveries.length).toBeLessThan(20);
    for (let i = 0; i < 200; i += 1) {
      await inbox.until(i + 1);
      inbox.acknowledge(i);
    }
    await connection.until(() => connection.of("puback").length === 200);
    expect(server.connections).toHaveLength(1);
  });

  test("pause() stops reading, resume() goes on where it was (S-53)", async () => {
    const { subscriber, connection, inbox } = await subscribed();
    subscriber.pause();
    const payload = "x".repeat(100_000);
    for (let i = 1; i <= 200; i += 1) {
      connection.raw(generatePacket(message(0, `${i}${payload}`, { qos: 0 })));
    }
    await fence(connection);
    const held = inbox.deliveries.length;
    expect(held).toBeLessThan(3);
    expect(connection.stream.writableLength).toBeGreaterThan(0);
    subscriber.resume();
    await inbox.until(200);
    expect(inbox.payloads.map((text) => Number.parseInt(text, 10))).toEqual(
      Array.from({ length: 200 }, (_, i) => i + 1),
    );
  });

  test("the connection survives a pause longer than 1.5 times the keep alive, pinging all the while", async () => {
    const { subscriber, connection, inbox } = await subscribed({
      endpoint: endpointAt(server.port, { keepAlive: 1 }),
    });
    subscriber.pause();
    for (let i = 0; i < 3; i += 1) {
      await connection.next("pingreq");
      connection.send({ cmd: "pingresp" });
    }
    connection.send(message(1, "after"));
    subscriber.resume();
    await inbox.until(1);
    await connection.next("pingreq");
    expect(server.connections).toHaveLength(1);
  });

  test("a pause that lasts over a reconnect still lets the session be taken up", async () => {
    const { subscriber, connection, inbox } = await subscribed();
    subscriber.pause();
    // While paused even the end of the connection goes unread, unless writing meets it.
    connection.reset();
    subscriber.resume();
    const second = await server.accept();
    subscriber.pause();
    await second.welcome({}, false);
    await second.grant();
    while (subscriber.status?.().connected !== true) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    second.send(message(1, "waits"));
    await fence(second);
    expect(inbox.deliveries).toEqual([]);
    subscriber.resume();
    await inbox.until(1);
  });

  test.each([
    { name: "malformed", packet: [0x32, 3, 0, 1, 0xff], reasonCode: 0x81 },
    { name: "of QoS 2 (S-5)", packet: [0x34, 6, 0, 1, 0x74, 0, 9, 0], reasonCode: 0x9b },
    {
      name: "with a Topic Alias",
      packet: [0x32, 9, 0, 1, 0x74, 0, 9, 3, 0x23, 0, 1],
      reasonCode: 0x94,
    },
  ])(
    "a PUBLISH $name ends the connection with its Reason Code, and not in a hot loop",
    async (row) => {
      const clock = quickClock(1000);
      const { connection, inbox } = await subscribed({ clock });
      const good = generatePacket(message(1, "good"));
      connection.raw(Buffer.concat([good, Uint8Array.from(row.packet), good]));
      expect(await connection.next("disconnect")).toMatchObject({ reasonCode: row.reasonCode });
      expect(inbox.payloads).toEqual(["good"]);
      for (let round = 0; round < 6; round += 1) {
        const next = await server.accept();
        await next.welcome({}, true);
        next.raw(Uint8Array.from(row.packet));
        await next.untilClosed();
      }
      const delays = clock.waits.filter((ms) => ms !== 1000);
      expect(delays.slice(0, 6)).toEqual([75, 150, 300, 600, 1200, 2400]);
      expect(journal.entries.filter(({ level }) => level === "error").length).toBeGreaterThan(0);
    },
  );
});

describe("mqttSubscriber() after a lost connection", () => {
  test("what was not acknowledged and comes again joins its delivery, and is not delivered twice (S-50)", async () => {
    const { connection, inbox } = await subscribed();
    connection.send(...[1, 2, 3, 4].map((id) => message(id, `m${id}`)));
    await inbox.until(4);
    inbox.acknowledge(0);
    await connection.until(() => connection.of("puback").length === 1);
    inbox.acknowledge(2);
    connection.reset();
    const second = await server.accept();
    await second.welcome({}, true);
    second.send(...[2, 3, 4].map((id) => message(id, `m${id}`, { dup: true })), message(5, "m5"));
    await inbox.until(5);
    expect(inbox.payloads).toEqual(["m1", "m2", "m3", "m4", "m5"]);
    expect(acknowledged(second)).toEqual([]);
    // Number 3 was acknowledged by the engine before the connection was lost: it only waits for number 2.
    inbox.acknowledge(1);
    await second.until(() => second.of("puback").length === 2);
    expect(acknowledged(second)).toEqual([2, 3]);
    inbox.acknowledge(3, 4);
    await second.until(() => second.of("puback").length === 4);
    expect(acknowledged(second)).toEqual([2, 3, 4, 5]);
  });

  test("acknowledging between two connections is remembered for the second", async () => {
    const { connection, inbox } = await subscribed();
    connection.send(message(1, "m1"));
    await inbox.until(1);
    connection.reset();
    const second = await server.accept();
    inbox.acknowledge(0);
    await second.welcome({}, true);
    second.send(message(1, "m1", { dup: true }));
    await second.until(() => second.of("puback").length === 1);
    expect(inbox.payloads).toEqual(["m1"]);
  });

  test("a redelivery after two lost connections still joins its delivery", async () => {
    const { connection, inbox } = await subscribed();
    connection.send(message(1, "m1"), message(2, "m2"));
    await inbox.until(2);
    connection.reset();
    const second = await server.accept();
    await second.welcome({}, true);
    second.send(message(1, "m1", { dup: true }), message(7, "m7"));
    await inbox.until(3);
    second.reset();
    const third = await server.accept();
    await third.welcome({}, true);
    third.send(...[1, 2, 7].map((id) => message(id, `m${id}`, { dup: true })), message(8, "m8"));
    await inbox.until(4);
    expect(inbox.payloads).toEqual(["m1", "m2", "m7", "m8"]);
    inbox.acknowledge(0, 1, 2, 3);
    await third.until(() => third.of("puback").length === 4);
    expect(acknowledged(third)).toEqual([1, 2, 7, 8]);
  });

  test.each([
    { name: "another payload", over: { payload: "other", dup: true } },
    { name: "another topic", over: { topic: "plant/8", dup: true } },
    { name: "DUP 0", over: { dup: false } },
  ])("a packet of the same identifier with $name is a new message", async ({ over }) => {
    const { connection, inbox } = await subscribed();
    connection.send(message(1, "old"));
    await inbox.until(1);
    connection.reset();
    const second = await server.accept();
    await second.welcome({}, true);
    second.send(message(1, "old", over));
    await inbox.until(2);
    inbox.acknowledge(0);
    await fence(second);
    expect(acknowledged(second)).toEqual([]);
    inbox.acknowledge(1);
    await second.until(() => second.of("puback").length === 1);
  });

  test("without the session old deliveries are forgotten: acknowledging them sends nothing (S-51)", async () => {
    const { connection, inbox } = await subscribed();
    connection.send(message(1, "old"));
    await inbox.until(1);
    connection.reset();
    const second = await server.accept();
    await second.welcome({}, false);
    await second.grant();
    inbox.acknowledge(0);
    second.send(message(1, "old", { dup: true }));
    await inbox.until(2);
    await fence(second);
    expect(acknowledged(second)).toEqual([]);
  });

  test("a connection reset in the middle of a PUBLISH delivers it once, whole", async () => {
    const { connection, inbox } = await subscribed();
    const bytes = generatePacket(message(1, "x".repeat(5000)));
    connection.raw(bytes.subarray(0, 3000));
    await fence(connection);
    connection.reset();
    const second = await server.accept();
    await second.welcome({}, true);
    second.raw(generatePacket(message(1, "x".repeat(5000), { dup: true })));
    await inbox.until(1);
    expect(inbox.payloads).toEqual(["x".repeat(5000)]);
  });
});

function lengthOf(text = ""): number[] {
  return [text.length, ...Buffer.from(text)];
}
