import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type MqttPublisherOptions,
  mqttPublisher,
} from "../../../shared/adapters/mqtt/mqtt-publisher.ts";
import type { Publisher } from "../../../shared/engine/ports.ts";
import type { BridgeError } from "../../../shared/errors.ts";
import { endpointAt, feeder, memoryLog, quickClock, Receipts } from "../../support/mqtt-bench.ts";
import type { AnyPacket } from "../../support/mqtt-packet.ts";
import {
  connack,
  type ScriptedConnection,
  ScriptServer,
} from "../../support/mqtt-script-server.ts";
import { publishOf } from "../../support/publishes.ts";

let server: ScriptServer;
let publishers: Publisher[];
const journal = memoryLog();

beforeEach(async () => {
  server = await ScriptServer.open();
  publishers = [];
  journal.entries.length = 0;
});

afterEach(async () => {
  await Promise.all(publishers.map((publisher) => publisher.stop(0)));
  await server.close();
});

function open(over: Partial<MqttPublisherOptions> = {}): Publisher {
  const publisher = mqttPublisher({
    endpoint: over.endpoint ?? endpointAt(server.port),
    clientIdentifier: "isthmus-test",
    window: 10,
    log: journal.log,
    clock: quickClock(),
    ...over,
  });
  publishers.push(publisher);
  return publisher;
}

interface Connected {
  readonly publisher: Publisher;
  readonly connection: ScriptedConnection;
  readonly connect: AnyPacket;
}

async function connected(
  over: Partial<MqttPublisherOptions> = {},
  properties: Record<string, unknown> = {},
  onRoom: () => void = () => undefined,
): Promise<Connected> {
  const publisher = open(over);
  const started = publisher.start(onRoom);
  const connection = await server.accept();
  const connect = await connection.welcome(properties);
  await started;
  return { publisher, connection, connect };
}

const numbered = (count: number): ReturnType<typeof publishOf>[] =>
  Array.from({ length: count }, (_, i) => publishOf({ payload: Buffer.from(String(i)) }));

const payloads = (packets: readonly AnyPacket[]): string[] =>
  packets.map((packet) => String(packet["payload"]));

const ids = (packets: readonly AnyPacket[]): unknown[] =>
  packets.map((packet) => packet["messageId"]);

/** Publishes the messages, which must fit into the room, and flushes once. */
function publishAll(publisher: Publisher, count: number, receipts = new Receipts()): Receipts {
  for (const [i, message] of numbered(count).entries()) publisher.publish(message, receipts.for(i));
  publisher.flush();
  return receipts;
}

