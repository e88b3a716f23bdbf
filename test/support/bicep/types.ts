/** Whether values are of the types that a Bicep file declares. */
import type { Declaration, Decorator, TypeExpression } from "./syntax.ts";
import { RuntimeValue } from "./values.ts";

export type NamedTypes = ReadonlyMap<string, Extract<Declaration, { kind: "type" }>>;

const SIMPLE: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === "string" || value instanceof RuntimeValue,
  int: (value) => Number.isInteger(value),
  bool: (value) => typeof value === "boolean",
  object: (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  array: Array.isArray,
};

const show = (value: unknown): string => JSON.stringify(value) ?? "nothing";

/** What is wrong with `value`, each with its path; nothing when it is of that type. */
export function typeProblems(
  type: TypeExpression,
  value: unknown,
  path: string,
  named: NamedTypes,
): string[] {
  switch (type.kind) {
    case "optional":
      return value === undefined || value === null ? [] : typeProblems(type.of, value, path, named);
    case "value":
      return value === type.value ? [] : [`${path} is not ${show(type.value)}: ${show(value)}`];
    case "oneOf":
      return type.of.some((one) => typeProblems(one, value, path, named).length === 0)
        ? []
        : [`${path} is none of what is allowed: ${show(value)}`];
    case "list":
      if (!Array.isArray(value)) return [`${path} is no list: ${show(value)}`];
      return value.flatMap((item, i) => typeProblems(type.of, item, `${path}[${i}]`, named));
    case "fields":
      return fieldProblems(type, value, path, named);
    case "named":
      return namedProblems(type.name, value, path, named);
  }
}

function namedProblems(name: string, value: unknown, path: string, named: NamedTypes): string[] {
  const simple = SIMPLE[name];
  if (simple !== undefined) return simple(value) ? [] : [`${path} is no ${name}: ${show(value)}`];
  const declared = named.get(name);
  if (declared === undefined) return [`${path} is of type "${name}", which nothing declares`];
  return typeProblems(declared.type, value, path, named);
}

function fieldProblems(
  type: Extract<TypeExpression, { kind: "fields" }>,
  value: unknown,
  path: string,
  named: NamedTypes,
): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return [`${path} is no object: ${show(value)}`];
  }
  const given = value as Readonly<Record<string, unknown>>;
  const known = new Set(type.fields.map(({ name }) => name));
  const unknown = Object.keys(given).filter((name) => !known.has(name));
  return [
    ...unknown.map((name) => `${path}.${name} is not known`),
    ...type.fields.flatMap((field) => [
      ...typeProblems(field.type, given[field.name], `${path}.${field.name}`, named),
      ...limitProblems(field.decorators, given[field.name], `${path}.${field.name}`),
    ]),
  ];
}

/** What is wrong with `value` by @allowed, @minLength, @maxLength, @minValue and @maxValue. */
export function limitProblems(
  decorators: readonly Decorator[],
  value: unknown,
  path: string,
): string[] {
  if (value === undefined || value === null || value instanceof RuntimeValue) return [];
  return decorators.flatMap((decorator) =>
    decorator.name === "allowed"
      ? allowedProblem(decorator, value, path)
      : sizeProblem(decorator, value, path),
  );
}

function allowedProblem({ args: [list] }: Decorator, value: unknown, path: string): string[] {
  const items = list?.kind === "array" ? list.items : [];
  const allowed = items.map((item) => {
    if (item.kind === "literal") return item.value;
    return item.kind === "text" ? item.parts.join("") : undefined;
  });
  return allowed.includes(value as string) ? [] : [`${path} is not allowed: ${show(value)}`];
}

function sizeProblem({ name, args: [arg] }: Decorator, value: unknown, path: string): string[] {
  const limit = arg?.kind === "literal" ? Number(arg.value) : Number.NaN;
  const size = typeof value === "number" ? value : (value as string | unknown[]).length;
  if (/^min(Length|Value)$/.test(name) && size < limit) return [`${path} is below ${limit}`];
  if (/^max(Length|Value)$/.test(name) && size > limit) return [`${path} is above ${limit}`];
  return [];
}
