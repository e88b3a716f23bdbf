import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { amqpValue } from "../../shared/translate/amqp-value.ts";
import { utf8 } from "../support/translations.ts";

/** Bytes from hexadecimal digits, blanks allowed; `"text"` stands for its UTF-8. */
function wire(text: string): Uint8Array {
  const parts = text.match(/"[^"]*"|[0-9a-f]{2}/gi) ?? [];
  return Uint8Array.from(
    parts.flatMap((part) =>
      part.startsWith('"') ? [...utf8(part.slice(1, -1))] : [Number.parseInt(part, 16)],
    ),
  );
}

/** Every constructor of AMQP 1.0, part 1, 1.6, with its limits. */
const values: [name: string, encoded: string, text: string][] = [
  ["null", "40", ""],
  ["boolean true", "41", "true"],
  ["boolean false", "42", "false"],
  ["boolean of one byte", "56 01", "true"],
  ["boolean of one byte", "56 00", "false"],
  ["ubyte", "50 ff", "255"],
  ["ushort", "60 ffff", "65535"],
  ["uint", "70 ffffffff", "4294967295"],
  ["smalluint", "52 ff", "255"],
  ["uint0", "43", "0"],
  ["ulong", "80 ffffffffffffffff", "18446744073709551615"],
  ["smallulong", "53 ff", "255"],
  ["ulong0", "44", "0"],
  ["byte", "51 80", "-128"],
  ["short", "61 8000", "-32768"],
  ["int", "71 80000000", "-2147483648"],
  ["smallint", "54 ff", "-1"],
  ["long", "81 8000000000000000", "-9223372036854775808"],
  ["long", "81 0000000000000007", "7"],
  ["smalllong", "55 80", "-128"],
  ["float", "72 413e6666", "11.9"],
  ["float", "72 3f800000", "1"],
  ["float", "72 40490fdb", "3.1415927"],
  ["float", "72 3e4ccccd", "0.2"],
  ["float", "72 4b7fffff", "16777215"],
  ["float, the smallest", "72 00000001", "1e-45"],
  ["float, the largest", "72 7f7fffff", "3.4028235e+38"],
  ["float of eight digits", "72 4c000001", "33554436"],
  ["float of seven digits", "72 3d800001", "0.06250001"],
  ["float of eight digits", "72 43000001", "128.00002"],
  ["float infinity", "72 ff800000", "-Infinity"],
  ["float NaN", "72 7fc00000", "NaN"],
  ["double", "82 4027cccccccccccd", "11.9"],
  ["double", "82 c000000000000000", "-2"],
  ["decimal32", "74 32000077", "11.9"],
  ["decimal64", "84 31a0000000000077", "11.9"],
  ["decimal128", "94 303e0000000000000000000000000077", "11.9"],
  ["char", "73 00000041", "A"],
  ["char", "73 0001f600", "\u{1f600}"],
  ["char", "73 0010ffff", "\u{10ffff}"],
  ["char", "73 0000d7ff", "\ud7ff"],
  ["char", "73 0000e000", "\ue000"],
  ["char", "73 00000001", "\x01"],
  ["timestamp", "83 0000000000000000", "1970-01-01T00:00:00.000Z"],
  ["timestamp", "83 ffffffffffffffff", "1969-12-31T23:59:59.999Z"],
  ["timestamp", "83 000001a1fd1e8c00", "2026-11-21T08:00:00.000Z"],
  ["uuid", "98 00112233445566778899aabbccddeeff", "00112233-4455-6677-8899-aabbccddeeff"],
  ["binary that is text", 'a0 03 "bar"', "bar"],
  ["binary that is text, long form", 'b0 00000003 "bar"', "bar"],
  ["binary that is empty", "a0 00", ""],
  ["string", 'a1 03 "bar"', "bar"],
  ["string, long form", 'b1 00000003 "bar"', "bar"],
  ["string that is empty", "a1 00", ""],
  ["string of any letters", 'a1 06 "\u00fc\u{1f600}"', "\u00fc\u{1f600}"],
  ["symbol", 'a3 03 "bar"', "bar"],
  ["symbol, long form", 'b3 00000003 "bar"', "bar"],
];

