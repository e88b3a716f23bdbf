/** What is wrong with a text, and where: columns count from 1. */
export interface SyntaxProblem {
  readonly column: number;
  readonly message: string;
  /** The name that was given, where there is no function of it. */
  readonly unknownFunction?: string;
}

export type TokenKind = "number" | "string" | "variable" | "name" | "symbol" | "end";

export interface Token {
  readonly kind: TokenKind;
  /** As it is written; of a string, what it stands for. */
  readonly text: string;
  /** Of the first character, from 1. */
  readonly column: number;
  /** One past the last character, from 1. */
  readonly end: number;
}

const blank = /[\s]+/y;
const number = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const variable = /\$[A-Za-z0-9_]*/y;
const name = /[A-Za-z_][A-Za-z0-9_]*(?:::[A-Za-z_][A-Za-z0-9_]*)*/y;
const symbol = /&&|\|\||[<>=!]=|[-+*/%^()<>!,]/y;

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  "\\": "\\",
  n: "\n",
  r: "\r",
  t: "\t",
};

/** What people write who think of another language, and what to write instead. */
const mistaken: Readonly<Record<string, string>> = {
  "=": 'write "==" to compare',
  "&": 'write "&&" for and',
  "|": 'write "||" for or',
  "?": 'write if(condition, a, b) to choose; "? $last" belongs to an input',
  ";": "an expression is one formula: take it away",
  "[": "a tuple is written with round brackets: (1, 2, 3)",
  "{": "objects cannot be made in expressions",
  "@": 'list the field under "inputs" and write $1, $2 … here',
  ".": 'list the field under "inputs" and write $1, $2 … here',
};

/** Splits an expression into tokens, the last of kind `end`; or says what is wrong with it. */
export function tokensOf(text: string): readonly Token[] | SyntaxProblem {
  const tokens: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  while (at < text.length) {
    const skipped = match(blank);
    if (skipped !== undefined) {
      at += skipped.length;
      continue;
    }
    const token = tokenAt(text, at, match);
    if ("message" in token) return token;
    tokens.push(token);
    at = token.end - 1;
  }
  tokens.push({ kind: "end", text: "", column: text.length + 1, end: text.length + 1 });
  return tokens;
}

function tokenAt(
  text: string,
  at: number,
  match: (pattern: RegExp) => string | undefined,
): Token | SyntaxProblem {
  const first = text[at] ?? "";
  if (first === '"' || first === "'") return stringAt(text, at, first);
  const found = (kind: TokenKind, found: string | undefined): Token | undefined =>
    found === undefined
      ? undefined
      : { kind, text: found, column: at + 1, end: at + 1 + found.length };
  const token =
    found("number", match(number)) ??
    found("variable", match(variable)) ??
    found("name", match(name)) ??
    found("symbol", match(symbol));
  if (token !== undefined) return token;
  const hint = mistaken[first];
  const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
  return {
    column: at + 1,
    message: `${JSON.stringify(character)} has no place here${hint === undefined ? "" : `: ${hint}`}`,
  };
}

/** A text in double quotes, or in single ones as one of the documents has it. */
function stringAt(text: string, start: number, quote: string): Token | SyntaxProblem {
  let value = "";
  for (let at = start + 1; at < text.length; at += 1) {
    const character = text[at] ?? "";
    if (character === quote) return { kind: "string", text: value, column: start + 1, end: at + 2 };
    if (character !== "\\") {
      value += character;
      continue;
    }
    at += 1;
    const escaped = escapes[text[at] ?? ""];
    if (escaped === undefined) {
      const message = `"\\${text[at] ?? ""}" is not an escape: write "\\\\" for a backslash`;
      return { column: at, message };
    }
    value += escaped;
  }
  return { column: start + 1, message: `this text has no end: close it with ${quote}` };
}
