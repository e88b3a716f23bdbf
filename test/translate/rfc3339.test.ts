import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { rfc3339 } from "../../shared/translate/rfc3339.ts";

const EARLIEST = -62_167_219_200_000;
const LATEST = 253_402_300_799_999;

describe("rfc3339()", () => {
  test.each([
    [0, "1970-01-01T00:00:00.000Z"],
    [-1, "1969-12-31T23:59:59.999Z"],
    [951_827_696_789, "2000-02-29T12:34:56.789Z"],
    [4_107_542_399_999, "2100-02-28T23:59:59.999Z"],
    [1_709_251_199_000, "2024-02-29T23:59:59.000Z"],
    [EARLIEST, "0000-01-01T00:00:00.000Z"],
    [LATEST, "9999-12-31T23:59:59.999Z"],
    [1.9, "1970-01-01T00:00:00.001Z"],
  ])("writes %d as %s", (milliseconds, text) => {
    expect(rfc3339(milliseconds)).toBe(text);
  });

  test.each([EARLIEST - 1, LATEST + 1, Number.NaN, Number.POSITIVE_INFINITY])(
    "has no text for %d: RFC 3339 knows the years 0000 to 9999",
    (milliseconds) => {
      expect(rfc3339(milliseconds)).toBeUndefined();
    },
  );

  test("agrees with the calendar of the language on every time it can write", () => {
    fc.assert(
      fc.property(fc.integer({ min: EARLIEST, max: LATEST }), (milliseconds) => {
        expect(rfc3339(milliseconds)).toBe(new Date(milliseconds).toISOString());
      }),
      { numRuns: 2000 },
    );
  });

  test("agrees with the calendar of the language on each day of 400 years", () => {
    for (let day = 0; day < 146_097; day += 1) {
      const milliseconds = day * 86_400_000;
      const expected = new Date(milliseconds).toISOString();
      if (rfc3339(milliseconds) !== expected) expect(rfc3339(milliseconds)).toBe(expected);
    }
  });
});
