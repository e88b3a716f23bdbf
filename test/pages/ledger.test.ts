import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addCounters, imbalance, totalsByRoute } from "../../shared/pages/ledger.ts";
import { counters, routeStatus } from "../support/route-status.ts";

const balanced = {
  received: 21,
  delivered: 1,
  expired: 2,
  filtered: 3,
  deadLettered: 4,
  released: 5,
  inFlight: 6,
};

describe("imbalance()", () => {
  test.each([
    { name: "is 0 when every message is accounted for", some: balanced, want: 0 },
    { name: "tells a lost message", some: { ...balanced, delivered: 0 }, want: 1 },
    { name: "tells a message counted twice", some: { ...balanced, expired: 3 }, want: -1 },
  ])("$name", ({ some, want }) => {
    expect(imbalance(counters(some))).toBe(want);
  });
});

describe("addCounters()", () => {
  test("adds every number and every reason, and changes neither side", () => {
    const a = counters({ ...balanced, rejected: { TOPIC_NAME_INVALID: 2 }, retried: 1 });
    const b = counters({ ...balanced, rejected: { TOPIC_NAME_INVALID: 1, EXPRESSION_FAILED: 4 } });
    const sum = addCounters(a, b);
    expect(sum).toMatchObject({ received: 42, inFlight: 12, retried: 1 });
    expect(sum.rejected).toEqual({ TOPIC_NAME_INVALID: 3, EXPRESSION_FAILED: 4 });
    expect(a.rejected).toEqual({ TOPIC_NAME_INVALID: 2 });
    expect(b.received).toBe(21);
  });

  test("keeps the ledger: imbalances add up", () => {
    const numbers = fc.record({
      received: fc.nat(),
      delivered: fc.nat(),
      expired: fc.nat(),
      filtered: fc.nat(),
      deadLettered: fc.nat(),
      released: fc.nat(),
      inFlight: fc.nat(),
    });
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        const [x, y] = [counters(a), counters(b)];
        expect(imbalance(addCounters(x, y))).toBe(imbalance(x) + imbalance(y));
      }),
    );
  });

  test("keeps a reason named like a member of every object", () => {
    const rejected = JSON.parse('{"constructor":1,"__proto__":2}') as Record<string, number>;
    const sum = addCounters(counters({ rejected }), counters({ rejected }));
    expect(Object.entries(sum.rejected)).toEqual([
      ["constructor", 2],
      ["__proto__", 4],
    ]);
  });
});

describe("totalsByRoute()", () => {
  test("takes instances together: counters add up and the worst state wins", () => {
    const totals = totalsByRoute([
      routeStatus({ counters: counters({ received: 2, delivered: 2 }) }),
      routeStatus({ route: "flow/two" }),
      routeStatus({
        instance: 1,
        state: "waiting",
        detail: "MQTT is down",
        mqtt: { connected: false, detail: "MQTT is down" },
        counters: counters({ received: 3, inFlight: 3 }),
      }),
    ]);
    expect(totals.map(({ route }) => route)).toEqual(["flow/one", "flow/two"]);
    expect(totals[0]).toMatchObject({
      instances: 2,
      state: "waiting",
      kafkaConnected: true,
      mqttConnected: false,
      details: ["MQTT is down"],
      counters: { received: 5, delivered: 2, inFlight: 3 },
    });
  });
});
