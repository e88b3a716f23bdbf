import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DeadLetters } from "../../shared/engine/dead-letters.ts";
import { KafkaToMqtt } from "../../shared/engine/kafka-to-mqtt.ts";
import { newCounters, type RouteCounters } from "../../shared/engine/status.ts";
import { BridgeError } from "../../shared/errors.ts";
import type { KafkaHeader, KafkaRecord } from "../../shared/model/kafka-record.ts";
import type { Publish } from "../../shared/model/publish.ts";
import type { Translation } from "../../shared/model/translation.ts";
import { deadLetterDepth } from "../../shared/translate/dead-letter.ts";
import {
  MemoryProducer,
  MemoryPublisher,
  MemorySource,
  publish,
  record,
} from "../support/memory-ports.ts";
import { kafkaToMqttRoute } from "../support/routes.ts";
import { settle, VirtualClock } from "../support/virtual-clock.ts";

const BUSY = new BridgeError("MQTT_BUSY", "Quota exceeded", { retryable: true });
const FORBIDDEN = new BridgeError("MQTT_NOT_AUTHORIZED", "Not authorized");

const ERRORS = { ok: undefined, busy: BUSY, no: FORBIDDEN };

/** The value's text is the verdict: "bad" is rejected, "old" expired, "skip" filtered, anything else goes through. */
function translate(r: KafkaRecord): Translation<Publish> {
  const value = new TextDecoder().decode(r.value ?? new Uint8Array());
  if (value === "bad") {
    return { kind: "rejected", code: "TOPIC_NAME_INVALID", reason: 'Cannot publish to "a/#"' };
  }
  if (value === "old") return { kind: "expired" };
  if (value === "skip") return { kind: "filtered" };
  return {
    kind: "translated",
    message: publish({ topicName: `${r.topic}/${r.partition}/${r.offset}` }),
    removed: [],
  };
}

function setUp(
  over: {
    window?: number;
    budgetBytes?: number;
    deadLetterTopic?: string;
    maxUncommitted?: number;
    commitGapMs?: number;
  } = {},
) {
  const clock = new VirtualClock();
  const source = new MemorySource();
  const publisher = new MemoryPublisher(over.window ?? 1000);
  const producer = new MemoryProducer();
  const counters = newCounters();
  const failures: BridgeError[] = [];
  const log = (): void => undefined;
  const route = new KafkaToMqtt({
    route: kafkaToMqttRoute({ deadLetterTopic: over.deadLetterTopic ?? "isthmus.dead-letter" }),
    translate,
    publisher,
    source,
    deadLetters: new DeadLetters({ producer, clock, log }),
    clock,
    log,
    counters,
    budgetBytes: over.budgetBytes ?? 1_000_000,
    commitIntervalMs: 200,
    maxUncommitted: over.maxUncommitted ?? 1_000_000,
    commitGapMs: over.commitGapMs ?? 0,
    onFailed: (error) => failures.push(error),
  });
  return { clock, source, publisher, producer, counters, failures, route };
}

async function started(over: Parameters<typeof setUp>[0] = {}) {
  const parts = setUp(over);
  await parts.route.start();
  parts.route.assigned([{ topic: "source", partition: 0 }]);
  return parts;
}

type Parts = Awaited<ReturnType<typeof started>>;

/** Gives partition 0 up, and time for it. */
async function given(route: KafkaToMqtt, clock: VirtualClock): Promise<void> {
  const revoked = route.revoked([{ topic: "source", partition: 0 }]);
  await clock.advance(1000);
  await revoked;
}

const records = (...values: string[]): KafkaRecord[] =>
  values.map((value, i) => record({ offset: BigInt(i), value: new TextEncoder().encode(value) }));
const numbered = (n: number): KafkaRecord[] =>
  records(...Array.from({ length: n }, (_, i) => `${i}`));

function expectLedger(c: RouteCounters): void {
  expect(c.received).toBe(
    c.delivered + c.expired + c.filtered + c.deadLettered + c.released + c.inFlight,
  );
  if (c.inFlight === 0) expect(c.inFlightBytes).toBe(0);
}

