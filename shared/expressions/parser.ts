import { type SyntaxProblem, type Token, tokensOf } from "./lexer.ts";
import type { BinaryOperator, Expression } from "./syntax.ts";
import { numberFromText } from "./value.ts";

export type ParsedExpression =
  | {
      readonly ok: true;
      readonly expression: Expression;
      /** What may be read in two ways, and which way is taken. */
      readonly warnings: readonly SyntaxProblem[];
    }
  | { readonly ok: false; readonly problem: SyntaxProblem };

/** Far more than any formula has; what is evaluated recursively stays shallow. */
const LONGEST = 4000;
const DEEPEST = 100;

/** From weakest to strongest. Negation and "not" stand between `*` and `^`: `-3^2` is -9. */
const precedence: Readonly<Record<BinaryOperator, number>> = {
  "||": 1,
  "&&": 2,
  "==": 3,
  "!=": 3,
  "<": 4,
  ">": 4,
  "<=": 4,
  ">=": 4,
  "+": 5,
  "-": 5,
  "*": 6,
  "/": 6,
  "%": 6,
  "^": 8,
};
const UNARY = 7;

const words: Readonly<Record<string, string>> = { and: "&&", or: "||", not: "!" };

/** Parses an expression of the mapping language. Total: what is wrong with the text is a problem with its column. */
export function parseExpression(text: string): ParsedExpression {
  if (text.length > LONGEST) {
    const message = `an expression may have ${LONGEST} characters: this one has ${text.length}`;
    return { ok: false, problem: { column: LONGEST + 1, message } };
  }
  const tokens = tokensOf(text);
  if ("message" in tokens) return { ok: false, problem: tokens };
  return new Parser(text, tokens).parse();
}

/** Carries the one problem out of the recursion; never leaves this file. */
class Stop extends Error {
  readonly problem: SyntaxProblem;

  constructor(problem: SyntaxProblem) {
    super(problem.message);
    this.problem = problem;
  }
}

class Parser {
  private readonly text: string;
  private readonly tokens: readonly Token[];
  private at = 0;
  private depth = 0;
  private readonly warnings: SyntaxProblem[] = [];
  /** Operations that stand in brackets of their own, about which nothing can be mistaken. */
  private readonly bracketed = new Set<Expression>();

  constructor(text: string, tokens: readonly Token[]) {
    this.text = text;
    this.tokens = tokens;
  }

  parse(): ParsedExpression {
    try {
      if (this.peek().kind === "end") this.fail(this.peek(), "the expression is empty");
      const expression = this.binary(1);
      const rest = this.peek();
      if (rest.kind !== "end") this.fail(rest, this.whyUnexpected(rest));
      return { ok: true, expression, warnings: this.warnings };
    } catch (stop) {
      if (stop instanceof Stop) return { ok: false, problem: stop.problem };
      throw stop;
    }
  }

  private peek(): Token {
    return this.tokens[this.at] ?? { kind: "end", text: "", column: 1, end: 1 };
  }

  private next(): Token {
    const token = this.peek();
    this.at += 1;
    return token;
  }

  private isSymbol(text: string): boolean {
    const token = this.peek();
    return token.kind === "symbol" && token.text === text;
  }

  private fail(token: Token, message: string): never {
    throw new Stop({ column: token.column, message });
  }

  private whyUnexpected(token: Token): string {
    if (token.kind === "end") return "the expression ends too early";
    const word = token.kind === "name" ? words[token.text.toLowerCase()] : undefined;
    if (word !== undefined) return `"${token.text}" is not an operator: write "${word}"`;
    const shown = this.text.slice(token.column - 1, token.end - 1);
    if (token.text === ",")
      return '"," has no place here: write a tuple in brackets, as in ($1, $2)';
    return `${JSON.stringify(shown)} has no place here: an operator is expected before it`;
  }

  private binary(least: number): Expression {
    this.depth += 1;
    if (this.depth > DEEPEST) this.fail(this.peek(), `brackets are nested deeper than ${DEEPEST}`);
    let left = this.prefix();
    for (;;) {
      const token = this.peek();
      const operator = token.text as BinaryOperator;
      const power = token.kind === "symbol" ? precedence[operator] : undefined;
      if (power === undefined || power < least) break;
      this.next();
      const right = this.binary(power + 1);
      left = this.operation(token, operator, left, right);
    }
    this.depth -= 1;
    return left;
  }

