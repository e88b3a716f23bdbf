import type { z } from "zod";
import type { FieldPath } from "./problem.ts";
import { quote, shown } from "./quote.ts";

const kindsOfValue: Readonly<Record<string, string>> = {
  array: "a list (- … on a line of its own for each item)",
  boolean: "true or false",
  number: "a number",
  object: "fields (name: value, indented)",
  record: "fields (name: value, indented)",
  string: "text",
};

/** Whether an issue says that a required field is not there. */
export function isMissing(issue: { readonly message?: string | undefined }): boolean {
  return issue.message?.endsWith("is missing") === true;
}

/** The message of an issue for which a schema has none of its own. */
export function explainIssue(issue: z.core.$ZodRawIssue): string {
  const { input } = issue;
  if (input === undefined || input === null) {
    const name = (issue.path ?? []).at(-1);
    const field = typeof name === "string" ? quote(name) : "a value";
    return `${field} is missing`;
  }
  if (issue.code === "too_small") return "this is empty: give a text";
  if (issue.code !== "invalid_type") return `found ${shown(input)}, expected text`;
  const hint =
    issue.expected === "string" && typeof input !== "object"
      ? `: write ${quote(String(input))}`
      : "";
  return `found ${shown(input)}, expected ${kindsOfValue[issue.expected] ?? issue.expected}${hint}`;
}

/** As {@link explainIssue}, but without what was found: for Secrets. */
export function explainQuietly(issue: z.core.$ZodRawIssue): string {
  if (issue.input === undefined || issue.input === null) return explainIssue(issue);
  const expected = issue.code === "invalid_type" ? issue.expected : "string";
  return `expected ${kindsOfValue[expected] ?? expected}`;
}

/** A copy of plain data without one field; data that does not hold the field comes back as it is. */
export function withoutField(data: unknown, path: FieldPath): unknown {
  const [step, ...rest] = path;
  if (step === undefined || typeof data !== "object" || data === null) return data;
  if (Array.isArray(data)) {
    return data.map((item, index) => (index === step ? withoutField(item, rest) : item));
  }
  return Object.fromEntries(
    Object.entries(data).flatMap(([key, value]) => {
      if (key !== String(step)) return [[key, value]];
      return rest.length === 0 ? [] : [[key, withoutField(value, rest)]];
    }),
  );
}
