import { describe, expect, test } from "vitest";
import { type Forward, MqttForwarder } from "../../shared/engine/mqtt-forwarder.ts";
import type { LogLevel } from "../../shared/engine/ports.ts";
import { newCounters } from "../../shared/engine/status.ts";
import { BridgeError } from "../../shared/errors.ts";
import { imbalance } from "../../shared/pages/ledger.ts";
import { forwardPublish } from "../../shared/translate/forward-publish.ts";
import { MemoryPublisher, MemorySubscriber, publish } from "../support/memory-ports.ts";
import { settle, VirtualClock } from "../support/virtual-clock.ts";

const dataset = { name: "d", topicFilter: "factory/+", qos: 1, retain: false } as const;
const busy = new BridgeError("MQTT_BUSY", "busy", { retryable: true });
const tooLarge = new BridgeError("MQTT_PACKET_TOO_LARGE", "too large");

function forwarder(
  forwards: readonly Forward[] = [forwardPublish(dataset, "processed")],
  budgetBytes = 1e6,
) {
  const subscriber = new MemorySubscriber();
  const publisher = new MemoryPublisher(10);
  const clock = new VirtualClock();
  const counters = newCounters();
  const lines: [LogLevel, string][] = [];
  const running = new MqttForwarder({
    name: "d/e",
    topicFilters: ["factory/+"],
    forwardsOf: (topic) => (topic.startsWith("factory/") ? forwards : []),
    subscriber,
    publisher,
    clock,
    log: (level, message) => lines.push([level, message]),
    counters,
    budgetBytes,
  });
  const receive = (topicName: string, over: Partial<Parameters<typeof publish>[0]> = {}): number =>
    subscriber.deliver(publish({ topicName, ...over }), clock.now());
  return { running, subscriber, publisher, clock, counters, lines, receive };
}

describe("MqttForwarder (S-61)", () => {
  test("acknowledges a message when its destination has", async () => {
    const { running, subscriber, publisher, counters, receive } = forwarder();
    await running.start();
    expect(subscriber.request).toEqual({ topicFilters: ["factory/+"], qos: 1 });
    receive("factory/a");
    receive("factory/b");
    expect(publisher.sent.map(({ topicName }) => topicName)).toEqual([
      "processed/factory/a",
      "processed/factory/b",
    ]);
    expect(subscriber.acknowledged).toEqual([]);
    publisher.settle(undefined, 1);
    expect(subscriber.acknowledged).toEqual([1]);
    publisher.settle();
    expect(subscriber.acknowledged).toEqual([1, 0]);
    expect(counters).toMatchObject({ received: 2, delivered: 2, inFlight: 0, inFlightBytes: 0 });
  });

  test("of several destinations all must have it", async () => {
    const other = forwardPublish({ ...dataset, topic: "copy" }, undefined);
    const { running, subscriber, publisher, receive } = forwarder([
      forwardPublish(dataset, "p"),
      other,
    ]);
    await running.start();
    receive("factory/a");
    expect(publisher.sent.map(({ topicName }) => topicName)).toEqual(["p/factory/a", "copy"]);
    publisher.settle();
    expect(subscriber.acknowledged).toEqual([]);
    publisher.settle();
    expect(subscriber.acknowledged).toEqual([0]);
  });

  test("what goes nowhere is acknowledged and counted as filtered", async () => {
    const { running, subscriber, publisher, counters, receive } = forwarder();
    await running.start();
    receive("other/a");
    expect(publisher.sent).toEqual([]);
    expect(subscriber.acknowledged).toEqual([0]);
    expect(counters).toMatchObject({ received: 1, filtered: 1 });
    expect(imbalance(counters)).toBe(0);
  });

  test("after a refusal the message and its successors go again, in order, and each is acknowledged once", async () => {
    const { running, subscriber, publisher, clock, counters, receive } = forwarder();
    await running.start();
    for (const name of ["a", "b", "c"]) receive(`factory/${name}`);
    publisher.settle();
    publisher.settle(busy);
    publisher.settle();
    await clock.advance(60_000);
    publisher.settleAll();
    expect(publisher.sent.map(({ topicName }) => topicName.slice(-1)).join("")).toBe("abcb");
    expect(subscriber.acknowledged).toEqual([0, 2, 1]);
    expect(counters).toMatchObject({ delivered: 3, retried: 1 });
    expect(imbalance(counters)).toBe(0);
  });

  test("stops at a message that can never be delivered, and says so (S-54)", async () => {
    const { running, subscriber, publisher, lines, receive } = forwarder();
    await running.start();
    receive("factory/a");
    publisher.settle(tooLarge);
    await settle();
    expect(running.hasFailed).toBe(true);
    expect(running.trouble).toMatchObject({
      code: "DEAD_LETTER_FAILED",
      message: 'Cannot forward a message of "d/e", and assets have no dead-letter topic: too large',
    });
    expect(subscriber.paused).toBe(true);
    expect(subscriber.acknowledged).toEqual([]);
    expect(lines).toContainEqual([
      "error",
      "The assets' forwarding has stopped: an operator must act",
    ]);
  });

  test("holds the source back while it holds too much (S-53)", async () => {
    const { running, subscriber, publisher, receive } = forwarder(undefined, 2000);
    await running.start();
    publisher.online = false;
    for (let i = 0; i < 10; i += 1) receive("factory/a", { payload: new Uint8Array(500) });
    expect(subscriber.paused).toBe(true);
    publisher.goOnline();
    publisher.settleAll();
    await settle();
    expect(subscriber.paused).toBe(false);
  });

  test("stopping gives back what was not delivered: the session brings it again (S-55)", async () => {
    const { running, subscriber, publisher, counters, receive } = forwarder();
    await running.start();
    publisher.online = false;
    receive("factory/a");
    await running.stop(0);
    expect(subscriber.stopped).toBe(true);
    expect(subscriber.acknowledged).toEqual([]);
    expect(counters).toMatchObject({ released: 1, inFlight: 0 });
  });
});

