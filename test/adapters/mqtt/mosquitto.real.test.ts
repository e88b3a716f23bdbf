/** The adapters against a real broker. */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { connect as connectTcp, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { mqttPublisher } from "../../../shared/adapters/mqtt/mqtt-publisher.ts";
import { mqttSubscriber } from "../../../shared/adapters/mqtt/mqtt-subscriber.ts";
import type { Delivery, Publisher, Subscriber } from "../../../shared/engine/ports.ts";
import type { MqttEndpoint } from "../../../shared/model/endpoint.ts";
import type { Publish } from "../../../shared/model/publish.ts";
import { MQTT_PASSWORD, MQTT_USER, startMosquitto } from "../../support/mosquitto-broker.ts";
import { endpointAt, feeder, memoryLog, quickClock, Receipts } from "../../support/mqtt-bench.ts";
import { publishOf } from "../../support/publishes.ts";
import { brokerAddress, describeReal } from "../../support/real-brokers.ts";
import type { BrokerVariable } from "../../support/test-brokers.ts";

const journal = memoryLog();
let cleanUp: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const step of cleanUp.reverse()) await step();
  cleanUp = [];
  journal.entries.length = 0;
});

function at(url: string, over: Partial<MqttEndpoint> = {}): MqttEndpoint {
  const { hostname, port } = new URL(url);
  return endpointAt(Number(port), { host: hostname, ...over });
}

const direct = (over: Partial<MqttEndpoint> = {}): MqttEndpoint =>
  at(brokerAddress("ISTHMUS_TEST_MQTT"), over);

async function publisherOf(
  onRoom: () => void,
  over: { endpoint?: MqttEndpoint; clientIdentifier?: string; window?: number } = {},
): Promise<Publisher> {
  const publisher = mqttPublisher({
    endpoint: direct(),
    clientIdentifier: `pub-${randomUUID()}`,
    window: 500,
    log: journal.log,
    clock: quickClock(1),
    ...over,
  });
  cleanUp.push(() => publisher.stop(1000));
  await publisher.start(onRoom);
  return publisher;
}

interface Opened {
  readonly subscriber: Subscriber;
  readonly deliveries: Delivery[];
  until(count: number): Promise<void>;
}

