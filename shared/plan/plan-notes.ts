/** What has to exist for a plan to work, beyond what can be listed as a setting or a role. */
import type { Plan } from "../model/plan.ts";
import type { Route } from "../model/route.ts";
import { eventHubsNamespace } from "./connection-settings.ts";
import { isEventGridHost } from "./roles.ts";

function namesOf(routes: readonly Route[]): string {
  return routes.map(({ name }) => `"${name}"`).join(", ");
}

function deadLetterNotes(plan: Plan, routes: readonly Route[]): string[] {
  const places = new Map<string, Route[]>();
  for (const route of routes) {
    const kafka = plan.kafkaConnections.get(route.kafkaConnection);
    if (kafka === undefined) continue;
    const place = kafka.isEventHubs
      ? `event hub "${eventHubsNamespace(kafka)}/${route.deadLetterTopic}"`
      : `Kafka topic "${route.deadLetterTopic}" at ${kafka.bootstrapServers.join(",")}`;
    places.set(place, [...(places.get(place) ?? []), route]);
  }
  return [...places].map(
    ([place, users]) =>
      `What can never be delivered goes to ${place}, which has to exist and to let the app write; without it ${namesOf(users)} would stop at such a message (isthmus.dev/dead-letter-topic names another)`,
  );
}

function instanceNotes(routes: readonly Route[]): string[] {
  const more = routes.filter((r) => r.direction === "kafkaToMqtt" && r.instances > 1);
  if (more.length === 0) return [];
  return [`The platform scales what reads Kafka: instances has no effect on ${namesOf(more)}`];
}

function sharedSubscriptionNotes(plan: Plan, routes: readonly Route[]): string[] {
  const shared = routes.filter((route) => {
    const host = plan.mqttConnections.get(route.mqttConnection)?.host ?? "";
    return (
      route.direction === "mqttToKafka" &&
      route.sharedSubscription !== undefined &&
      isEventGridHost(host)
    );
  });
  if (shared.length === 0) return [];
  return [
    `Event Grid may refuse shared subscriptions: then give ${namesOf(shared)} one instance and no sharedSubscription`,
  ];
}

/** One sentence each. */
export function planNotes(plan: Plan, routes: readonly Route[]): string[] {
  return [
    ...deadLetterNotes(plan, routes),
    ...instanceNotes(routes),
    ...sharedSubscriptionNotes(plan, routes),
  ];
}
