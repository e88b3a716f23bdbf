import { type JsonNode, JsonObject, nodeAt } from "./json-node.ts";
import type { PathPattern } from "./path.ts";
import type { Failure } from "./value.ts";

/** Told of each match in the order of the fields: what the wildcard stands for, and the node. The list is used again: copy it. */
export type Visit = (captured: readonly string[], node: JsonNode) => Failure | undefined;

/**
 * Visits everything below `root` that a pattern with a wildcard matches. At the end of a path the wildcard stands for all that is
 * no object, at any depth, and for objects without fields; elsewhere for one or more fields in a row.
 */
export function eachMatch(root: JsonNode, pattern: PathPattern, visit: Visit): Failure | undefined {
  const base = nodeAt(root, pattern.before);
  if (!(base instanceof JsonObject)) return undefined;
  const captured: string[] = [];
  const below = (object: JsonObject): Failure | undefined => {
    for (let i = 0; i < object.names.length; i += 1) {
      captured.push(object.names[i] ?? "");
      const failure = at(object.values[i] ?? null);
      captured.pop();
      if (failure !== undefined) return failure;
    }
    return undefined;
  };
  const at = (node: JsonNode): Failure | undefined => {
    const hasFields = node instanceof JsonObject && node.names.length > 0;
    if (pattern.after.length === 0) return hasFields ? below(node) : visit(captured, node);
    const match = nodeAt(node, pattern.after);
    const failure = match === undefined ? undefined : visit(captured, match);
    return failure ?? (hasFields ? below(node) : undefined);
  };
  return below(base);
}

/** How many fields of `path` the pattern's wildcard stands for, 0 without one; undefined when the path is neither it nor below it. */
export function rankOf(pattern: PathPattern, path: readonly string[]): number | undefined {
  const { before, after, hasWildcard } = pattern;
  if (!before.every((name, i) => path[i] === name)) return undefined;
  if (!hasWildcard) return 0;
  const captured = path.length - before.length - after.length;
  if (captured < 1) return undefined;
  const start = path.length - after.length;
  return after.every((name, i) => path[start + i] === name) ? captured : undefined;
}

/** Fields to leave out: `true` where a path ends. */
export type Excluded = Map<string, Excluded | true>;

export function exclude(from: Excluded, path: readonly string[]): void {
  const [name = "", ...rest] = path;
  const known = from.get(name);
  if (known === true) return;
  if (rest.length === 0) {
    from.set(name, true);
    return;
  }
  const below: Excluded = known ?? new Map();
  from.set(name, below);
  exclude(below, rest);
}

/** A copy without the excluded fields, and without objects of which nothing is left. */
export function copyWithout(object: JsonObject, excluded: Excluded): JsonObject {
  const copy = new JsonObject(true);
  for (const [i, name] of object.names.entries()) {
    const value = object.values[i] ?? null;
    const out = excluded.get(name);
    if (out === true) continue;
    if (out === undefined || !(value instanceof JsonObject) || value.names.length === 0) {
      copy.set(name, value);
      continue;
    }
    const rest = copyWithout(value, out);
    if (rest.names.length > 0) copy.set(name, rest);
  }
  return copy;
}
