import type { MapRule } from "../model/transform.ts";
import type { MetadataField } from "./field-reference.ts";
import { type Evaluator, Opaque } from "./inputs.ts";
import { isList, type JsonNode, JsonNumber, JsonObject, nodeAt, setAt } from "./json-node.ts";
import { nodeFromValue, valueFromNode } from "./json-value.ts";
import { writeJson } from "./json-writer.ts";
import { type CompiledMapRule, compileMapRule, isOverridden, mayOverride } from "./map-rule.ts";
import { filledPath } from "./path.ts";
import { type Report, RulePlace } from "./rule.ts";
import { type Field, rootOf, type Scope } from "./scope.ts";
import { fieldText, type Trace } from "./trace.ts";
import { Failure, PlacedFailure, type Value } from "./value.ts";
import { copyWithout, type Excluded, eachMatch, exclude } from "./wildcard.ts";

/** What a map wrote into the metadata: a value, or nothing in its place. */
export interface MetadataEdit {
  readonly field: MetadataField;
  readonly value: string | undefined;
}

export interface Mapped {
  /** Undefined: as it came. */
  readonly payload: JsonObject | undefined;
  readonly edits: readonly MetadataEdit[];
}

export type MapStage = (scope: Scope) => Mapped | Failure;

/** What the rules write, while they write it. */
interface Draft {
  payload: JsonObject;
  readonly edits: MetadataEdit[];
}

type Step = (scope: Scope, draft: Draft) => Failure | undefined;

/** Compiles the rules of a map. Problems are reported; a map with errors must not be run. `trace` is told of every match. */
export function compileMap(
  rules: readonly MapRule[],
  datasets: readonly string[],
  report: Report,
  trace?: Trace,
): MapStage {
  const compiled = rules.flatMap(
    (rule, i) => compileMapRule(rule, new RulePlace("map", i, report), datasets) ?? [],
  );
  if (
    compiled.length === rules.length &&
    !compiled.some(({ target }) => target.kind === "payload")
  ) {
    const message =
      "the map writes no field of the payload, which becomes {}: to keep all fields, begin with inputs: ['*'] and output: '*'";
    new RulePlace("map", 0, report).report("warning", [], message);
  }
  const isUntouched = keepsPayload(compiled);
  const running = isUntouched ? compiled.filter((rule) => !writesPayload(rule)) : compiled;
  const steps = running.map((rule) => stepOf(rule, overridersOf(rule, compiled), trace));
  return (scope) => {
    const draft: Draft = { payload: new JsonObject(true), edits: [] };
    for (const step of steps) {
      const failure = step(scope, draft);
      if (failure !== undefined) return failure;
    }
    return { payload: isUntouched ? undefined : draft.payload, edits: draft.edits };
  };
}

function writesPayload({ target }: CompiledMapRule): boolean {
  return target.kind === "payload" || target.kind === "nowhere";
}

/** Whether all that happens to the payload is that every field is copied: then its bytes stay, whatever they are. */
function keepsPayload(rules: readonly CompiledMapRule[]): boolean {
  const [only, ...others] = rules.filter(writesPayload);
  return only !== undefined && others.length === 0 && copiesAll(only);
}

function copiesAll({ inputs, evaluate, target }: CompiledMapRule): boolean {
  const source = inputs[0]?.source;
  if (evaluate !== undefined || source?.kind !== "payload" || target.kind !== "payload")
    return false;
  return [source.path, target.path].every(
    ({ hasWildcard, before, after }) => hasWildcard && before.length + after.length === 0,
  );
}

/** The rules that may take matches of this one's wildcard away: later ones, and those that take fields out wherever they stand. */
function overridersOf(
  rule: CompiledMapRule,
  rules: readonly CompiledMapRule[],
): readonly CompiledMapRule[] {
  if (rule.driver === undefined) return [];
  const at = rules.indexOf(rule);
  return rules.filter(
    (other, i) => i !== at && mayOverride(other) && (i > at || other.target.kind === "nowhere"),
  );
}

function stepOf(
  rule: CompiledMapRule,
  overriders: readonly CompiledMapRule[],
  trace: Trace | undefined,
): Step {
  if (rule.target.kind === "nowhere") return () => undefined;
  const write = writerOf(rule, trace);
  if (rule.driver === undefined) return (scope, draft) => write(scope, draft, []);
  const spread = spreading(rule, overriders, write);
  if (!copiesAll(rule) || trace !== undefined) return spread;
  const excluded = excludedBy(overriders);
  if (excluded === undefined) return spread;
  return (scope, draft) => {
    if (draft.payload.names.length > 0) return spread(scope, draft);
    const payload = scope.payload();
    if (payload instanceof Failure) return payload;
    draft.payload = copyWithout(payload, excluded);
    return undefined;
  };
}

