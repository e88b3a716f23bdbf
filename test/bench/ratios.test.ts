import { describe, expect, test } from "vitest";
import { fallen, ratiosOf } from "../../bench/ratios.ts";
import type { Outcome } from "../../bench/run.ts";

const outcome = (name: string, rate: number, over: Partial<Outcome> = {}): Outcome => ({
  ...{ name, rate, direction: "k2m", qos: 1, cpuMicros: 0, residentMb: 0 },
  ...{ unique: 10, doubled: 0, reordered: 0, whole: 1 },
  ...over,
});

describe("the guard of the benchmark's ratios", () => {
  test("takes the median over rounds of our rate to that of the same round", () => {
    const rounds = [
      ...[outcome("isthmus", 300), outcome("tuned", 100)],
      ...[outcome("isthmus", 100), outcome("tuned", 100)],
      ...[outcome("isthmus", 400), outcome("tuned", 200)],
      ...[
        outcome("isthmus", 90, { direction: "m2k", qos: 0 }),
        outcome("tuned", 60, { direction: "m2k", qos: 0 }),
      ],
    ];
    expect(ratiosOf(rounds, 10)).toEqual({ "k2m 1": 2, "m2k 0": 1.5 });
  });

  test.each([
    ["the same", 2, 2, true],
    ["a quarter less", 2, 1.5, true],
    ["more than a quarter less", 2, 1.49, false],
    ["more", 1.2, 3, true],
  ])("%s: %d, then %d", (_, before, now, isFine) => {
    expect(fallen({ "k2m 1": before }, { "k2m 1": now })).toHaveLength(isFine ? 0 : 1);
  });

  test("says which has fallen, from what, to what, and what is allowed", () => {
    expect(fallen({ "k2m 1": 2, "m2k 0": 1 }, { "k2m 1": 1.2 })).toEqual([
      "k2m 1: 1.20 times the tuned sketch; it was 2.00 and must be 1.50",
      "m2k 0: 0.00 times the tuned sketch; it was 1.00 and must be 0.75",
    ]);
  });
});
