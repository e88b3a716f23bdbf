/** Deploys Bicep to a list: what Azure would be asked for, as far as it follows from files and parameters. */
import { posix } from "node:path";
import { callFunction } from "./functions.ts";
import { parseBicep } from "./parse.ts";
import { BicepError, type BicepFile, type Declaration, type Expression } from "./syntax.ts";
import { limitProblems, type NamedTypes, typeProblems } from "./types.ts";
import {
  Absent,
  asText,
  type Lambda,
  ModuleValue,
  plain,
  ResourceValue,
  RuntimeValue,
  type Scope,
  scopeId,
} from "./values.ts";

export interface DeployedResource {
  readonly type: string;
  readonly apiVersion: string;
  readonly name: string;
  readonly id: string;
  /** Id of the resource that it extends, of roles for example. */
  readonly scope?: string;
  /** All that it was declared with. */
  readonly body: Readonly<Record<string, unknown>>;
  /** File and name of the declaration. */
  readonly declared: string;
}

export interface Deployment {
  readonly resources: readonly DeployedResource[];
  readonly outputs: Readonly<Record<string, unknown>>;
}

export interface DeployOptions {
  /** The files, by path. */
  readonly files: ReadonlyMap<string, string>;
  readonly main: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly scope: Scope;
}

type Named<K extends Declaration["kind"]> = Extract<Declaration, { kind: K }>;

/** Files that were parsed before: most deployments are of the same ones. */
const parsed = new Map<string, BicepFile>();

/** Evaluates `main` and its modules. @throws BicepError at the first thing that does not fit. */
export function deployBicep(options: DeployOptions): Deployment {
  const resources: DeployedResource[] = [];
  const world: World = {
    resources,
    file(path) {
      const text = options.files.get(path);
      if (text === undefined) throw new Error(`There is no "${path}"`);
      const key = `${path}\n${text}`;
      const file = parsed.get(key) ?? parseBicep(path, text);
      parsed.set(key, file);
      return file;
    },
  };
  const outputs = new Template(world, options.main, options.scope).deploy(options.parameters);
  return { resources, outputs };
}

interface World {
  readonly resources: DeployedResource[];
  file(path: string): BicepFile;
}

type Local = ReadonlyMap<string, unknown>;
const NO_LOCALS: Local = new Map();

class Template {
  private readonly world: World;
  private readonly file: BicepFile;
  private readonly scope: Scope;
  private readonly values = new Map<string, unknown>();
  private readonly pending = new Set<string>();
  private readonly declared: ReadonlyMap<string, Declaration>;
  private readonly types: NamedTypes;

  constructor(world: World, path: string, scope: Scope) {
    this.world = world;
    this.file = world.file(path);
    this.scope = scope;
    const symbols = this.file.declarations.filter(({ kind }) => kind !== "output");
    this.declared = new Map(symbols.map((declaration) => [declaration.name, declaration]));
    this.types = new Map(this.typeDeclarations().map((type) => [type.name, type]));
  }

  deploy(parameters: Readonly<Record<string, unknown>>): Record<string, unknown> {
    this.bind(parameters);
    for (const { kind, name } of this.file.declarations) {
      if (kind === "resource" || kind === "module") this.value(name, 0);
    }
    const outputs = this.file.declarations.filter((d) => d.kind === "output");
    return Object.fromEntries(outputs.map((d) => [d.name, this.output(d)]));
  }

  private fail(at: number, what: string): never {
    throw new BicepError(this.file, at, what);
  }

  private typeDeclarations(): Named<"type">[] {
    return this.file.declarations.flatMap((declaration) => {
      if (declaration.kind === "type") return [declaration];
      if (declaration.kind !== "import") return [];
      const { declarations } = this.world.file(this.beside(declaration.path));
      const types = declarations.filter((d) => d.kind === "type");
      for (const name of declaration.names) {
        if (!types.some((type) => type.name === name)) {
          this.fail(declaration.start, `"${declaration.path}" has no type "${name}"`);
        }
      }
      return types;
    });
  }

  private beside(path: string): string {
    return posix.join(posix.dirname(this.file.path), path);
  }

  private bind(parameters: Readonly<Record<string, unknown>>): void {
    const declared = this.file.declarations.filter((d) => d.kind === "param");
    for (const name of Object.keys(parameters)) {
      if (!declared.some((param) => param.name === name)) this.fail(0, `has no param "${name}"`);
    }
    for (const param of declared) {
      const { name, start } = param;
      const given = parameters[name];
      if (given === undefined && param.value === undefined)
        this.fail(start, `"${name}" is missing`);
      const value = given ?? this.evaluate(param.value as Expression, NO_LOCALS);
      const problems = [
        ...typeProblems(param.type, value, name, this.types),
        ...limitProblems(param.decorators, value, name),
      ];
      if (problems.length > 0) this.fail(start, problems.join("; "));
      this.values.set(name, value);
    }
  }

