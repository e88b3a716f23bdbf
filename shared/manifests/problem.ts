import type { SourceLocation } from "../model/route.ts";

export type Severity = "error" | "warning" | "note";

/** Steps from a resource's root to a field: names of fields and, in lists, indices from 0. */
export type FieldPath = readonly (string | number)[];

/** One thing to tell the author of a manifest (S-1). Never holds a secret. */
export interface Problem {
  readonly severity: Severity;
  readonly location: SourceLocation;
  /** For example `spec.routes[0].mqttToKafka.qos`; empty when the whole file is meant. */
  readonly path: string;
  readonly message: string;
  /** An error that concerns one flow alone: the plan holds every other flow and may run without this one (S-8). */
  readonly scope?: "flow";
}

/** Writes a path as people read it: `spec.routes[0].name`, `metadata.annotations["isthmus.dev/retain"]`. */
export function pathText(path: FieldPath): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (!/^[A-Za-z_][\w-]*$/.test(step)) text += `[${JSON.stringify(step)}]`;
    else text += text === "" ? step : `.${step}`;
  }
  return text;
}

/** One line: `file:line:col: error: message (path)`. */
export function formatProblem(problem: Problem): string {
  const { file, line, column } = problem.location;
  const where = problem.path === "" ? "" : ` (${problem.path})`;
  const text = `${file}:${line}:${column}: ${problem.severity}: ${problem.message}${where}`;
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, escaped);
}

/** A manifest must not steer the terminal that its problems are printed on. */
function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** By file, line and column, so that the order does not depend on which check ran first. */
export function byPlace(a: Problem, b: Problem): number {
  const x = a.location;
  const y = b.location;
  if (x.file !== y.file) return x.file < y.file ? -1 : 1;
  return x.line - y.line || x.column - y.column;
}
