import { loginTo } from "../adapters/event-hubs/hub-client.ts";
import type { Log } from "../engine/ports.ts";
import type { KafkaEndpoint } from "../model/endpoint.ts";
import type { Route } from "../model/route.ts";
import { isSameName } from "../wire/connection-string.ts";

/**
 * Whether a connection string of Event Hubs is one, for this namespace and for the event hubs of this route: the service itself would only
 * say that it refuses. One for a single event hub cannot write dead letters to another. @throws BridgeError SECRET_INVALID
 */
export function checkConnectionString(route: Route, endpoint: KafkaEndpoint, log: Log): void {
  const { sasl, isEventHubs } = endpoint;
  if (!isEventHubs || sasl?.mechanism !== "plain" || sasl.username !== "$ConnectionString") return;
  const { eventHub: only } = loginTo({ endpoint });
  for (const eventHub of eventHubsOf(route)) loginTo({ endpoint, eventHub });
  if (only === "" || isSameName(only, route.deadLetterTopic)) return;
  log("warn", "The connection string is for one event hub alone: dead letters cannot be written", {
    route: route.name,
    deadLetterTopic: route.deadLetterTopic,
  });
}

/** Those that are known before a message comes. */
function eventHubsOf(route: Route): readonly string[] {
  if (route.direction === "mqttToKafka") {
    return route.kafkaTopic.includes("${") ? [] : [route.kafkaTopic];
  }
  return route.topics.flatMap((selector) => (selector.kind === "name" ? [selector.topic] : []));
}