  private output(declaration: Named<"output">): unknown {
    const value = this.evaluate(declaration.value, NO_LOCALS);
    const problems = typeProblems(declaration.type, value, declaration.name, this.types);
    if (problems.length > 0) this.fail(declaration.start, problems.join("; "));
    return plain(value);
  }

  /** The value of a symbol, found when it is first asked for. */
  private value(name: string, at: number): unknown {
    if (this.values.has(name)) return this.values.get(name);
    const declaration = this.declared.get(name) ?? this.fail(at, `"${name}" is not declared`);
    if (this.pending.has(name)) this.fail(at, `"${name}" depends on itself`);
    this.pending.add(name);
    const value = this.valueOf(declaration);
    this.pending.delete(name);
    this.values.set(name, value);
    return value;
  }

  private valueOf(declaration: Declaration): unknown {
    switch (declaration.kind) {
      case "var":
        return this.evaluate(declaration.value, NO_LOCALS);
      case "resource":
        return this.each(declaration, declaration.value, NO_LOCALS, (body, locals) =>
          this.resource(declaration, body, locals),
        );
      case "module":
        return this.each(declaration, declaration.value, NO_LOCALS, (body, locals) =>
          this.module(declaration, body, locals),
        );
      default:
        return this.fail(declaration.start, `"${declaration.name}" has no value`);
    }
  }

  /** A resource or module once, for each of a list, or not at all. */
  private each(
    { name, start }: Declaration,
    value: Expression,
    locals: Local,
    make: (body: Expression, locals: Local) => unknown,
  ): unknown {
    if (value.kind === "for") {
      const source = this.evaluate(value.source, locals);
      if (!Array.isArray(source)) this.fail(start, `"${name}" is for each of what is no list`);
      return (source as unknown[]).map((item, index) => {
        const inner = new Map([...locals, [value.item, item]]);
        if (value.index !== undefined) inner.set(value.index, index);
        return this.each({ name, start } as Declaration, value.body, inner, make);
      });
    }
    if (value.kind === "if") {
      return this.evaluate(value.condition, locals) === true
        ? make(value.body, locals)
        : new Absent(name);
    }
    return make(value, locals);
  }

  private resource(declaration: Named<"resource">, body: Expression, locals: Local): ResourceValue {
    const { type, apiVersion, existing, start, name: symbol } = declaration;
    const { parent, scope, dependsOn, ...rest } = this.fields(body, locals, start);
    this.present(dependsOn);
    const name = asText(rest["name"]);
    const id = this.idOf(declaration, name, parent, scope);
    if (existing) return new ResourceValue(type, apiVersion, { name, id });
    const plainBody = plain(rest) as Record<string, unknown>;
    if (this.world.resources.some((other) => other.id === id))
      this.fail(start, `${id} is there twice`);
    this.world.resources.push({
      type,
      apiVersion,
      name,
      id,
      ...(scope instanceof ResourceValue ? { scope: scope.id } : {}),
      body: plainBody,
      declared: `${this.file.path} ${symbol}`,
    });
    return new ResourceValue(type, apiVersion, { name, id }, rest);
  }

  /** What is depended on may be absent, but it has to be a resource or a module. */
  private present(dependsOn: unknown): void {
    for (const one of [dependsOn ?? []].flat(2)) {
      const fits =
        one instanceof ResourceValue || one instanceof ModuleValue || one instanceof Absent;
      if (!fits) this.fail(0, `dependsOn holds what is no resource: ${asText(one)}`);
    }
  }

  private idOf(
    { type, start: at }: Named<"resource">,
    name: string,
    parent: unknown,
    scope: unknown,
  ): string {
    if (parent instanceof Absent || scope instanceof Absent) {
      this.fail(at, `"${name}" belongs to what is not deployed`);
    }
    if (parent instanceof ResourceValue) {
      const [, last = ""] = /\/(\w+)$/.exec(type) ?? [];
      if (type !== `${parent.type}/${last}`)
        this.fail(at, `"${type}" is no child of "${parent.type}"`);
      return `${parent.id}/${last}/${name}`;
    }
    const [provider = "", ...kinds] = type.split("/");
    if (type === "Microsoft.Resources/resourceGroups") {
      return scopeId({ ...this.scope, group: name });
    }
    const names = name.split("/");
    if (kinds.length !== names.length) this.fail(at, `the name "${name}" does not fit "${type}"`);
    const path = kinds.map((kind, index) => `${kind}/${names[index]}`).join("/");
    const under =
      scope instanceof ResourceValue ? scope.id : scopeId((scope as Scope) ?? this.scope);
    return `${under}/providers/${provider}/${path}`;
  }

