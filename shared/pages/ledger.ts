import type { RouteCounters, RouteState, RouteStatus } from "../engine/status.ts";

/** One route with its instances taken together. */
export interface RouteTotals {
  readonly route: string;
  readonly direction: RouteStatus["direction"];
  readonly from: string;
  readonly to: string;
  readonly instances: number;
  readonly state: RouteState;
  readonly kafkaConnected: boolean;
  readonly mqttConnected: boolean;
  /** Why it waits or has failed, and what its connections say; without repetition. */
  readonly details: readonly string[];
  readonly counters: Readonly<RouteCounters>;
}

// the state that an operator must know of wins
const WORST_FIRST: readonly RouteState[] = ["failed", "waiting", "starting", "stopped", "running"];

type NumberCounter = {
  [K in keyof RouteCounters]: RouteCounters[K] extends number ? K : never;
}[keyof RouteCounters];

const NUMBERS: readonly NumberCounter[] = [
  "received",
  "delivered",
  "expired",
  "filtered",
  "deadLettered",
  "released",
  "inFlight",
  "inFlightBytes",
  "receivedBytes",
  "retried",
];

function addReasons(
  a: Readonly<Record<string, number | undefined>>,
  b: Readonly<Record<string, number | undefined>>,
): Record<string, number> {
  const sum = new Map<string, number>();
  for (const [reason, count] of [...Object.entries(a), ...Object.entries(b)]) {
    sum.set(reason, (sum.get(reason) ?? 0) + (count ?? 0));
  }
  return Object.fromEntries(sum);
}

/** The sum of two sets of counters, as new counters. */
export function addCounters(a: Readonly<RouteCounters>, b: Readonly<RouteCounters>): RouteCounters {
  const sum: RouteCounters = {
    ...a,
    rejected: addReasons(a.rejected, b.rejected),
    removedHeaders: addReasons(a.removedHeaders, b.removedHeaders),
  };
  for (const name of NUMBERS) sum[name] = a[name] + b[name];
  return sum;
}

/** What received still lacks to be delivered + expired + filtered + dead-lettered + released + in flight; 0 when it adds up. */
export function imbalance(counters: Readonly<RouteCounters>): number {
  const { received, delivered, expired, filtered, deadLettered, released, inFlight } = counters;
  return received - delivered - expired - filtered - deadLettered - released - inFlight;
}

function detailsOf(status: RouteStatus): string[] {
  const details = [
    status.detail,
    status.kafka.connected ? undefined : status.kafka.detail,
    status.mqtt.connected ? undefined : status.mqtt.detail,
  ];
  // a route that waits for a connection repeats what the connection says
  return [
    ...new Set(details.filter((detail) => detail !== undefined && detail !== "")),
  ] as string[];
}

function merge(a: RouteTotals, b: RouteTotals): RouteTotals {
  return {
    ...a,
    instances: a.instances + b.instances,
    state: WORST_FIRST.find((state) => state === a.state || state === b.state) ?? a.state,
    kafkaConnected: a.kafkaConnected && b.kafkaConnected,
    mqttConnected: a.mqttConnected && b.mqttConnected,
    details: [...new Set([...a.details, ...b.details])],
    counters: addCounters(a.counters, b.counters),
  };
}

/** Takes the instances of each route together, in order of first appearance. */
export function totalsByRoute(statuses: readonly RouteStatus[]): RouteTotals[] {
  const byRoute = new Map<string, RouteTotals>();
  for (const status of statuses) {
    const one: RouteTotals = {
      route: status.route,
      direction: status.direction,
      from: status.from,
      to: status.to,
      instances: 1,
      state: status.state,
      kafkaConnected: status.kafka.connected,
      mqttConnected: status.mqtt.connected,
      details: detailsOf(status),
      counters: status.counters,
    };
    const before = byRoute.get(status.route);
    byRoute.set(status.route, before === undefined ? one : merge(before, one));
  }
  return [...byRoute.values()];
}
