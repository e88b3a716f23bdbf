import type { Failure, Value } from "./value.ts";

/** A field that no formula can work with, and what it is: an object, or bytes that are no text. */
export class Opaque {
  readonly what: string;

  constructor(what: string) {
    this.what = what;
  }
}

/** What the inputs `$1`, `$2` … hold. */
export type Inputs = readonly (Value | Opaque)[];

/** A compiled expression. Total: bad data is a {@link Failure}. */
export type Evaluator = (inputs: Inputs) => Value | Failure;
