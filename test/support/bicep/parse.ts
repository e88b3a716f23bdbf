import {
  BicepError,
  type BicepFile,
  type Declaration,
  type Decorator,
  type Entry,
  type Expression,
  type Field,
  type TypeExpression,
} from "./syntax.ts";

const OPERATORS: readonly (readonly string[])[] = [
  ["??"],
  ["||"],
  ["&&"],
  ["==", "!=", "=~", "!~"],
  ["<=", ">=", "<", ">"],
  ["+", "-"],
  ["*", "/", "%"],
];
const IDENTIFIER = /[A-Za-z_]\w*/y;
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

/** Reads one Bicep file. @throws BicepError with the line of what is no Bicep, or none of the Bicep that infra/ is written in. */
export function parseBicep(path: string, text: string): BicepFile {
  return new Parser(path, text).file();
}

class Parser {
  private at = 0;
  private readonly source: { readonly path: string; readonly text: string };

  constructor(path: string, text: string) {
    this.source = { path, text };
  }

  file(): BicepFile {
    const declarations: Declaration[] = [];
    for (this.lines(); this.at < this.text.length; this.lines())
      declarations.push(this.declaration());
    return { ...this.source, declarations };
  }

  private get text(): string {
    return this.source.text;
  }

  private fail(what: string): never {
    throw new BicepError(this.source, this.at, what);
  }

