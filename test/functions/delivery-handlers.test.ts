import { describe, expect, test } from "vitest";
import { eventHubsToMqttHandler, kafkaToMqttHandler } from "../../functions/delivery-handlers.ts";
import { BridgeError } from "../../shared/errors.ts";
import type { KafkaRecord } from "../../shared/model/kafka-record.ts";
import { invocation } from "../support/invocation.ts";
import { triggerFixture } from "../support/trigger-fixture.ts";

/** A route that takes what it is given, or fails as it is told. */
function target(fail?: () => never): {
  taken: KafkaRecord[];
  timeouts: number[];
  open: () => Promise<{ deliver(r: readonly KafkaRecord[], timeoutMs: number): Promise<void> }>;
} {
  const taken: KafkaRecord[] = [];
  const timeouts: number[] = [];
  return {
    taken,
    timeouts,
    open: () =>
      Promise.resolve({
        async deliver(records, timeoutMs): Promise<void> {
          await Promise.resolve();
          fail?.();
          taken.push(...records);
          timeouts.push(timeoutMs);
        },
      }),
  };
}

const handlers = [
  { name: "kafkaToMqttHandler()", make: kafkaToMqttHandler, fixture: "kafka-many", count: 4 },
  { name: "kafkaToMqttHandler()", make: kafkaToMqttHandler, fixture: "kafka-many-long", count: 3 },
  {
    name: "eventHubsToMqttHandler()",
    make: eventHubsToMqttHandler,
    fixture: "event-hubs-many",
    count: 3,
  },
  {
    name: "eventHubsToMqttHandler()",
    make: eventHubsToMqttHandler,
    fixture: "event-hubs-many-long",
    count: 2,
  },
];

describe.each(handlers)("$name with $fixture", ({ make, fixture, count }) => {
  test("delivers every record of the batch and returns nothing", async () => {
    const { payload, triggerMetadata } = triggerFixture(fixture);
    const { open, taken, timeouts } = target();
    const context = invocation(triggerMetadata);
    await expect(
      make(open, { topic: "t", timeoutMs: 7 })(payload, context),
    ).resolves.toBeUndefined();
    expect(taken.map(({ topic }) => topic)).toEqual(Array.from({ length: count }, () => "t"));
    expect(timeouts).toEqual([7]);
    expect(context.lines).toEqual([]);
  });

  test.each([
    {
      name: "a BridgeError",
      thrown: new BridgeError("MQTT_UNAVAILABLE", "Cannot deliver", { cause: new Error("reset") }),
      says: "Cannot deliver (reset) [MQTT_UNAVAILABLE]",
    },
    { name: "an Error", thrown: new Error("broken"), says: "broken" },
    { name: "undefined", thrown: undefined, says: "Cannot deliver the batch: undefined" },
    { name: "a text", thrown: "text", says: "Cannot deliver the batch: text" },
  ])(
    "throws an Error when delivering throws $name, so that nothing is committed (S-50)",
    async (row) => {
      const { payload, triggerMetadata } = triggerFixture(fixture);
      const { open } = target(() => {
        throw row.thrown;
      });
      const call = make(open)(payload, invocation(triggerMetadata));
      const error = await call.then(
        () => "it succeeded",
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(Error);
      expect((error as Error).message).toBe(row.says);
    },
  );

  test("throws when the route cannot be opened", async () => {
    const { payload, triggerMetadata } = triggerFixture(fixture);
    const error = new BridgeError("SECRET_MISSING", "Cannot find the secret");
    const call = make(() => Promise.reject(error))(payload, invocation(triggerMetadata));
    await expect(call).rejects.toThrow("Cannot find the secret [SECRET_MISSING]");
  });

  test("throws when one record cannot be read, and delivers none of its batch", async () => {
    const { payload, triggerMetadata } = triggerFixture(fixture);
    const { open, taken } = target();
    const values = [...(payload as unknown[]).slice(1), "text"];
    const call = make(open)(values, invocation(triggerMetadata));
    await expect(call).rejects.toThrow(/^Cannot read /);
    expect(taken).toEqual([]);
  });
});

describe("kafkaToMqttHandler()", () => {
  test("an empty batch opens nothing", async () => {
    const handler = kafkaToMqttHandler(() => Promise.reject(new Error("opened")));
    await expect(handler([], invocation({}))).resolves.toBeUndefined();
  });

  test("says in one line what was not as expected, without keys or values", async () => {
    const { payload, triggerMetadata } = triggerFixture("kafka-many");
    const { open, taken } = target();
    const context = invocation({ ...triggerMetadata, keyArray: ["geheim!", null, null, null] });
    await kafkaToMqttHandler(open)(payload, context);
    expect(taken).toHaveLength(4);
    expect(context.lines).toHaveLength(1);
    expect(context.lines[0]).toMatch(/^warn .*"count":1/);
    expect(context.lines[0]).not.toContain("geheim");
  });

  test("counts further records that cannot be read", async () => {
    const metadata = { topicArray: ["t", "t"], partitionArray: [0, 0] };
    const handler = kafkaToMqttHandler(target().open);
    const call = handler([Buffer.from("a"), Buffer.from("b")], invocation(metadata));
    await expect(call).rejects.toThrow("(and 1 more)");
  });
});