  private module(declaration: Named<"module">, body: Expression, locals: Local): ModuleValue {
    const { scope, params, dependsOn, name } = this.fields(body, locals, declaration.start);
    this.present(dependsOn);
    if (name !== undefined && asText(name).length > 64) {
      this.fail(declaration.start, `the name of a deployment is too long: ${asText(name)}`);
    }
    const at =
      scope instanceof ResourceValue
        ? { ...this.scope, group: scope.name }
        : ((scope as Scope | undefined) ?? this.scope);
    const template = new Template(this.world, this.beside(declaration.path), at);
    return new ModuleValue(template.deploy((params ?? {}) as Record<string, unknown>));
  }

  private fields(body: Expression, locals: Local, at: number): Record<string, unknown> {
    if (body.kind !== "object") this.fail(at, "expected an object");
    return this.evaluate(body, locals) as Record<string, unknown>;
  }

  private evaluate(expression: Expression, locals: Local): unknown {
    const go = (inner: Expression): unknown => this.evaluate(inner, locals);
    switch (expression.kind) {
      case "text":
        return this.text(expression.parts, locals);
      case "literal":
        return expression.value;
      case "name":
        return locals.has(expression.name)
          ? locals.get(expression.name)
          : this.value(expression.name, expression.at);
      case "array":
        return expression.items.map(go);
      case "object":
        return Object.fromEntries(
          expression.entries.map(({ key, value }) => [asText(go(key)), go(value)]),
        );
      case "member":
        return this.member(go(expression.of), expression.name, expression);
      case "index":
        return this.member(go(expression.of), go(expression.index), expression);
      case "call":
        return this.call(expression, locals);
      case "unary":
        return expression.operator === "!" ? !go(expression.of) : -Number(go(expression.of));
      case "binary":
        return this.binary(expression, go);
      case "choice":
        return go(go(expression.condition) === true ? expression.yes : expression.no);
      case "lambda":
        return ((...args: unknown[]) => {
          const named = expression.parameters.map((name, index) => [name, args[index]] as const);
          return this.evaluate(expression.body, new Map([...locals, ...named]));
        }) satisfies Lambda;
      default:
        return this.fail(0, `"${expression.kind}" stands where a value should`);
    }
  }

  private text(parts: readonly (string | Expression)[], locals: Local): unknown {
    const [only] = parts;
    const values = parts.map((part) =>
      typeof part === "string" ? part : this.evaluate(part, locals),
    );
    return parts.length === 1 && typeof only === "string" ? only : values.map(asText).join("");
  }

  private call(expression: Extract<Expression, { kind: "call" }>, locals: Local): unknown {
    const args = expression.args.map((arg) => this.evaluate(arg, locals));
    try {
      return callFunction(expression.name, args, this.scope);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      return this.fail(expression.at, error.message);
    }
  }

  private binary(
    { operator, left, right }: Extract<Expression, { kind: "binary" }>,
    go: (inner: Expression) => unknown,
  ): unknown {
    const one = go(left);
    switch (operator) {
      case "&&":
        return one === true && go(right) === true;
      case "||":
        return one === true || go(right) === true;
      case "??":
        return one ?? go(right);
      case "==":
        return plain(one) === plain(go(right));
      case "!=":
        return plain(one) !== plain(go(right));
      case ">":
        return Number(one) > Number(go(right));
      case "<":
        return Number(one) < Number(go(right));
      default:
        return this.fail(0, `the operator "${operator}" is not known here`);
    }
  }

  private member(
    of: unknown,
    key: unknown,
    { safe, at }: { readonly safe: boolean; readonly at: number },
  ): unknown {
    if (of === null || of === undefined) {
      return safe ? undefined : this.fail(at, `there is nothing that has "${asText(key)}"`);
    }
    if (of instanceof Absent) this.fail(at, `"${of.what}" is not deployed, and is read`);
    if (of instanceof RuntimeValue) return new RuntimeValue(`${of.path}.${asText(key)}`);
    if (of instanceof ResourceValue) return this.memberOfResource(of, asText(key));
    if (Array.isArray(of)) {
      const item: unknown = of[Number(key)];
      return item !== undefined || safe ? item : this.fail(at, `there is no item ${asText(key)}`);
    }
    const found = (of as Readonly<Record<string, unknown>>)[asText(key)];
    if (found !== undefined || safe) return found;
    return this.fail(at, `there is no "${asText(key)}"`);
  }

  private memberOfResource(of: ResourceValue, key: string): unknown {
    if (key === "id" || key === "name" || key === "type") return of[key];
    return new RuntimeValue(`${of.id}.${key}`);
  }
}
