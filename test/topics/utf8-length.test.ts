import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { utf8Length } from "../../shared/topics/utf8-length.ts";

const cases: { text: string; bytes: number | undefined; why: string }[] = [
  { text: "", bytes: 0, why: "nothing" },
  { text: "\x01\x7f", bytes: 2, why: "one byte up to U+007F" },
  { text: "\x80\u07ff", bytes: 4, why: "two bytes up to U+07FF" },
  { text: "\u0800\ud7ff\ue000\uffff", bytes: 12, why: "three bytes, surrogates aside" },
  { text: "\ud800\udc00\udbff\udfff", bytes: 8, why: "four bytes for a pair of surrogates" },
  { text: "a\u{1f600}b", bytes: 6, why: "a pair among ASCII" },
  { text: "a\0b", bytes: undefined, why: "U+0000 [MQTT-1.5.4-2]" },
  { text: "a\ud800", bytes: undefined, why: "a high surrogate at the end [MQTT-1.5.4-1]" },
  { text: "\ud800a", bytes: undefined, why: "a high surrogate before a letter [MQTT-1.5.4-1]" },
  { text: "\ud800\udbff", bytes: undefined, why: "two high surrogates [MQTT-1.5.4-1]" },
  { text: "\udbff\ue000", bytes: undefined, why: "a high surrogate before U+E000 [MQTT-1.5.4-1]" },
  { text: "\udc00", bytes: undefined, why: "a low surrogate alone [MQTT-1.5.4-1]" },
  { text: "\udfff", bytes: undefined, why: "the last low surrogate alone [MQTT-1.5.4-1]" },
  { text: "\udc00\udc00", bytes: undefined, why: "the first low surrogate twice [MQTT-1.5.4-1]" },
  { text: "\udfff\udc00", bytes: undefined, why: "two low surrogates [MQTT-1.5.4-1]" },
];

describe("utf8Length()", () => {
  test.each(cases)("measures $why: $bytes", ({ text, bytes }) => {
    expect(utf8Length(text)).toBe(bytes);
  });

  test("agrees with the encoder on every text that MQTT allows", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const expected = text.includes("\0") ? undefined : new TextEncoder().encode(text).length;
        expect(utf8Length(text)).toBe(expected);
      }),
    );
  });
});
