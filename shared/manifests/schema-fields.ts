import type { z } from "zod";

/** The shape of a schema: which fields there are, below each other. */
export type FieldTree =
  | { readonly kind: "fields"; readonly fields: ReadonlyMap<string, FieldTree> }
  | { readonly kind: "list"; readonly item: FieldTree }
  | { readonly kind: "map"; readonly value: FieldTree }
  | { readonly kind: "value" };

interface Definition {
  readonly type: string;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly element?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly innerType?: z.ZodType;
}

const value: FieldTree = { kind: "value" };

/** Reads the fields out of a schema, so that unknown fields and the documentation are checked against one source. */
export function fieldTree(schema: z.ZodType): FieldTree {
  const definition = schema.def as unknown as Definition;
  if (definition.shape !== undefined) {
    const fields = Object.entries(definition.shape);
    return { kind: "fields", fields: new Map(fields.map(([key, of]) => [key, fieldTree(of)])) };
  }
  if (definition.element !== undefined)
    return { kind: "list", item: fieldTree(definition.element) };
  if (definition.valueType !== undefined) {
    return { kind: "map", value: fieldTree(definition.valueType) };
  }
  return definition.innerType === undefined ? value : fieldTree(definition.innerType);
}

/** Every field of a tree as `spec.routes[].mqttToKafka.qos`; the keys of a map are written `<name>`. */
export function fieldPaths(tree: FieldTree, prefix: string = ""): string[] {
  if (tree.kind === "value") return [prefix];
  if (tree.kind === "list") return fieldPaths(tree.item, `${prefix}[]`);
  if (tree.kind === "map") return fieldPaths(tree.value, `${prefix}.<name>`);
  if (tree.fields.size === 0) return [prefix];
  const dot = prefix === "" ? "" : `${prefix}.`;
  return [...tree.fields].flatMap(([key, field]) => fieldPaths(field, `${dot}${key}`));
}