describe("mqttPublisher() connecting", () => {
  test("asks for a new session first and for the same one after a lost connection [MQTT-3.2.2-4]", async () => {
    const { connection, connect } = await connected();
    expect(connect).toMatchObject({
      protocolVersion: 5,
      clientId: "isthmus-test",
      clean: true,
      keepalive: 60,
      properties: { sessionExpiryInterval: 300 },
    });
    connection.reset();
    const again = await (await server.accept()).next("connect");
    expect(again["clean"]).toBe(false);
  });

  test("has no room before CONNACK and while offline (S-53)", async () => {
    const publisher = open();
    expect(publisher.room).toBe(0);
    const started = publisher.start(() => undefined);
    const connection = await server.accept();
    await connection.next("connect");
    expect(publisher.room).toBe(0);
    connection.send(connack());
    await started;
    expect(publisher.room).toBe(10);
    connection.reset();
    const second = await server.accept();
    expect(publisher.room).toBe(0);
    expect(() => publisher.publish(publishOf(), new Receipts().for(0))).toThrow(RangeError);
    second.send(connack());
  });

  const refusals = [
    0x81, 0x82, 0x84, 0x85, 0x86, 0x87, 0x8a, 0x8c, 0x90, 0x95, 0x99, 0x9a, 0x9b, 0x9c, 0x9d,
  ];
  test.each(refusals)(
    "start() rejects, not retryable, when CONNACK says %i",
    async (reasonCode) => {
      const publisher = open();
      const started = publisher.start(() => undefined);
      const refused = expect(started).rejects.toMatchObject({
        name: "BridgeError",
        retryable: false,
      });
      const connection = await server.accept();
      await connection.next("connect");
      connection.send(connack({ reasonCode }));
      await refused;
      expect(server.connections).toHaveLength(1);
    },
  );

  test.each([0x80, 0x83, 0x88, 0x89, 0x97, 0x9f])(
    "start() goes on trying when CONNACK says %i (S-54)",
    async (reasonCode) => {
      const publisher = open();
      const started = publisher.start(() => undefined);
      const connection = await server.accept();
      await connection.next("connect");
      connection.send(connack({ reasonCode }));
      await (await server.accept()).welcome();
      await started;
      expect(publisher.room).toBe(10);
    },
  );

  test("a broker of MQTT 3.1.1 is named as such", async () => {
    const started = open().start(() => undefined);
    const refused = expect(started).rejects.toThrow("Use a broker that speaks MQTT 5");
    const connection = await server.accept();
    await connection.next("connect");
    connection.raw(Uint8Array.of(0x20, 2, 0, 1));
    await refused;
  });

  test("waits longer and longer while nobody listens, and never without a bound (S-54)", async () => {
    const { port } = server;
    await server.close();
    const clock = quickClock(5000);
    const publisher = open({ clock, endpoint: endpointAt(port) });
    const started = publisher.start(() => undefined);
    const stopped = expect(started).rejects.toMatchObject({ code: "STOPPED" });
    while (clock.waits.length < 12) await new Promise((resolve) => setTimeout(resolve, 5));
    await publisher.stop(0);
    await stopped;
    expect(clock.waits.slice(0, 4)).toEqual([75, 150, 300, 600]);
    expect(Math.max(...clock.waits)).toBe(22_500);
    expect(publisher.status?.()).toMatchObject({ connected: false });
    server = await ScriptServer.open();
  });

  test("a refusal after start is reported and tried again slowly, for credentials may be mended", async () => {
    const failures: BridgeError[] = [];
    const clock = quickClock(1000);
    const { publisher, connection } = await connected({
      clock,
      onFailed: (error) => failures.push(error),
    });
    connection.reset();
    const second = await server.accept();
    await second.next("connect");
    second.send(connack({ reasonCode: 0x87 }));
    const third = await server.accept();
    expect(failures.map(({ code }) => code)).toEqual(["MQTT_NOT_AUTHORIZED"]);
    expect(clock.waits.at(-1)).toBe(45_000);
    expect(publisher.status?.()).toMatchObject({
      connected: false,
      detail: expect.stringContaining("0x87 Not authorized"),
    });
    await third.welcome();
  });

  test("a session taken over is an error in the log and answered with a long wait", async () => {
    const clock = quickClock(1000);
    const { connection } = await connected({ clock });
    connection.send({ cmd: "disconnect", reasonCode: 0x8e });
    await (await server.accept()).welcome();
    expect(clock.waits.at(-1)).toBe(45_000);
    const entry = journal.entries.find(({ level }) => level === "error");
    expect(entry?.fields["error"]).toContain("Stop the other client");
  });

  test("gives up a server that accepts and never answers, and tries again", async () => {
    const publisher = open({ connectTimeoutMs: 150 });
    const started = publisher.start(() => undefined);
    await (await server.accept()).next("connect");
    await (await server.accept()).welcome();
    await started;
  });

  test("finds out within 1.5 times the keep alive that the broker is gone without a word (blackhole)", async () => {
    const { connection } = await connected({ endpoint: endpointAt(server.port, { keepAlive: 1 }) });
    await connection.next("pingreq");
    // no PINGRESP
    await connection.untilClosed();
    await (await server.accept()).welcome();
    expect(
      journal.entries.some(({ fields }) => String(fields["error"]).includes("Keepalive timeout")),
    ).toBe(true);
  });

  test("stays connected over many keep alive intervals when pings are answered", async () => {
    const { connection } = await connected({ endpoint: endpointAt(server.port, { keepAlive: 1 }) });
    for (let i = 0; i < 3; i += 1) {
      await connection.next("pingreq");
      connection.send({ cmd: "pingresp" });
    }
    expect(server.connections).toHaveLength(1);
  });

  test("stop() sends DISCONNECT 0x00 and leaves the session its expiry", async () => {
    const { publisher, connection } = await connected();
    await publisher.stop(1000);
    const disconnect = await connection.next("disconnect");
    expect(disconnect).toMatchObject({ reasonCode: 0 });
    expect(disconnect["properties"]).toBeUndefined();
    await connection.untilClosed();
  });

  test.each([
    { name: "a PUBACK before CONNACK", bytes: [0x40, 2, 0, 1] },
    { name: "a malformed length", bytes: [0xff, 0xff, 0xff, 0xff, 0xff] },
    { name: "a malformed CONNACK", bytes: [0x20, 1, 0] },
  ])("breaks off after $name and tries again", async ({ bytes }) => {
    const started = open().start(() => undefined);
    const connection = await server.accept();
    await connection.next("connect");
    connection.raw(Uint8Array.from(bytes));
    await connection.untilClosed();
    await (await server.accept()).welcome();
    await started;
  });
});

