/** The functions of Bicep that infra/ uses. */
import { createHash } from "node:crypto";
import { asText, type Lambda, plain, type Scope, scopeId } from "./values.ts";

type Fields = Readonly<Record<string, unknown>>;

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");
const textOf = (value: unknown): string => asText(value);
const listOf = (value: unknown): readonly unknown[] => {
  if (!Array.isArray(value)) throw new TypeError(`expected a list, found ${asText(value)}`);
  return value;
};
const fieldsOf = (value: unknown): Fields => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TypeError(`expected an object, found ${asText(value)}`);
  }
  return value as Fields;
};

function empty(value: unknown): boolean {
  if (value === null || value === undefined || value === "") return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && Object.keys(value).length === 0;
}

function contains(holder: unknown, wanted: unknown): boolean {
  if (typeof holder === "string") return holder.includes(textOf(wanted));
  if (Array.isArray(holder)) return holder.includes(wanted);
  const name = textOf(wanted).toLowerCase();
  return Object.keys(fieldsOf(holder)).some((key) => key.toLowerCase() === name);
}

function union(...values: unknown[]): unknown {
  if (Array.isArray(values[0])) return [...new Set(values.flatMap(listOf))];
  return Object.assign({}, ...values.map(fieldsOf));
}

/** `name, type, …` or with a subscription and a resource group before. */
function resourceId(scope: Scope, args: readonly unknown[]): string {
  const texts = args.map(textOf);
  const typeAt = texts.findIndex((text) => /^[\w.]+\/\w/.test(text) && text.includes("."));
  const before = texts.slice(0, typeAt);
  const at: Scope =
    before.length === 2
      ? { subscriptionId: before[0] ?? "", group: before[1] ?? "" }
      : { ...scope, ...(before[0] === undefined ? {} : { group: before[0] }) };
  const [provider = "", ...kinds] = (texts[typeAt] ?? "").split("/");
  const names = texts.slice(typeAt + 1);
  if (typeAt < 0 || kinds.length !== names.length) {
    throw new TypeError(`resourceId: the names of ${texts.join(", ")} do not fit the type`);
  }
  const path = kinds.map((kind, index) => `${kind}/${names[index]}`).join("/");
  return `${scopeId(at)}/providers/${provider}/${path}`;
}

/** The `index`-th subnet of `size` bits of an IPv4 network. */
function cidrSubnet(network: unknown, size: unknown, index: unknown): string {
  const [address = "", length = ""] = textOf(network).split("/");
  const start = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const step = 2 ** (32 - Number(size));
  const first = start + Number(index) * step;
  if (first + step > start + 2 ** (32 - Number(length))) throw new TypeError("cidrSubnet: no room");
  const parts = [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256);
  return `${parts.join(".")}/${Number(size)}`;
}

function toObject(items: unknown, key: unknown, value?: unknown): Fields {
  return Object.fromEntries(
    listOf(items).map((item) => [
      textOf((key as Lambda)(item)),
      value === undefined ? item : (value as Lambda)(item),
    ]),
  );
}

const FUNCTIONS: Readonly<Record<string, (...args: never[]) => unknown>> = {
  empty,
  contains,
  union,
  toObject,
  cidrSubnet,
  concat: (...lists: unknown[]) =>
    Array.isArray(lists[0]) ? lists.flatMap(listOf) : lists.map(textOf).join(""),
  filter: (items: unknown, test: Lambda) => listOf(items).filter((item, i) => test(item, i)),
  map: (items: unknown, change: Lambda) => listOf(items).map((item, i) => change(item, i)),
  flatten: (lists: unknown) => listOf(lists).flatMap(listOf),
  items: (object: unknown) =>
    Object.entries(fieldsOf(object))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => ({ key, value })),
  length: (value: unknown) => (typeof value === "string" ? value.length : listOf(value).length),
  first: (value: unknown) => listOf(value)[0],
  last: (value: unknown) => listOf(value).at(-1),
  split: (text: unknown, separator: string) => textOf(text).split(separator),
  replace: (text: unknown, old: string, now: string) => textOf(text).replaceAll(old, now),
  take: (text: unknown, count: number) => textOf(text).slice(0, count),
  toLower: (text: unknown) => textOf(text).toLowerCase(),
  string: textOf,
  guid: (...parts: unknown[]) => {
    const hex = digest(parts.map(textOf).join("-"));
    return [
      hex.slice(0, 8),
      hex.slice(8, 12),
      hex.slice(12, 16),
      hex.slice(16, 20),
      hex.slice(20, 32),
    ].join("-");
  },
  uniqueString: (...parts: unknown[]) =>
    BigInt(`0x${digest(parts.map(textOf).join("-")).slice(0, 20)}`)
      .toString(36)
      .slice(0, 13),
  tenant: () => ({ tenantId: "00000000-0000-0000-0000-00000000000f" }),
  environment: () => ({ suffixes: { storage: "core.windows.net" } }),
};

/** Calls a function of Bicep. @throws TypeError when there is none of that name here, or its arguments do not fit. */
export function callFunction(name: string, args: readonly unknown[], scope: Scope): unknown {
  switch (name) {
    case "subscription":
      return { subscriptionId: scope.subscriptionId, id: scopeId({ ...scope, group: undefined }) };
    case "resourceGroup":
      if (args.length > 0) {
        const [group, subscriptionId] = [args.at(-1), args.length > 1 ? args[0] : undefined];
        return {
          subscriptionId: textOf(subscriptionId ?? scope.subscriptionId),
          group: textOf(group),
        };
      }
      if (scope.group === undefined) throw new TypeError("there is no resource group here");
      return { ...scope, name: scope.group, id: scopeId(scope) };
    case "resourceId":
      return resourceId(scope, args);
    case "subscriptionResourceId":
      return resourceId({ ...scope, group: undefined }, args);
    default: {
      const found = FUNCTIONS[name] as Lambda | undefined;
      if (found === undefined) throw new TypeError(`there is no function "${name}"`);
      return found(...args.map((arg) => (typeof arg === "function" ? arg : keep(arg))));
    }
  }
}

/** Resources stay what they are inside of lists and objects; alone they are their id. */
function keep(value: unknown): unknown {
  return typeof value === "object" &&
    value !== null &&
    value.constructor !== Object &&
    !Array.isArray(value)
    ? plain(value)
    : value;
}
