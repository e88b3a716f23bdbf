import { newCounters, type RouteState, type RouteStatus } from "../shared/engine/status.ts";
import type { Route } from "../shared/model/route.ts";

/** What a route reads and writes, in the words of its manifest. */
export function routeEnds(route: Route): { readonly from: string; readonly to: string } {
  if (route.direction === "mqttToKafka") {
    return { from: route.topicFilters.join(", "), to: route.kafkaTopic };
  }
  const topics = route.topics.map((t) => (t.kind === "name" ? t.topic : t.pattern));
  return { from: topics.join(", "), to: route.mqttTopic };
}

/** The status of a route that no bridge runs yet. */
export function startingStatus(
  route: Route,
  instance: number,
  state: RouteState,
  detail?: string,
): RouteStatus {
  return {
    route: route.name,
    direction: route.direction,
    ...routeEnds(route),
    instance,
    state,
    kafka: { connected: false },
    mqtt: { connected: false },
    ...(detail === undefined ? {} : { detail }),
    counters: newCounters(),
  };
}
