import type { TransformStage } from "../model/transform.ts";
import { Opaque } from "./inputs.ts";
import { writeJson } from "./json-writer.ts";
import type { Field } from "./scope.ts";
import { Failure } from "./value.ts";

/** One rule at work on one message, in words: for people who ask what a transform does. */
export interface TraceStep {
  readonly stage: TransformStage;
  readonly index: number;
  readonly expression: string | undefined;
  /** The fields that were read, with their values as JSON. */
  readonly inputs: readonly { readonly name: string; readonly value: string }[];
  /** As JSON, `()` for nothing, or why there is none. */
  readonly result: string;
  /** The field that it was written to. */
  readonly output?: string;
}

export type Trace = (step: TraceStep) => void;

/** A field or result as JSON, `()` for nothing, or why there is none. */
export function fieldText(field: Field): string {
  if (field === undefined) return "()";
  if (field instanceof Opaque) return field.what;
  return field instanceof Failure ? field.reason : writeJson(field);
}
