import { areEqual, Failure, fitsInt, isNumeric, numberText, typeOf, type Value } from "./value.ts";

/** A function of the language: what it takes and what it gives. A `Failure` says what its arguments must be. */
export interface FunctionEntry {
  readonly least: number;
  readonly most: number;
  /** How it is called, for people. */
  readonly usage: string;
  readonly call: (args: readonly Value[]) => Value | Failure;
}

/** Values of another kind than a function takes: the evaluator adds which. */
export class Unsuitable extends Failure {}

const MANY = 1000;

function numeric(
  usage: string,
  count: number,
  compute: (...numbers: number[]) => number,
): FunctionEntry {
  return {
    least: count,
    most: count,
    usage,
    call: (args) =>
      args.every(isNumeric) ? compute(...args.map(Number)) : new Unsuitable("numbers"),
  };
}

/** A float as the integer that is nearest in the direction of `choose`; an integer stays. */
function whole(usage: string, choose: (value: number) => number): FunctionEntry {
  return {
    least: 1,
    most: 1,
    usage,
    call: ([value]) => {
      if (typeof value === "bigint") return value;
      if (typeof value !== "number") return new Unsuitable("a number");
      const chosen = choose(value);
      const int = Number.isFinite(chosen) ? BigInt(chosen) : undefined;
      return int !== undefined && fitsInt(int) ? int : chosen;
    },
  };
}

function roundHalfAway(value: number): number {
  const rounded = Math.round(Math.abs(value));
  // 0.49999999999999994 + 0.5 is 1 in floats, and Math.round knows; only the sign is ours
  return value < 0 ? -rounded : rounded;
}

/** The least or the greatest of the arguments, or of the one array that is the argument. */
function extreme(
  usage: string,
  isBetter: (a: bigint | number, b: bigint | number) => boolean,
): FunctionEntry {
  return {
    least: 1,
    most: MANY,
    usage,
    call: (args) => {
      const [first] = args;
      const values = args.length === 1 && Array.isArray(first) ? (first as Value[]) : args;
      if (values.length === 0) return new Failure("the array must not be empty");
      if (!values.every(isNumeric)) return new Unsuitable("numbers, or one array of numbers");
      return values.reduce((best, value) => (isBetter(value, best) ? value : best));
    },
  };
}

function ofText(usage: string, compute: (text: string) => Value): FunctionEntry {
  return {
    least: 1,
    most: 1,
    usage,
    call: ([text]) => (typeof text === "string" ? compute(text) : new Unsuitable("a string")),
  };
}

/** The text of any value, as `+` and str::from write it. */
export function textOf(value: Value): string {
  switch (typeof value) {
    case "string":
      return value;
    case "bigint":
    case "number":
      return numberText(value) ?? String(value);
    case "boolean":
      return String(value);
    case "undefined":
      return "()";
    default:
      return `(${value.map(textOf).join(", ")})`;
  }
}

function length(args: readonly Value[]): Value | Failure {
  const [first] = args;
  if (args.length > 1) return BigInt(args.length);
  if (typeof first === "string") {
    let characters = 0n;
    for (const _ of first) characters += 1n;
    return characters;
  }
  return Array.isArray(first) ? BigInt(first.length) : new Unsuitable("a string or an array");
}

function substring([text, start, end]: readonly Value[]): Value | Failure {
  if (typeof text !== "string") return new Unsuitable("a string, a start and an end");
  const characters = [...text];
  const to = end ?? BigInt(characters.length);
  if (typeof start !== "bigint" || typeof to !== "bigint") {
    return new Unsuitable("a string and whole numbers");
  }
  if (start < 0n || to < start || to > BigInt(characters.length)) {
    return new Failure("start and end must lie within the text, and start before end");
  }
  return characters.slice(Number(start), Number(to)).join("");
}

function roundTo([value, decimals]: readonly Value[]): Value | Failure {
  if (!isNumeric(value) || typeof decimals !== "bigint" || decimals < 0n || decimals > 15n) {
    return new Unsuitable("a number and how many decimals, from 0 to 15");
  }
  const number = Number(value);
  if (!Number.isFinite(number)) return number;
  const text = String(Math.abs(number));
  if (text.includes("e")) return Number(number.toFixed(Number(decimals)));
  // moving the point of the decimal text is exact where a multiplication by a power of ten is not
  const rounded = Number(`${Math.round(Number(`${text}e${decimals}`))}e-${decimals}`);
  return number < 0 ? -rounded : rounded;
}

function scale(args: readonly Value[]): Value | Failure {
  if (!args.every(isNumeric)) return new Unsuitable("numbers");
  const [value = 0, from = 0, to = 0, low = 0, high = 0] = args.map(Number);
  if (from === to) return new Failure("the source range must not be empty");
  return low + ((value - from) * (high - low)) / (to - from);
}

