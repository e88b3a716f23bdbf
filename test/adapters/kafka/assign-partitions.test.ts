import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  assignPartitions,
  type Subscription,
} from "../../../shared/adapters/kafka/assign-partitions.ts";

type Members = Record<string, string[]>;
type Topics = Record<string, number[]>;

const subscriptions = (members: Members): Subscription[] =>
  Object.entries(members).map(([memberId, topics]) => ({ memberId, topics }));

const assigned = (members: Members, topics: Topics): Record<string, Record<string, number[]>> =>
  Object.fromEntries(
    [...assignPartitions(subscriptions(members), new Map(Object.entries(topics)))].map(
      ([memberId, assignment]) => [memberId, { ...assignment }],
    ),
  );

describe("assignPartitions()", () => {
  const cases: { name: string; members: Members; topics: Topics; want: Record<string, Topics> }[] =
    [
      {
        name: "gives one member everything",
        members: { a: ["t"] },
        topics: { t: [0, 1, 2] },
        want: { a: { t: [0, 1, 2] } },
      },
      {
        name: "shares one topic out evenly",
        members: { a: ["t"], b: ["t"] },
        topics: { t: [0, 1, 2, 3] },
        want: { a: { t: [0, 2] }, b: { t: [1, 3] } },
      },
      {
        name: "gives no member a topic that it did not ask for [S-26]",
        members: { a: ["one"], b: ["two"] },
        topics: { one: [0, 1], two: [0, 1] },
        want: { a: { one: [0, 1] }, b: { two: [0, 1] } },
      },
      {
        name: "evens out what subscriptions make uneven",
        members: { a: ["t", "u"], b: ["t"] },
        topics: { t: [0, 1], u: [0, 1] },
        want: { a: { u: [0, 1] }, b: { t: [0, 1] } },
      },
      {
        name: "leaves members without a partition when there are too few",
        members: { a: ["t"], b: ["t"], c: ["t"] },
        topics: { t: [0, 1] },
        want: { a: { t: [0] }, b: { t: [1] }, c: {} },
      },
      {
        name: "passes over topics that are not there, and those that nobody reads",
        members: { a: ["t", "gone"] },
        topics: { t: [0], nobody: [0, 1] },
        want: { a: { t: [0] } },
      },
      {
        name: "takes names of object members for names",
        members: { a: ["__proto__", "constructor"] },
        topics: { constructor: [0] },
        want: { a: { constructor: [0] } },
      },
    ];

  test.each(cases)("$name", ({ members, topics, want }) => {
    expect(assigned(members, topics)).toEqual(want);
  });

  const memberSets = fc.uniqueArray(
    fc.record({
      memberId: fc.string({ minLength: 1, maxLength: 6 }),
      topics: fc.subarray(["t1", "t2", "t3", "t4"]),
    }),
    { minLength: 1, maxLength: 6, selector: ({ memberId }) => memberId },
  );
  const topicSets = fc.dictionary(fc.constantFrom("t1", "t2", "t3", "t4"), fc.nat(9));

  const partitionsOf = (counts: Record<string, number>): Map<string, number[]> =>
    new Map(
      Object.entries(counts).map(([topic, count]) => [
        topic,
        Array.from({ length: count }, (_, i) => i),
      ]),
    );

  test("gives every partition to exactly one of the members that asked for its topic", () => {
    fc.assert(
      fc.property(memberSets, topicSets, (members, counts) => {
        const result = assignPartitions(members, partitionsOf(counts));
        for (const [topic, count] of Object.entries(counts)) {
          const takers = members.filter(({ topics }) => topics.includes(topic));
          const given = members.flatMap(({ memberId, topics }) => {
            const mine = result.get(memberId)?.[topic] ?? [];
            expect(mine.length === 0 || topics.includes(topic)).toBe(true);
            return mine;
          });
          const all = Array.from({ length: takers.length === 0 ? 0 : count }, (_, i) => i);
          expect(given.toSorted((a, b) => a - b)).toEqual(all);
        }
      }),
    );
  });

  test("does not depend on the order in which members and topics come", () => {
    fc.assert(
      fc.property(memberSets, topicSets, (members, counts) => {
        const there = assignPartitions(members, partitionsOf(counts));
        const back = assignPartitions(
          members.toReversed(),
          new Map([...partitionsOf(counts)].toReversed()),
        );
        expect(back).toEqual(there);
      }),
    );
  });

  test("among equal subscriptions no member has two partitions more than another", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), topicSets, (count, counts) => {
        const members = Array.from({ length: count }, (_, i) => ({
          memberId: `m${i}`,
          topics: ["t1", "t2", "t3", "t4"],
        }));
        const loads = [...assignPartitions(members, partitionsOf(counts)).values()].map(
          (assignment) => Object.values(assignment).flat().length,
        );
        expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
      }),
    );
  });
});
