/** What a Bicep file says, as far as the files of infra/ need. */

export type Expression =
  | { readonly kind: "text"; readonly parts: readonly (string | Expression)[] }
  | { readonly kind: "literal"; readonly value: number | boolean | null }
  | { readonly kind: "name"; readonly name: string; readonly at: number }
  | { readonly kind: "array"; readonly items: readonly Expression[] }
  | { readonly kind: "object"; readonly entries: readonly Entry[] }
  | {
      readonly kind: "member";
      readonly of: Expression;
      readonly name: string;
      readonly safe: boolean;
      readonly at: number;
    }
  | {
      readonly kind: "index";
      readonly of: Expression;
      readonly index: Expression;
      readonly safe: boolean;
      readonly at: number;
    }
  | {
      readonly kind: "call";
      readonly name: string;
      readonly args: readonly Expression[];
      readonly at: number;
    }
  | { readonly kind: "unary"; readonly operator: "!" | "-"; readonly of: Expression }
  | {
      readonly kind: "binary";
      readonly operator: string;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly kind: "choice";
      readonly condition: Expression;
      readonly yes: Expression;
      readonly no: Expression;
    }
  | { readonly kind: "lambda"; readonly parameters: readonly string[]; readonly body: Expression }
  | {
      readonly kind: "for";
      readonly item: string;
      readonly index?: string;
      readonly source: Expression;
      readonly body: Expression;
    }
  | { readonly kind: "if"; readonly condition: Expression; readonly body: Expression };

export interface Entry {
  readonly key: Expression;
  readonly value: Expression;
  /** Offset of the key. */
  readonly at: number;
}

export interface Decorator {
  readonly name: string;
  readonly args: readonly Expression[];
}

export type TypeExpression =
  | { readonly kind: "named"; readonly name: string; readonly at: number }
  | { readonly kind: "list"; readonly of: TypeExpression }
  | { readonly kind: "optional"; readonly of: TypeExpression }
  | { readonly kind: "value"; readonly value: string | number | boolean }
  | { readonly kind: "oneOf"; readonly of: readonly TypeExpression[] }
  | { readonly kind: "fields"; readonly fields: readonly Field[] };

export interface Field {
  readonly name: string;
  readonly type: TypeExpression;
  readonly decorators: readonly Decorator[];
}

interface Declared {
  readonly name: string;
  readonly decorators: readonly Decorator[];
  /** Offsets of the whole declaration with its decorators. */
  readonly start: number;
  readonly end: number;
}

export type Declaration =
  | ({ readonly kind: "targetScope" | "metadata"; readonly value: Expression } & Declared)
  | ({
      readonly kind: "param";
      readonly type: TypeExpression;
      readonly value?: Expression;
    } & Declared)
  | ({ readonly kind: "var"; readonly value: Expression } & Declared)
  | ({ readonly kind: "type"; readonly type: TypeExpression } & Declared)
  | ({
      readonly kind: "output";
      readonly type: TypeExpression;
      readonly value: Expression;
    } & Declared)
  | ({
      readonly kind: "resource";
      readonly type: string;
      readonly apiVersion: string;
      readonly existing: boolean;
      readonly value: Expression;
    } & Declared)
  | ({ readonly kind: "module"; readonly path: string; readonly value: Expression } & Declared)
  | ({
      readonly kind: "import";
      readonly names: readonly string[];
      readonly path: string;
    } & Declared);

export interface BicepFile {
  readonly path: string;
  readonly text: string;
  readonly declarations: readonly Declaration[];
}

/** Something is wrong with a Bicep file; the message begins with file and line. */
export class BicepError extends Error {
  override readonly name = "BicepError";

  constructor(file: { readonly path: string; readonly text: string }, at: number, what: string) {
    const line = file.text.slice(0, at).split("\n").length;
    super(`${file.path}:${line}: ${what}`);
  }
}
