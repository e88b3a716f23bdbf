import { newCounters, type RouteCounters, type RouteStatus } from "../../shared/engine/status.ts";

/** Counters that are 0 but for `some`. */
export function counters(some: Partial<RouteCounters> = {}): RouteCounters {
  return { ...newCounters(), ...some };
}

/** A running route with both sides up, but for `some`. */
export function routeStatus(some: Partial<RouteStatus> = {}): RouteStatus {
  return {
    route: "flow/one",
    direction: "kafkaToMqtt",
    from: "machines",
    to: "factory/machines",
    instance: 0,
    state: "running",
    kafka: { connected: true },
    mqtt: { connected: true },
    counters: counters(),
    ...some,
  };
}
