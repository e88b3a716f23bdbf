import { Opaque } from "./inputs.ts";
import { isList, type JsonNode, JsonNumber, JsonObject } from "./json-node.ts";
import { Failure, numberFromText, numberText, type Value } from "./value.ts";

/** What an expression sees of a node: null and what is not there are the empty value, objects are nothing it can use. */
export function valueFromNode(node: JsonNode | undefined): Value | Opaque {
  if (node === null || node === undefined) return undefined;
  if (node instanceof JsonNumber) return numberFromText(node.text);
  if (node instanceof JsonObject) return new Opaque("an object");
  return isList(node) ? tupleOf(node) : node;
}

function tupleOf(list: readonly JsonNode[]): Value | Opaque {
  const values: Value[] = [];
  for (const item of list) {
    const value = valueFromNode(item);
    if (value instanceof Opaque) return new Opaque("an array with objects");
    values.push(value);
  }
  return values;
}

/** The JSON of a value; undefined for the empty value, which is not written. */
export function nodeFromValue(value: Value): JsonNode | undefined | Failure {
  switch (typeof value) {
    case "undefined":
    case "string":
    case "boolean":
      return value;
    case "bigint":
    case "number": {
      const text = numberText(value);
      return text === undefined ? notANumber(value) : new JsonNumber(text);
    }
    default:
      return listOf(value);
  }
}

function listOf(values: readonly Value[]): JsonNode | Failure {
  const list: JsonNode[] = [];
  for (const value of values) {
    const node = nodeFromValue(value);
    if (node instanceof Failure) return node;
    list.push(node ?? null);
  }
  return list;
}

function notANumber(value: bigint | number): Failure {
  return new Failure(
    Number.isNaN(value)
      ? "the result is not a number (NaN), which JSON cannot hold"
      : "the result is infinite, which JSON cannot hold",
  );
}
