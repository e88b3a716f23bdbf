import { Socket } from "node:net";
import Connection from "kafkajs/src/network/connection.js";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import {
  type SandboxKafka,
  startSandboxKafka,
} from "../../../local/sandbox/kafka/sandbox-kafka.ts";
import { kafkaRecordProducer } from "../../../shared/adapters/kafka/kafka-record-producer.ts";
import { kafkaRecordSource } from "../../../shared/adapters/kafka/kafka-record-source.ts";
import type { KafkaEndpoint } from "../../../shared/model/endpoint.ts";
import { Collector, noLog, outgoing, unique } from "../../support/kafka-ends.ts";

const JOIN_GROUP = 11;
const PRODUCE = 0;

interface Sent {
  readonly request: {
    readonly apiKey: number;
    encode(): Promise<{ readonly buffer: Buffer }> | { readonly buffer: Buffer };
  };
}

interface Sender {
  send(sent: Sent): Promise<unknown>;
}

let broker: SandboxKafka;
beforeAll(async () => {
  broker = await startSandboxKafka();
});
afterAll(() => broker.stop());
afterEach(() => vi.restoreAllMocks());

const endpointOf = (isEventHubs: boolean): KafkaEndpoint => ({
  bootstrapServers: broker.bootstrapServers,
  isEventHubs,
});

/** What a client of this endpoint says and how, from the calls that kafkajs makes. */
async function spied(isEventHubs: boolean, records = 1, bytes = 10) {
  const send = vi.spyOn(Connection.prototype as unknown as Sender, "send");
  const idle = vi.spyOn(Socket.prototype, "setTimeout");
  const topic = unique("settings");
  broker.createTopic(topic, 1);
  const endpoint = endpointOf(isEventHubs);
  const producer = kafkaRecordProducer({
    endpoint,
    clientId: "settings",
    acks: -1,
    compression: "None",
    log: noLog,
  });
  const source = kafkaRecordSource({
    endpoint,
    clientId: "settings",
    consumerGroupId: "group",
    groupInstanceId: "settings-0",
    topics: [{ kind: "name", topic }],
    log: noLog,
  });
  await producer.start();
  const value = Buffer.alloc(bytes);
  await producer.send(Array.from({ length: records }, () => outgoing({ topic, value })));
  const collector = new Collector(source);
  await source.start(collector);
  await collector.until(() => collector.received.length === records);
  await source.stop();
  await producer.stop();
  const requests = (apiKey: number) =>
    Promise.all(
      send.mock.calls
        .filter(([{ request }]) => request.apiKey === apiKey)
        .map(async ([{ request }]) => (await request.encode()).buffer),
    );
  const [join = Buffer.alloc(0)] = await requests(JOIN_GROUP);
  const groupLength = join.readInt16BE(0);
  const contexts = send.mock.contexts as unknown as { readonly requestTimeout: number }[];
  return {
    sessionTimeout: join.readInt32BE(2 + groupLength),
    rebalanceTimeout: join.readInt32BE(2 + groupLength + 4),
    isStatic: join.includes("settings-0"),
    requestTimeouts: new Set(contexts.map(({ requestTimeout }) => requestTimeout)),
    idleTimeouts: new Set(idle.mock.calls.map(([ms]) => ms).filter((ms) => ms > 0)),
    largest: Math.max(...(await requests(PRODUCE)).map(({ length }) => length)),
  };
}

describe("towards Event Hubs, by themselves", () => {
  test("requests have 60 s, sessions 30 s, and connections close before the service closes them at 240 s", async () => {
    const { requestTimeouts, idleTimeouts, ...group } = await spied(true);
    expect([...requestTimeouts]).toEqual([60_000]);
    expect(Math.max(...idleTimeouts)).toBeLessThan(240_000);
    expect(group).toMatchObject({
      sessionTimeout: 30_000,
      rebalanceTimeout: 30_000,
      isStatic: false,
    });
  });

  test("no request is larger than the 1,046,528 bytes on which the service hangs up", async () => {
    const { largest } = await spied(true, 30, 100_000);
    expect(largest).toBeGreaterThan(500_000);
    expect(largest).toBeLessThan(1_046_528);
  });

  test("towards other brokers a dead one is given up sooner", async () => {
    const { requestTimeouts, sessionTimeout, isStatic } = await spied(false);
    expect([...requestTimeouts]).toEqual([15_000]);
    expect(sessionTimeout).toBe(7000);
    expect(isStatic).toBe(true);
  });
});