function absolute([value]: readonly Value[]): Value | Failure {
  if (typeof value === "bigint") {
    const size = value < 0n ? -value : value;
    return fitsInt(size) ? size : new Failure("the result exceeds 128 bits");
  }
  return typeof value === "number" ? Math.abs(value) : new Unsuitable("a number");
}

function contains([tuple, value]: readonly Value[]): Value | Failure {
  if (!Array.isArray(tuple)) return new Unsuitable("an array and a value");
  return tuple.some((item: Value) => areEqual(item, value));
}

function containsAny([tuple, candidates]: readonly Value[]): Value | Failure {
  if (!Array.isArray(tuple) || !Array.isArray(candidates)) return new Unsuitable("two arrays");
  return candidates.some((candidate: Value) =>
    tuple.some((item: Value) => areEqual(item, candidate)),
  );
}

function conversion(name: string, convert: (value: number) => number): [string, FunctionEntry] {
  return [name, numeric(`${name}(value)`, 1, convert)];
}

function math(name: string, compute: (value: number) => number): [string, FunctionEntry] {
  return [`math::${name}`, numeric(`math::${name}(value)`, 1, compute)];
}

function entry(
  usage: string,
  [least, most]: readonly [number, number],
  call: FunctionEntry["call"],
): FunctionEntry {
  return { least, most, usage, call };
}

/** Every function by its name, except `if`, which evaluates only the branch it takes. */
export const functions: ReadonlyMap<string, FunctionEntry> = new Map<string, FunctionEntry>([
  ["min", extreme("min(values)", (a, b) => a < b)],
  ["max", extreme("max(values)", (a, b) => a > b)],
  ["len", entry("len(value)", [1, MANY], length)],
  ["floor", whole("floor(value)", Math.floor)],
  ["round", whole("round(value)", roundHalfAway)],
  ["ceil", whole("ceil(value)", Math.ceil)],
  ["round_n", entry("round_n(value, decimals)", [2, 2], roundTo)],
  ["scale", entry("scale(value, srcLo, srcHi, dstLo, dstHi)", [5, 5], scale)],
  ["contains", entry("contains(tuple, value)", [2, 2], contains)],
  ["contains_any", entry("contains_any(tuple, candidates)", [2, 2], containsAny)],
  ["typeof", entry("typeof(value)", [1, 1], ([value]) => typeOf(value))],
  conversion("cToF", (value) => (value * 9) / 5 + 32),
  conversion("fToC", (value) => ((value - 32) * 5) / 9),
  conversion("psiToBar", (value) => value * 0.0689476),
  conversion("barToPsi", (value) => value / 0.0689476),
  conversion("inToCm", (value) => value * 2.54),
  conversion("cmToIn", (value) => value / 2.54),
  conversion("ftToM", (value) => value * 0.3048),
  conversion("mToFt", (value) => value / 0.3048),
  conversion("lbToKg", (value) => value * 0.453592),
  conversion("kgToLb", (value) => value / 0.453592),
  conversion("galToL", (value) => value * 3.78541),
  conversion("lToGal", (value) => value / 3.78541),
  ["math::abs", entry("math::abs(value)", [1, 1], absolute)],
  // one of the documents' examples has it without the prefix
  ["abs", entry("abs(value)", [1, 1], absolute)],
  math("sqrt", Math.sqrt),
  math("cbrt", Math.cbrt),
  math("ln", Math.log),
  math("log2", Math.log2),
  math("log10", Math.log10),
  math("exp", Math.exp),
  math("exp2", (value) => 2 ** value),
  math("cos", Math.cos),
  math("sin", Math.sin),
  math("tan", Math.tan),
  math("acos", Math.acos),
  math("asin", Math.asin),
  math("atan", Math.atan),
  [
    "math::log",
    numeric("math::log(value, base)", 2, (value, base) => Math.log(value) / Math.log(base)),
  ],
  ["math::pow", numeric("math::pow(base, exp)", 2, (base, exponent) => base ** exponent)],
  ["math::atan2", numeric("math::atan2(y, x)", 2, Math.atan2)],
  ["math::hypot", numeric("math::hypot(a, b)", 2, Math.hypot)],
  ["str::to_lowercase", ofText("str::to_lowercase(string)", (text) => text.toLowerCase())],
  ["str::to_uppercase", ofText("str::to_uppercase(string)", (text) => text.toUpperCase())],
  ["str::trim", ofText("str::trim(string)", (text) => text.trim())],
  ["str::from", entry("str::from(value)", [1, 1], ([value]) => textOf(value))],
  ["str::substring", entry("str::substring(string, start, end)", [2, 3], substring)],
]);

/** Functions of the documents that a data flow has not, and what to say of them. */
export const refusedFunctions: ReadonlyMap<string, string> = new Map([
  ...["average", "sum", "count", "first", "last", "avg"].map(
    (name) => [name, "gathers over time, which only data flow graphs do"] as const,
  ),
  ...["str::regex_matches", "str::regex_replace"].map(
    (name) => [name, "is for data flow graphs only"] as const,
  ),
]);
