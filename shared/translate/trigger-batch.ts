import { type DecodeProblem, kindOf } from "./trigger-problem.ts";

export type Fields = Readonly<Record<string, unknown>>;

/** Any value as an object to look names up in; not an object: an empty one. */
export function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

/**
 * A batch as a trigger hands it over: values in one list, and what belongs to each in further lists beside it.
 * Collects what is wrong while its parts are read.
 */
export interface TriggerBatch {
  readonly values: readonly unknown[];
  readonly metadata: Fields;
  readonly problems: DecodeProblem[];
  /** The i-th entry of the list `name`. A list that is missing or as long as another batch has no entries. */
  at(name: string, index: number): unknown;
}

/** Checks the outline of a batch: a list of values, and lists beside it that have as many entries. */
export function triggerBatch(
  payload: unknown,
  triggerMetadata: unknown,
  lists: readonly string[],
): TriggerBatch {
  const problems: DecodeProblem[] = [];
  const metadata = fieldsOf(triggerMetadata);
  const values = Array.isArray(payload) ? (payload as readonly unknown[]) : [];
  if (!Array.isArray(payload)) {
    problems.push({
      field: "payload",
      message: `Cannot read the batch: expected a list of values, found ${kindOf(payload)}`,
      severity: "error",
    });
  }
  const usable = new Map<string, readonly unknown[]>();
  for (const name of lists) {
    const list = metadata[name];
    if (list === undefined) continue;
    if (Array.isArray(list) && list.length === values.length) usable.set(name, list);
    else problems.push(misfit(name, list, values.length));
  }
  return { values, metadata, problems, at: (name, index) => usable.get(name)?.[index] };
}

/** The host leaves null values out of a list: what is left would belong to the wrong records. */
function misfit(field: string, list: unknown, expected: number): DecodeProblem {
  const found = Array.isArray(list) ? `${list.length} entries` : kindOf(list);
  return {
    field,
    message: `Cannot read "${field}": expected ${expected} entries, one for each value, found ${found}`,
    severity: "error",
  };
}