describe("forwardPublish() (S-61)", () => {
  const properties = {
    payloadFormatIndicator: 1,
    messageExpiryInterval: 10,
    responseTopic: "r",
    correlationData: new Uint8Array([1]),
    contentType: "application/json",
    userProperties: [
      ["a", "1"],
      ["a", "2"],
    ],
  } as const;
  const message = publish({ topicName: "factory/x", qos: 0, retain: true, properties });

  test("keeps all properties and the payload; topic, QoS and RETAIN are the asset's", () => {
    expect(forwardPublish({ ...dataset, retain: false }, "processed")(message, 0, 3500)).toEqual({
      kind: "translated",
      message: {
        ...message,
        topicName: "processed/factory/x",
        qos: 1,
        retain: false,
        properties: { ...properties, messageExpiryInterval: 7 },
      },
      removed: [],
    });
  });

  test("a dataset may say topic, RETAIN and expiry", () => {
    const own = { ...dataset, topic: "t", retain: true, ttl: 60, qos: 0 } as const;
    expect(forwardPublish(own, "processed")(message, 0, 0)).toMatchObject({
      message: { topicName: "t", retain: true, qos: 0, properties: { messageExpiryInterval: 60 } },
    });
    const plain = publish({ topicName: "factory/x" });
    expect(forwardPublish(dataset, undefined)(plain, 0, 0)).toMatchObject({
      message: { topicName: "factory/x" },
    });
    expect(forwardPublish(dataset, "p")(plain, 0, 0)).toMatchObject({
      message: { properties: { userProperties: [] } },
    });
  });

  test("what has expired is not forwarded, and a topic that is too long is rejected", () => {
    expect(forwardPublish(dataset, "p")(message, 0, 10_000)).toEqual({ kind: "expired" });
    const long = publish({ topicName: "x".repeat(65_534) });
    expect(forwardPublish(dataset, "p")(long, 0, 0)).toMatchObject({
      kind: "rejected",
      code: "TOPIC_NAME_INVALID",
    });
  });
});
