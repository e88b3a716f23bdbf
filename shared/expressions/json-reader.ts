import { type JsonNode, JsonNumber, JsonObject } from "./json-node.ts";

/** Why a text is no JSON; offsets count from 0. Never repeats the text. */
export class JsonProblem {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

/** Deeper than any message: what reads and writes it recurses. */
const DEEPEST = 500;

const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const QUOTE = 34;
const BACKSLASH = 92;
/** With the bit for small letters set. */
const POINT = 46;
const EXPONENT = 101;

/** Reads JSON (RFC 8259) without losing how numbers were written. Total. */
export function readJson(text: string): JsonNode | JsonProblem {
  return new Reader(text).read();
}

class Reader {
  private readonly text: string;
  private at = 0;
  private problem: JsonProblem | undefined;

  constructor(text: string) {
    this.text = text;
  }

  read(): JsonNode | JsonProblem {
    const node = this.value(0);
    this.skipBlanks();
    if (this.problem === undefined && this.at < this.text.length) this.fail("unexpected text");
    return this.problem ?? node;
  }

  private fail(what: string): null {
    this.problem ??= new JsonProblem(`${what} at character ${this.at + 1}`);
    return null;
  }

  private skipBlanks(): void {
    for (;;) {
      const unit = this.text.charCodeAt(this.at);
      if (unit !== 32 && unit !== 10 && unit !== 13 && unit !== 9) return;
      this.at += 1;
    }
  }

  private value(depth: number): JsonNode {
    this.skipBlanks();
    switch (this.text[this.at]) {
      case "{":
        return depth < DEEPEST ? this.object(depth + 1) : this.fail("nested too deeply");
      case "[":
        return depth < DEEPEST ? this.list(depth + 1) : this.fail("nested too deeply");
      case '"':
        return this.string();
      case "t":
        return this.word("true", true);
      case "f":
        return this.word("false", false);
      case "n":
        return this.word("null", null);
      case undefined:
        return this.fail("the text ends too early");
      default:
        return this.number();
    }
  }

  private word(word: string, value: JsonNode): JsonNode {
    if (!this.text.startsWith(word, this.at)) return this.fail("unexpected text");
    this.at += word.length;
    return value;
  }

  private number(): JsonNode {
    const { text } = this;
    let at = this.at;
    // most numbers are whole and begin with no zero: they need no pattern
    for (let unit = text.charCodeAt(at); unit > 47 && unit < 58; unit = text.charCodeAt(at))
      at += 1;
    const next = text.charCodeAt(at) | 32;
    if (at > this.at && text[this.at] !== "0" && next !== POINT && next !== EXPONENT) {
      const digits = text.slice(this.at, at);
      this.at = at;
      return new JsonNumber(digits);
    }
    numberPattern.lastIndex = this.at;
    const found = numberPattern.exec(this.text)?.[0];
    if (found === undefined) return this.fail("unexpected text");
    this.at += found.length;
    return new JsonNumber(found);
  }

  private string(): string {
    const { text } = this;
    const start = this.at + 1;
    let isPlain = true;
    for (let at = start; at < text.length; at += 1) {
      const unit = text.charCodeAt(at);
      if (unit === QUOTE) {
        this.at = at + 1;
        return isPlain ? text.slice(start, at) : this.unescaped(start - 1);
      }
      if (unit === BACKSLASH) {
        isPlain = false;
        at += 1;
      } else if (unit < 32) break;
    }
    this.fail("a text without an end, or with a control character,");
    return "";
  }

  private unescaped(start: number): string {
    try {
      return JSON.parse(this.text.slice(start, this.at)) as string;
    } catch {
      this.fail("a wrong escape in the text that ends");
      return "";
    }
  }

  private list(depth: number): JsonNode {
    const items: JsonNode[] = [];
    this.at += 1;
    this.skipBlanks();
    if (this.text[this.at] === "]") {
      this.at += 1;
      return items;
    }
    while (this.problem === undefined) {
      items.push(this.value(depth));
      if (!this.goesOn("]")) break;
    }
    return items;
  }

  private object(depth: number): JsonNode {
    const object = new JsonObject();
    this.at += 1;
    this.skipBlanks();
    if (this.text[this.at] === "}") {
      this.at += 1;
      return object;
    }
    while (this.problem === undefined) {
      this.skipBlanks();
      if (this.text[this.at] !== '"') return this.fail("a field's name is missing");
      const name = this.string();
      this.skipBlanks();
      if (this.problem !== undefined) break;
      if (this.text[this.at] !== ":") return this.fail('a ":" is missing');
      this.at += 1;
      object.set(name, this.value(depth));
      if (!this.goesOn("}")) break;
    }
    return object;
  }

  /** Steps over a comma, or over the end. */
  private goesOn(end: string): boolean {
    if (this.problem !== undefined) return false;
    this.skipBlanks();
    const found = this.text[this.at];
    if (found !== "," && found !== end) {
      this.fail(`a "," or "${end}" is missing`);
      return false;
    }
    this.at += 1;
    return found === ",";
  }
}
