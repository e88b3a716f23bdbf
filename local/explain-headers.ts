import type { Route } from "../shared/model/route.ts";
import type { RemovalReason, RemovedHeader } from "../shared/model/translation.ts";

/** Name and value as text, in order. */
export type Pairs = readonly (readonly [name: string, value: string])[];

/** What became of one header, User Property or built-in property. */
export interface HeaderFate {
  readonly fate: "kept" | "changed" | "added" | "removed";
  readonly name: string;
  readonly value: string;
  /** Why it was removed, or what it was before. */
  readonly reason?: string;
}

const REASONS: Readonly<Record<RemovalReason, string>> = {
  not_utf8: "not_utf8: MQTT carries text only",
  too_large: "too_large: more than 65,535 bytes",
  empty_name: "empty_name: it has no name",
};

/** Compares what came with what goes out: what stayed, what is new, and why the rest is gone. */
export function headerFates(
  route: Route,
  came: Pairs,
  goes: Pairs,
  removed: readonly RemovedHeader[],
): HeaderFate[] {
  const left = [...came];
  const take = (is: (pair: Pairs[number]) => boolean): Pairs[number] | undefined => {
    const at = left.findIndex(is);
    return at < 0 ? undefined : left.splice(at, 1)[0];
  };
  const kept = goes.map(([name, value]) => take((pair) => pair[0] === name && pair[1] === value));
  const going = goes.map(([name, value], i): HeaderFate => {
    if (kept[i] !== undefined) return { fate: "kept", name, value };
    const before = take((pair) => pair[0] === name);
    if (before === undefined) return { fate: "added", name, value };
    return { fate: "changed", name, value, reason: `it was ${before[1]}` };
  });
  const gone = left.map(([name, value]): HeaderFate => {
    const reason = reasonOf(route, name, goes, removed);
    return { fate: "removed", name, value, reason };
  });
  return [...going, ...gone];
}

function reasonOf(
  route: Route,
  name: string,
  goes: Pairs,
  removed: readonly RemovedHeader[],
): string {
  const { headerActions = [] } = route;
  const told = removed.find(({ header }) => header === name);
  if (told !== undefined) return REASONS[told.reason];
  const acted = headerActions.find((action) => action.name === name);
  if (acted?.action === "Remove") return "headers[] of the destination removes it";
  if (goes.some(([known]) => known === name)) return "others of its name took its place";
  if (!route.copyMqttProperties) return "copyMqttProperties is off";
  const bare = name.replace(/^ce[-_]/, "");
  const renamed = goes.find(([known]) => known !== name && known.replace(/^ce[-_]/, "") === bare);
  if (renamed !== undefined) return `it is the CloudEvents attribute ${renamed[0]} now`;
  return "it is a property of the message now, or a map took it away";
}
