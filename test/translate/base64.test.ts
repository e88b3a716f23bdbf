import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { base64FromBytes } from "../../shared/translate/base64.ts";
import { utf8 } from "../support/translations.ts";

describe("base64FromBytes()", () => {
  // RFC 4648, section 10
  test.each([
    ["", ""],
    ["f", "Zg=="],
    ["fo", "Zm8="],
    ["foo", "Zm9v"],
    ["foob", "Zm9vYg=="],
    ["fooba", "Zm9vYmE="],
    ["foobar", "Zm9vYmFy"],
  ])("writes %j as %j", (text, encoded) => {
    expect(base64FromBytes(utf8(text))).toBe(encoded);
  });

  test("agrees with the runtime's encoder on any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(base64FromBytes(bytes)).toBe(Buffer.from(bytes).toString("base64"));
      }),
    );
  });
});
