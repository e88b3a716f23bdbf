/** Widths in bits of an IEEE 754-2008 decimal in Binary Integer Decimal encoding, which AMQP 1.0 uses (1.6.12 to 1.6.14). */
interface DecimalFormat {
  readonly total: number;
  readonly exponent: number;
  readonly bias: number;
  readonly digits: number;
}

const FORMATS: Readonly<Record<4 | 8 | 16, DecimalFormat>> = {
  4: { total: 32, exponent: 8, bias: 101, digits: 7 },
  8: { total: 64, exponent: 10, bias: 398, digits: 16 },
  16: { total: 128, exponent: 14, bias: 6176, digits: 34 },
};

/** The exact text of a decimal32, decimal64 or decimal128 of `width` bytes, such as `11.90`, `-5E+20`, `Infinity` or `NaN`. */
export function decimalText(bytes: Uint8Array, width: 4 | 8 | 16): string {
  const { total, exponent: exponentBits, bias, digits } = FORMATS[width];
  let bits = 0n;
  for (const byte of bytes) bits = (bits << 8n) | BigInt(byte);
  const sign = bits >> BigInt(total - 1) === 1n ? "-" : "";
  const combination = Number((bits >> BigInt(total - 6)) & 31n);
  if (combination === 31) return "NaN";
  if (combination === 30) return `${sign}Infinity`;
  // a combination that starts 11 shifts the exponent by two bits and puts an implicit 100 before the coefficient
  const long = combination >= 24;
  const coefficientBits = BigInt(total - 1 - exponentBits - (long ? 2 : 0));
  const exponentField = (bits >> coefficientBits) & ((1n << BigInt(exponentBits)) - 1n);
  const explicit = bits & ((1n << coefficientBits) - 1n);
  const coefficient = long ? (4n << coefficientBits) | explicit : explicit;
  // IEEE 754-2008 3.5.2: a coefficient with too many digits is a non-canonical zero
  const canonical = coefficient < 10n ** BigInt(digits) ? coefficient : 0n;
  return sign + scientific(String(canonical), Number(exponentField) - bias);
}

/** The notation of the General Decimal Arithmetic specification: every digit and the exponent can be read back. */
function scientific(coefficient: string, exponent: number): string {
  const adjusted = exponent + coefficient.length - 1;
  if (exponent <= 0 && adjusted >= -6) return pointed(coefficient, exponent);
  const [first, rest] = [coefficient.slice(0, 1), coefficient.slice(1)];
  const mantissa = rest === "" ? first : `${first}.${rest}`;
  return `${mantissa}E${adjusted < 0 ? "-" : "+"}${Math.abs(adjusted)}`;
}

function pointed(coefficient: string, exponent: number): string {
  if (exponent === 0) return coefficient;
  const padded = coefficient.padStart(1 - exponent, "0");
  return `${padded.slice(0, exponent)}.${padded.slice(exponent)}`;
}
