import { type Evaluator, Opaque } from "./inputs.ts";
import { isList, type JsonNode, JsonObject, nodeAt } from "./json-node.ts";
import { JsonProblem, readJson } from "./json-reader.ts";
import { valueFromNode } from "./json-value.ts";
import type { FieldReader, Lookup, Scope } from "./scope.ts";
import type { Expression } from "./syntax.ts";
import { Failure, isNumeric, PlacedFailure, type Value } from "./value.ts";

/** The records of a dataset: a JSON object on each line, or one JSON array of objects. The reason why it is none as text. */
export function readDataset(text: string): readonly JsonObject[] | string {
  const whole = readJson(text);
  if (isList(whole as JsonNode)) return objectsOf(whole as readonly JsonNode[], "item");
  const lines = text.split("\n").map((line) => line.trim());
  const nodes: JsonNode[] = [];
  for (const [i, line] of lines.entries()) {
    if (line === "") continue;
    const node = readJson(line);
    if (node instanceof JsonProblem) return `line ${i + 1} is not JSON: ${node.message}`;
    nodes.push(node);
  }
  return objectsOf(nodes, "record");
}

function objectsOf(nodes: readonly JsonNode[], noun: string): readonly JsonObject[] | string {
  const at = nodes.findIndex((node) => !(node instanceof JsonObject));
  return at < 0 ? (nodes as readonly JsonObject[]) : `${noun} ${at + 1} is not a JSON object`;
}

/** One input of a dataset's condition: a field of the record, or of the message. */
export type ConditionInput =
  | { readonly of: "record"; readonly path: readonly string[] }
  | { readonly of: "message"; readonly read: FieldReader };

export interface Condition {
  readonly expression: Expression;
  readonly evaluate: Evaluator;
  readonly inputs: readonly ConditionInput[];
  /** For messages: `datasets[0] "$1 == $2"`. */
  readonly label: string;
}

/** Finds the first record for which the condition is true; by an index where the condition asks for one equal field. */
export function datasetLookup(records: readonly JsonObject[], condition: Condition): Lookup {
  const scan = scanning(records, condition);
  const keys = keysOf(condition);
  const index = keys === undefined ? undefined : indexOf(records, keys.record);
  if (keys === undefined || index === undefined) return scan;
  return (scope) => {
    const field = keys.message(scope);
    if (field instanceof Failure) return field;
    const key = field instanceof Opaque ? undefined : keyOf(valueFromNode(field));
    return key === undefined ? scan(scope) : index.get(key);
  };
}

function scanning(records: readonly JsonObject[], { evaluate, inputs, label }: Condition): Lookup {
  return (scope) => {
    const fields = fieldsOf(inputs, scope);
    if (fields instanceof Failure) return fields;
    for (const record of records) {
      const values = fields.map((field) =>
        field instanceof RecordPath ? valueFromNode(nodeAt(record, field.path)) : field,
      );
      const result = evaluate(values);
      if (result === true) return record;
      if (result instanceof Failure) return new PlacedFailure(`${label}: ${result.reason}`);
      if (result !== false) return new PlacedFailure(`${label}: the result is not a boolean`);
    }
    return undefined;
  };
}

class RecordPath {
  readonly path: readonly string[];

  constructor(path: readonly string[]) {
    this.path = path;
  }
}

/** The values of the message, read once, among the places for those of each record. */
function fieldsOf(
  inputs: readonly ConditionInput[],
  scope: Scope,
): readonly (Value | Opaque | RecordPath)[] | Failure {
  const fields: (Value | Opaque | RecordPath)[] = [];
  for (const input of inputs) {
    if (input.of === "record") fields.push(new RecordPath(input.path));
    else {
      const field = input.read(scope);
      if (field instanceof Failure) return field;
      fields.push(field instanceof Opaque ? field : valueFromNode(field));
    }
  }
  return fields;
}

/** The two sides of a condition of the form `$1 == $2`, one of the message and one of the record. */
function keysOf({
  expression,
  inputs,
}: Condition): { readonly message: FieldReader; readonly record: readonly string[] } | undefined {
  if (expression.kind !== "binary" || expression.operator !== "==") return undefined;
  const sides = [expression.left, expression.right].map((side) =>
    side.kind === "variable" ? inputs[side.index] : undefined,
  );
  const message = sides.find((side) => side?.of === "message");
  const record = sides.find((side) => side?.of === "record");
  if (message?.of !== "message" || record?.of !== "record") return undefined;
  return { message: message.read, record: record.path };
}

/** The first record of each key; undefined when a record has none that can be looked up. */
function indexOf(
  records: readonly JsonObject[],
  path: readonly string[],
): ReadonlyMap<string, JsonObject> | undefined {
  const index = new Map<string, JsonObject>();
  for (const record of records) {
    const value = valueFromNode(nodeAt(record, path));
    const key = value instanceof Opaque ? undefined : keyOf(value);
    if (key === undefined) return undefined;
    if (!index.has(key)) index.set(key, record);
  }
  return index;
}

/** Equal for values that are equal, different for others; undefined for those that are compared one by one. */
function keyOf(value: Value | Opaque): string | undefined {
  if (value instanceof Opaque) return undefined;
  if (typeof value === "string") return `s${value}`;
  if (value === undefined || typeof value === "boolean") return `${value}`;
  if (!isNumeric(value) || Number.isNaN(value)) return undefined;
  return Number.isInteger(value) ? `n${BigInt(value)}` : `n${value}`;
}
