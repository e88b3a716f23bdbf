import * as z from "zod";
import { didYouMean, orList, plainSpelling } from "../nearest.ts";
import { quote, shown } from "../quote.ts";
import type { TextCheck } from "../topic-text.ts";

/** A schema whose checked value is a `T`. */
export type Schema<T> = z.ZodType<T>;

/** Text that is not empty. */
export const text: Schema<string> = z.string().min(1);

/** Text that may be empty. */
export const anyText: Schema<string> = z.string();

/** Text or a number that was meant as text, such as an unquoted image tag. */
export const looseText: Schema<string> = z
  .union([z.string(), z.number(), z.boolean()])
  .transform(String);

/** A field that is read and has no effect here; docs/manifests.md says so of each. */
export const ignored: z.ZodOptional<Schema<unknown>> = z.unknown().optional();

export const flag: Schema<boolean> = z.boolean({
  error: (issue) =>
    issue.input === undefined ? undefined : notAllowed(issue.input, ["true", "false"]),
});

/** True or false, written as a boolean or as `Enabled`/`Disabled` (S-2). */
export const toggle: Schema<boolean> = z.unknown().transform((input, context) => {
  const words: Record<string, boolean> = {
    enabled: true,
    true: true,
    disabled: false,
    false: false,
  };
  const value = words[plainSpelling(String(input))];
  if (value !== undefined && (typeof input === "string" || typeof input === "boolean"))
    return value;
  return refuse(context, input, notAllowed(input, ["Enabled", "Disabled"]));
});

function refuse(context: z.core.$RefinementCtx, input: unknown, message: string): never {
  // A field that is not there is told of as missing, whatever it might have held.
  if (input === undefined) context.issues.push({ code: "invalid_type", expected: "string", input });
  else context.issues.push({ code: "custom", message, input });
  return z.NEVER;
}

function notAllowed(input: unknown, allowed: readonly string[]): string {
  const hint = typeof input === "string" ? didYouMean(input, allowed) : "";
  return `${shown(input)} is not allowed: use ${orList(allowed)}${hint}`;
}

/** A whole number between two bounds, both allowed. */
export function integer(least: number, most: number = Number.MAX_SAFE_INTEGER): Schema<number> {
  const range =
    most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `between ${least} and ${most}`;
  return z
    .number({
      error: (issue) =>
        issue.input === undefined
          ? undefined
          : `${shown(issue.input)} is not allowed: use a whole number, ${range}`,
    })
    .refine((value) => Number.isInteger(value) && value >= least && value <= most, {
      error: (issue) => `${shown(issue.input)} is not allowed: use a whole number, ${range}`,
    });
}

/** An enumeration, read without regard to case and separators (S-2). `aliases` map further spellings to the value they mean. */
export function choice<T extends string>(
  values: readonly T[],
  aliases: Readonly<Record<string, T>> = {},
): Schema<T> {
  const bySpelling = new Map<string, T>(values.map((value) => [plainSpelling(value), value]));
  for (const [alias, value] of Object.entries(aliases)) bySpelling.set(plainSpelling(alias), value);
  return z.unknown().transform((input, context) => {
    const value = typeof input === "string" ? bySpelling.get(plainSpelling(input)) : undefined;
    return value ?? refuse(context, input, notAllowed(input, values));
  });
}

/** Text with a check of its own. */
export function checked(check: TextCheck): Schema<string> {
  return z.string().transform((input, context) => {
    const problem = check(input);
    return problem === undefined ? input : refuse(context, input, problem);
  });
}

/** S-5 */
export const qos: Schema<0 | 1> = z.unknown().transform((input, context) => {
  if (input === 0 || input === 1) return input;
  return refuse(
    context,
    input,
    input === 2
      ? "QoS 2 is not supported: use 0 or 1"
      : `${shown(input)} is not allowed: use 0 or 1`,
  );
});

const placeholder = /^<.+>$/;
const kubernetesName = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;

/**
 * The name of a Secret or ConfigMap. What was found is not repeated in the message: people paste the
 * secret itself where its name belongs.
 */
export const reference: Schema<string> = z.string().transform((input, context) => {
  if (kubernetesName.test(input) || placeholder.test(input)) return input;
  return refuse(
    context,
    input,
    'this is not the name of a Secret or ConfigMap: use small letters, digits, "-" and ".", and put the value itself into a Secret of that name',
  );
});

/** A name that other resources and people refer to. */
export const resourceName: Schema<string> = z.string().transform((input, context) => {
  if (/^[^\s/]+$/u.test(input) || placeholder.test(input)) return input;
  return refuse(context, input, `${quote(input)} is not a name: use text without spaces and "/"`);
});
