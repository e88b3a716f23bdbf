import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { replayedPublish, replayedRecord } from "../../shared/translate/mark-replayed.ts";
import {
  type OffsetRange,
  OffsetSet,
  REPLAYED,
  readReplayMark,
  replayMarks,
} from "../../shared/translate/replay-mark.ts";
import { publishOf } from "../support/publishes.ts";
import { headersOf, recordOf, textsOf } from "../support/translations.ts";

const offsets = fc.uniqueArray(
  fc.oneof(fc.bigInt({ min: 0n, max: 40n }), fc.bigInt({ min: 0n, max: 2n ** 63n - 1n })),
  { maxLength: 60 },
);

function read(text: string): readonly OffsetRange[] | undefined {
  return readReplayMark(recordOf({ headers: headersOf([REPLAYED, text]) }));
}

describe("replayMarks()", () => {
  test("names offsets in ranges, in the partition of the letters (S-54)", () => {
    const [mark, ...others] = replayMarks("dead", 2, [7n, 5n, 6n, 12n, 5n, 9_007_199_254_740_993n]);
    expect(others).toEqual([]);
    expect(mark).toMatchObject({
      topic: "dead",
      value: null,
      partitioning: { by: "partition", partition: 2 },
    });
    expect(textsOf(mark?.headers ?? [])).toEqual([["isthmus-replayed", "5-7,12,9007199254740993"]]);
  });

  test("makes several of very many, so that none is larger than a header may be", () => {
    const every3rd = Array.from({ length: 2500 }, (_, i) => 10n ** 18n + BigInt(i * 3));
    const marks = replayMarks("dead", 0, every3rd);
    expect(marks).toHaveLength(3);
    for (const { headers } of marks) expect(headers[0]?.[1]?.length).toBeLessThan(65_536);
  });

  test("are read back as the offsets that they were made of, and no others", () => {
    fc.assert(
      fc.property(offsets, offsets, (marked, others) => {
        const set = new OffsetSet();
        for (const { headers } of replayMarks("dead", 0, marked)) {
          set.add(readReplayMark(recordOf({ headers, value: null })) ?? []);
        }
        for (const offset of marked) expect(set.has(offset)).toBe(true);
        for (const offset of others) expect(set.has(offset)).toBe(marked.includes(offset));
      }),
    );
  });
});

describe("readReplayMark()", () => {
  test.each<[string, OffsetRange[]]>([
    ["5", [{ first: 5n, last: 5n }]],
    [
      "5-9,12",
      [
        { first: 5n, last: 9n },
        { first: 12n, last: 12n },
      ],
    ],
    ["", []],
    ["5-,x,-7,1e3,8", [{ first: 8n, last: 8n }]],
    ["12345678901234567890", []],
  ])("reads %j", (text, ranges) => {
    expect(read(text)).toEqual(ranges);
  });

  test("reads a mark that went to Event Hubs by AMQP", () => {
    const headers = headersOf([REPLAYED, Buffer.from("\xa1\x015", "latin1")]);
    expect(readReplayMark(recordOf({ headers }))).toEqual([{ first: 5n, last: 5n }]);
  });

  test.each([
    ["a record without the header", recordOf()],
    ["one whose header is null", recordOf({ headers: [[REPLAYED, null]] })],
    [
      "a letter whose message had a header of that name",
      recordOf({ headers: headersOf(["isthmus-escaped-isthmus-replayed", "0-99"]) }),
    ],
  ])("takes %s for no mark (S-54)", (_name, record) => {
    expect(readReplayMark(record)).toBeUndefined();
  });
});

describe("OffsetSet", () => {
  test("finds offsets in ranges that overlap, touch, and come in any order", () => {
    const set = new OffsetSet();
    expect(set.has(0n)).toBe(false);
    set.add([
      { first: 10n, last: 20n },
      { first: 0n, last: 3n },
    ]);
    set.add([
      { first: 4n, last: 4n },
      { first: 15n, last: 30n },
      { first: 11n, last: 12n },
      { first: 40n, last: 39n },
    ]);
    const inside = Array.from({ length: 45 }, (_, i) => i).filter((i) => set.has(BigInt(i)));
    expect([inside[0], inside[4], inside[5], inside.at(-1), inside.length]).toEqual([
      0, 4, 10, 30, 26,
    ]);
  });
});

describe("the mark on a message that was sent again", () => {
  const rejected = { kind: "rejected", code: "TOPIC_NAME_INVALID", reason: "why" } as const;

  test("is the last User Property, and leaves the translation's own list as it is", () => {
    const message = publishOf({ properties: { userProperties: [["a", "1"]] } });
    const marked = replayedPublish({ kind: "translated", message, removed: [] }, 2);
    expect(marked).toMatchObject({
      message: {
        properties: {
          userProperties: [
            ["a", "1"],
            ["isthmus-replayed", "2"],
          ],
        },
      },
    });
    expect(message.properties.userProperties).toEqual([["a", "1"]]);
    expect(replayedPublish(rejected, 2)).toBe(rejected);
  });

  test("is the last header", () => {
    const message = {
      ...{ topic: "t", key: null, value: null, partitioning: { by: "roundRobin" } as const },
      headers: headersOf(["a", "1"]),
    };
    const marked = replayedRecord({ kind: "translated", message, removed: [] }, 3);
    expect(marked).toMatchObject({
      message: { headers: headersOf(["a", "1"], ["isthmus-replayed", "3"]) },
    });
    expect(replayedRecord(rejected, 3)).toBe(rejected);
  });
});
