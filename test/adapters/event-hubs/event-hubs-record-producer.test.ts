import type { EventData, EventDataBatch } from "@azure/event-hubs";
import { describe, expect, test } from "vitest";
import { eventOf } from "../../../shared/adapters/event-hubs/event-data.ts";
import { eventHubsRecordProducer } from "../../../shared/adapters/event-hubs/event-hubs-record-producer.ts";
import type { HubClient } from "../../../shared/adapters/event-hubs/hub-client.ts";
import type { KafkaEndpoint } from "../../../shared/model/endpoint.ts";
import { noLog, outgoing } from "../../support/kafka-ends.ts";

interface Sent {
  readonly hub: string;
  readonly destination: object;
  readonly bodies: string[];
}

/** An event hub that takes at most `most` bytes of bodies in a batch. */
class FakeHub implements HubClient {
  closed = false;
  fault: Error | undefined;
  private readonly name: string;
  private readonly sent: Sent[];
  private readonly most: number;

  constructor(name: string, sent: Sent[], most: number) {
    this.name = name;
    this.sent = sent;
    this.most = most;
  }

  getPartitionIds(): Promise<string[]> {
    return Promise.resolve(["0", "1", "2", "3"]);
  }

  createBatch(destination: object): Promise<EventDataBatch> {
    const events: EventData[] = [];
    let size = 0;
    const batch = {
      destination,
      events,
      maxSizeInBytes: this.most,
      get count(): number {
        return events.length;
      },
      tryAdd: (event: EventData): boolean => {
        const { length } = event.body as Buffer;
        if (size + length > this.most) return false;
        size += length;
        events.push(event);
        return true;
      },
    };
    return Promise.resolve(batch as unknown as EventDataBatch);
  }

  sendBatch(batch: EventDataBatch): Promise<void> {
    if (this.fault !== undefined) return Promise.reject(this.fault);
    const { destination, events } = batch as unknown as {
      destination: object;
      events: EventData[];
    };
    this.sent.push({
      hub: this.name,
      destination,
      bodies: events.map((event) => String(event.body)),
    });
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}

function setUp(most = 1000) {
  const sent: Sent[] = [];
  const hubs = new Map<string, FakeHub>();
  const producer = eventHubsRecordProducer({
    endpoint: { bootstrapServers: ["plant.servicebus.windows.net:9093"], isEventHubs: true },
    log: noLog,
    connect: (name) => {
      const hub = new FakeHub(name, sent, most);
      hubs.set(name, hub);
      return Promise.resolve(hub);
    },
  });
  return { sent, hubs, producer };
}

const of = (value: string, over: object = {}) =>
  outgoing({ topic: "hub", value: Buffer.from(value), ...over });

describe("eventHubsRecordProducer()", () => {
  test("sends to the hub that is the topic, in order, in as many batches as it takes", async () => {
    const { producer, sent } = setUp(4);
    await producer.send([of("aa"), of("bb"), of("cc"), of("dd", { topic: "other" })]);
    expect(sent.toSorted((a, b) => (a.hub < b.hub ? -1 : 1))).toEqual([
      { hub: "hub", destination: {}, bodies: ["aa", "bb"] },
      { hub: "hub", destination: {}, bodies: ["cc"] },
      { hub: "other", destination: {}, bodies: ["dd"] },
    ]);
  });

  test.each([
    [
      "key",
      { key: Buffer.from("device-7"), partitioning: { by: "key" } },
      { partitionKey: "device-7" },
    ],
    [
      "a key that is no text",
      { key: Buffer.from([0xff]), partitioning: { by: "key" } },
      { partitionKey: "/w==" },
    ],
    ["no key", { partitioning: { by: "key" } }, {}],
    ["instance", { partitioning: { by: "instance", instance: 6 } }, { partitionId: "2" }],
    ["partition", { partitioning: { by: "partition", partition: 3 } }, { partitionId: "3" }],
  ])("partitions by %s [S-13]", async (_, over, destination) => {
    const { producer, sent } = setUp();
    await producer.send([of("x", over)]);
    expect(sent).toEqual([{ hub: "hub", destination, bodies: ["x"] }]);
  });

  test("an event that no batch takes is refused for good [S-54]", async () => {
    const { producer } = setUp(3);
    await expect(producer.send([of("a"), of("large")])).rejects.toMatchObject({
      code: "KAFKA_MESSAGE_TOO_LARGE",
      retryable: false,
    });
  });

  test("a fault is classified, shown in the status, and over with the next success", async () => {
    const { producer, hubs } = setUp();
    await producer.send([of("a")]);
    const hub = hubs.get("hub") as FakeHub;
    hub.fault = Object.assign(new Error("busy"), { code: "ServerBusyError" });
    await expect(producer.send([of("b")])).rejects.toMatchObject({ retryable: true });
    expect(producer.status?.()).toMatchObject({ connected: false });
    hub.fault = undefined;
    await producer.send([of("b")]);
    expect(producer.status?.()).toEqual({ connected: true });
    await producer.stop();
    expect(hub.closed).toBe(true);
  });
});

describe("start()", () => {
  const start = (sasl: KafkaEndpoint["sasl"]): Promise<void> =>
    eventHubsRecordProducer({
      endpoint: {
        bootstrapServers: ["plant.servicebus.windows.net:9093"],
        isEventHubs: true,
        ...(sasl === undefined ? {} : { sasl }),
      },
      log: noLog,
    }).start();

  test.each([
    ["nothing", undefined],
    ["a user of one's own", { mechanism: "plain", username: "bridge", password: "secret" }],
  ] as const)("ends with %s for a credential, without its secret", async (_, sasl) => {
    await expect(start(sasl)).rejects.toMatchObject({
      code: "EVENT_HUBS_REFUSED",
      retryable: false,
      message: expect.not.stringContaining("secret"),
    });
  });

  test.each([
    [
      "a connection string",
      {
        mechanism: "plain",
        username: "$ConnectionString",
        password:
          "Endpoint=sb://Plant.servicebus.windows.net/;SharedAccessKeyName=all;SharedAccessKey=k",
      },
    ],
    [
      "an identity",
      { mechanism: "oauthbearer", token: () => Promise.resolve({ value: "", expiresAt: 0 }) },
    ],
  ] as const)("takes %s", async (_, sasl) => {
    await expect(start(sasl)).resolves.toBeUndefined();
  });
});

describe("eventOf()", () => {
  test("keeps every value of a repeated name, text as text and bytes as bytes [S-10]", () => {
    const event = eventOf(
      of("x", {
        headers: [
          ["a", Buffer.from("1")],
          ["a", Buffer.from("2")],
          ["constructor", Buffer.from("c")],
          ["__proto__", Buffer.from("p")],
          ["b", Buffer.from([0xff])],
          ["n", null],
        ],
      }),
    );
    expect(Object.entries(event.properties ?? {})).toEqual([
      ["a", "1"],
      ["a;2", "2"],
      ["constructor", "c"],
      ["__proto__", "p"],
      ["b", Buffer.from([0xff])],
      ["n", null],
    ]);
  });
});
