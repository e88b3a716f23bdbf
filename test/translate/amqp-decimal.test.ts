import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decimalText } from "../../shared/translate/amqp-decimal.ts";

function wire(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
}

/** IEEE 754-2008 3.5.2, coefficient as a binary integer. */
const cases: [width: 4 | 8 | 16, hex: string, text: string][] = [
  [4, "32800000", "0"],
  [4, "b2800000", "-0"],
  [4, "32800001", "1"],
  [4, "32800077", "119"],
  [4, "32000077", "11.9"],
  [4, "318004a6", "11.90"],
  [4, "b2000077", "-11.9"],
  [4, "33000005", "5E+1"],
  [4, "33000077", "1.19E+3"],
  [4, "2f800001", "0.000001"],
  [4, "2f000001", "1E-7"],
  [4, "2f00000c", "0.0000012"],
  [4, "00000001", "1E-101"],
  [4, "6cb8967f", "9999999"],
  // the last combination of the short form, the first of the long one
  [4, "5f800001", "1E+90"],
  [4, "60000000", "8.388608E-95"],
  [4, "77f8967f", "9.999999E+96"],
  [4, "6ca00000", "8388608"],
  // a coefficient of eight digits is not canonical: zero
  [4, "6cb89680", "0"],
  [4, "32fffffe", "8388606"],
  [4, "78000000", "Infinity"],
  [4, "f8000000", "-Infinity"],
  [4, "7c000000", "NaN"],
  [4, "fc000000", "NaN"],
  [8, "31c0000000000001", "1"],
  [8, "31a0000000000077", "11.9"],
  [8, "b1c0000000000001", "-1"],
  [8, "6c7386f26fc0ffff", "9999999999999999"],
  [8, "6c7386f26fc10000", "0"],
  [8, "0000000000000001", "1E-398"],
  [8, "7800000000000000", "Infinity"],
  [16, "30400000000000000000000000000001", "1"],
  [16, "303e0000000000000000000000000077", "11.9"],
  [16, "3041ed09bead87c0378d8e63ffffffff", "9999999999999999999999999999999999"],
  [16, "3041ed09bead87c0378d8e6400000000", "0"],
  [16, "6c100000000000000000000000000000", "0"],
  [16, "00000000000000000000000000000001", "1E-6176"],
  [16, "f8000000000000000000000000000000", "-Infinity"],
];

describe("decimalText()", () => {
  test.each(cases)("reads decimal of %d bytes %s as %s (S-22)", (width, hex, text) => {
    expect(decimalText(wire(hex), width)).toBe(text);
  });

  test("writes a text that is read as the same number for every decimal64 of 15 digits (S-22)", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 999_999_999_999_999n }),
        fc.integer({ min: -30, max: 30 }),
        fc.boolean(),
        (coefficient, exponent, negative) => {
          const bits =
            ((negative ? 1n : 0n) << 63n) | (BigInt(exponent + 398) << 53n) | coefficient;
          const view = new DataView(new ArrayBuffer(8));
          view.setBigUint64(0, bits);
          const text = decimalText(new Uint8Array(view.buffer), 8);
          expect(Number(text)).toBe(Number(`${negative ? "-" : ""}${coefficient}e${exponent}`));
        },
      ),
      { numRuns: 500 },
    );
  });
});
