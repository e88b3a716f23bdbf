import type { RouteCounters, RouteState, RouteStatus } from "../engine/status.ts";
import type { DiscoveryView } from "./status-view.ts";

/** What the host knows besides its routes. Times in milliseconds since the Unix epoch. */
export interface ProcessFacts {
  readonly version: string;
  readonly startedAt: number;
  readonly workerRestarts?: number;
  readonly residentBytes?: number;
  readonly cpuSeconds?: number;
  readonly discovery?: readonly DiscoveryView[];
}

export const METRICS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

type Labels = Readonly<Record<string, string | number>>;
type Sample = readonly [labels: Labels, value: number];

const STATES: readonly RouteState[] = ["starting", "running", "waiting", "stopped", "failed"];

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => {
    const text = String(value).replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
    return `${name}="${text.replaceAll('"', '\\"')}"`;
  });
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function family(name: string, type: "counter" | "gauge", help: string, samples: Sample[]): string {
  const lines = samples.map(([labels, value]) => `${name}${labelText(labels)} ${value}`);
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines].join("\n");
}

function routeLabels(status: RouteStatus): Labels {
  return { route: status.route, direction: status.direction, instance: status.instance };
}

type NumberOf = (counters: Readonly<RouteCounters>) => number;

const PER_ROUTE: readonly [string, "counter" | "gauge", string, NumberOf][] = [
  ["messages_received_total", "counter", "Messages taken in.", (c) => c.received],
  ["messages_delivered_total", "counter", "Messages the other side has.", (c) => c.delivered],
  ["messages_expired_total", "counter", "Messages whose expiry passed.", (c) => c.expired],
  ["messages_filtered_total", "counter", "Messages a filter took out.", (c) => c.filtered],
  ["messages_dead_lettered_total", "counter", "Messages dead-lettered.", (c) => c.deadLettered],
  ["messages_released_total", "counter", "Messages given back unread.", (c) => c.released],
  ["messages_retried_total", "counter", "Messages sent again.", (c) => c.retried],
  ["received_bytes_total", "counter", "Bytes taken in.", (c) => c.receivedBytes],
  ["messages_in_flight", "gauge", "Messages taken in and not settled.", (c) => c.inFlight],
  ["in_flight_bytes", "gauge", "Bytes of the messages in flight.", (c) => c.inFlightBytes],
];

function byReason(
  statuses: readonly RouteStatus[],
  pick: (counters: Readonly<RouteCounters>) => Readonly<Record<string, number | undefined>>,
): Sample[] {
  return statuses.flatMap((status) =>
    Object.entries(pick(status.counters)).map(
      ([reason, count]): Sample => [{ ...routeLabels(status), reason }, count ?? 0],
    ),
  );
}

function healthFamilies(statuses: readonly RouteStatus[]): string[] {
  const connected = statuses.flatMap((status): Sample[] => [
    [{ ...routeLabels(status), side: "kafka" }, status.kafka.connected ? 1 : 0],
    [{ ...routeLabels(status), side: "mqtt" }, status.mqtt.connected ? 1 : 0],
  ]);
  const states = statuses.flatMap((status) =>
    STATES.map(
      (state): Sample => [{ ...routeLabels(status), state }, status.state === state ? 1 : 0],
    ),
  );
  return [
    family("isthmus_connected", "gauge", "1 while this side is connected.", connected),
    family("isthmus_route_state", "gauge", "1 for the state the route is in.", states),
  ];
}

function processFamilies(facts: ProcessFacts): string[] {
  const one = (name: string, type: "counter" | "gauge", help: string, value?: number): string[] =>
    value === undefined ? [] : [family(name, type, help, [[{}, value]])];
  return [
    family("isthmus_build_info", "gauge", "The version.", [[{ version: facts.version }, 1]]),
    ...one(
      "process_start_time_seconds",
      "gauge",
      "When this process started, in seconds since the Unix epoch.",
      facts.startedAt / 1000,
    ),
    ...one(
      "isthmus_worker_restarts_total",
      "counter",
      "Worker threads that died and were started again.",
      facts.workerRestarts,
    ),
    ...one("process_resident_memory_bytes", "gauge", "Resident memory.", facts.residentBytes),
    ...one("process_cpu_seconds_total", "counter", "CPU time used.", facts.cpuSeconds),
  ];
}

function discoveryFamilies(views: readonly DiscoveryView[] = []): string[] {
  if (views.length === 0) return [];
  const each = (value: (view: DiscoveryView) => number): Sample[] =>
    views.map((view) => [{ endpoint: view.endpoint }, value(view)]);
  const name = "isthmus_discovered_assets";
  return [
    family(
      name,
      "gauge",
      "Discovered assets that are kept.",
      each(({ assets }) => assets.length),
    ),
    family(
      `${name}_limit`,
      "gauge",
      "How many are kept at most.",
      each(({ limit }) => limit),
    ),
    family(
      `${name}_displaced_total`,
      "counter",
      "Quiet ones given up for new ones.",
      each(({ displaced }) => displaced),
    ),
  ];
}

/** The Prometheus text exposition (version 0.0.4) of all routes; docs/operations.md lists every name. */
export function metricsPage(statuses: readonly RouteStatus[], facts: ProcessFacts): string {
  const counters = PER_ROUTE.map(([name, type, help, value]) => {
    const samples = statuses.map((s): Sample => [routeLabels(s), value(s.counters)]);
    return family(`isthmus_${name}`, type, help, samples);
  });
  const rejected = byReason(statuses, (c) => c.rejected);
  const removed = byReason(statuses, (c) => c.removedHeaders);
  return `${[
    ...counters,
    family("isthmus_messages_rejected_total", "counter", "Dead letters by reason.", rejected),
    family("isthmus_headers_removed_total", "counter", "Headers left out by reason.", removed),
    ...healthFamilies(statuses),
    ...discoveryFamilies(facts.discovery),
    ...processFamilies(facts),
  ].join("\n")}\n`;
}
