/** What expressions of Bicep come to. */

/** A resource: one that is deployed, or one that is there (`existing`). */
export class ResourceValue {
  readonly type: string;
  readonly apiVersion: string;
  readonly name: string;
  readonly id: string;
  /** What it is deployed with; undefined of one that is there. */
  readonly body: Record<string, unknown> | undefined;

  constructor(type: string, apiVersion: string, at: { name: string; id: string }, body?: object) {
    this.type = type;
    this.apiVersion = apiVersion;
    this.name = at.name;
    this.id = at.id;
    this.body = body as Record<string, unknown> | undefined;
  }
}

/** A module that is deployed. */
export class ModuleValue {
  readonly outputs: Readonly<Record<string, unknown>>;

  constructor(outputs: Readonly<Record<string, unknown>>) {
    this.outputs = outputs;
  }
}

/** A resource or module whose condition is false: nothing of it may be read. */
export class Absent {
  readonly what: string;

  constructor(what: string) {
    this.what = what;
  }
}

/** What only Azure knows, as the path to it: `<resource id>.properties.clientId`. */
export class RuntimeValue {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  toString(): string {
    return `<${this.path}>`;
  }
}

export interface Scope {
  readonly subscriptionId: string;
  /** Undefined at a subscription. */
  readonly group: string | undefined;
}

export function scopeId({ subscriptionId, group }: Scope): string {
  const subscription = `/subscriptions/${subscriptionId}`;
  return group === undefined ? subscription : `${subscription}/resourceGroups/${group}`;
}

export type Lambda = (...args: unknown[]) => unknown;

/** The value as plain data: what is known at run time only, as text. */
export function plain(value: unknown): unknown {
  if (value instanceof RuntimeValue) return value.toString();
  if (value instanceof ResourceValue) return value.id;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
  }
  return value;
}

/** The value as a piece of a text. */
export function asText(value: unknown): string {
  const simple = plain(value);
  return typeof simple === "object" ? JSON.stringify(simple) : String(simple);
}
