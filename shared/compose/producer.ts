import { eventHubsRecordProducer } from "../adapters/event-hubs/event-hubs-record-producer.ts";
import { kafkaRecordProducer } from "../adapters/kafka/kafka-record-producer.ts";
import type { RecordProducer } from "../engine/ports.ts";
import type { KafkaEndpoint } from "../model/endpoint.ts";
import type { Compression, Route } from "../model/route.ts";
import type { HostContext } from "./context.ts";

export interface ProducerSettings {
  readonly clientId: string;
  readonly acks: -1 | 0 | 1;
  readonly compression: Compression;
  /** Event hubs that the route is known to write to. */
  readonly eventHubs?: readonly string[];
}

/**
 * What writes to the route's Kafka side. Event Hubs by AMQP where the manifest says so, or the host prefers it
 * (the Functions app does); everything else by Kafka's protocol.
 */
export function openProducer(
  route: Route,
  endpoint: KafkaEndpoint,
  host: HostContext,
  settings: ProducerSettings,
): RecordProducer {
  const { clientId, acks, compression, eventHubs = [] } = settings;
  if (writesByAmqp(route, endpoint, host)) {
    return eventHubsRecordProducer({ endpoint, eventHubs, log: host.log });
  }
  return kafkaRecordProducer({ endpoint, log: host.log, clientId, acks, compression });
}

/** Whether that is AMQP, whose properties are a map and not a list of headers. */
export function writesByAmqp(route: Route, endpoint: KafkaEndpoint, host: HostContext): boolean {
  const prefersAmqp = host.eventHubsByAmqp === true && endpoint.isEventHubs;
  return asksForAmqp(route, host) || prefersAmqp;
}

/** Whether the manifest says that Event Hubs is to be spoken to by AMQP. */
export function asksForAmqp(route: Route, host: HostContext): boolean {
  return host.plan.kafkaConnections.get(route.kafkaConnection)?.protocol === "Amqp";
}
