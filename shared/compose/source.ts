import { eventHubsRecordSource } from "../adapters/event-hubs/event-hubs-record-source.ts";
import { kafkaRecordSource } from "../adapters/kafka/kafka-record-source.ts";
import type { RecordSource } from "../engine/ports.ts";
import { BridgeError } from "../errors.ts";
import type { KafkaEndpoint } from "../model/endpoint.ts";
import type { KafkaToMqttRoute } from "../model/route.ts";
import type { HostContext } from "./context.ts";
import { groupInstanceId, kafkaClientId } from "./names.ts";
import { asksForAmqp } from "./producer.ts";

/** What reads the route's Kafka side: Event Hubs by AMQP where the manifest says so, everything else by Kafka's protocol. @throws BridgeError */
export function openSource(
  route: KafkaToMqttRoute,
  endpoint: KafkaEndpoint,
  host: HostContext,
): RecordSource {
  const { clock, instance, hostName, log } = host;
  const { topics, consumerGroupId } = route;
  if (!asksForAmqp(route, host)) {
    return kafkaRecordSource({
      endpoint,
      clientId: kafkaClientId(route, instance),
      consumerGroupId,
      groupInstanceId: groupInstanceId(route, instance, hostName),
      topics,
      neverMatched: [route.deadLetterTopic],
      budgetBytes: host.routeBudgetBytes,
      log,
    });
  }
  const { checkpointFolder } = host;
  if (checkpointFolder === undefined) {
    throw new BridgeError(
      "USAGE",
      `Cannot read Event Hubs by AMQP for route "${route.name}": this host has no folder for checkpoints`,
    );
  }
  return eventHubsRecordSource({
    endpoint,
    topics,
    consumerGroupId,
    ownerId: `${groupInstanceId(route, instance, hostName)}.${clock.newId().slice(0, 8)}`,
    checkpoints: checkpointFolder,
    shared: route.instances > 1,
    log,
  });
}
