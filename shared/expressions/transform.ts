import type { DatasetRule, FilterRule, Transform } from "../model/transform.ts";
import { utf8FromText } from "../translate/utf8.ts";
import { type ConditionInput, datasetLookup, readDataset } from "./dataset.ts";
import { mayBeBoolean } from "./evaluator.ts";
import { type Inputs, Opaque } from "./inputs.ts";
import type { JsonObject } from "./json-node.ts";
import { valueFromNode } from "./json-value.ts";
import { writeJson } from "./json-writer.ts";
import { compileMap, type MapStage, type MetadataEdit } from "./map-stage.ts";
import { type Report, RulePlace, type RuleProblem } from "./rule.ts";
import {
  type FieldReader,
  fieldReader,
  type Lookup,
  type MessageView,
  NotJson,
  Scope,
} from "./scope.ts";
import { fieldText, type Trace } from "./trace.ts";
import { Failure, typeOf, type Value } from "./value.ts";

/** What a transform makes of one message. Bad data is a rejection. */
export type Transformed =
  | {
      readonly kind: "passed";
      /** Undefined: as it came. */
      readonly payload: Uint8Array | undefined;
      readonly edits: readonly MetadataEdit[];
    }
  | { readonly kind: "filtered" }
  | {
      readonly kind: "rejected";
      readonly code: "EXPRESSION_FAILED" | "PAYLOAD_NOT_JSON";
      readonly reason: string;
    };

export type RunTransform = (message: MessageView) => Transformed;

/** Everything that is wrong with the rules of a transform; it can be compiled when no problem is an error. */
export function transformProblems(transform: Transform): readonly RuleProblem[] {
  const problems: RuleProblem[] = [];
  compileStages(transform, new Map(), (problem) => problems.push(problem));
  return problems;
}

/**
 * Compiles a transform once, for every message of a route: pure but for `? $last`, which remembers within what is returned.
 * `datasets` are the texts by their keys. `trace` is told of every rule that runs, which takes time. @throws RangeError when a rule has an error, or a dataset is missing or no JSON.
 */
export function compileTransform(
  transform: Transform,
  datasets: ReadonlyMap<string, string>,
  trace?: Trace,
): RunTransform {
  const records = new Map<string, readonly JsonObject[]>();
  for (const { key } of transform.datasets) {
    const text = datasets.get(key);
    if (text === undefined) throw new RangeError(`The dataset "${key}" is not there`);
    const read = readDataset(text);
    if (typeof read === "string")
      throw new RangeError(`The dataset "${key}" cannot be read: ${read}`);
    records.set(key, read);
  }
  const report: Report = ({ stage, index, severity, message }) => {
    if (severity === "error") throw new RangeError(`${stage}[${index}]: ${message}`);
  };
  const stages = compileStages(transform, records, report, trace);
  return (message) => run(stages, message);
}

interface Stages {
  readonly lookups: ReadonlyMap<string, Lookup>;
  readonly drops: (scope: Scope) => boolean | Failure;
  readonly map: MapStage | undefined;
}

function compileStages(
  transform: Transform,
  records: ReadonlyMap<string, readonly JsonObject[]>,
  report: Report,
  trace?: Trace,
): Stages {
  const names: string[] = [];
  const lookups = new Map<string, Lookup>();
  for (const [i, rule] of transform.datasets.entries()) {
    const place = new RulePlace("datasets", i, report);
    if (names.includes(rule.name)) {
      place.report("error", ["key"], `there are two datasets named ${JSON.stringify(rule.name)}`);
    }
    const lookup = compileDataset(rule, place, { names, records: records.get(rule.key) ?? [] });
    names.push(rule.name);
    if (lookup !== undefined) lookups.set(rule.name, tracedLookup(lookup, rule, i, trace));
  }
  return {
    lookups,
    drops: compileFilter(transform, names, report, trace),
    map: transform.map === undefined ? undefined : compileMap(transform.map, names, report, trace),
  };
}

function tracedLookup(
  lookup: Lookup,
  { expression }: DatasetRule,
  index: number,
  trace: Trace | undefined,
): Lookup {
  if (trace === undefined) return lookup;
  return (scope) => {
    const found = lookup(scope);
    const result = found === undefined ? "no record" : fieldText(found);
    trace({ stage: "datasets", index, expression, inputs: [], result });
    return found;
  };
}

