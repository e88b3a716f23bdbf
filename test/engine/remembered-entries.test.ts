import { describe, expect, test } from "vitest";
import type { LaneEntry } from "../../shared/engine/lane.ts";
import { RememberedEntries } from "../../shared/engine/remembered-entries.ts";
import { record } from "../support/memory-ports.ts";

const at = (topic: string, partition: number, offset: bigint): LaneEntry =>
  ({ record: record({ topic, partition, offset }) }) as LaneEntry;

describe("RememberedEntries", () => {
  const entries = [at("a", 0, 1n), at("a", 1, 1n), at("b", 0, 1n), at("a", 0, 2n)];

  function filled(): RememberedEntries {
    const remembered = new RememberedEntries();
    for (const entry of entries) remembered.set(entry);
    return remembered;
  }

  test("finds each by topic, partition and offset", () => {
    const remembered = filled();
    expect(entries.map((entry) => remembered.get(entry.record))).toEqual(entries);
    expect(remembered.get({ topic: "a", partition: 2, offset: 1n })).toBeUndefined();
    expect(remembered.size).toBe(4);
  });

  test("keeps the last of a place, and counts it once", () => {
    const remembered = filled();
    const newer = at("a", 1, 1n);
    remembered.set(newer);
    expect([remembered.get(newer.record), remembered.size]).toEqual([newer, 4]);
  });

  test("forgets one, and those that came first", () => {
    const remembered = filled();
    remembered.delete({ topic: "b", partition: 0, offset: 1n });
    remembered.delete({ topic: "b", partition: 0, offset: 1n });
    expect(remembered.size).toBe(3);
    remembered.keepAtMost(2);
    expect(entries.map((entry) => remembered.get(entry.record) !== undefined)).toEqual([
      false,
      true,
      false,
      true,
    ]);
  });
});