async function subscriberOf(
  filter: string,
  over: { endpoint?: MqttEndpoint; clientIdentifier?: string; receiveMaximum?: number } = {},
  take: (delivery: Delivery) => void = (delivery) => delivery.acknowledge(),
): Promise<Opened> {
  const subscriber = mqttSubscriber({
    endpoint: direct(),
    clientIdentifier: `sub-${randomUUID()}`,
    receiveMaximum: 500,
    log: journal.log,
    clock: quickClock(1),
    ...over,
  });
  cleanUp.push(() => subscriber.stop());
  const deliveries: Delivery[] = [];
  let waiting: (() => void)[] = [];
  await subscriber.start({ topicFilters: [filter], qos: 1 }, (delivery) => {
    deliveries.push(delivery);
    take(delivery);
    const waiters = waiting;
    waiting = [];
    for (const resolve of waiters) resolve();
  });
  const until = async (count: number): Promise<void> => {
    while (deliveries.length < count) {
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
  };
  return { subscriber, deliveries, until };
}

async function publishAll(messages: readonly Publish[], over = {}): Promise<Receipts> {
  const receipts = new Receipts();
  let publisher: Publisher | undefined;
  const go = feeder(() => publisher as Publisher, messages, receipts);
  publisher = await publisherOf(() => publisher !== undefined && go(), over);
  go();
  await receipts.until(messages.length);
  return receipts;
}

const numbered = (topicName: string, from: number, count: number, qos: 0 | 1 = 1): Publish[] =>
  Array.from({ length: count }, (_, i) =>
    publishOf({
      topicName,
      qos,
      payload: Buffer.from(String(from + i)),
      properties: {
        userProperties: [
          ["number", String(from + i)],
          ["x", "ä"],
          ["number", "again"],
        ],
      },
    }),
  );

const numbers = (deliveries: readonly Delivery[]): number[] =>
  deliveries.map(({ publish }) => Number(Buffer.from(publish.payload).toString()));

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** A TCP proxy whose connections a test can reset. */
async function proxy(): Promise<{ readonly endpoint: MqttEndpoint; reset(): void }> {
  const open = new Set<Socket>();
  const server: Server = createServer((near) => {
    const { host, port } = direct();
    const far = connectTcp({ host, port });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(from);
      from.on("error", () => undefined);
      from.on("close", () => to.destroy());
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const reset = (): void => {
    for (const socket of open) socket.resetAndDestroy();
    open.clear();
  };
  cleanUp.push(() => {
    reset();
    return new Promise((resolve) => server.close(resolve));
  });
  return { endpoint: endpointAt((server.address() as { port: number }).port), reset };
}

describeReal("the MQTT adapters with a real broker", ["ISTHMUS_TEST_MQTT"], () => {
  test("every property crosses byte for byte, User Properties in order with duplicates (S-10, S-20)", async () => {
    const topicName = `test/${randomUUID()}`;
    const { deliveries, until } = await subscriberOf(`${topicName}/#`);
    const sent = [
      publishOf({ topicName: `${topicName}/plain`, payload: Buffer.alloc(0) }),
      publishOf({
        topicName: `${topicName}/ünï`,
        properties: {
          payloadFormatIndicator: 1,
          responseTopic: "answers/ü",
          correlationData: Buffer.of(0, 1, 255),
          contentType: "text/plain; charset=utf-8",
          userProperties: [
            ["b", "1"],
            ["constructor", "function"],
            ["__proto__", "null"],
            ["10", "ten"],
            ["2", "two"],
            ["b", "2"],
            ["", ""],
            ["€", "\u{1f600}"],
            ["long", "x".repeat(60_000)],
          ],
        },
      }),
    ];
    await publishAll(sent);
    await until(2);
    expect(deliveries.map(({ publish }) => publish)).toEqual(sent);
  });

  test("a Message Expiry Interval arrives less the time it waited (S-12)", async () => {
    const topicName = `test/${randomUUID()}`;
    const { deliveries, until } = await subscriberOf(topicName);
    await publishAll([publishOf({ topicName, properties: { messageExpiryInterval: 3600 } })]);
    await until(1);
    const left = deliveries[0]?.publish.properties.messageExpiryInterval ?? 0;
    expect(left).toBeGreaterThan(3500);
    expect(left).toBeLessThanOrEqual(3600);
  });

  test("20,000 messages at QoS 1 cross in order, acknowledged in any order, with windows of 500 (S-50, S-52)", async () => {
    const topicName = `test/${randomUUID()}`;
    let held: Delivery[] = [];
    let most = 0;
    const acknowledgeAll = (): void => {
      const now = held;
      held = [];
      for (const delivery of now.reverse()) delivery.acknowledge();
    };
    const { deliveries, until } = await subscriberOf(topicName, {}, (delivery) => {
      held.push(delivery);
      most = Math.max(most, held.length);
      if (held.length === 1) setImmediate(acknowledgeAll);
    });
    const receipts = await publishAll(numbered(topicName, 0, 20_000));
    await until(20_000);
    expect(numbers(deliveries)).toEqual(upTo(20_000));
    expect(new Set(receipts.outcomes)).toEqual(new Set(["ok"]));
    expect(most).toBeGreaterThan(1);
  });

  test("5,000 messages at QoS 0 cross in order", async () => {
    const topicName = `test/${randomUUID()}`;
    const { deliveries, until } = await subscriberOf(topicName);
    await publishAll(numbered(topicName, 0, 5000, 0));
    await until(5000);
    expect(numbers(deliveries)).toEqual(upTo(5000));
  });

  test("what arrives while nobody is connected waits in the session, and so does what was not acknowledged (S-51)", async () => {
    const topicName = `test/${randomUUID()}`;
    const clientIdentifier = `sub-${randomUUID()}`;
    const first = await subscriberOf(topicName, { clientIdentifier }, (delivery) => {
      if (Buffer.from(delivery.publish.payload).toString() < "3") delivery.acknowledge();
    });
    await publishAll(numbered(topicName, 0, 6));
    await first.until(6);
    await new Promise((resolve) => setImmediate(resolve));
    await first.subscriber.stop();
    await publishAll(numbered(topicName, 6, 4));
    const second = await subscriberOf(topicName, { clientIdentifier });
    await second.until(7);
    expect(numbers(second.deliveries)).toEqual([3, 4, 5, 6, 7, 8, 9]);
  });

  test("connections reset at random lose nothing and keep the order, in both directions (S-50)", async () => {
    const topicName = `test/${randomUUID()}`;
    const near = await proxy();
    const far = await proxy();
    const { deliveries, until } = await subscriberOf(
      topicName,
      { endpoint: far.endpoint },
      (delivery) => {
        setImmediate(() => delivery.acknowledge());
      },
    );
    const count = 20_000;
    const resets = setInterval(() => (Math.random() < 0.5 ? near : far).reset(), 60);
    try {
      await publishAll(numbered(topicName, 0, count), { endpoint: near.endpoint });
    } finally {
      clearInterval(resets);
    }
    const firsts = (): number[] => [...new Set(numbers(deliveries))];
    while (firsts().length < count) await until(deliveries.length + 1);
    const lost = journal.entries.filter(({ message }) => message === "MQTT connection lost");
    expect(lost.length).toBeGreaterThan(1);
    expect(firsts()).toEqual(upTo(count));
  });

  test("two clients with one identifier: the one thrown out comes back later, and says why when it is told", async () => {
    const topicName = `test/${randomUUID()}`;
    const clientIdentifier = `sub-${randomUUID()}`;
    const first = await subscriberOf(topicName, { clientIdentifier });
    const second = await subscriberOf(topicName, { clientIdentifier });
    while (first.subscriber.status?.().connected === true) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await first.subscriber.stop();
    await publishAll(numbered(topicName, 0, 3));
    while (second.deliveries.length + first.deliveries.length < 3) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(journal.entries.some(({ message }) => message === "MQTT connection lost")).toBe(true);
  });

  test("the broker keeps a connection that is paused longer than 1.5 times its keep alive", async () => {
    const topicName = `test/${randomUUID()}`;
    const { subscriber, deliveries, until } = await subscriberOf(topicName, {
      endpoint: direct({ keepAlive: 1 }),
    });
    subscriber.pause();
    await publishAll(numbered(topicName, 0, 2000));
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect(deliveries).toEqual([]);
    subscriber.resume();
    await until(2000);
    expect(numbers(deliveries)).toEqual(upTo(2000));
    expect(journal.entries.filter(({ message }) => message === "MQTT connection lost")).toEqual([]);
  });

  test("two subscribers of a shared subscription get every message once between them (S-33)", async () => {
    const topicName = `test/${randomUUID()}`;
    const filter = `$share/group/${topicName}`;
    const one = await subscriberOf(filter);
    const two = await subscriberOf(filter);
    await publishAll(numbered(topicName, 0, 1000));
    while (one.deliveries.length + two.deliveries.length < 1000) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const all = [...numbers(one.deliveries), ...numbers(two.deliveries)].sort((a, b) => a - b);
    expect(all).toEqual(upTo(1000));
    expect(one.deliveries.length).toBeGreaterThan(0);
    expect(two.deliveries.length).toBeGreaterThan(0);
  });

  test("retained messages come with a new subscription and not again with the next start", async () => {
    const topicName = `test/${randomUUID()}`;
    const clientIdentifier = `sub-${randomUUID()}`;
    await publishAll([publishOf({ topicName, retain: true, payload: Buffer.from("0") })]);
    const first = await subscriberOf(topicName, { clientIdentifier });
    await first.until(1);
    expect(first.deliveries[0]?.publish.retain).toBe(true);
    await new Promise((resolve) => setImmediate(resolve));
    await first.subscriber.stop();
    const second = await subscriberOf(topicName, { clientIdentifier });
    await publishAll([publishOf({ topicName, retain: true, payload: Buffer.alloc(0) })]);
    await second.until(1);
    expect(second.deliveries.map(({ publish }) => publish.payload.length)).toEqual([0]);
  });
});

describeReal(
  "the MQTT adapters on every listener of a real broker",
  [
    "ISTHMUS_TEST_MQTT_AUTH",
    "ISTHMUS_TEST_MQTT_WS",
    "ISTHMUS_TEST_MQTT_TLS",
    "ISTHMUS_TEST_MQTT_MTLS",
    "ISTHMUS_TEST_CERTS",
  ],
  () => {
    const pem = (file: string): string =>
      readFileSync(join(brokerAddress("ISTHMUS_TEST_CERTS"), file), "utf8");
    const listeners: {
      name: string;
      variable: BrokerVariable;
      over: () => Partial<MqttEndpoint>;
    }[] = [
      {
        name: "user name and password",
        variable: "ISTHMUS_TEST_MQTT_AUTH",
        over: () => ({
          credential: { kind: "usernamePassword", username: MQTT_USER, password: MQTT_PASSWORD },
        }),
      },
      {
        name: "WebSockets",
        variable: "ISTHMUS_TEST_MQTT_WS",
        over: () => ({ protocol: "WebSockets" }),
      },
      {
        name: "TLS",
        variable: "ISTHMUS_TEST_MQTT_TLS",
        over: () => ({ host: "localhost", tls: { ca: [pem("ca.crt")] } }),
      },
      {
        name: "TLS with a client certificate",
        variable: "ISTHMUS_TEST_MQTT_MTLS",
        over: () => ({
          tls: {
            ca: [pem("ca.crt")],
            certificate: pem("client.crt"),
            key: pem("client.key"),
          },
        }),
      },
    ];
    test.each(listeners)("3,000 messages cross in order over $name", async ({ variable, over }) => {
      const endpoint = at(brokerAddress(variable), over());
      const topicName = `test/${randomUUID()}`;
      const { deliveries, until } = await subscriberOf(topicName, { endpoint });
      await publishAll(numbered(topicName, 0, 3000), { endpoint });
      await until(3000);
      expect(numbers(deliveries)).toEqual(upTo(3000));
    });

    test("a wrong password is refused for good", async () => {
      const endpoint = at(brokerAddress("ISTHMUS_TEST_MQTT_AUTH"), {
        credential: { kind: "usernamePassword", username: MQTT_USER, password: "wrong" },
      });
      await expect(publisherOf(() => undefined, { endpoint })).rejects.toMatchObject({
        retryable: false,
        message: expect.not.stringContaining("wrong"),
      });
    });
  },
);

describeReal("the MQTT adapters and a broker that restarts", ["mosquitto"], () => {
  test("go on where they were, in order and with nothing lost (S-50)", async () => {
    const mosquitto = await startMosquitto();
    if ("missing" in mosquitto) throw new Error(mosquitto.missing);
    cleanUp.push(() => mosquitto.dispose());
    const endpoint = at(mosquitto.addresses.plain);
    const topicName = `test/${randomUUID()}`;
    const count = 30_000;
    const { deliveries, until } = await subscriberOf(topicName, { endpoint });
    const publishing = publishAll(numbered(topicName, 0, count), { endpoint });
    await until(2000);
    await mosquitto.stop();
    await mosquitto.start();
    await publishing;
    const firsts = (): number[] => [...new Set(numbers(deliveries))];
    while (firsts().length < count) await until(deliveries.length + 1);
    expect(firsts()).toEqual(upTo(count));
    expect(deliveries.length - count).toBeLessThanOrEqual(1000);
  });
});

describeReal("the MQTT adapters and a broker with limits", ["mosquitto"], () => {
  test.each([
    { limit: "message_size_limit 1000", said: /PUBACK 0x95 Packet too large/ },
    { limit: "max_packet_size 1000", said: /the server takes 1000/ },
  ])("a message above $limit is refused for good, and its neighbours go on (S-54)", async (row) => {
    const mosquitto = await startMosquitto({ lines: [row.limit] });
    if ("missing" in mosquitto) throw new Error(mosquitto.missing);
    cleanUp.push(() => mosquitto.dispose());
    const endpoint = at(mosquitto.addresses.plain);
    const topicName = `test/${randomUUID()}`;
    const [first, last] = numbered(topicName, 0, 2);
    const large = publishOf({ topicName, qos: 1, payload: Buffer.alloc(2000) });
    const { deliveries, until } = await subscriberOf(topicName, { endpoint });
    const { outcomes } = await publishAll([first, large, last] as Publish[], { endpoint });
    await until(2);
    expect(numbers(deliveries)).toEqual([0, 1]);
    expect(outcomes).toEqual([
      "ok",
      expect.objectContaining({
        code: "MQTT_PACKET_TOO_LARGE",
        retryable: false,
        message: expect.stringMatching(row.said),
      }),
      "ok",
    ]);
  });
});
