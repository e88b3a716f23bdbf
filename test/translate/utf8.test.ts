import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { textFromUtf8, utf8FromText } from "../../shared/translate/utf8.ts";
import { bytes, utf8 } from "../support/translations.ts";

describe("textFromUtf8()", () => {
  test.each([
    ["nothing", bytes(), ""],
    ["ASCII", utf8("bar"), "bar"],
    ["a byte order mark", bytes(0xef, 0xbb, 0xbf, 0x61), "\uFEFFa"],
    ["U+FFFD that was sent as such", utf8("a\uFFFDb"), "a\uFFFDb"],
    ["four bytes", utf8("\u{1f600}"), "\u{1f600}"],
  ])("reads %s (S-21)", (_, given, text) => {
    expect(textFromUtf8(given)).toBe(text);
  });

  test.each([
    ["U+0000 [MQTT-1.5.4-2]", utf8("a\0b")],
    ["a byte that begins nothing", bytes(0x61, 0xff)],
    ["a sequence cut short", bytes(0xc3)],
    ["an overlong form", bytes(0xc0, 0x80)],
    ["half of a surrogate pair", bytes(0xed, 0xa0, 0x80)],
    ["U+FFFD beside a byte that begins nothing", bytes(0xef, 0xbf, 0xbd, 0xff)],
    ["more than U+10FFFF", bytes(0xf4, 0x90, 0x80, 0x80)],
    ["three bytes that are replaced by one U+FFFD of three", bytes(0xf0, 0x9f, 0x98)],
  ])("refuses %s (S-21)", (_, given) => {
    expect(textFromUtf8(given)).toBeUndefined();
  });

  test("agrees with a strict decoder on any bytes", () => {
    const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    const expected = (given: Uint8Array): string | undefined => {
      try {
        const text = strict.decode(given);
        return text.includes("\0") ? undefined : text;
      } catch {
        return undefined;
      }
    };
    const nearText = fc
      .tuple(fc.string({ unit: "binary" }), fc.uint8Array({ maxLength: 2 }))
      .map(([text, tail]) => Uint8Array.from([...utf8(text), ...tail]));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), nearText), (given) => {
        expect(textFromUtf8(given)).toBe(expected(given));
      }),
      { numRuns: 500 },
    );
  });
});

describe("utf8FromText()", () => {
  test("agrees with the encoder on any text, also one with half of a surrogate pair", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: "binary" })), (text) => {
        expect(utf8FromText(text)).toEqual(utf8(text));
      }),
    );
    expect(utf8FromText("a\ud800")).toEqual(utf8("a\uFFFD"));
  });
});
