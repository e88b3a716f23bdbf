import type { ConnectionStatus } from "../engine/ports.ts";
import type { RouteCounters, RouteState, RouteStatus } from "../engine/status.ts";
import type { BridgeError } from "../errors.ts";
import type { Route } from "../model/route.ts";

export interface RouteCondition {
  readonly instance: number;
  readonly counters: RouteCounters;
  readonly kafka: ConnectionStatus;
  readonly mqtt: ConnectionStatus;
  readonly lifecycle: "starting" | "running" | "stopped";
  readonly failed: boolean;
  readonly trouble: BridgeError | undefined;
}

function from(route: Route): string {
  if (route.direction === "mqttToKafka") return route.topicFilters.join(", ");
  return route.topics.map((t) => (t.kind === "name" ? t.topic : t.pattern)).join(", ");
}

function state(condition: RouteCondition): RouteState {
  if (condition.failed) return "failed";
  if (condition.lifecycle !== "running") return condition.lifecycle;
  const offline = !condition.kafka.connected || !condition.mqtt.connected;
  return offline || condition.trouble !== undefined ? "waiting" : "running";
}

/** What a status page shows of one route. */
export function routeStatus(route: Route, condition: RouteCondition): RouteStatus {
  const detail =
    condition.trouble?.message ?? condition.kafka.detail ?? condition.mqtt.detail ?? undefined;
  return {
    route: route.name,
    direction: route.direction,
    from: from(route),
    to: route.direction === "mqttToKafka" ? route.kafkaTopic : route.mqttTopic,
    instance: condition.instance,
    state: state(condition),
    kafka: condition.kafka,
    mqtt: condition.mqtt,
    ...(detail === undefined ? {} : { detail }),
    counters: condition.counters,
  };
}