describe("KafkaToMqtt", () => {
  test("commits only after the PUBACK of a record and of all before it [S-25]", async () => {
    const { clock, source, publisher, route, counters } = await started();
    void route.records(numbered(3));
    publisher.settle(undefined, 1);
    await clock.advance(1000);
    expect(source.commits).toEqual([]);
    publisher.settle(undefined, 0);
    await clock.advance(1000);
    expect(source.committed("source", 0)).toBe(2n);
    publisher.settle();
    await clock.advance(1000);
    expect(source.committed("source", 0)).toBe(3n);
    expectLedger(counters);
  });

  test("never has more unacknowledged than the window [S-52]", async () => {
    const { publisher, route } = await started({ window: 3 });
    void route.records(numbered(10));
    expect(publisher.unsettled).toBe(3);
    while (publisher.unsettled > 0) publisher.settle();
    expect(publisher.sent).toHaveLength(10);
    expect(publisher.mostUnsettled).toBe(3);
  });

  test("holds the source back while its budget is full, and lets go by itself [S-53]", async () => {
    const { publisher, route } = await started({ budgetBytes: 1000 });
    publisher.online = false;
    let resolved = false;
    const taken = route.records(numbered(20)).then(() => {
      resolved = true;
    });
    await settle();
    expect(resolved).toBe(false);
    publisher.goOnline();
    publisher.settleAll();
    await taken;
    expect(publisher.sent).toHaveLength(20);
  });

  test.each([
    [
      "sent",
      async ({ publisher }: Parts) => {
        publisher.goOnline();
        publisher.settleAll();
      },
    ],
    ["given back", ({ route, clock }: Parts) => given(route, clock)],
  ])(
    "lets no more than a megabyte wait, however large its budget, until it is %s [S-53]",
    async (_, makeRoom) => {
      const parts = await started({ budgetBytes: 1e9, window: 2 });
      parts.publisher.online = false;
      const large = numbered(4).map((one) => ({ ...one, value: new Uint8Array(250_000) }));
      let taken = 0;
      const count = (): void => {
        taken += 1;
      };
      const calls = large.map((one) => parts.route.records([one]).then(count));
      await settle();
      expect(taken, "375 kB each, as memory is reckoned").toBe(2);
      await makeRoom(parts);
      await Promise.all(calls);
    },
  );

  test("lets go of its source when what filled the budget is given back [S-26, S-53]", async () => {
    const { publisher, route, clock } = await started({ budgetBytes: 1000 });
    publisher.online = false;
    const taken = route.records(numbered(20));
    await given(route, clock);
    await taken;
    expect(publisher.sent).toEqual([]);
  });

  test.each([
    ["bad", "deadLettered"],
    ["old", "expired"],
    ["skip", "filtered"],
  ] as const)("counts a %s record and commits past it [S-54, S-24]", async (value, counter) => {
    const { clock, source, publisher, counters, route, producer } = await started();
    void route.records(records("a", value, "c"));
    publisher.settleAll();
    await clock.advance(1000);
    expect(counters[counter]).toBe(1);
    expect(counters.delivered).toBe(2);
    expect(source.committed("source", 0)).toBe(3n);
    expect(producer.sent).toHaveLength(counter === "deadLettered" ? 1 : 0);
    expectLedger(counters);
  });

  test("writes the dead letter with bytes, coordinates and reason before it commits [S-54]", async () => {
    const { clock, source, publisher, route, producer } = await started();
    let open = (): void => undefined;
    producer.gate = new Promise((resolve) => {
      open = resolve;
    });
    void route.records(records("bad", "b"));
    publisher.settleAll();
    await clock.advance(1000);
    expect(source.commits).toEqual([]);
    open();
    await clock.advance(1000);
    expect(source.committed("source", 0)).toBe(2n);
    const [letter] = producer.sent;
    expect(letter?.topic).toBe("isthmus.dead-letter");
    expect(new TextDecoder().decode(letter?.value ?? undefined)).toBe("bad");
    const headers = Object.fromEntries(
      (letter?.headers ?? []).map(([n, v]) => [n, new TextDecoder().decode(v ?? undefined)]),
    );
    expect(headers).toMatchObject({
      "isthmus-reason-code": "TOPIC_NAME_INVALID",
      "isthmus-route": "connector/to-mqtt",
      "isthmus-source": "kafka",
      "isthmus-topic": "source",
      "isthmus-partition": "0",
      "isthmus-offset": "0",
      "isthmus-attempt": "1",
      "isthmus-time": "2023-11-14T22:13:20.000Z",
    });
  });

  test("dead-letters what the broker refuses for good, and only that [S-54]", async () => {
    const { clock, source, publisher, route, producer, counters } = await started();
    void route.records(numbered(3));
    publisher.settle(FORBIDDEN, 1);
    publisher.settleAll();
    await clock.advance(1000);
    expect(producer.sent).toHaveLength(1);
    expect(counters.rejected).toEqual({ MQTT_NOT_AUTHORIZED: 1 });
    expect(source.committed("source", 0)).toBe(3n);
    expectLedger(counters);
  });

  test("stops at a message that can be neither delivered nor dead-lettered, and says so [S-54]", async () => {
    const { clock, source, publisher, route, producer, failures, counters } = await started();
    producer.verdict = () => new BridgeError("KAFKA_NOT_AUTHORIZED", "Not authorized");
    void route.records(records("a", "bad", "c"));
    publisher.settleAll();
    await clock.advance(5000);
    expect(failures.map((f) => f.code)).toEqual(["DEAD_LETTER_FAILED"]);
    expect(source.committed("source", 0)).toBe(1n);
    expect(route.hasFailed).toBe(true);
    expectLedger(counters);
  });

  test("does not write a dead letter of a dead letter", async () => {
    const { clock, source, route, producer, counters } = await started({
      deadLetterTopic: "source",
    });
    void route.records(records("bad"));
    await clock.advance(1000);
    expect(producer.sent).toEqual([]);
    expect(counters.deadLettered).toBe(1);
    expect(source.committed("source", 0)).toBe(1n);
  });

  test("ends the way of a message that several bridges dead-letter in turn, where it lies [S-54]", async () => {
    const { clock, source, route, producer, counters } = await started();
    const header = (depth: number): KafkaHeader => [
      `${"isthmus-escaped-".repeat(depth - 1)}isthmus-source`,
      new TextEncoder().encode("kafka"),
    ];
    const [bad] = records("bad") as [KafkaRecord];
    void route.records([
      { ...bad, headers: [header(7)] },
      { ...bad, offset: 1n, headers: [header(8)] },
    ]);
    await clock.advance(1000);
    expect(producer.sent.map(({ headers }) => deadLetterDepth(headers))).toEqual([8]);
    expect(counters.deadLettered).toBe(2);
    expect(source.committed("source", 0)).toBe(2n);
    expectLedger(counters);
  });

  test("sends a refused message again before its successors are final, in order [S-50, S-54]", async () => {
    const { clock, publisher, route, counters, source } = await started();
    void route.records(numbered(4));
    publisher.settle(undefined, 0);
    publisher.settle(BUSY, 0);
    publisher.settle(undefined, 0);
    publisher.settle(undefined, 0);
    await clock.advance(40_000);
    publisher.settleAll();
    await clock.advance(1000);
    expect(publisher.sent.map((p) => p.topicName.split("/")[2])).toEqual([
      "0",
      "1",
      "2",
      "3",
      "1",
      "2",
      "3",
    ]);
    expect(counters.delivered).toBe(4);
    expect(counters.retried).toBe(1);
    expect(source.committed("source", 0)).toBe(4n);
    expectLedger(counters);
  });

  test("sends out no more without a commit than a crash may double, dead letters included [S-50]", async () => {
    const { clock, source, publisher, producer, route } = await started({ maxUncommitted: 4 });
    source.commitFault = new BridgeError("KAFKA_UNAVAILABLE", "down", { retryable: true });
    void route.records(records("a", "bad", "c", "d", "e", "f", "g", "h"));
    publisher.settleAll();
    await clock.advance(5000);
    expect([publisher.sent.length, producer.sent.length]).toEqual([3, 1]);
    source.commitFault = undefined;
    await clock.advance(200);
    expect(source.committed("source", 0)).toBe(4n);
    expect([publisher.sent.length, publisher.unsettled]).toEqual([7, 4]);
    publisher.settle(BUSY);
    publisher.settleAll();
    await clock.advance(120_000);
    // the same once more exposes nothing new
    expect(publisher.sent.length).toBe(11);
  });

  test("a partition that goes to another takes its share of what may be uncommitted along [S-26]", async () => {
    const { clock, source, publisher, route } = await started({ maxUncommitted: 4 });
    source.commitFault = new BridgeError("KAFKA_UNAVAILABLE", "down", { retryable: true });
    void route.records(numbered(8));
    publisher.settle();
    await given(route, clock);
    publisher.settleAll();
    route.assigned([{ topic: "source", partition: 0 }]);
    void route.records(numbered(8));
    expect(publisher.sent.length).toBe(8);
    source.commitFault = undefined;
    publisher.settleAll();
    await clock.advance(1000);
    publisher.settleAll();
    await clock.advance(1000);
    expect(source.committed("source", 0)).toBe(8n);
  });

  test("goes on with other partitions when one goes that stood in their way [S-26]", async () => {
    const { source, publisher, route } = await started({ maxUncommitted: 2 });
    const other = { topic: "source", partition: 1 };
    route.assigned([other]);
    source.commitFault = new BridgeError("KAFKA_UNAVAILABLE", "down", { retryable: true });
    void route.records(numbered(2));
    void route.records(numbered(1).map((one) => ({ ...one, partition: 1 })));
    publisher.settleAll();
    expect(publisher.sent).toHaveLength(2);
    await route.revoked([{ topic: "source", partition: 0 }]);
    expect(publisher.sent).toHaveLength(3);
  });

  test.each([
    { gap: 0, after: "at once", commits: 3 },
    { gap: 100, after: "when the last one is long enough ago", commits: 2 },
  ])(
    "commits without waiting for its interval when much is done, $after",
    async ({ gap, commits }) => {
      const { clock, source, publisher, route } = await started({
        ...{ maxUncommitted: 8, commitGapMs: gap },
      });
      void route.records(numbered(6));
      for (let i = 0; i < 6; i += 1) {
        publisher.settle();
        await clock.advance(i === 4 ? 100 : 1);
      }
      expect(source.commits.map(({ offset }) => offset)).toHaveLength(commits);
    },
  );

  test("keeps trying while a commit fails, and commits later", async () => {
    const { clock, source, publisher, route } = await started();
    source.commitFault = new BridgeError("KAFKA_UNAVAILABLE", "down", { retryable: true });
    void route.records(numbered(2));
    publisher.settleAll();
    await clock.advance(1000);
    expect(source.commits).toEqual([]);
    source.commitFault = undefined;
    await clock.advance(1000);
    expect(source.committed("source", 0)).toBe(2n);
  });

  test("commits what is done before a partition goes, gives the rest back, and never commits for it again [S-26]", async () => {
    const { clock, source, publisher, route, counters } = await started({ window: 2 });
    void route.records(numbered(5));
    publisher.settle(undefined, 0);
    publisher.online = false;
    await given(route, clock);
    expect(source.committed("source", 0)).toBe(1n);
    publisher.settleAll();
    await clock.advance(1000);
    expect(source.committed("source", 0)).toBe(1n);
    expect(counters.released).toBe(2);
    expectLedger(counters);
  });

  test("sends nothing more of a partition that goes, and commits what is acknowledged meanwhile [S-26]", async () => {
    const { source, publisher, route, counters } = await started({ window: 2 });
    void route.records(numbered(5));
    const revoked = route.revoked([{ topic: "source", partition: 0 }]);
    void route.records(numbered(5));
    publisher.settleAll();
    await revoked;
    expect(publisher.sent).toHaveLength(2);
    expect(source.committed("source", 0)).toBe(2n);
    expect(counters.released).toBe(3);
    expectLedger(counters);
  });

  test("ignores records of partitions it does not hold [S-26]", async () => {
    const { route, publisher, counters } = await started();
    await route.records([record({ topic: "other" })]);
    expect(publisher.sent).toEqual([]);
    expect(counters.received).toBe(0);
  });

  test("on stop commits what was acknowledged, releases the rest and leaves the group [S-55]", async () => {
    const { source, publisher, route, counters, clock } = await started({ window: 2 });
    void route.records(numbered(5));
    publisher.settle(undefined, 0);
    const stopped = route.stop(10_000);
    await clock.advance(10_000);
    await stopped;
    expect(source.committed("source", 0)).toBe(1n);
    expect(source.stopped).toBe(true);
    expect(counters.released).toBe(4);
    expectLedger(counters);
  });

  test("whatever the order of acknowledgements and refusals: all is delivered, committed and counted", async () => {
    const outcome = fc.record({
      n: fc.nat(30),
      verdict: fc.constantFrom<"ok" | "busy" | "no">("ok", "ok", "ok", "busy", "no"),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom("a", "bad", "old", "skip"), { minLength: 1, maxLength: 40 }),
        fc.array(outcome, { maxLength: 60 }),
        fc.integer({ min: 1, max: 8 }),
        async (values, outcomes, window) => {
          const { clock, source, publisher, route, counters } = await started({ window });
          void route.records(records(...values));
          for (const { n, verdict } of outcomes) {
            if (publisher.unsettled === 0) await clock.advance(60_000);
            if (publisher.unsettled > 0) publisher.settle(ERRORS[verdict], n % publisher.unsettled);
          }
          const all = BigInt(values.length);
          for (let i = 0; i < 20 && source.committed("source", 0) !== all; i += 1) {
            publisher.settleAll();
            await clock.advance(60_000);
          }
          expect(publisher.mostUnsettled).toBeLessThanOrEqual(window);
          expect(source.committed("source", 0)).toBe(all);
          expect(counters.inFlight).toBe(0);
          expectLedger(counters);
        },
      ),
      { numRuns: 150 },
    );
  });
});
