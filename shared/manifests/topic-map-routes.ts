import type { KafkaConnection, MqttConnection } from "../model/connection.ts";
import type {
  MqttToKafkaRoute,
  PartitionStrategy,
  Route,
  SharedSubscription,
  SourceLocation,
  TopicSelector,
} from "../model/route.ts";
import type { Annotations } from "./annotations.ts";
import { type Connected, type Context, lookUp } from "./context.ts";
import { batchingOf, defaultDeadLetterTopic, defaultQos } from "./defaults.ts";
import type { FieldPath } from "./problem.ts";
import { quote } from "./quote.ts";
import type { Resource } from "./resource.ts";
import type { KafkaConnectorSpec } from "./schema/kafka-connector.ts";
import type { PartitionStrategyName } from "./schema/kafka-settings.ts";
import type {
  KafkaToMqttEntry,
  MqttToKafkaEntry,
  TopicMapEntry,
  TopicMapSpec,
} from "./schema/topic-map.ts";
import { splitShared } from "./topic-text.ts";

/** S-14 for connectors. */
const acksOf = { Zero: 0, One: 1, All: -1 } as const;

interface MapContext {
  readonly resource: Resource<TopicMapSpec>;
  readonly connector: string;
  readonly instances: number;
  readonly clientIdPrefix: string;
  readonly annotations: Annotations;
  readonly kafka: KafkaConnection;
  readonly mqtt: MqttConnection;
}

/** Compiles every entry of a KafkaConnectorTopicMap. */
export function compileTopicMap(context: Context, resource: Resource<TopicMapSpec>): void {
  const { kafkaConnectorRef, routes } = resource.spec;
  const at = { context, resource, path: ["spec", "kafkaConnectorRef"] };
  const connector = lookUp(context.connectors, "KafkaConnector", at, kafkaConnectorRef);
  const map = connector === undefined ? undefined : mapContext(resource, connector);
  for (const [index, entry] of routes.entries()) {
    const path = ["spec", "routes", index];
    if (!hasOneDirection(resource, path, entry) || map === undefined) continue;
    compileEntry(context, map, entry, path);
  }
}

function hasOneDirection(resource: Resource, path: FieldPath, entry: TopicMapEntry): boolean {
  const { mqttToKafka, kafkaToMqtt } = entry;
  if ((mqttToKafka === undefined) !== (kafkaToMqtt === undefined)) return true;
  const what = mqttToKafka === undefined ? "no direction" : "two directions";
  resource.report("error", path, `${what} in one route: give one of mqttToKafka and kafkaToMqtt`);
  return false;
}

function mapContext(
  resource: Resource<TopicMapSpec>,
  connector: Connected<KafkaConnectorSpec>,
): MapContext | undefined {
  const { kafka, mqtt } = connector;
  if (kafka === undefined || mqtt === undefined) return undefined;
  return {
    resource,
    connector: connector.resource.name,
    instances: connector.resource.spec.instances ?? 1,
    clientIdPrefix: connector.resource.spec.clientIdPrefix ?? "",
    annotations: { ...connector.resource.annotations, ...resource.annotations },
    kafka,
    mqtt,
  };
}

function compileEntry(
  context: Context,
  map: MapContext,
  { mqttToKafka, kafkaToMqtt }: TopicMapEntry,
  at: FieldPath,
): void {
  const { resource } = map;
  if (mqttToKafka !== undefined) {
    const path = [...at, "mqttToKafka"];
    context.routes.push({ route: toKafka(map, mqttToKafka, path), resource, path });
  }
  if (kafkaToMqtt !== undefined) {
    const path = [...at, "kafkaToMqtt"];
    context.routes.push({ route: toMqtt(map, kafkaToMqtt, path), resource, path });
  }
}

function common(map: MapContext, name: string, location: SourceLocation) {
  const { annotations, resource } = map;
  const window = annotations.maxInflightMessages;
  return {
    name: `${map.connector}/${name}`,
    targetName: map.connector,
    location,
    kafkaConnection: map.kafka.id,
    mqttConnection: map.mqtt.id,
    copyMqttProperties: resource.spec.copyMqttProperties ?? false,
    cloudEvents: annotations.cloudEventAttributes ?? "None",
    deadLetterTopic: annotations.deadLetterTopic ?? defaultDeadLetterTopic,
    instances: map.instances,
    clientIdPrefix: map.clientIdPrefix,
    ...(window === undefined ? {} : { maxInflightMessages: window }),
  } as const;
}

function toMqtt(map: MapContext, entry: KafkaToMqttEntry, path: FieldPath): Route {
  const { consumerGroupId: prefix, name } = entry;
  return {
    ...common(map, name, map.resource.locate(path)),
    direction: "kafkaToMqtt",
    topics: [topicSelector(entry.kafkaTopic)],
    consumerGroupId: prefix === undefined ? name : `${prefix}-${name}`,
    mqttTopic: entry.mqttTopic,
    qos: entry.qos ?? defaultQos,
    ...headerSettings(map.annotations),
    retain: map.annotations.retain ?? false,
  };
}

