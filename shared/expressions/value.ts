/**
 * What an expression computes with. An integer is a `bigint`, a float a `number`, the empty value `()` is `undefined`,
 * so that `100` and `100.0` stay what they are.
 */
export type Value = bigint | number | string | boolean | undefined | readonly Value[];

export type TypeName = "int" | "float" | "string" | "boolean" | "tuple" | "empty";

/** Why an expression has no value: bad data, never an exception. Says types and places, never the data. */
export class Failure {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** A failure that says already where it arose: no rule that meets it is to blame. */
export class PlacedFailure extends Failure {}

/** Integers have 128 bits and a sign. */
const LARGEST_INT = (1n << 127n) - 1n;
const SMALLEST_INT = -(1n << 127n);
/** More digits than the largest integer has: not worth reading. */
const MOST_DIGITS = 40;

export function typeOf(value: Value): TypeName {
  switch (typeof value) {
    case "bigint":
      return "int";
    case "number":
      return "float";
    case "string":
      return "string";
    case "boolean":
      return "boolean";
    case "undefined":
      return "empty";
    default:
      return "tuple";
  }
}

export function isNumeric(value: Value): value is bigint | number {
  return typeof value === "bigint" || typeof value === "number";
}

export function fitsInt(value: bigint): boolean {
  return value <= LARGEST_INT && value >= SMALLEST_INT;
}

/** The number that a JSON text or literal stands for: an integer unless it has a point or an exponent, or is larger than any integer. */
export function numberFromText(text: string): bigint | number {
  if (/[.eE]/.test(text)) return Number(text);
  // below 16 digits a number holds every integer, and is read in a fraction of the time
  if (text.length < 16) return BigInt(Number(text));
  const int = text.length <= MOST_DIGITS ? BigInt(text) : undefined;
  return int !== undefined && fitsInt(int) ? int : Number(text);
}

/** The text of a number as JSON writes it, a float always with a point or an exponent; undefined for infinities and NaN, which JSON has not. */
export function numberText(value: bigint | number): string | undefined {
  if (typeof value === "bigint") return String(value);
  if (!Number.isFinite(value)) return undefined;
  const text = Object.is(value, -0) ? "-0" : String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** Whether two values are equal: numbers by what they amount to, tuples element by element, different types never. */
export function areEqual(a: Value, b: Value): boolean {
  // biome-ignore lint/suspicious/noDoubleEquals: compares an integer with a float exactly
  if (isNumeric(a) && isNumeric(b)) return a == b;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, i) => areEqual(item, b[i]));
  }
  return a === b;
}

/** Whether two values can be put in order: both numbers, both texts or both booleans. */
export function areComparable(a: Value, b: Value): boolean {
  if (isNumeric(a)) return isNumeric(b);
  return typeof a === typeof b && (typeof a === "string" || typeof a === "boolean");
}
