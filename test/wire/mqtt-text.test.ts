import { describe, expect, test } from "vitest";
import { isDiscouraged, TextReader, textLength, writeText } from "../../shared/wire/mqtt-text.ts";

/** Short and long ones, for each has its own way; and letters at the edges of one, two, three and four bytes. */
const texts = [
  "",
  "a",
  "\x01\x7f",
  "\x80",
  "a\x80",
  "\u07ff\u0800",
  "\ufeffa",
  "a\ufffdb",
  "\u{1f600}",
  ...["a", "\x7f", "\x80"].flatMap((end) =>
    [39, 40, 41, 63, 64, 65, 255, 256].map((length) => `${"x".repeat(length - 1)}${end}`),
  ),
  "x".repeat(65_535),
  "\u00fc".repeat(32_767),
];

describe("MQTT UTF-8 Encoded Strings", () => {
  test.each(texts)("%.12j has the length and the bytes that the encoder gives it", (text) => {
    const bytes = Buffer.from(text);
    expect(textLength(text)).toBe(bytes.length);
    const target = Buffer.alloc(bytes.length + 5, 0xee);
    expect(writeText(target, 1, text)).toBe(bytes.length + 3);
    const length = [bytes.length >>> 8, bytes.length & 255];
    expect(target.equals(Buffer.from([0xee, ...length, ...bytes, 0xee, 0xee]))).toBe(true);
  });

  test("are read again as they were, by one reader and in any order", () => {
    const reader = new TextReader();
    for (const text of [...texts, ...[...texts].reverse()]) {
      const bytes = Buffer.from(`<${text}>`);
      expect(reader.read(bytes, 1, bytes.length - 1)).toBe(text);
    }
  });

  test("that share a place in the reader's table are told apart", () => {
    const reader = new TextReader();
    for (let round = 0; round < 2; round += 1) {
      for (let i = 0; i < 5000; i += 1) {
        const bytes = Buffer.from(`t${i}`);
        expect(reader.read(bytes, 0, bytes.length)).toBe(`t${i}`);
      }
    }
  });

  test.each(["\0", "a\0", `${"x".repeat(50)}\0`, "x".repeat(65_536), "\u00fc".repeat(32_768)])(
    "%.12j has no length: U+0000 or more than 65,535 bytes [MQTT-1.5.4-2]",
    (text) => {
      expect(textLength(text)).toBe(-1);
    },
  );

  test.each([
    ["U+0000 [MQTT-1.5.4-2]", [0x61, 0]],
    ["U+0000 behind letters of two bytes [MQTT-1.5.4-2]", [0xc3, 0xbc, 0]],
    ["a byte that begins nothing [MQTT-1.5.4-1]", [0x61, 0x80]],
    ["half of a surrogate pair [MQTT-1.5.4-1]", [0xed, 0xa0, 0x80]],
    ["U+0000 in a long text [MQTT-1.5.4-2]", [...Buffer.alloc(80, "x"), 0]],
    ["a byte that begins nothing in a long text [MQTT-1.5.4-1]", [...Buffer.alloc(80, "x"), 0xff]],
  ])("are not read with %s", (_, bytes) => {
    expect(new TextReader().read(Buffer.from(bytes), 0, bytes.length)).toBeUndefined();
  });

  test.each([
    "\t",
    "a\nb",
    "\u007f",
    "\u0085",
    "\u009f",
    "\ufdd0",
    "\uffff",
    "\u{1fffe}",
    "\u{10ffff}",
  ])("%j is legal, and reason enough for a server to close the connection [MQTT-1.5.4]", (text) => {
    expect(textLength(text)).toBe(Buffer.byteLength(text));
    expect(isDiscouraged(text)).toBe(true);
  });

  test.each(["", " ", "plain", "Zürich–北京 🏭", "\u00a0", "\ufffd", "\u202e"])(
    "%j is not",
    (text) => {
      expect(isDiscouraged(text)).toBe(false);
    },
  );
});
