import type { MapRule } from "../model/transform.ts";
import type { FieldSource, InputReference, OutputTarget } from "./field-reference.ts";
import { parseOutput } from "./field-reference.ts";
import type { Evaluator } from "./inputs.ts";
import { filledPath, type PathPattern } from "./path.ts";
import type { RulePlace } from "./rule.ts";
import { type FieldReader, fieldReader } from "./scope.ts";
import { rankOf } from "./wildcard.ts";

/** A source with fields of its own. */
export type PathSource = Extract<FieldSource, { readonly path: PathPattern }>;

export interface CompiledMapRule {
  readonly inputs: readonly InputReference[];
  readonly readers: readonly FieldReader[];
  /** Undefined: the input is copied. */
  readonly evaluate: Evaluator | undefined;
  readonly target: OutputTarget;
  /** The first input with a wildcard: it says what the wildcard stands for. */
  readonly driver: PathSource | undefined;
  /** How failures name it. */
  readonly label: string;
  readonly place: {
    readonly stage: "map";
    readonly index: number;
    readonly expression: string | undefined;
    readonly output: string;
  };
}

/** Checks and compiles one rule of a map; problems are reported, and then there is no rule. */
export function compileMapRule(
  rule: MapRule,
  place: RulePlace,
  datasets: readonly string[],
): CompiledMapRule | undefined {
  const inputs = place.inputs(rule.inputs, { wildcards: true, datasets });
  const target = parseOutput(rule.output);
  if (typeof target === "string") place.report("error", ["output"], target);
  if (inputs === undefined || typeof target === "string") return undefined;
  const driver = inputs.map(({ source }) => source).find(hasWildcard);
  const text = rule.expression ?? "";
  if (!isShapely(rule, target, driver, place)) return undefined;
  const compiled = text === "" ? undefined : place.expression(text, inputs);
  if (text !== "" && compiled === undefined) return undefined;
  const output = rule.output === "" ? "" : ` -> ${JSON.stringify(rule.output)}`;
  return {
    inputs,
    readers: inputs.map(fieldReader),
    evaluate: compiled?.evaluate,
    target,
    driver,
    place: {
      stage: "map",
      index: place.index,
      expression: text === "" ? undefined : text,
      output: rule.output,
    },
    label: `${place.label(text === "" ? undefined : text)}${output}`,
  };
}

function hasWildcard(source: FieldSource): source is PathSource {
  return "path" in source && source.path.hasWildcard;
}

/** Whether inputs, expression and output of a rule go together. */
function isShapely(
  rule: MapRule,
  target: OutputTarget,
  driver: PathSource | undefined,
  place: RulePlace,
): boolean {
  const hasExpression = (rule.expression ?? "") !== "";
  if (target.kind === "nowhere") {
    if (hasExpression) {
      place.report(
        "error",
        ["expression"],
        "a rule with an empty output takes fields out: it has no expression",
      );
    }
    return !hasExpression;
  }
  if (!hasExpression && rule.inputs.length !== 1) {
    const count = rule.inputs.length === 0 ? "no input" : `${rule.inputs.length} inputs`;
    const message = `the rule has ${count} and no expression: give an expression that makes one value of them`;
    place.report("error", ["inputs"], message);
    return false;
  }
  const spreads = target.kind === "payload" && target.path.hasWildcard;
  if (spreads && driver === undefined) {
    place.report(
      "error",
      ["output"],
      'the output has a wildcard and no input has one: what "*" stands for comes from an input',
    );
    return false;
  }
  if (driver !== undefined && !spreads) {
    place.report(
      "warning",
      ["output"],
      "an input has a wildcard and the output has none: each match writes the same field, and the last one stays",
    );
  }
  return true;
}

/** The fields a rule reads when its wildcard stands for `captured`. */
function pathsOf(
  rule: CompiledMapRule,
  captured: readonly string[],
): readonly (readonly string[])[] {
  return rule.inputs.map(({ source }) =>
    "path" in source ? filledPath(source.path, captured) : [],
  );
}

/**
 * Whether `other` is the more specific rule for what `rule` reads when its wildcard stands for `captured`: it reads the same fields
 * (or, with an empty output, one of them) and its wildcard stands for fewer.
 */
export function isOverridden(
  rule: CompiledMapRule,
  captured: readonly string[],
  other: CompiledMapRule,
): boolean {
  const paths = pathsOf(rule, captured);
  const rank = other.target.kind === "nowhere" ? removalRank : sameFieldsRank;
  const found = rank(rule, paths, other);
  return found !== undefined && found < captured.length;
}

function removalRank(
  rule: CompiledMapRule,
  paths: readonly (readonly string[])[],
  other: CompiledMapRule,
): number | undefined {
  const ranks = other.inputs.flatMap(({ source }) =>
    rule.inputs.flatMap((input, i) => rankBelow(source, input.source, paths[i] ?? []) ?? []),
  );
  return ranks.length === 0 ? undefined : Math.min(...ranks);
}

function sameFieldsRank(
  rule: CompiledMapRule,
  paths: readonly (readonly string[])[],
  other: CompiledMapRule,
): number | undefined {
  if (other.inputs.length !== rule.inputs.length) return undefined;
  let greatest = 0;
  for (const [i, { source }] of other.inputs.entries()) {
    const own = rule.inputs[i]?.source;
    const rank = own === undefined ? undefined : rankBelow(source, own, paths[i] ?? []);
    if (rank === undefined) return undefined;
    greatest = Math.max(greatest, rank);
  }
  return greatest;
}

/** The rank at which `pattern` covers the field that `source` resolves to at `path`. */
function rankBelow(
  pattern: FieldSource,
  source: FieldSource,
  path: readonly string[],
): number | undefined {
  if (!("path" in pattern) || !("path" in source)) {
    return JSON.stringify(pattern) === JSON.stringify(source) ? 0 : undefined;
  }
  const ofOne = pattern.kind === "context" ? pattern.dataset : undefined;
  const ofOther = source.kind === "context" ? source.dataset : undefined;
  if (pattern.kind !== source.kind || ofOne !== ofOther) return undefined;
  return rankOf(pattern.path, path);
}

/** Whether a rule can stand in the way of another one's wildcard: those that write metadata do not touch the payload. */
export function mayOverride({ target, inputs }: CompiledMapRule): boolean {
  const reads = inputs.some(({ source }) => "path" in source);
  return reads && (target.kind === "payload" || target.kind === "nowhere");
}
