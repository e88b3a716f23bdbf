import type { Value } from "./value.ts";

export type BinaryOperator =
  | "^"
  | "*"
  | "/"
  | "%"
  | "+"
  | "-"
  | "<"
  | ">"
  | "<="
  | ">="
  | "=="
  | "!="
  | "&&"
  | "||";

interface Place {
  /** Of the first character, from 1; of an operation, of its operator. */
  readonly column: number;
  /** Offsets of its text in the expression. */
  readonly from: number;
  readonly to: number;
}

/** A parsed expression. */
export type Expression = Place &
  (
    | { readonly kind: "literal"; readonly value: Value }
    /** `$1` has the index 0. */
    | { readonly kind: "variable"; readonly index: number }
    | { readonly kind: "tuple"; readonly items: readonly Expression[] }
    | { readonly kind: "unary"; readonly operator: "-" | "!"; readonly operand: Expression }
    | {
        readonly kind: "binary";
        readonly operator: BinaryOperator;
        readonly left: Expression;
        readonly right: Expression;
      }
    | { readonly kind: "call"; readonly name: string; readonly args: readonly Expression[] }
  );
