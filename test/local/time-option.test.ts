import { describe, expect, test } from "vitest";
import type { Arguments } from "../../local/command.ts";
import { timeOption } from "../../local/time-option.ts";

const NOW = Date.parse("2026-11-21T08:30:00Z");
const given = (text: string | undefined): Arguments => ({
  action: undefined,
  operands: [],
  flag: () => text !== undefined,
  value: () => text,
  values: () => (text === undefined ? [] : [text]),
});

describe("timeOption()", () => {
  test.each([
    ["2026-11-21T08:00:00Z", "2026-11-21T08:00:00Z"],
    ["2026-11-21T08:00:00.250+02:00", "2026-11-21T06:00:00.250Z"],
    ["2026-11-21", "2026-11-21T00:00:00Z"],
    ["90s", "2026-11-21T08:28:30Z"],
    ["30m", "2026-11-21T08:00:00Z"],
    ["2h", "2026-11-21T06:30:00Z"],
    ["7d", "2026-11-14T08:30:00Z"],
  ])("%s is %s", (text, expected) => {
    expect(timeOption(given(text), "since", NOW)).toBe(Date.parse(expected));
  });

  test("is undefined when it was not given", () => {
    expect(timeOption(given(undefined), "since", NOW)).toBeUndefined();
  });

  test.each(["", "yesterday", "2h ago", "2026-13-01", "1700000000", "-2h"])(
    "refuses %j",
    (text) => {
      expect(() => timeOption(given(text), "since", NOW)).toThrow(/^Option --since must be a time/);
    },
  );
});