/** The fields that rules without wildcards take from a copy of everything; undefined where one has a wildcard. */
function excludedBy(overriders: readonly CompiledMapRule[]): Excluded | undefined {
  const excluded: Excluded = new Map();
  for (const { inputs, target, driver } of overriders) {
    if (driver !== undefined) return undefined;
    if (inputs.length > 1 && target.kind !== "nowhere") continue;
    for (const { source } of inputs) {
      if (source.kind === "payload") exclude(excluded, source.path.before);
    }
  }
  return excluded;
}

type Write = (scope: Scope, draft: Draft, captured: readonly string[]) => Failure | undefined;

function spreading(
  rule: CompiledMapRule,
  overriders: readonly CompiledMapRule[],
  write: Write,
): Step {
  const { driver } = rule;
  if (driver === undefined) return (scope, draft) => write(scope, draft, []);
  const root = rootOf(driver);
  return (scope, draft) => {
    const base = root(scope);
    if (base instanceof Failure) return base;
    if (base === undefined) return undefined;
    return eachMatch(base, driver.path, (captured) => {
      const isTaken = overriders.some((other) => isOverridden(rule, captured, other));
      return isTaken ? undefined : write(scope, draft, captured);
    });
  };
}

/** Reads the inputs of a rule, makes its value, and writes it. A match that another input cannot follow is skipped. */
function writerOf(rule: CompiledMapRule, trace: Trace | undefined): Write {
  const { evaluate, label } = rule;
  const readers = rule.inputs.map((_, i) => readerOf(rule, i));
  const plain = evaluate === undefined ? copying(rule, readers[0]) : computing(evaluate, readers);
  const make = trace === undefined ? plain : traced(plain, rule, readers, trace);
  return (scope, draft, captured) => {
    const node = make(scope, captured);
    if (node === SKIPPED) return undefined;
    if (!(node instanceof Failure)) return put(rule, draft, captured, node);
    return node instanceof PlacedFailure ? node : new Failure(`${label}: ${node.reason}`);
  };
}

function traced(
  make: Make,
  { inputs, place, target }: CompiledMapRule,
  readers: readonly ReadMatch[],
  trace: Trace,
): Make {
  return (scope, captured) => {
    const node = make(scope, captured);
    if (node === SKIPPED) return node;
    trace({
      ...place,
      inputs: inputs.map(({ source, text }, i) => ({
        name: "path" in source ? filledPath(source.path, captured).join(".") : text,
        value: fieldText(readers[i]?.(scope, captured)),
      })),
      result: fieldText(node),
      output: "path" in target ? filledPath(target.path, captured).join(".") : place.output,
    });
    return node;
  };
}

function put(
  { target }: CompiledMapRule,
  draft: Draft,
  captured: readonly string[],
  node: JsonNode | undefined,
): undefined {
  if (target.kind === "payload") {
    if (node !== undefined) setAt(draft.payload, filledPath(target.path, captured), node);
  } else if (target.kind !== "nowhere") {
    draft.edits.push({ field: target, value: textOfNode(node) });
  }
}

/** In the place of a match that an input has no field for. */
const SKIPPED = new Failure("skipped");

type ReadMatch = (scope: Scope, captured: readonly string[]) => Field;

/** The node to write, or why there is none. */
type Make = (scope: Scope, captured: readonly string[]) => JsonNode | undefined | Failure;

function readerOf(rule: CompiledMapRule, index: number): ReadMatch {
  const source = rule.inputs[index]?.source;
  const read = rule.readers[index];
  if (source === undefined || read === undefined) throw new RangeError("A rule lacks an input");
  if (!("path" in source) || !source.path.hasWildcard) return read;
  const root = rootOf(source);
  return (scope, captured) => {
    const base = root(scope);
    if (base instanceof Failure) return base;
    return (base && nodeAt(base, filledPath(source.path, captured))) ?? SKIPPED;
  };
}

function copying({ inputs }: CompiledMapRule, read: ReadMatch | undefined): Make {
  return (scope, captured) => {
    const field = read?.(scope, captured);
    if (!(field instanceof Opaque)) return field;
    return new Failure(`$1 (${inputs[0]?.text}) is ${field.what}, which JSON cannot hold`);
  };
}

function computing(evaluate: Evaluator, readers: readonly ReadMatch[]): Make {
  return (scope, captured) => {
    const values: (Value | Opaque)[] = [];
    for (const read of readers) {
      const field = read(scope, captured);
      if (field instanceof Failure) return field;
      values.push(field instanceof Opaque ? field : valueFromNode(field));
    }
    const value = evaluate(values);
    return value instanceof Failure ? value : nodeFromValue(value);
  };
}

/** A value as metadata holds it: text as it is, everything else as JSON writes it. Null is nothing. */
function textOfNode(node: JsonNode | undefined): string | undefined {
  if (node === undefined || node === null) return undefined;
  if (node instanceof JsonNumber) return node.text;
  if (typeof node === "string" || typeof node === "boolean") return String(node);
  return isList(node) || node instanceof JsonObject ? writeJson(node) : undefined;
}