/** A dataset's condition may use the datasets before it, so that none waits for itself. */
function compileDataset(
  rule: DatasetRule,
  place: RulePlace,
  known: { readonly names: readonly string[]; readonly records: readonly JsonObject[] },
): Lookup | undefined {
  const { name: own } = rule;
  const inputs = place.inputs(rule.inputs, { wildcards: false, datasets: [...known.names], own });
  if (inputs === undefined) return undefined;
  const compiled = place.expression(rule.expression, inputs);
  if (compiled === undefined) return undefined;
  const { expression, evaluate } = compiled;
  const label = place.label(rule.expression);
  const sides = inputs.map((input): ConditionInput => {
    const { source } = input;
    const isOwn = source.kind === "context" && source.dataset === own;
    return isOwn
      ? { of: "record", path: source.path.before }
      : { of: "message", read: fieldReader(input) };
  });
  return datasetLookup(known.records, { expression, evaluate, inputs: sides, label });
}

/** Whether the message is dropped: several filters drop it when one of them says so, in either reading. */
function compileFilter(
  { filter, filterDrops }: Transform,
  datasets: readonly string[],
  report: Report,
  trace?: Trace,
): (scope: Scope) => boolean | Failure {
  const rules = filter.flatMap(
    (rule, i) => compileFilterRule(rule, new RulePlace("filter", i, report), datasets, trace) ?? [],
  );
  return (scope) => {
    for (const rule of rules) {
      const result = rule(scope);
      if (result instanceof Failure) return result;
      if (result === filterDrops) return true;
    }
    return false;
  };
}

function compileFilterRule(
  rule: FilterRule,
  place: RulePlace,
  datasets: readonly string[],
  trace?: Trace,
): ((scope: Scope) => boolean | Failure) | undefined {
  const inputs = place.inputs(rule.inputs, { wildcards: false, datasets });
  if (inputs === undefined) return undefined;
  const compiled = place.expression(rule.expression, inputs);
  if (compiled === undefined) return undefined;
  const { evaluate, expression } = compiled;
  if (!mayBeBoolean(expression)) {
    place.report(
      "error",
      ["expression"],
      `${JSON.stringify(rule.expression)} is never true or false: a filter needs a comparison`,
    );
  }
  const readers = inputs.map(fieldReader);
  const label = place.label(rule.expression);
  const drops = (scope: Scope): boolean | Failure => {
    const values = valuesOf(readers, scope);
    if (values instanceof Failure) return values;
    const result = evaluate(values);
    if (typeof result === "boolean") return result;
    const reason =
      result instanceof Failure ? result.reason : `the result is ${typeOf(result)}, not boolean`;
    return new Failure(`${label}: ${reason}`);
  };
  if (trace === undefined) return drops;
  return (scope) => {
    const result = drops(scope);
    trace({
      stage: "filter",
      index: place.index,
      expression: rule.expression,
      inputs: inputs.map(({ text }, i) => ({ name: text, value: fieldText(readers[i]?.(scope)) })),
      result: fieldText(result),
    });
    return result;
  };
}

function valuesOf(readers: readonly FieldReader[], scope: Scope): Inputs | Failure {
  const values: (Value | Opaque)[] = [];
  for (const read of readers) {
    const field = read(scope);
    if (field instanceof Failure) return field;
    values.push(field instanceof Opaque ? field : valueFromNode(field));
  }
  return values;
}

function run({ lookups, drops, map }: Stages, message: MessageView): Transformed {
  const scope = new Scope(message, lookups);
  const dropped = drops(scope);
  if (dropped instanceof Failure) return rejected(dropped);
  if (dropped) return { kind: "filtered" };
  const mapped = map?.(scope);
  if (mapped instanceof Failure) return rejected(mapped);
  const payload = mapped?.payload;
  return {
    kind: "passed",
    payload: payload === undefined ? undefined : utf8FromText(writeJson(payload)),
    edits: mapped?.edits ?? [],
  };
}

function rejected(failure: Failure): Transformed {
  const code = failure instanceof NotJson ? "PAYLOAD_NOT_JSON" : "EXPRESSION_FAILED";
  return { kind: "rejected", code, reason: failure.reason };
}