describe("amqpValue()", () => {
  test.each(values)("reads %s %s as %j (S-22)", (_, encoded, text) => {
    const given = wire(encoded);
    expect(amqpValue(given, true)).toBe(text);
    const isAmbiguous = (given[0] ?? 0) < 0x80;
    expect(amqpValue(given, false)).toBe(isAmbiguous ? undefined : text);
  });

  test("reads from the middle of a larger buffer (S-22)", () => {
    const whole = wire('ffffff 83 0000000000000000 a1 03 "bar" ff');
    expect(amqpValue(whole.subarray(3, 12), false)).toBe("1970-01-01T00:00:00.000Z");
    expect(amqpValue(whole.subarray(12, 17), false)).toBe("bar");
  });

  test.each([
    ["a0 02 ff00", "ff00"],
    ["b0 00000001 80", "80"],
    ['a0 03 "a" 00 "b"', '"a" 00 "b"'],
  ])("hands out the bytes of the binary %s that is no text (S-22)", (encoded, content) => {
    expect(amqpValue(wire(encoded), false)).toEqual(wire(content));
  });

  test.each([
    ["nothing at all", ""],
    ["a byte too many", 'a1 03 "barx"'],
    ["a byte too few", 'a1 03 "ba"'],
    ["no length", "a1"],
    ["half of a length", "b1 0000"],
    ["a long length that is wrong", 'b1 01000003 "bar"'],
    ["a fixed width too long", "80 000000000000000000"],
    ["a fixed width too short", "98 00112233445566778899aabbccddee"],
    ["a constant with more behind it", "41 00"],
    ["a string that is no UTF-8", "a1 01 ff"],
    ["a string with U+0000", 'a1 03 "a" 00 "b"'],
    ["a string that is no UTF-8, long form", "b1 00000001 ff"],
    ["a symbol that is no UTF-8", "a3 01 ff"],
    ["a symbol that is no UTF-8, long form", "b3 00000001 ff"],
    ["a boolean that is neither", "56 02"],
    ["U+0000 as a char", "73 00000000"],
    ["the first surrogate as a char", "73 0000d800"],
    ["the last surrogate as a char", "73 0000dfff"],
    ["a char beyond Unicode", "73 00110000"],
    ["a time before the year 0", "83 ffffc77564d5abff"],
    ["a time after the year 9999", "83 7fffffffffffffff"],
    ["a list", "c0 02 01 40"],
    ["an empty list", "45"],
    ["a map", "c1 01 00"],
    ["an array", "e0 02 00 40"],
    ["a described value", 'a3 00 a3 01 "x"'],
    ["a constructor that AMQP does not have", "ff"],
    ["text", '"bar"'],
  ])("refuses %s (S-22)", (_, encoded) => {
    expect(amqpValue(wire(encoded), true)).toBeUndefined();
    expect(amqpValue(wire(encoded), false)).toBeUndefined();
  });

  test("never takes UTF-8 text for AMQP unless told that all is AMQP (S-22)", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(amqpValue(utf8(text), false)).toBeUndefined();
      }),
    );
  });

  test("is total over any bytes (S-22)", () => {
    const codes = fc.constantFrom(
      ...values.map(([, encoded]) => Number.parseInt(encoded.slice(0, 2), 16)),
    );
    const likely = fc
      .tuple(codes, fc.uint8Array({ maxLength: 18 }))
      .map(([code, rest]) => Uint8Array.from([code, ...rest]));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), likely), fc.boolean(), (given, always) => {
        const value = amqpValue(given, always);
        expect(["undefined", "string", "object"]).toContain(typeof value);
      }),
      { numRuns: 1000 },
    );
  });

  test("reads every float back to the same bits from the fewest digits (S-22)", () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true }), (float) => {
        const view = new DataView(new ArrayBuffer(5));
        view.setUint8(0, 0x72);
        view.setFloat32(1, float);
        const text = String(amqpValue(new Uint8Array(view.buffer), true));
        expect(Math.fround(Number(text))).toBe(float === 0 ? 0 : float);
        const digits = text
          .replace(/e.*$/, "")
          .replace(/\D/g, "")
          .replace(/^0+|0+$/g, "").length;
        expect(digits).toBeLessThanOrEqual(9);
        if (digits > 1) {
          const shorter = Number(float.toPrecision(digits - 1));
          expect(Math.fround(shorter)).not.toBe(float);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