describe("mqttPublisher() publishing", () => {
  test("never has more unacknowledged than the smaller of window and Receive Maximum (S-52)", async () => {
    const receipts = new Receipts();
    let publisher: Publisher | undefined;
    const go = feeder(() => publisher as Publisher, numbered(200), receipts);
    const opened = open({ window: 10 });
    publisher = opened;
    const started = opened.start(go);
    const connection = await server.accept();
    await connection.welcome({ receiveMaximum: 3 });
    await started;
    for (let acknowledged = 0; acknowledged < 200; ) {
      await connection.until(() => connection.of("publish").length > acknowledged);
      const sent = connection.of("publish");
      expect(sent.length - acknowledged).toBeLessThanOrEqual(3);
      connection.puback((sent[acknowledged] as AnyPacket)["messageId"]);
      acknowledged += 1;
    }
    await receipts.until(200);
    expect(payloads(connection.of("publish"))).toEqual(numbered(200).map((_, i) => String(i)));
  });

  test("settles each message by its own PUBACK, in whatever order they come", async () => {
    const { publisher, connection } = await connected();
    const receipts = publishAll(publisher, 3);
    await connection.until(() => connection.of("publish").length === 3);
    const [a, b, c] = ids(connection.of("publish"));
    connection.puback(c);
    await receipts.until(1);
    expect(receipts.outcomes).toEqual([undefined, undefined, "ok"]);
    connection.puback(a, 0x10);
    connection.puback(b, 0x97);
    await receipts.until(3);
    expect(receipts.outcomes[0]).toBe("ok");
    expect(receipts.outcomes[1]).toMatchObject({ code: "MQTT_BUSY", retryable: true });
  });

  test("a PUBACK for nothing that was sent does no harm", async () => {
    const { publisher, connection } = await connected();
    connection.puback(4711);
    const receipts = publishAll(publisher, 1);
    connection.puback((await connection.next("publish"))["messageId"]);
    await receipts.until(1);
  });

  test("everything published in one turn leaves in one write", async () => {
    const { publisher, connection } = await connected({ window: 1000 });
    const before = connection.reads;
    publishAll(publisher, 500);
    await connection.until(() => connection.of("publish").length === 500);
    expect(connection.reads - before).toBeLessThanOrEqual(2);
  });

  test("calls onRoom when room grows from 0, and not otherwise", async () => {
    let calls = 0;
    const { publisher, connection } = await connected({ window: 2 }, {}, () => {
      calls += 1;
    });
    expect(calls).toBe(1);
    const receipts = publishAll(publisher, 1);
    connection.puback((await connection.next("publish"))["messageId"]);
    await receipts.until(1);
    expect(calls).toBe(1);
    const full = publishAll(publisher, 2);
    expect(publisher.room).toBe(0);
    connection.puback((await connection.next("publish"))["messageId"]);
    await full.until(1);
    expect(publisher.room).toBe(1);
    expect(calls).toBe(2);
  });

  const limits = [
    {
      name: "larger than Maximum Packet Size",
      properties: { maximumPacketSize: 100 },
      message: publishOf({ payload: Buffer.alloc(200) }),
      code: "MQTT_PACKET_TOO_LARGE",
    },
    {
      name: "QoS 1 above Maximum QoS 0",
      properties: { maximumQoS: 0 },
      message: publishOf({ qos: 1 }),
      code: "MQTT_REFUSED",
    },
    {
      name: "retain where Retain Available is 0",
      properties: { retainAvailable: false },
      message: publishOf({ retain: true }),
      code: "MQTT_REFUSED",
    },
    {
      name: "what MQTT cannot express",
      properties: {},
      message: publishOf({ topicName: "a/#" }),
      code: "MQTT_REFUSED",
    },
  ];
  test.each(limits)(
    "$name is settled, not retryable, without being sent (S-52, S-54)",
    async (row) => {
      const { publisher, connection } = await connected({}, row.properties);
      const receipts = new Receipts();
      publisher.publish(row.message, receipts.for(0));
      publisher.publish(publishOf({ qos: 0, payload: Buffer.from("next") }), receipts.for(1));
      publisher.flush();
      expect(receipts.outcomes[0]).toMatchObject({ code: row.code, retryable: false });
      await connection.until(() => connection.of("publish").length === 1);
      expect(payloads(connection.of("publish"))).toEqual(["next"]);
    },
  );

  test("payloads from empty to a megabyte arrive byte for byte between small ones", async () => {
    const { publisher, connection } = await connected({ window: 100 });
    const sizes = [0, 1, 32_767, 10, 32_768, 5, 1_000_000, 7];
    const sent = sizes.map((size, i) => Buffer.alloc(size, 65 + i));
    const receipts = new Receipts();
    for (const [i, payload] of sent.entries()) {
      while (publisher.room === 0) await new Promise((resolve) => setImmediate(resolve));
      publisher.publish(publishOf({ payload }), receipts.for(i));
    }
    publisher.flush();
    await connection.until(() => connection.of("publish").length === sizes.length);
    const arrived = connection.of("publish").map((packet) => packet["payload"] as Buffer);
    expect(arrived.map((payload, i) => payload.equals(sent[i] as Buffer))).toEqual(
      sizes.map(() => true),
    );
  });

  test("QoS 0 settles after the write, and a socket that is full leaves no room until it drains", async () => {
    const { publisher, connection } = await connected({ window: 1 });
    connection.stream.pause();
    const receipts = new Receipts();
    let count = 0;
    const payload = Buffer.alloc(1000);
    let rooms = 0;
    for (let turn = 0; turn < 20_000 && rooms < 50; turn += 1) {
      while (publisher.room > 0 && count < 50_000) {
        publisher.publish(publishOf({ qos: 0, payload }), receipts.for(count));
        count += 1;
        rooms = 0;
      }
      publisher.flush();
      rooms += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(publisher.room).toBe(0);
    expect(receipts.settled).toBeLessThan(count);
    connection.stream.resume();
    await receipts.until(count);
    expect(publisher.room).toBe(1);
    await connection.until(() => connection.of("publish").length === count);
  });

  test("Packet Identifiers come round after twice the window and pass over those in use [MQTT-2.2.1-3]", async () => {
    const { publisher, connection } = await connected({ window: 200 });
    const receipts = new Receipts();
    publisher.publish(publishOf({ payload: Buffer.from("held") }), receipts.for(0));
    publisher.flush();
    await connection.next("publish");
    let next = 1;
    let acknowledged = 1;
    while (acknowledged < 1_000) {
      while (next < 1_000 && publisher.room > 1) {
        publisher.publish(publishOf(), receipts.for(next));
        next += 1;
      }
      publisher.flush();
      await connection.until(() => connection.packets.length - 1 >= next);
      const sent = connection.of("publish").slice(acknowledged);
      connection.send(...sent.map(({ messageId }) => ({ cmd: "puback", messageId })));
      acknowledged += sent.length;
      await receipts.until(acknowledged - 1);
    }
    const used = ids(connection.of("publish")) as number[];
    expect(used[0]).toBe(1);
    expect(used[399]).toBe(400);
    expect(used[400]).toBe(2);
    expect(Math.min(...used)).toBe(1);
    expect(used.indexOf(1, 1)).toBe(-1);
    expect(receipts.outcomes[0]).toBeUndefined();
  });
});

/** Acknowledges message by message and disconnects for the poisonous one; rejects when the client has left for it. */
async function answerUntil(
  connection: ScriptedConnection,
  delivered: string[],
  poison: string,
): Promise<void> {
  while (delivered.length < 4) {
    const packet = await connection.next("publish");
    const payload = String(packet["payload"]);
    if (payload === poison) {
      connection.send({ cmd: "disconnect", reasonCode: 0x99 });
    } else {
      delivered.push(payload);
      connection.puback(packet["messageId"]);
    }
  }
}

describe("mqttPublisher() after a lost connection", () => {
  async function withUnacknowledged(count: number): Promise<Connected & { receipts: Receipts }> {
    const all = await connected();
    const receipts = publishAll(all.publisher, count);
    await all.connection.until(() => all.connection.of("publish").length === count);
    return { ...all, receipts };
  }

  test("sends again with DUP and the same Packet Identifiers, in order, when the session goes on [MQTT-4.4.0-1]", async () => {
    const { connection, receipts } = await withUnacknowledged(5);
    const before = ids(connection.of("publish"));
    connection.puback(before[1]);
    await receipts.until(1);
    connection.reset();
    const second = await server.accept();
    await second.welcome({}, true);
    await second.until(() => second.of("publish").length === 4);
    const again = second.of("publish");
    expect(payloads(again)).toEqual(["0", "2", "3", "4"]);
    expect(ids(again)).toEqual([before[0], before[2], before[3], before[4]]);
    expect(again.every((packet) => packet["dup"] === true)).toBe(true);
    second.send(...again.map(({ messageId }) => ({ cmd: "puback", messageId })));
    await receipts.until(5);
    expect(receipts.outcomes).toEqual(["ok", "ok", "ok", "ok", "ok"]);
  });

  test("sends again as new, in order, when the session is lost [MQTT-3.2.2-5]", async () => {
    const { connection, receipts } = await withUnacknowledged(3);
    connection.reset();
    const second = await server.accept();
    await second.welcome({}, false);
    await second.until(() => second.of("publish").length === 3);
    const again = second.of("publish");
    expect(payloads(again)).toEqual(["0", "1", "2"]);
    expect(again.every((packet) => packet["dup"] === false)).toBe(true);
    second.send(...again.map(({ messageId }) => ({ cmd: "puback", messageId })));
    await receipts.until(3);
  });

  test("respects a Receive Maximum that has shrunk meanwhile, old before new (S-52)", async () => {
    const { publisher, connection, receipts } = await withUnacknowledged(6);
    connection.reset();
    const second = await server.accept();
    await second.welcome({ receiveMaximum: 2 }, true);
    for (let done = 0; done < 6; done += 1) {
      await second.until(() => second.of("publish").length > done);
      expect(second.of("publish").length - done).toBeLessThanOrEqual(2);
      if (done < 4) expect(publisher.room).toBe(0);
      second.puback((second.of("publish")[done] as AnyPacket)["messageId"]);
      await receipts.until(done + 1);
    }
    expect(payloads(second.of("publish"))).toEqual(["0", "1", "2", "3", "4", "5"]);
    expect(publisher.room).toBe(2);
  });

  test("there is no room for new messages while old ones wait to be sent again, not even within a receipt", async () => {
    const { publisher, connection } = await connected({ window: 2 });
    const rooms: number[] = [];
    const seen = (): void => void rooms.push(publisher.room);
    for (let i = 0; i < 2; i += 1) publisher.publish(publishOf(), { settle: seen });
    publisher.flush();
    await connection.until(() => connection.of("publish").length === 2);
    connection.reset();
    const second = await server.accept();
    await second.welcome({ receiveMaximum: 1 }, true);
    second.puback((await second.next("publish"))["messageId"]);
    second.puback((await second.next("publish"))["messageId"]);
    while (rooms.length < 2) await new Promise((resolve) => setImmediate(resolve));
    expect(rooms).toEqual([0, 1]);
  });

  test("a connection reset in the middle of a PUBACK loses nothing (S-50)", async () => {
    const { connection, receipts } = await withUnacknowledged(2);
    connection.raw(Uint8Array.of(0x40, 2, 0));
    connection.reset();
    const second = await server.accept();
    await second.welcome({}, true);
    await second.until(() => second.of("publish").length === 2);
    second.send(...second.of("publish").map(({ messageId }) => ({ cmd: "puback", messageId })));
    await receipts.until(2);
  });

  test("what is too large for the server of the new connection is settled, the rest goes on", async () => {
    const { publisher, connection } = await connected();
    const receipts = new Receipts();
    publisher.publish(publishOf({ payload: Buffer.alloc(500) }), receipts.for(0));
    publisher.publish(publishOf({ payload: Buffer.from("small") }), receipts.for(1));
    publisher.flush();
    await connection.until(() => connection.of("publish").length === 2);
    connection.reset();
    const second = await server.accept();
    await second.welcome({ maximumPacketSize: 200 });
    const packet = await second.next("publish");
    expect(String(packet["payload"])).toBe("small");
    expect(receipts.outcomes[0]).toMatchObject({ code: "MQTT_PACKET_TOO_LARGE", retryable: false });
    second.puback(packet["messageId"]);
    await receipts.until(2);
  });

  test("a message for which the server ends the connection is found, settled, and does not stop the others (S-54)", async () => {
    const { publisher, connection } = await connected();
    const receipts = publishAll(publisher, 5);
    await connection.until(() => connection.of("publish").length === 5);
    connection.send({ cmd: "disconnect", reasonCode: 0x99 });
    const delivered: string[] = [];
    while (delivered.length < 4) {
      const next = await server.accept();
      await next.welcome({}, true);
      await answerUntil(next, delivered, "2").catch(() => undefined);
    }
    await receipts.until(5);
    expect(delivered).toEqual(["0", "1", "3", "4"]);
    expect(receipts.outcomes[2]).toMatchObject({ code: "MQTT_REFUSED", retryable: false });
  });

  test("stop() waits for PUBACKs and settles what did not get one as STOPPED (S-55)", async () => {
    const { publisher, connection, receipts } = await withUnacknowledged(2);
    const stopped = publisher.stop(5000);
    connection.puback((await connection.next("publish"))["messageId"]);
    await stopped;
    expect(receipts.outcomes[0]).toBe("ok");
    expect(receipts.outcomes[1]).toMatchObject({ code: "STOPPED" });
  });

  test("stop() ends early when the last PUBACK comes", async () => {
    const { publisher, connection, receipts } = await withUnacknowledged(1);
    const stopped = publisher.stop(1e9);
    connection.puback((await connection.next("publish"))["messageId"]);
    await stopped;
    expect(receipts.outcomes).toEqual(["ok"]);
  });
});

describe("mqttPublisher() before a server that hangs up on control characters (S-54)", () => {
  const stack = (text: string, name: string = "stack") =>
    publishOf({
      payload: Buffer.from(text),
      properties: { userProperties: [[name, "Error\n\tat line 1"]] },
    });
  const innocent = (text: string) => publishOf({ payload: Buffer.from(text) });

  /** Acknowledges what comes, and resets the connection at a user property named "stack", at most `most` times; tells how often it did. */
  function strict(connection: ScriptedConnection, most: number): () => number {
    let hungUp = 0;
    const serve = async (current: ScriptedConnection): Promise<void> => {
      for (;;) {
        const packet = await current.next("publish");
        const properties = (packet["properties"] ?? {}) as { userProperties?: object };
        if ("stack" in (properties.userProperties ?? {}) && hungUp < most) break;
        current.puback(packet["messageId"]);
      }
      hungUp += 1;
      current.reset();
      const next = await server.accept();
      await next.welcome();
      await serve(next);
    };
    // until the client leaves
    serve(connection).catch(() => undefined);
    return () => hungUp;
  }

  test("finds the message by itself, refuses it and delivers the others", async () => {
    const { publisher, connection } = await connected();
    const receipts = new Receipts();
    publisher.publish(innocent("0"), receipts.for(0));
    publisher.publish(stack("1"), receipts.for(1));
    publisher.publish(innocent("2"), receipts.for(2));
    publisher.publish(stack("3", "a line break that this server takes"), receipts.for(3));
    publisher.flush();
    const hungUp = strict(connection, 100);
    await receipts.until(4);
    // once in company, thrice alone
    expect(hungUp()).toBe(4);
    expect(receipts.outcomes[1]).toMatchObject({ code: "MQTT_REFUSED", retryable: false });
    expect([0, 2].map((at) => receipts.outcomes[at])).toEqual(["ok", "ok"]);
  });

  test.each([1, 2, 3])(
    "does not give a message up after %i connections that were lost",
    async (most) => {
      const { publisher, connection } = await connected();
      const receipts = new Receipts();
      publisher.publish(stack("0"), receipts.for(0));
      publisher.publish(innocent("1"), receipts.for(1));
      publisher.flush();
      strict(connection, most);
      await receipts.until(2);
      expect(receipts.outcomes).toEqual(["ok", "ok"]);
    },
  );

  test("spares the server more of such messages", async () => {
    const { publisher, connection } = await connected();
    const receipts = new Receipts();
    publisher.publish(stack("0"), receipts.for(0));
    publisher.flush();
    strict(connection, 100);
    await receipts.until(1);
    while (publisher.room === 0) await new Promise((resolve) => setImmediate(resolve));
    publisher.publish(stack("1"), receipts.for(1));
    expect(receipts.outcomes[1]).toMatchObject({ code: "MQTT_REFUSED" });
  });
});

describe("mqttPublisher() before a server that hangs up on what it refuses in company (S-54)", () => {
  const NOT_AUTHORIZED = 0x87;
  const forbidden = (text: string) =>
    publishOf({ topicName: "forbidden", payload: Buffer.from(text) });

  interface Refusable {
    readonly topic: string;
    readonly messageId: number;
  }
  /** How many publishes of each connection. */
  const answered = new Map<ScriptedConnection, number>();

  /** Mosquitto 2.0: a PUBLISH that it has to refuse while answers wait ends the connection; alone it is answered. */
  async function serve(connection: ScriptedConnection): Promise<void> {
    await connection.next("publish");
    // all that the client has sent by now is one read of the server
    await new Promise((resolve) => setImmediate(resolve));
    const all = connection.of("publish").slice(answered.get(connection) ?? 0);
    answered.set(connection, connection.of("publish").length);
    for (const { topic, messageId } of all as unknown as Refusable[]) {
      if (topic !== "forbidden") connection.puback(messageId);
      else if (all.length === 1)
        connection.send({ cmd: "puback", messageId, reasonCode: NOT_AUTHORIZED });
      else {
        connection.reset();
        const next = await server.accept();
        await next.welcome();
        return serve(next);
      }
    }
    return serve(connection);
  }

  test("gets all through, one at a time, and says which were refused", async () => {
    const { publisher, connection } = await connected({ window: 100 });
    const receipts = new Receipts();
    const count = 20;
    for (let i = 0; i < count; i += 1) {
      const message = i % 3 === 1 ? forbidden(`${i}`) : publishOf({ payload: Buffer.from(`${i}`) });
      publisher.publish(message, receipts.for(i));
    }
    publisher.flush();
    serve(connection).catch(() => undefined);
    await receipts.until(count);
    for (let i = 0; i < count; i += 1) {
      if (i % 3 === 1) expect(receipts.outcomes[i]).toMatchObject({ code: "MQTT_NOT_AUTHORIZED" });
      else expect(receipts.outcomes[i]).toBe("ok");
    }
    expect(publisher.room).toBeGreaterThan(1);
  });
});
