import { binaryOperation } from "./binary-operation.ts";
import { functions, refusedFunctions, Unsuitable } from "./functions.ts";
import { type Evaluator, Opaque } from "./inputs.ts";
import type { SyntaxProblem } from "./lexer.ts";
import { parseExpression } from "./parser.ts";
import type { Expression } from "./syntax.ts";
import { Failure, fitsInt, isNumeric, typeOf, type Value } from "./value.ts";

export type CompiledExpression =
  | {
      readonly ok: true;
      readonly evaluate: Evaluator;
      readonly expression: Expression;
      readonly warnings: readonly SyntaxProblem[];
    }
  | { readonly ok: false; readonly problem: SyntaxProblem };

/**
 * Compiles an expression once, to closures. `inputs` are the paths that `$1`, `$2` … stand for, in the words of the manifest:
 * messages name them, and a variable beyond them is a problem.
 */
export function compileExpression(text: string, inputs: readonly string[]): CompiledExpression {
  const parsed = parseExpression(text);
  if (!parsed.ok) return parsed;
  const { expression, warnings } = parsed;
  const problem = problemIn(expression, inputs);
  if (problem !== undefined) return { ok: false, problem };
  const evaluate = evaluatorOf(expression, { text, inputs });
  return { ok: true, evaluate, expression, warnings };
}

