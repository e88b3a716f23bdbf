import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DeadLetters } from "../../shared/engine/dead-letters.ts";
import { MqttToKafka } from "../../shared/engine/mqtt-to-kafka.ts";
import { newCounters, type RouteCounters } from "../../shared/engine/status.ts";
import { BridgeError } from "../../shared/errors.ts";
import type { OutgoingRecord } from "../../shared/model/kafka-record.ts";
import type { Publish } from "../../shared/model/publish.ts";
import type { MqttToKafkaRoute } from "../../shared/model/route.ts";
import type { Translation, TranslationContext } from "../../shared/model/translation.ts";
import { bytes, MemoryProducer, MemorySubscriber, publish } from "../support/memory-ports.ts";
import { mqttToKafkaRoute } from "../support/routes.ts";
import { settle, VirtualClock } from "../support/virtual-clock.ts";

const DOWN = new BridgeError("KAFKA_UNAVAILABLE", "down", { retryable: true });
const TOO_LARGE = new BridgeError("KAFKA_MESSAGE_TOO_LARGE", "too large");

const textOf = (record: OutgoingRecord): string =>
  new TextDecoder().decode(record.value ?? undefined);

/** The payload's text is the verdict: "bad" is rejected, anything else goes through until it expires. */
function translate(
  received: { publish: Publish; receivedAt: number },
  context: TranslationContext,
): Translation<OutgoingRecord> {
  const { payload, properties } = received.publish;
  if (new TextDecoder().decode(payload) === "bad") {
    return { kind: "rejected", code: "KAFKA_TOPIC_INVALID", reason: "no legal topic" };
  }
  const interval = properties.messageExpiryInterval;
  if (interval !== undefined && context.now - received.receivedAt >= interval * 1000) {
    return { kind: "expired" };
  }
  const message: OutgoingRecord = {
    topic: "destination",
    key: null,
    value: payload,
    headers: [],
    partitioning: { by: "roundRobin" },
  };
  return { kind: "translated", message, removed: [] };
}

async function started(
  over: Partial<MqttToKafkaRoute> = {},
  { budgetBytes = 10_000_000, receiveMaximum = 65_535, counters = newCounters() } = {},
) {
  const clock = new VirtualClock();
  const subscriber = new MemorySubscriber();
  const producer = new MemoryProducer();
  const letters = new MemoryProducer();
  const failures: BridgeError[] = [];
  const log = (): void => undefined;
  const route = new MqttToKafka({
    route: mqttToKafkaRoute(over),
    translate,
    subscription: { topicFilters: ["factory/#"], qos: 1 },
    subscriber,
    producer,
    deadLetters: new DeadLetters({ producer: letters, clock, log }),
    clock,
    log,
    counters,
    budgetBytes,
    receiveMaximum,
    onFailed: (error) => failures.push(error),
  });
  await route.start();
  const deliver = (...values: string[]): void => {
    for (const value of values) subscriber.deliver(publish({ payload: bytes(value) }), clock.now());
  };
  return { clock, subscriber, producer, letters, counters, failures, route, deliver };
}

function expectLedger(c: RouteCounters): void {
  expect(c.received).toBe(
    c.delivered + c.expired + c.filtered + c.deadLettered + c.released + c.inFlight,
  );
  if (c.inFlight === 0) expect(c.inFlightBytes).toBe(0);
}

