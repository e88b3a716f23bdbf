import { textOf } from "./functions.ts";
import type { Evaluator } from "./inputs.ts";
import type { BinaryOperator } from "./syntax.ts";
import { areComparable, areEqual, Failure, fitsInt, isNumeric, type Value } from "./value.ts";

/** Says what the operands are, for a failure: `$1 (a) is a string, "2" is an int`. */
type Tell = (left: Value, right: Value) => string;

type Operation = (left: Value, right: Value) => Value | Failure;

/** Compiles an operation of two operands. `&&` and `||` evaluate the right one only where it decides. */
export function binaryOperation(
  operator: BinaryOperator,
  left: Evaluator,
  right: Evaluator,
  tell: Tell,
): Evaluator {
  if (operator === "&&" || operator === "||") return logical(operator, left, right, tell);
  const operate = operationOf(operator, tell);
  return (inputs) => {
    const a = left(inputs);
    if (a instanceof Failure) return a;
    const b = right(inputs);
    return b instanceof Failure ? b : operate(a, b);
  };
}

function logical(operator: "&&" | "||", left: Evaluator, right: Evaluator, tell: Tell): Evaluator {
  const deciding = operator === "||";
  const needs = (a: Value, b: Value): Failure =>
    new Failure(`"${operator}" needs booleans: ${tell(a, b)}`);
  return (inputs) => {
    const a = left(inputs);
    if (a instanceof Failure || a === deciding) return a;
    const b = right(inputs);
    if (b instanceof Failure) return b;
    return typeof a === "boolean" && typeof b === "boolean" ? b : needs(a, b);
  };
}

function operationOf(operator: Exclude<BinaryOperator, "&&" | "||">, tell: Tell): Operation {
  switch (operator) {
    case "==":
      return areEqual;
    case "!=":
      return (a, b) => !areEqual(a, b);
    case "<":
    case ">":
    case "<=":
    case ">=":
      return comparison(operator, tell);
    case "+":
      return addition(tell);
    default:
      return arithmetic(operator, tell);
  }
}

function comparison(operator: "<" | ">" | "<=" | ">=", tell: Tell): Operation {
  return (a, b) => {
    if (!areComparable(a, b)) {
      return new Failure(`"${operator}" needs two of one kind to compare: ${tell(a, b)}`);
    }
    const [x, y] = [a, b] as [number, number];
    switch (operator) {
      case "<":
        return x < y;
      case ">":
        return x > y;
      case "<=":
        return x <= y;
      case ">=":
        return x >= y;
    }
  };
}

/** Adds numbers; a text with a text, number or boolean at its other side becomes one text. */
function addition(tell: Tell): Operation {
  const add = arithmetic("+", tell);
  return (a, b) => {
    if (typeof a === "string" && typeof b === "string") return joined(a, b);
    const one = typeof a === "string" ? b : a;
    const joins = isNumeric(one) || typeof one === "boolean";
    if (joins && (typeof a === "string" || typeof b === "string"))
      return joined(textOf(a), textOf(b));
    return add(a, b);
  };
}

/** The engine throws at eight times as many. */
const LONGEST_TEXT = 2 ** 26 - 1;

function joined(a: string, b: string): string | Failure {
  if (a.length + b.length <= LONGEST_TEXT) return a + b;
  return new Failure(`"+" makes a text of more than ${LONGEST_TEXT} characters`);
}

type Arithmetic = "+" | "-" | "*" | "/" | "%" | "^";

/** Of two integers an integer, except for `^`; otherwise a float. */
function arithmetic(operator: Arithmetic, tell: Tell): Operation {
  const ofFloats = floatOperations[operator];
  const ofInts = intOperations[operator];
  const divides = operator === "/" || operator === "%";
  return (a, b) => {
    if (!isNumeric(a) || !isNumeric(b)) {
      const what = operator === "+" ? "numbers or strings" : "numbers";
      return new Failure(`"${operator}" needs ${what}: ${tell(a, b)}`);
    }
    if (divides && Number(b) === 0) return new Failure(`"${operator}" divides by zero`);
    if (typeof a !== "bigint" || typeof b !== "bigint" || ofInts === undefined) {
      return ofFloats(Number(a), Number(b));
    }
    const int = ofInts(a, b);
    return fitsInt(int) ? int : new Failure(`"${operator}" of integers exceeds 128 bits`);
  };
}

const floatOperations: Readonly<Record<Arithmetic, (a: number, b: number) => number>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "%": (a, b) => a % b,
  "^": (a, b) => a ** b,
};

const intOperations: Readonly<Record<Arithmetic, ((a: bigint, b: bigint) => bigint) | undefined>> =
  {
    "+": (a, b) => a + b,
    "-": (a, b) => a - b,
    "*": (a, b) => a * b,
    "/": (a, b) => a / b,
    "%": (a, b) => a % b,
    "^": undefined,
  };
