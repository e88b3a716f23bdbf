/** What is wrong with what a Functions host handed over. Never holds a payload, a key or a header value. */
export interface DecodeProblem {
  /** Position in the batch; absent when the whole batch is meant. */
  readonly index?: number;
  /** For example `offsetArray[3]`. */
  readonly field: string;
  readonly message: string;
  /** `error`: the record cannot be formed, so the batch must not count as taken. `warning`: it went on with less. */
  readonly severity: "error" | "warning";
}

/** The kind of a value, for a problem's text. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (value instanceof Uint8Array) return "bytes";
  if (value === undefined) return "nothing";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
