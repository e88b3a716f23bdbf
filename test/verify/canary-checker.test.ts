import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CanaryChecker, type CanaryCounts } from "../../shared/verify/canary-checker.ts";

interface Arrival {
  readonly number: number;
  readonly lane?: string;
  readonly problem?: string;
}

function checked(
  count: number,
  sent: readonly number[],
  arrivals: readonly Arrival[],
): CanaryChecker {
  const checker = new CanaryChecker(count);
  for (const number of sent) checker.add(number);
  for (const { number, lane = "0", problem } of arrivals) {
    checker.arrive({ number, lane, latencyMs: 1, problem });
  }
  return checker;
}

const numbered = (...numbers: number[]): Arrival[] => numbers.map((number) => ({ number }));
const upTo = (count: number): number[] => Array.from({ length: count }, (_, number) => number);

const clean = { lost: 0, duplicated: 0, reordered: 0, wrong: 0 };
const cases: {
  name: string;
  sent?: readonly number[];
  arrivals: readonly Arrival[];
  want: Partial<CanaryCounts>;
}[] = [
  { name: "all in order", arrivals: numbered(0, 1, 2, 3), want: { ...clean, received: 4 } },
  { name: "none", arrivals: [], want: { ...clean, sent: 4, received: 0, lost: 4 } },
  { name: "one lost", arrivals: numbered(0, 1, 3), want: { ...clean, received: 3, lost: 1 } },
  {
    name: "one that comes again, which is not reordered",
    arrivals: numbered(0, 1, 0, 1, 2, 3),
    want: { ...clean, received: 4, duplicated: 2 },
  },
  {
    name: "one that comes late",
    arrivals: numbered(0, 2, 1, 3),
    want: { ...clean, received: 4, reordered: 1 },
  },
  {
    name: "a first that comes last: only it is out of order",
    arrivals: numbered(1, 2, 3, 0),
    want: { ...clean, reordered: 1 },
  },
  {
    name: "lanes that overtake each other, which is no disorder",
    arrivals: [
      { number: 1, lane: "b" },
      { number: 3, lane: "b" },
      { number: 0, lane: "a" },
      { number: 2, lane: "a" },
    ],
    want: clean,
  },
  {
    name: "one that was changed: it has arrived all the same",
    arrivals: [...numbered(0, 1, 2), { number: 3, problem: "the payload is not as sent" }],
    want: { ...clean, received: 4, wrong: 1 },
  },
  {
    name: "numbers that were never sent",
    arrivals: numbered(0, 1, 2, 3, 4, 1_000_000),
    want: { ...clean, received: 4, wrong: 2 },
  },
  {
    name: "one that arrived though the source's answer did not: it counts as sent",
    sent: [0, 1, 2],
    arrivals: numbered(0, 1, 2, 3),
    want: { ...clean, sent: 4, received: 4 },
  },
  {
    name: "one without an answer that did not arrive: it is not lost",
    sent: [0, 1, 2],
    arrivals: numbered(0, 1),
    want: { ...clean, sent: 3, received: 2, lost: 1 },
  },
];

describe("CanaryChecker", () => {
  test.each(cases)("counts $name", ({ sent = upTo(4), arrivals, want }) => {
    expect(checked(4, sent, arrivals).counts()).toMatchObject({ sent: 4, ...want });
  });

  test("names the first that are missing and the first that are wrong", () => {
    const arrivals = numbered(0, 2, 9).map((arrival) => ({ ...arrival, problem: "it is blue" }));
    const checker = checked(10, upTo(10), arrivals);
    expect(checker.missing()).toEqual([1, 3, 4, 5, 6]);
    expect(checker.problems).toEqual([
      "canary 0: it is blue",
      "canary 2: it is blue",
      "canary 9: it is blue",
    ]);
  });

  test("tells dead letters from losses, by their codes", () => {
    const checker = checked(5, [0, 1, 2, 3], numbered(0));
    expect(checker.deadLetter(1, "TOO_LARGE")).toBe(true);
    expect(checker.deadLetter(2, "TOO_LARGE")).toBe(true);
    expect(checker.deadLetter(2, "TOO_LARGE")).toBe(false);
    expect(checker.deadLetter(99, "TOO_LARGE")).toBe(false);
    expect(checker.counts()).toMatchObject({ sent: 4, received: 1, deadLettered: 2, lost: 1 });
    expect(checker.missing()).toEqual([3]);
    expect([...checker.deadLetterCodes]).toEqual([["TOO_LARGE", 2]]);
  });

  test("an arrival outweighs a dead letter, whichever comes first", () => {
    const checker = checked(2, [0, 1], numbered(0));
    checker.deadLetter(0, "TOO_LARGE");
    checker.deadLetter(1, "TOO_LARGE");
    checker.arrive({ number: 1, lane: "0", latencyMs: 1 });
    expect(checker.counts()).toMatchObject({ sent: 2, received: 2, deadLettered: 0, lost: 0 });
  });

  test("an arrival may come before the source's answer", () => {
    const checker = new CanaryChecker(1);
    checker.arrive({ number: 0, lane: "0", latencyMs: 1 });
    expect(checker.outstanding).toBe(0);
    checker.add(0);
    expect(checker.outstanding).toBe(0);
    expect(checker.counts()).toMatchObject({ ...clean, sent: 1, received: 1 });
  });

  test("counts losses and doubles exactly, in any order of arrival", () => {
    const history = fc.integer({ min: 1, max: 200 }).chain((count) =>
      fc.record({
        count: fc.constant(count),
        /** How often each canary arrives. */
        times: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: count, maxLength: count }),
        order: fc.infiniteStream(fc.nat()),
      }),
    );
    fc.assert(
      fc.property(history, ({ count, times, order }) => {
        const left = times.flatMap((n, number) => Array.from({ length: n }, () => number));
        const arrivals: number[] = [];
        for (const pick of order) {
          if (left.length === 0) break;
          arrivals.push(...left.splice(pick % left.length, 1));
        }
        const counts = checked(count, upTo(count), numbered(...arrivals)).counts();
        const came = times.filter((n) => n > 0).length;
        expect(counts).toMatchObject({
          sent: count,
          received: came,
          lost: count - came,
          duplicated: arrivals.length - came,
          reordered: outOfOrder(arrivals),
          wrong: 0,
        });
      }),
    );
  });
});

/** First arrivals with a larger number before them. */
function outOfOrder(arrivals: readonly number[]): number {
  const firsts = [...new Set(arrivals)];
  return firsts.filter((number, at) => firsts.slice(0, at).some((before) => before > number))
    .length;
}
