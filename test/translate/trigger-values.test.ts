import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytesFromBase64 } from "../../shared/translate/trigger-base64.ts";
import { timeFromTrigger } from "../../shared/translate/trigger-time.ts";

const LAST = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

describe("timeFromTrigger()", () => {
  test("reads every time that JavaScript writes, whole seconds without a fraction as well", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: LAST }), (ms) => {
        const text = new Date(ms).toISOString();
        expect(timeFromTrigger(text)).toBe(ms);
        expect(timeFromTrigger(text.replace("Z", "")), "without a zone it is UTC").toBe(ms);
        expect(timeFromTrigger(text.replace(/\.\d{3}Z$/u, "Z"))).toBe(ms - (ms % 1000));
        expect(timeFromTrigger(text.replace("Z", "0000Z")), "seven digits").toBe(ms);
        expect(timeFromTrigger(text.replace("Z", "+01:30"))).toBe(ms - 5_400_000);
      }),
    );
  });

  test.each([
    "2026-13-01T00:00:00.000Z",
    "2026-00-01T00:00:00.000Z",
    "2026-02-29T00:00:00.000Z",
    "2026-01-00T00:00:00.000Z",
    "2026-01-01T24:00:00.000Z",
    "2026-01-01T00:60:00.000Z",
    "2026-01-01T00:00:60.000Z",
    "2026-01-01T00:00:00.00:Z",
    "2026-01-01T00:00:00/000Z",
    "2026_01-01T00:00:00.000Z",
  ])("takes %s for no time", (text) => {
    expect(timeFromTrigger(text)).toBeUndefined();
  });
});

describe("bytesFromBase64()", () => {
  test("reads what Buffer writes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
        expect(bytesFromBase64(Buffer.from(bytes).toString("base64"))).toEqual(bytes);
      }),
    );
  });

  test("takes only what Buffer would write again", () => {
    const letters = fc.constantFrom(..."AQgw09z+/=-_ é", "\\u00ff", "\\u{1f600}");
    fc.assert(
      fc.property(fc.string({ unit: letters, maxLength: 16 }), (text) => {
        const bytes = bytesFromBase64(text);
        const isCanonical = Buffer.from(text, "base64").toString("base64") === text;
        expect(bytes !== undefined).toBe(isCanonical);
      }),
      { numRuns: 2_000 },
    );
  });
});
