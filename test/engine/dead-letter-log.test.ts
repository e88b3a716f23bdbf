import { describe, expect, test } from "vitest";
import {
  isSelected,
  type LetterSelection,
  type StoredLetter,
  storedLetters,
} from "../../shared/engine/dead-letter-log.ts";
import { deadLetterOfRecord } from "../../shared/translate/dead-letter.ts";
import { replayMarks } from "../../shared/translate/replay-mark.ts";
import { record } from "../support/memory-ports.ts";
import { MemoryTopic } from "../support/memory-topic.ts";

const WHY = { code: "TOPIC_NAME_INVALID", reason: "why", route: "a", time: 1000, attempt: 1 };

/** A topic of two partitions with a letter for each of these times, in turn. */
function topicOf(...times: readonly number[]): MemoryTopic {
  const topic = new MemoryTopic("dead", 2);
  for (const [i, time] of times.entries()) {
    const original = record({ offset: BigInt(i) });
    topic.append([deadLetterOfRecord(original, "dead", { ...WHY, time })]);
  }
  return topic;
}

async function lettersIn(topic: MemoryTopic): Promise<StoredLetter[]> {
  const letters: StoredLetter[] = [];
  for await (const letter of storedLetters(topic, await topic.ranges("dead"))) letters.push(letter);
  return letters;
}

const timesOf = (letters: readonly StoredLetter[]) => letters.map((s) => s.letter.why.time);

describe("storedLetters()", () => {
  test("come the oldest first over all partitions, and in their order within each", async () => {
    const topic = topicOf(10, 30, 20, 31, 40, 32, 41);
    expect(timesOf(await lettersIn(topic))).toEqual([10, 20, 30, 31, 32, 40, 41]);
    const many = Array.from({ length: 100 }, (_, i) => i);
    expect(timesOf(await lettersIn(topicOf(...many)))).toEqual(many);
  });

  test("are marked by what lies behind them, in their own partition alone (S-54)", async () => {
    const topic = topicOf(1, 2, 3, 4, 5, 6);
    topic.append(replayMarks("dead", 1, [0n, 2n]));
    const letters = await lettersIn(topic);
    expect(timesOf(letters.filter(({ replayed }) => replayed))).toEqual([2, 6]);
    expect(letters).toHaveLength(6);
  });

  test("leave out what is no dead letter", async () => {
    const topic = topicOf(1);
    topic.append([
      { ...record(), topic: "dead", partitioning: { by: "roundRobin" } },
      ...replayMarks("dead", 0, [9n]),
    ]);
    expect(await lettersIn(topic)).toHaveLength(1);
  });

  test("are read no farther than the ranges go", async () => {
    const topic = topicOf(1, 2);
    const ranges = await topic.ranges("dead");
    topic.append(
      topicOf(3, 4)
        .partitions.flat()
        .map((r) => ({ ...r, partitioning: { by: "roundRobin" } as const })),
    );
    const letters: StoredLetter[] = [];
    for await (const letter of storedLetters(topic, ranges)) letters.push(letter);
    expect(timesOf(letters)).toEqual([1, 2]);
  });

  test("close what they read from when nobody wants more", async () => {
    const topic = topicOf(...Array.from({ length: 50 }, (_, i) => i));
    for await (const letter of storedLetters(topic, await topic.ranges("dead"))) {
      if (letter.letter.why.time === 3) break;
    }
    expect(topic.open).toBe(0);
  });

  test("are none in a topic that is not there", async () => {
    const topic = new MemoryTopic("other", 1);
    expect(await lettersIn(topic)).toEqual([]);
  });
});

describe("isSelected()", () => {
  const stored = async (replayed = false): Promise<StoredLetter> => ({
    ...((await lettersIn(topicOf(1000)))[0] as StoredLetter),
    replayed,
  });
  test.each<[LetterSelection, boolean]>([
    [{}, true],
    [{ route: "a" }, true],
    [{ route: "b" }, false],
    [{ reason: "TOPIC_NAME_INVALID" }, true],
    [{ reason: "OTHER" }, false],
    [{ since: 1000 }, true],
    [{ since: 1001 }, false],
    [{ until: 1001 }, true],
    [{ until: 1000 }, false],
    [{ route: "a", reason: "OTHER" }, false],
  ])("of a letter of route a at 1000 for %j: %s", async (selection, expected) => {
    expect(isSelected(await stored(), selection)).toBe(expected);
  });

  test("leaves out what was sent again, unless it is to be sent again", async () => {
    expect(isSelected(await stored(true), {})).toBe(false);
    expect(isSelected(await stored(true), { again: true })).toBe(true);
  });
});