describe("MqttToKafka", () => {
  test("acknowledges only after the producer's acknowledgement [S-51]", async () => {
    const { clock, subscriber, producer, deliver, counters } = await started();
    let open = (): void => undefined;
    producer.gate = new Promise((resolve) => {
      open = resolve;
    });
    deliver("a", "b");
    await clock.advance(100);
    expect(producer.attempts).toBe(1);
    expect(subscriber.acknowledged).toEqual([]);
    open();
    await settle();
    expect(subscriber.acknowledged).toEqual([0, 1]);
    expectLedger(counters);
  });

  const batching = { enabled: true, latencyMs: 50, maxMessages: 3, maxBytes: 1_000_000 };
  test.each([
    { name: "latencyMs", batching, count: 2, after: 49, batches: [] },
    { name: "latencyMs", batching, count: 2, after: 50, batches: [2] },
    { name: "maxMessages", batching, count: 3, after: 0, batches: [3] },
    { name: "maxBytes", batching: { ...batching, maxBytes: 40 }, count: 2, after: 0, batches: [2] },
    {
      name: "disabled",
      batching: { ...batching, enabled: false },
      count: 1,
      after: 0,
      batches: [1],
    },
  ])("sends $count messages after $after ms as $batches by $name [S-16]", async (row) => {
    const { clock, producer, deliver } = await started({ batching: row.batching });
    deliver(...Array.from({ length: row.count }, () => "payload"));
    await clock.advance(row.after);
    expect(producer.batches).toEqual(row.batches);
  });

  test("sends together what came while a send was under way, in order [S-50]", async () => {
    const { clock, producer, deliver } = await started({
      batching: { ...batching, enabled: false },
    });
    let open = (): void => undefined;
    producer.gate = new Promise((resolve) => {
      open = resolve;
    });
    deliver("1", "2", "3", "4");
    await settle();
    open();
    await clock.advance(10);
    expect(producer.batches).toEqual([1, 3]);
    expect(producer.sent.map(textOf)).toEqual(["1", "2", "3", "4"]);
  });

  test("never sends more than a broker's request takes at once, whatever the manifest says", async () => {
    const { clock, subscriber, producer } = await started({
      batching: { enabled: true, latencyMs: 5, maxMessages: 100_000, maxBytes: 50_000_000 },
    });
    const payload = new Uint8Array(400_000);
    for (let i = 0; i < 5; i += 1) subscriber.deliver(publish({ payload }), clock.now());
    await clock.advance(100);
    expect(producer.batches).toEqual([2, 2, 1]);
  });

  test("sends no more QoS 1 messages at once than a crash may double, whatever the broker delivers [S-50]", async () => {
    const { clock, subscriber, producer } = await started({}, { receiveMaximum: 2 });
    for (const qos of [1, 0, 1, 0, 1, 1, 1] as const) {
      subscriber.deliver(publish({ qos }), clock.now());
    }
    await clock.advance(100);
    expect(producer.batches).toEqual([4, 2, 1]);
    expect(subscriber.acknowledged).toHaveLength(7);
  });

  test("retries a transient failure without end, and acknowledges once [S-54]", async () => {
    const { clock, subscriber, producer, deliver, counters } = await started();
    producer.verdict = () => DOWN;
    deliver("a");
    await clock.advance(3_600_000);
    expect(producer.attempts).toBeGreaterThan(100);
    expect(subscriber.acknowledged).toEqual([]);
    producer.verdict = () => undefined;
    await clock.advance(30_000);
    expect(subscriber.acknowledged).toEqual([0]);
    expect(counters.delivered).toBe(1);
    expectLedger(counters);
  });

  test("reckons expiry when the record is handed over, at every attempt [S-12]", async () => {
    const { clock, subscriber, producer, deliver, counters } = await started();
    producer.verdict = () => DOWN;
    const properties = { messageExpiryInterval: 10, userProperties: [] };
    subscriber.deliver(publish({ properties }), clock.now());
    deliver("stays");
    await clock.advance(11_000);
    producer.verdict = () => undefined;
    await clock.advance(60_000);
    expect(counters.expired).toBe(1);
    expect(producer.sent.map(textOf)).toEqual(["stays"]);
    expect(subscriber.acknowledged.toSorted()).toEqual([0, 1]);
    expectLedger(counters);
  });

  test("finds the one record that can never succeed and dead-letters only that [S-54]", async () => {
    const { clock, subscriber, producer, letters, deliver, counters } = await started();
    producer.verdict = (batch) => (batch.some((r) => textOf(r) === "huge") ? TOO_LARGE : undefined);
    deliver("1", "2", "huge", "4", "5", "6", "7");
    await clock.advance(1000);
    expect(producer.sent.map(textOf)).toEqual(["1", "2", "4", "5", "6", "7"]);
    expect(letters.sent.map(textOf)).toEqual(["huge"]);
    expect(subscriber.acknowledged.toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(counters.rejected).toEqual({ KAFKA_MESSAGE_TOO_LARGE: 1 });
    expectLedger(counters);
  });

  test("dead-letters a rejected message with its topic and reason, then acknowledges [S-54]", async () => {
    const { clock, subscriber, letters, deliver, counters } = await started();
    deliver("a", "bad", "c");
    await clock.advance(1000);
    const headers = Object.fromEntries(
      (letters.sent[0]?.headers ?? []).map(([n, v]) => [
        n,
        new TextDecoder().decode(v ?? undefined),
      ]),
    );
    expect(headers).toMatchObject({
      "isthmus-reason-code": "KAFKA_TOPIC_INVALID",
      "isthmus-source": "mqtt",
      "isthmus-topic": "factory/line",
      "isthmus-qos": "1",
    });
    expect(subscriber.acknowledged.toSorted()).toEqual([0, 1, 2]);
    expectLedger(counters);
  });

  test("without a place for dead letters it stops, says so, and acknowledges nothing of it [S-54]", async () => {
    const { clock, subscriber, letters, deliver, failures, route, counters } = await started();
    letters.verdict = () => new BridgeError("KAFKA_NOT_AUTHORIZED", "Not authorized");
    deliver("bad");
    await clock.advance(1000);
    expect(failures.map((f) => f.code)).toEqual(["DEAD_LETTER_FAILED"]);
    expect(route.hasFailed).toBe(true);
    expect(subscriber.acknowledged).toEqual([]);
    expect(subscriber.paused).toBe(true);
    expectLedger(counters);
  });

  test("is not paused for what another subscriber of its route holds: nobody would wake it [S-33, S-53]", async () => {
    const budgetBytes = 3000;
    const one = await started({}, { budgetBytes });
    const other = await started({}, { budgetBytes, counters: one.counters });
    one.producer.verdict = () => DOWN;
    one.deliver("1", "2", "3", "4", "5", "6", "7");
    other.deliver("8");
    await other.clock.advance(100);
    expect([one.subscriber.paused, other.subscriber.paused]).toEqual([true, false]);
    expect(other.producer.sent.map(textOf)).toEqual(["8"]);
  });

  test("pauses intake when its budget is full and resumes by itself [S-53]", async () => {
    const { clock, subscriber, producer, deliver } = await started({}, { budgetBytes: 3000 });
    producer.verdict = () => DOWN;
    deliver("1", "2", "3", "4", "5", "6", "7");
    await clock.advance(1000);
    expect(subscriber.paused).toBe(true);
    producer.verdict = () => undefined;
    await clock.advance(60_000);
    expect(subscriber.paused).toBe(false);
    expect(producer.sent).toHaveLength(7);
  });

  test("on stop sends what was read, acknowledges it, keeps the session [S-55]", async () => {
    const { clock, subscriber, producer, deliver, route } = await started({
      batching: { ...batching, latencyMs: 60_000, maxMessages: 1000 },
    });
    deliver("a", "b");
    const stopped = route.stop(10_000);
    await clock.advance(10);
    await stopped;
    expect(producer.sent).toHaveLength(2);
    expect(subscriber.acknowledged).toEqual([0, 1]);
    expect(subscriber.stopped).toBe(true);
  });

  test("on stop with Kafka down acknowledges nothing and gives all back within the drain time [S-55]", async () => {
    const { clock, subscriber, producer, deliver, route, counters } = await started();
    producer.verdict = () => DOWN;
    deliver("a", "b");
    await clock.advance(100);
    deliver("c");
    const stopped = route.stop(1000);
    await clock.advance(1100);
    await stopped;
    expect(subscriber.acknowledged).toEqual([]);
    expect(counters.released).toBe(3);
    expectLedger(counters);
  });

  test("whatever fails in whatever order: everything is acknowledged once, counted, in order", async () => {
    const value = fc.constantFrom("a", "b", "bad", "huge");
    await fc.assert(
      fc.asyncProperty(
        fc.array(value, { minLength: 1, maxLength: 60 }),
        fc.array(fc.boolean(), { maxLength: 30 }),
        async (values, faults) => {
          const { clock, subscriber, producer, counters, deliver } = await started({
            batching: { enabled: true, latencyMs: 5, maxMessages: 7, maxBytes: 1_000_000 },
          });
          const rest = [...faults];
          producer.verdict = (batch) => {
            if (rest.shift() === true) return DOWN;
            return batch.some((r) => textOf(r) === "huge") ? TOO_LARGE : undefined;
          };
          for (const [i, one] of values.entries()) {
            deliver(one);
            if (i % 5 === 0) await clock.advance(3);
          }
          await clock.advance(600_000);
          expect(subscriber.acknowledged.toSorted((a, b) => a - b)).toEqual(
            values.map((_, i) => i),
          );
          expect(producer.sent.map(textOf)).toEqual(values.filter((v) => v === "a" || v === "b"));
          expect(counters.inFlight).toBe(0);
          expectLedger(counters);
        },
      ),
      { numRuns: 100 },
    );
  });
});