  /** Passes over what is between tokens of a line. */
  private blanks(): void {
    const between = /(?:[ \t\r]+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y;
    between.lastIndex = this.at;
    this.at += between.exec(this.text)?.[0].length ?? 0;
  }

  /** The same, and over ends of lines and directives. */
  private lines(): void {
    for (;;) {
      this.blanks();
      const rest = /(?:\n|#[^\n]*)+/y;
      rest.lastIndex = this.at;
      const found = rest.exec(this.text);
      if (found === null) return;
      this.at += found[0].length;
    }
  }

  private peek(token: string): boolean {
    this.blanks();
    if (!this.text.startsWith(token, this.at)) return false;
    return !(/\w$/.test(token) && /\w/.test(this.text[this.at + token.length] ?? ""));
  }

  private take(token: string): boolean {
    if (!this.peek(token)) return false;
    this.at += token.length;
    return true;
  }

  private expect(token: string): void {
    if (!this.take(token)) this.fail(`expected "${token}"`);
  }

  private identifier(): string {
    this.blanks();
    IDENTIFIER.lastIndex = this.at;
    const name = IDENTIFIER.exec(this.text)?.[0] ?? this.fail("expected a name");
    this.at += name.length;
    return name;
  }

  private endOfLine(): void {
    this.blanks();
    if (this.at < this.text.length && this.text[this.at] !== "\n") this.fail("expected a new line");
  }

  private decorators(): Decorator[] {
    const found: Decorator[] = [];
    while (this.take("@")) {
      const name = this.identifier();
      this.expect("(");
      found.push({ name, args: this.list(")") });
      this.lines();
    }
    return found;
  }

  private declaration(): Declaration {
    const start = this.at;
    const decorators = this.decorators();
    const keyword = this.identifier();
    const name = keyword === "targetScope" || keyword === "import" ? keyword : this.identifier();
    const body = this.body(keyword);
    this.endOfLine();
    return { ...body, name, decorators, start, end: this.at } as unknown as Declaration;
  }

  private body(keyword: string): object {
    switch (keyword) {
      case "targetScope":
      case "metadata":
      case "var":
        this.expect("=");
        return { kind: keyword, value: this.expression() };
      case "param": {
        const type = this.type();
        return this.take("=")
          ? { kind: "param", type, value: this.expression() }
          : { kind: "param", type };
      }
      case "output": {
        const type = this.type();
        this.expect("=");
        return { kind: "output", type, value: this.expression() };
      }
      case "type":
        this.expect("=");
        return { kind: "type", type: this.type() };
      case "resource":
        return this.resource();
      case "module": {
        const path = this.plainText();
        this.expect("=");
        return { kind: "module", path, value: this.declared() };
      }
      case "import": {
        this.expect("{");
        const names: string[] = [];
        for (this.lines(); !this.take("}"); this.lines()) {
          names.push(this.identifier());
          this.take(",");
        }
        this.expect("from");
        return { kind: "import", names, path: this.plainText() };
      }
      default:
        return this.fail(`unknown declaration "${keyword}"`);
    }
  }

  private resource(): object {
    const [type = "", apiVersion = ""] = this.plainText().split("@");
    if (!/^[\w.]+(\/\w+)+$/.test(type)) this.fail(`"${type}" is no type of resources`);
    if (!/^\d{4}-\d{2}-\d{2}(-preview)?$/.test(apiVersion))
      this.fail(`no version: "${apiVersion}"`);
    const existing = this.take("existing");
    this.expect("=");
    return { kind: "resource", type, apiVersion, existing, value: this.declared() };
  }

  /** What a resource or module is declared as: an object, on a condition, or for each of a list. */
  private declared(): Expression {
    if (!this.peek("if")) return this.primary();
    this.expect("if");
    this.expect("(");
    const condition = this.expression();
    this.expect(")");
    return { kind: "if", condition, body: this.primary() };
  }

  private type(): TypeExpression {
    this.take("|");
    const options = [this.typeWithSuffix()];
    while (this.take("|")) options.push(this.typeWithSuffix());
    return options.length === 1 && options[0] !== undefined
      ? options[0]
      : { kind: "oneOf", of: options };
  }

  private typeWithSuffix(): TypeExpression {
    let type = this.plainType();
    for (;;) {
      if (this.take("[]")) type = { kind: "list", of: type };
      else if (this.peek("?")) {
        this.expect("?");
        type = { kind: "optional", of: type };
      } else return type;
    }
  }

  private plainType(): TypeExpression {
    this.blanks();
    if (this.peek("'")) return { kind: "value", value: this.plainText() };
    if (this.take("{")) return { kind: "fields", fields: this.fields() };
    const at = this.at;
    return { kind: "named", name: this.identifier(), at };
  }

  private fields(): Field[] {
    const fields: Field[] = [];
    for (this.lines(); !this.take("}"); this.lines()) {
      const decorators = this.decorators();
      const name = this.identifier();
      this.expect(":");
      fields.push({ name, type: this.type(), decorators });
      this.endOfLine();
    }
    return fields;
  }

  private expression(): Expression {
    const condition = this.binary(0);
    const here = this.at;
    this.lines();
    if (!this.peek("?") || /^\?[?.[]/.test(this.text.slice(this.at, this.at + 2))) {
      this.at = here;
      return condition;
    }
    this.expect("?");
    this.lines();
    const yes = this.expression();
    this.lines();
    this.expect(":");
    this.lines();
    return { kind: "choice", condition, yes, no: this.expression() };
  }

  private binary(level: number): Expression {
    const operators = OPERATORS[level];
    if (operators === undefined) return this.unary();
    let left = this.binary(level + 1);
    for (;;) {
      const operator = operators.find((one) => this.peek(one));
      if (operator === undefined) return left;
      this.expect(operator);
      this.lines();
      left = { kind: "binary", operator, left, right: this.binary(level + 1) };
    }
  }

  private unary(): Expression {
    for (const operator of ["!", "-"] as const) {
      if (this.take(operator)) return { kind: "unary", operator, of: this.unary() };
    }
    return this.suffixes(this.primary());
  }

  private suffixes(start: Expression): Expression {
    let of = start;
    for (;;) {
      this.blanks();
      const at = this.at;
      if (this.peek("!=") || this.peek("!~")) return of;
      if (this.take("!")) continue;
      const safeMember = this.take(".?");
      if (safeMember || this.take(".")) {
        of = { kind: "member", of, name: this.identifier(), safe: safeMember, at };
        continue;
      }
      const safeIndex = this.take("[?");
      if (!safeIndex && !this.take("[")) return of;
      const index = this.expression();
      this.expect("]");
      of = { kind: "index", of, index, safe: safeIndex, at };
    }
  }

  private primary(): Expression {
    this.blanks();
    const at = this.at;
    if (this.peek("'")) return this.quoted();
    const number = /\d+/y;
    number.lastIndex = at;
    const digits = number.exec(this.text)?.[0];
    if (digits !== undefined) {
      this.at += digits.length;
      return { kind: "literal", value: Number(digits) };
    }
    for (const [word, value] of [
      ["true", true],
      ["false", false],
      ["null", null],
    ] as const) {
      if (this.take(word)) return { kind: "literal", value };
    }
    if (this.take("{")) return { kind: "object", entries: this.entries() };
    if (this.take("[")) return this.bracketed();
    if (this.peek("(")) return this.lambda() ?? this.parenthesized();
    const name = this.identifier();
    if (this.take("=>")) return this.arrow([name]);
    if (this.take("(")) return { kind: "call", name, args: this.list(")"), at };
    return { kind: "name", name, at };
  }

  private parenthesized(): Expression {
    this.expect("(");
    this.lines();
    const inner = this.expression();
    this.lines();
    this.expect(")");
    return inner;
  }

  private lambda(): Expression | undefined {
    const head = /\((\s*\w+(?:\s*,\s*\w+)*\s*)\)[ \t]*=>/y;
    head.lastIndex = this.at;
    const found = head.exec(this.text);
    if (found === null) return undefined;
    this.at += found[0].length;
    return this.arrow((found[1] ?? "").split(",").map((name) => name.trim()));
  }

  private arrow(parameters: readonly string[]): Expression {
    this.lines();
    return { kind: "lambda", parameters, body: this.expression() };
  }

  /** Items to the closing token, separated by commas or new lines. */
  private list(close: string): Expression[] {
    const items: Expression[] = [];
    for (this.lines(); !this.take(close); this.lines()) {
      items.push(this.expression());
      const before = this.at;
      this.lines();
      const apart = this.take(",") || this.text.slice(before, this.at).includes("\n");
      if (!apart && !this.peek(close)) this.fail(`expected "," or "${close}"`);
    }
    return items;
  }

  private bracketed(): Expression {
    const here = this.at;
    this.lines();
    if (!this.take("for")) {
      this.at = here;
      return { kind: "array", items: this.list("]") };
    }
    const names = this.take("(") ? [this.identifier()] : undefined;
    if (names !== undefined) {
      this.expect(",");
      names.push(this.identifier());
      this.expect(")");
    }
    const [item = "", index] = names ?? [this.identifier()];
    this.expect("in");
    const source = this.expression();
    this.expect(":");
    const body = this.declared();
    this.lines();
    this.expect("]");
    return { kind: "for", item, ...(index === undefined ? {} : { index }), source, body };
  }

  private entries(): Entry[] {
    const entries: Entry[] = [];
    for (this.lines(); !this.take("}"); this.lines()) {
      this.blanks();
      const at = this.at;
      const key: Expression = this.peek("'")
        ? this.quoted()
        : { kind: "text", parts: [this.identifier()] };
      this.expect(":");
      this.lines();
      entries.push({ key, value: this.expression(), at });
      this.blanks();
      if (!this.take(",") && !this.peek("}")) this.endOfLine();
    }
    return entries;
  }

  private plainText(): string {
    const text = this.quoted();
    const [only = "", ...more] = text.kind === "text" ? text.parts : [];
    if (typeof only !== "string" || more.length > 0)
      this.fail("expected a text without placeholders");
    return only as string;
  }

  private quoted(): Expression {
    this.expect("'");
    const parts: (string | Expression)[] = [];
    const add = (text: string): void => {
      const last = parts.at(-1);
      if (typeof last === "string") parts[parts.length - 1] = last + text;
      else parts.push(text);
    };
    for (;;) {
      const piece = /\\.|\$\{|'|[^'\\$\n]+|\$/y;
      piece.lastIndex = this.at;
      const found = piece.exec(this.text)?.[0] ?? this.fail("a text has no end");
      this.at += found.length;
      if (found === "'") return { kind: "text", parts };
      if (found === "${") {
        parts.push(this.expression());
        this.expect("}");
      } else if (found.startsWith("\\")) add(ESCAPES[found.slice(1)] ?? found.slice(1));
      else add(found);
    }
  }
}
