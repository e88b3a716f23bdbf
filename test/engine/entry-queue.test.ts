import { describe, expect, test } from "vitest";
import { EntryQueue } from "../../shared/engine/entry-queue.ts";
import type { LaneEntry } from "../../shared/engine/lane.ts";

const entry = (bytes: number): LaneEntry => ({ bytes }) as LaneEntry;

function filled(...sizes: number[]): EntryQueue {
  const queue = new EntryQueue();
  for (const bytes of sizes) queue.push(entry(bytes));
  return queue;
}

const taken = (queue: EntryQueue, count: number): (number | undefined)[] =>
  Array.from({ length: count }, () => {
    const { first } = queue;
    if (first !== undefined) queue.shift(first);
    return first?.bytes;
  });

describe("EntryQueue", () => {
  test("hands entries out in their order and knows their bytes", () => {
    const queue = filled(1, 2, 3);
    expect(queue.bytes).toBe(6);
    expect(taken(queue, 2)).toEqual([1, 2]);
    expect([queue.bytes, queue.isEmpty]).toEqual([3, false]);
    queue.push(entry(4));
    expect(taken(queue, 3)).toEqual([3, 4, undefined]);
    expect([queue.bytes, queue.isEmpty]).toEqual([0, true]);
  });

  test("keeps its order when it makes room", () => {
    const sizes = Array.from({ length: 10_000 }, (_, i) => i);
    const queue = filled(...sizes);
    expect(taken(queue, 6_000)).toEqual(sizes.slice(0, 6_000));
    queue.push(entry(10_000));
    expect(taken(queue, 4_001)).toEqual([...sizes.slice(6_000), 10_000]);
  });

  test("becomes what it is told, with what waited", () => {
    const queue = filled(1, 2, 3);
    taken(queue, 1);
    queue.become([entry(7), ...queue.waiting()]);
    expect(queue.bytes).toBe(12);
    expect(taken(queue, 3)).toEqual([7, 2, 3]);
  });
});
