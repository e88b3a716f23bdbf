import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type CanaryMark,
  canaryMark,
  canaryPublish,
  canaryRecord,
} from "../../shared/verify/canary.ts";

const mark: CanaryMark = { run: "0123abcd", number: 42, sentAt: 1_700_000_000_000.125 };
const form = { topic: "t", size: 256, keyProperties: [] };
const bytes = (text: string): Uint8Array => Buffer.from(text);
const text = (value: Uint8Array | null): string => Buffer.from(value ?? []).toString();

describe("a canary", () => {
  test("has its mark in the payload, as JSON of the size asked for, and in a header", () => {
    const { value, headers, key, partitioning } = canaryRecord(mark, 3, form);
    expect(value).toHaveLength(256);
    expect(JSON.parse(text(value))).toMatchObject({
      "isthmus-canary": "0123abcd 42 1700000000000.125",
    });
    expect(headers.map(([name, held]) => [name, text(held)])).toEqual([
      ["isthmus-canary", "0123abcd 42 1700000000000.125"],
      ["isthmus-check", "first"],
      ["isthmus-check", "größer als ∅"],
    ]);
    expect(text(key)).toBe("isthmus-canary-3");
    expect(partitioning).toEqual({ by: "partition", partition: 3 });
  });

  test("is as long as its mark when less is asked for", () => {
    const { payload } = canaryPublish(mark, { ...form, size: 1 });
    expect(text(payload)).toBe('{"isthmus-canary":"0123abcd 42 1700000000000.125"}');
  });

  test("carries the properties that a route takes its key from (S-13)", () => {
    const { properties } = canaryPublish(mark, { ...form, keyProperties: ["device-id"] });
    expect(properties.userProperties).toContainEqual(["device-id", "isthmus-canary"]);
  });

  test("is known again by its payload, or by its header alone", () => {
    const marks = fc.record({
      run: fc.stringMatching(/^[0-9a-f]{8}$/),
      number: fc.nat({ max: 100_000_000 }),
      sentAt: fc.nat({ max: 2_000_000_000 }).map((n) => n * 1000 + 0.5),
    });
    fc.assert(
      fc.property(marks, fc.nat({ max: 500 }), (some, size) => {
        const record = canaryRecord(some, 0, { ...form, size });
        const publish = canaryPublish(some, { ...form, size });
        expect(canaryMark(record.value, [])).toEqual(some);
        expect(canaryMark(bytes("spoilt"), record.headers)).toEqual(some);
        expect(canaryMark(null, publish.properties.userProperties)).toEqual(some);
      }),
    );
  });

  test.each([
    { name: "nothing", payload: null, headers: [] },
    { name: "other JSON", payload: bytes('{"temperature":21}'), headers: [] },
    {
      name: "a mark that goes on",
      payload: bytes('{"isthmus-canary":"0123abcd 42 1.000 x"}'),
      headers: [],
    },
    { name: "a header without value", payload: null, headers: [["isthmus-canary", null] as const] },
    {
      name: "a long header",
      payload: null,
      headers: [["isthmus-canary", "0".repeat(1000)] as const],
    },
  ])("is not $name", ({ payload, headers }) => {
    expect(canaryMark(payload, headers)).toBeUndefined();
  });

  test("is not made of any bytes, and no bytes make it throw", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (payload) => {
        expect(canaryMark(payload, [["isthmus-canary", payload]])).toBeUndefined();
      }),
    );
  });
});