/** S-22 and S-24, which no field of the documents sets. */
export function headerSettings(annotations: Annotations): {
  readonly amqpHeaders: "Auto" | "Always" | "Never";
  readonly restoreMqttProperties: boolean;
  readonly binaryHeaders: "Remove" | "Base64";
} {
  return {
    amqpHeaders: annotations.amqpHeaders ?? "Auto",
    restoreMqttProperties: annotations.restoreMqttProperties ?? false,
    binaryHeaders: annotations.binaryHeaders ?? "Remove",
  };
}

/** S-30 */
export function topicSelector(text: string): TopicSelector {
  return text.startsWith("^") ? { kind: "pattern", pattern: text } : { kind: "name", topic: text };
}

function toKafka(map: MapContext, entry: MqttToKafkaEntry, path: FieldPath): MqttToKafkaRoute {
  const { resource, annotations } = map;
  const { spec } = resource;
  const { filter, group } = splitShared(entry.mqttTopic);
  const asked = entry.sharedSubscription;
  if (asked !== undefined && group !== undefined && asked.groupName !== group) {
    resource.report(
      "error",
      [...path, "mqttTopic"],
      `the topic's group ${quote(group)} and sharedSubscription.groupName ${quote(asked.groupName)} differ: keep one`,
    );
  }
  const shared = sharedSubscription(
    asked?.groupName ?? group,
    asked?.groupMinimumShareNumber,
    map.instances,
    `${map.connector}-${entry.name}`,
  );
  const compression = spec.compression ?? "None";
  refuseCompression(resource, ["spec", "compression"], compression, map.kafka);
  if (entry.kafkaAcks === "Zero" && (entry.qos ?? defaultQos) === 1)
    warnOfNoAcks(resource, [...path, "kafkaAcks"]);
  return {
    ...common(map, entry.name, resource.locate(path)),
    direction: "mqttToKafka",
    topicFilters: [filter],
    ...(shared === undefined ? {} : { sharedSubscription: shared }),
    kafkaTopic: entry.kafkaTopic,
    qos: entry.qos ?? defaultQos,
    acks: acksOf[entry.kafkaAcks ?? "One"],
    compression,
    batching: batchingOf(resource, ["spec", "batching"], spec.batching, false),
    partitionStrategy: partitionStrategyOf(resource, ["spec"], spec),
    cloudEventsPrefix: annotations.cloudEventsPrefix ?? "ce_",
  };
}

/** S-33: what is asked for, or one group of our own when several instances would otherwise each forward everything. */
export function sharedSubscription(
  groupName: string | undefined,
  minimumShareNumber: number | undefined,
  instances: number,
  flow: string,
): SharedSubscription | undefined {
  if (groupName !== undefined) {
    return { groupName, minimumShareNumber: minimumShareNumber ?? instances };
  }
  if (instances < 2) return undefined;
  const name = flow.replace(/[/+#]/g, "-");
  return { groupName: `isthmus-${name}`, minimumShareNumber: instances };
}

/** S-15 */
export function refuseCompression(
  resource: Resource,
  path: FieldPath,
  compression: string,
  kafka: KafkaConnection,
): void {
  if (!kafka.isEventHubs || compression === "None" || compression === "Gzip") return;
  resource.report(
    "error",
    path,
    `${quote(compression)} is not supported by Event Hubs: use None or Gzip`,
  );
}

export function warnOfNoAcks(resource: Resource, path: FieldPath): void {
  resource.report(
    "warning",
    path,
    "Kafka is not asked to acknowledge: a message may be lost although its QoS is 1",
  );
}

/** S-13 */
export function partitionStrategyOf(
  resource: Resource,
  path: FieldPath,
  spec: {
    readonly partitionStrategy?: PartitionStrategyName | undefined;
    readonly partitionKeyProperty?: string | undefined;
  },
): PartitionStrategy {
  const kind = spec.partitionStrategy ?? "Default";
  const property = spec.partitionKeyProperty;
  if (kind !== "Property") {
    if (property !== undefined) {
      resource.report(
        "warning",
        [...path, "partitionKeyProperty"],
        `"partitionKeyProperty" has no effect with the strategy ${kind}: it needs partitionStrategy Property`,
      );
    }
    return { kind };
  }
  if (property === undefined) {
    resource.report(
      "error",
      [...path, "partitionStrategy"],
      '"partitionKeyProperty" is missing: the strategy Property needs the name of a user property',
    );
  }
  return { kind, property: property ?? "" };
}