/** The first variable without an input, or function that is not there. */
function problemIn(node: Expression, inputs: readonly string[]): SyntaxProblem | undefined {
  if (node.kind === "variable" && node.index >= inputs.length) {
    const count = inputs.length === 1 ? "is 1 input" : `are ${inputs.length} inputs`;
    return { column: node.column, message: `there is no $${node.index + 1}: there ${count}` };
  }
  if (node.kind === "call") {
    const problem = callProblem(node.name, node.args.length);
    if (problem !== undefined) return { column: node.column, ...problem };
  }
  for (const child of childrenOf(node)) {
    const problem = problemIn(child, inputs);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function callProblem(name: string, count: number): Omit<SyntaxProblem, "column"> | undefined {
  const entry = name === "if" ? choice : functions.get(name);
  if (entry === undefined) {
    const refused = refusedFunctions.get(name);
    if (refused !== undefined) return { message: `"${name}" ${refused}` };
    return { message: `there is no function "${name}"`, unknownFunction: name };
  }
  const { least, most, usage } = entry;
  if (count >= least && count <= most) return undefined;
  const wanted = least === most ? `${least}` : `${least} to ${most}`;
  const noun = wanted === "1" ? "argument" : "arguments";
  return {
    message: `${usage} takes ${wanted} ${noun}: there ${count === 1 ? "is" : "are"} ${count}`,
  };
}

const choice = { least: 3, most: 3, usage: "if(condition, a, b)" };

/** The names of all functions, for hints. */
export const functionNames: readonly string[] = ["if", ...functions.keys()];

const booleanFunctions: ReadonlySet<string> = new Set(["contains", "contains_any"]);

/** Whether the result can be true or false for some inputs. */
export function mayBeBoolean(node: Expression): boolean {
  switch (node.kind) {
    case "literal":
      return typeof node.value === "boolean";
    case "variable":
      return true;
    case "tuple":
      return false;
    case "unary":
      return node.operator === "!";
    case "binary":
      return !"^*/%+-".includes(node.operator);
    case "call":
      return node.name === "if"
        ? node.args.slice(1).some(mayBeBoolean)
        : booleanFunctions.has(node.name);
  }
}

function childrenOf(node: Expression): readonly Expression[] {
  switch (node.kind) {
    case "unary":
      return [node.operand];
    case "binary":
      return [node.left, node.right];
    case "tuple":
      return node.items;
    case "call":
      return node.args;
    default:
      return [];
  }
}

/** What the text around a node is needed for: to say what failed. */
interface Surroundings {
  readonly text: string;
  readonly inputs: readonly string[];
}

function evaluatorOf(node: Expression, around: Surroundings): Evaluator {
  switch (node.kind) {
    case "literal": {
      const { value } = node;
      return () => value;
    }
    case "variable":
      return variableOf(node.index, around);
    case "tuple":
      return tupleOf(node.items.map((item) => evaluatorOf(item, around)));
    case "unary":
      return unaryOf(node, around);
    case "binary": {
      const left = evaluatorOf(node.left, around);
      const right = evaluatorOf(node.right, around);
      const tell = (a: Value, b: Value): string =>
        `${told(node.left, a, around)}, ${told(node.right, b, around)}`;
      return binaryOperation(node.operator, left, right, tell);
    }
    case "call":
      return node.name === "if" ? choiceOf(node.args, around) : callOf(node, around);
  }
}

function variableOf(index: number, { inputs }: Surroundings): Evaluator {
  const name = `$${index + 1} (${inputs[index]})`;
  return (values) => {
    const value = values[index];
    return value instanceof Opaque
      ? new Failure(`${name} is ${value.what}, which expressions cannot use`)
      : value;
  };
}

function tupleOf(items: readonly Evaluator[]): Evaluator {
  return (inputs) => {
    const values: Value[] = [];
    for (const item of items) {
      const value = item(inputs);
      if (value instanceof Failure) return value;
      values.push(value);
    }
    return values;
  };
}

function unaryOf(node: Expression & { kind: "unary" }, around: Surroundings): Evaluator {
  const operand = evaluatorOf(node.operand, around);
  const needs = (what: string, value: Value): Failure =>
    new Failure(`"${node.operator}" needs ${what}: ${told(node.operand, value, around)}`);
  if (node.operator === "!") {
    return (inputs) => {
      const value = operand(inputs);
      if (value instanceof Failure) return value;
      return typeof value === "boolean" ? !value : needs("a boolean", value);
    };
  }
  return (inputs) => {
    const value = operand(inputs);
    if (value instanceof Failure) return value;
    if (!isNumeric(value)) return needs("a number", value);
    const negated = -value;
    if (typeof negated === "number" || fitsInt(negated)) return negated;
    return new Failure('"-" of integers exceeds 128 bits');
  };
}

/** `if` evaluates only the branch it takes: the other may be one that cannot be evaluated. */
function choiceOf(args: readonly Expression[], around: Surroundings): Evaluator {
  const [asked, whenTrue, whenFalse] = args as [Expression, Expression, Expression];
  const condition = evaluatorOf(asked, around);
  const yes = evaluatorOf(whenTrue, around);
  const no = evaluatorOf(whenFalse, around);
  return (inputs) => {
    const value = condition(inputs);
    if (value instanceof Failure) return value;
    if (typeof value === "boolean") return value ? yes(inputs) : no(inputs);
    return new Failure(`"if" needs a boolean as its condition: ${told(asked, value, around)}`);
  };
}

function callOf(node: Expression & { kind: "call" }, around: Surroundings): Evaluator {
  const entry = functions.get(node.name);
  if (entry === undefined) throw new RangeError(`There is no function "${node.name}"`);
  const args = tupleOf(node.args.map((arg) => evaluatorOf(arg, around)));
  return (inputs) => {
    const values = args(inputs);
    if (values instanceof Failure) return values;
    const list = values as readonly Value[];
    const result = entry.call(list);
    if (!(result instanceof Failure)) return result;
    if (!(result instanceof Unsuitable)) return new Failure(`${entry.usage}: ${result.reason}`);
    const types = node.args.map((arg, i) => told(arg, list[i], around)).join(", ");
    return new Failure(`${entry.usage} needs ${result.reason}: ${types}`);
  };
}

/** `$1 (temperature) is a string`: the type of a value, never the value. */
function told(node: Expression, value: Value, { text, inputs }: Surroundings): string {
  const source = text.slice(node.from, node.to);
  const name =
    node.kind === "variable" ? `$${node.index + 1} (${inputs[node.index]})` : `"${source}"`;
  const type = typeOf(value);
  if (type === "empty") return `${name} is missing`;
  return `${name} is ${type === "int" ? "an" : "a"} ${type}`;
}
