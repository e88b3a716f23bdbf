import { describe, expect, test } from "vitest";
import { type Result, Tally } from "./tally.ts";

const lane = "lane";

function sent(count: number): Tally {
  const tally = new Tally();
  for (let index = 0; index < count; index++) tally.sending(index);
  return tally;
}

describe("Tally", () => {
  test.each([
    { name: "nothing when each comes once", arrivals: [0, 1, 2], want: {} },
    { name: "what is lost", arrivals: [0, 2], want: { lost: 1, wrong: ["message 1 never came"] } },
    { name: "what comes twice", arrivals: [0, 1, 0, 1, 2], want: { duplicates: 2 } },
    { name: "what comes after its successor", arrivals: [2, 0, 1], want: { reordered: 2 } },
  ] satisfies { name: string; arrivals: number[]; want: Partial<Result> }[])(
    "finds $name",
    async ({ arrivals, want }) => {
      const tally = sent(3);
      for (const index of arrivals) tally.add(index, lane, undefined);
      const whole = { sent: 3, lost: 0, duplicates: 0, reordered: 0, wrong: [] };
      expect(await tally.settled(1)).toEqual({ ...whole, ...want });
    },
  );

  test("keeps order in each lane by itself", () => {
    const tally = sent(3);
    tally.add(2, "a", undefined);
    tally.add(0, "b", undefined);
    tally.add(1, "b", undefined);
    expect(tally.result().reordered).toBe(0);
  });

  test("keeps what is wrong, and what was never sent", () => {
    const tally = sent(1);
    tally.add(0, lane, "key is missing");
    tally.add(7, lane, undefined);
    expect(tally.result().wrong).toEqual(["message 0: key is missing", "message 7 was never sent"]);
  });
});