  private operation(
    token: Token,
    operator: BinaryOperator,
    left: Expression,
    right: Expression,
  ): Expression {
    for (const side of [left, right]) {
      if (side.kind !== "binary" || this.bracketed.has(side)) continue;
      const chained = operator === "^" || isComparison(operator);
      if (chained && isComparison(side.operator) === isComparison(operator)) {
        const shown = this.text.slice(side.from, side.to);
        const message = `"${shown}" is reckoned first: write brackets to say so`;
        this.warnings.push({ column: side.column, message });
      }
    }
    const { column } = token;
    return { kind: "binary", operator, left, right, column, from: left.from, to: right.to };
  }

  private prefix(): Expression {
    const token = this.next();
    const place = { column: token.column, from: token.column - 1, to: token.end - 1 };
    switch (token.kind) {
      case "number":
        return { kind: "literal", value: numberFromText(token.text), ...place };
      case "string":
        return { kind: "literal", value: token.text, ...place };
      case "variable":
        return { kind: "variable", index: this.indexOf(token), ...place };
      case "name":
        return this.named(token);
      default:
        return this.symbol(token);
    }
  }

  private indexOf(token: Token): number {
    if (/^\$[1-9]\d{0,3}$/.test(token.text)) return Number(token.text.slice(1)) - 1;
    return this.fail(
      token,
      `${JSON.stringify(token.text)} is not a variable: the inputs are $1, $2 and so on`,
    );
  }

  private symbol(token: Token): Expression {
    if (token.text === "(") {
      const items = this.items();
      const place = { column: token.column, from: token.column - 1, to: this.before() };
      const [only] = items;
      if (only === undefined) return { kind: "literal", value: undefined, ...place };
      if (items.length > 1) return { kind: "tuple", items, ...place };
      const group = { ...only, from: place.from, to: place.to };
      this.bracketed.add(group);
      return group;
    }
    if (token.kind !== "symbol" || (token.text !== "-" && token.text !== "!")) {
      const why =
        token.kind === "end"
          ? "the expression ends too early"
          : `"${token.text}" has no place here: a value is expected`;
      return this.fail(token, why);
    }
    const operand = this.binary(UNARY);
    const { column } = token;
    return {
      kind: "unary",
      operator: token.text,
      operand,
      column,
      from: column - 1,
      to: operand.to,
    };
  }

  private named(token: Token): Expression {
    const place = { column: token.column, from: token.column - 1, to: token.end - 1 };
    if (this.isSymbol("(")) {
      this.next();
      const args = this.items();
      return { kind: "call", name: token.text, args, ...place, to: this.before() };
    }
    if (token.text === "true" || token.text === "false") {
      return { kind: "literal", value: token.text === "true", ...place };
    }
    const word = words[token.text.toLowerCase()];
    if (word !== undefined) this.fail(token, `"${token.text}" is not an operator: write "${word}"`);
    return this.fail(
      token,
      `"${token.text}" is neither a value nor a call: put text in double quotes, and list a field under "inputs" to use it as $1`,
    );
  }

  /** What stands between brackets, the first of which is read already. */
  private items(): Expression[] {
    const items: Expression[] = [];
    if (this.isSymbol(")")) {
      this.next();
      return items;
    }
    for (;;) {
      items.push(this.binary(1));
      const token = this.next();
      if (token.kind === "symbol" && token.text === ")") return items;
      if (token.kind !== "symbol" || token.text !== ",") {
        const message =
          token.kind === "end" ? 'a bracket is open: close it with ")"' : this.whyUnexpected(token);
        this.fail(token, message);
      }
    }
  }

  /** Where the token read last ends. */
  private before(): number {
    return (this.tokens[this.at - 1]?.end ?? 1) - 1;
  }
}

function isComparison(operator: BinaryOperator): boolean {
  return precedence[operator] === 3 || precedence[operator] === 4;
}
