import type { KafkaConnection, MqttConnection } from "../model/connection.ts";
import type { CloudEventsMode, Route } from "../model/route.ts";
import type { Transform } from "../model/transform.ts";
import type { Annotations } from "./annotations.ts";
import { type Connected, type Context, lookUp } from "./context.ts";
import { destinationsOf, type FlowEnd, sourceOf } from "./dataflow-operations.ts";
import { readTransform } from "./dataflow-transform.ts";
import { batchingOf, defaultDeadLetterTopic, defaultQos } from "./defaults.ts";
import type { FieldPath } from "./problem.ts";
import { quote } from "./quote.ts";
import type { Resource } from "./resource.ts";
import type { DataflowSpec } from "./schema/dataflow.ts";
import type {
  DataflowEndpointSpec,
  KafkaSettings,
  MqttSettings,
} from "./schema/dataflow-endpoint.ts";
import {
  headerSettings,
  partitionStrategyOf,
  refuseCompression,
  sharedSubscription,
  topicSelector,
  warnOfNoAcks,
} from "./topic-map-routes.ts";
import {
  checkKafkaSource,
  checkKafkaTemplate,
  checkMqttTemplate,
  checkTopicFilter,
  splitShared,
  type TextCheck,
} from "./topic-text.ts";

/** S-14 for data flows: never less than each word promises. */
const acksOf = { None: 0, Zero: 1, One: -1, All: -1 } as const;

/** One end of a flow with its endpoint looked up. */
type Side = { readonly end: FlowEnd; readonly annotations: Annotations } & (
  | {
      readonly type: "Kafka";
      readonly connection: KafkaConnection;
      readonly settings: KafkaSettings;
      readonly resource: Resource;
      /** From `mqttSettings` of a Kafka endpoint, where one document puts it (S-2). */
      readonly cloudEvents: CloudEventsMode | undefined;
    }
  | {
      readonly type: "Mqtt";
      readonly connection: MqttConnection;
      readonly settings: MqttSettings;
      readonly cloudEvents: CloudEventsMode | undefined;
    }
);

type KafkaSide = Extract<Side, { type: "Kafka" }>;
type MqttSide = Extract<Side, { type: "Mqtt" }>;

interface Flow {
  readonly context: Context;
  readonly resource: Resource<DataflowSpec>;
  readonly instances: number;
  readonly transform: Transform | undefined;
  /** Whether the transform can be run. */
  readonly isSound: boolean;
}

/** Compiles a Dataflow: a route for each pair of its source and one of its destinations. */
export function compileDataflow(context: Context, resource: Resource<DataflowSpec>): void {
  if (resource.spec.mode === false) {
    resource.report(
      "note",
      ["spec", "mode"],
      `the flow ${quote(resource.name)} is disabled: skipped`,
    );
    return;
  }
  const flow: Flow = {
    context,
    resource,
    instances: instancesOf(context, resource),
    ...readTransform(resource, context.references),
  };
  const from = soundSource(flow);
  const destinations = destinationsOf(resource);
  for (const [index, destination] of destinations.entries()) {
    const name = destinations.length > 1 ? `${resource.name}/${index + 1}` : resource.name;
    warnOfTopic(flow, destination);
    compilePair(flow, name, from, destination);
  }
}

/** A map that writes the topic of messages is of use only where the destination asks for it. */
function warnOfTopic({ resource, transform }: Flow, { topics }: FlowEnd): void {
  const writes = transform?.map?.some(({ output }) => output === "$metadata.topic") === true;
  const [topic] = topics;
  const variable = "$" + "{outputTopic}";
  if (!writes || topic === undefined || topic.text.includes(variable)) return;
  resource.report(
    "warning",
    topic.path,
    `the map writes $metadata.topic, which has no effect here: write ${variable} where it belongs`,
  );
}

function soundSource(flow: Flow): Side | undefined {
  const source = sourceOf(flow.resource);
  const side = source === undefined ? undefined : sideOf(flow, source);
  if (side === undefined) return undefined;
  const check = side.type === "Kafka" ? checkKafkaSource : checkTopicFilter;
  return checkTopics(flow, side, check) ? side : undefined;
}

function compilePair(flow: Flow, name: string, from: Side | undefined, destination: FlowEnd): void {
  const to = sideOf(flow, destination);
  if (to === undefined) return;
  const check = to.type === "Kafka" ? checkKafkaTemplate : checkMqttTemplate;
  const sound = checkTopics(flow, to, check);
  const route = from === undefined ? undefined : routeOf(flow, name, from, to);
  if (route === undefined || !flow.isSound || !sound) return;
  flow.context.routes.push({ route, resource: flow.resource, path: destination.path });
}

function instancesOf(context: Context, resource: Resource<DataflowSpec>): number {
  const name = resource.spec.profileRef ?? "default";
  const profile = context.profiles.get(name);
  if (
    profile === undefined &&
    name !== "default" &&
    !context.broken.has(`DataflowProfile/${name}`)
  ) {
    resource.report(
      "warning",
      ["spec", "profileRef"],
      `there is no DataflowProfile named ${quote(name)} in the manifests: the flow runs in 1 instance`,
    );
  }
  return profile?.spec.instanceCount ?? 1;
}

/** Tells of each topic that is none; false when there is one. */
function checkTopics({ resource }: Flow, side: Side, check: TextCheck): boolean {
  let sound = true;
  for (const { text, path } of side.end.topics) {
    const problem = check(text);
    if (problem === undefined) continue;
    sound = false;
    resource.report("error", path, problem);
  }
  return sound;
}

/** The names under which a cluster knows its own broker, without any manifest. */
const localNames: ReadonlySet<string> = new Set(["default", "mq"]);

function sideOf(flow: Flow, end: FlowEnd): Side | undefined {
  const { context, resource } = flow;
  const known =
    context.endpoints.has(end.endpoint) || context.broken.has(`DataflowEndpoint/${end.endpoint}`);
  if (!known && localNames.has(end.endpoint)) {
    const connection = context.localBroker("dataflow", resource.location);
    return { end, type: "Mqtt", connection, settings: {}, annotations: {}, cloudEvents: undefined };
  }
  const at = { context, resource, path: end.endpointPath };
  const endpoint = lookUp(context.endpoints, "DataflowEndpoint", at, end.endpoint);
  return endpoint === undefined ? undefined : endpointSide(flow, end, endpoint);
}

function endpointSide(
  flow: Flow,
  end: FlowEnd,
  { resource: endpoint, kafka, mqtt }: Connected<DataflowEndpointSpec>,
): Side | undefined {
  const { endpointType, kafkaSettings, mqttSettings } = endpoint.spec;
  const { annotations } = endpoint;
  const cloudEvents = mqttSettings?.cloudEventAttributes;
  if (endpointType === "Mqtt") {
    const settings = mqttSettings ?? {};
    return mqtt && { end, type: "Mqtt", connection: mqtt, settings, annotations, cloudEvents };
  }
  if (endpointType === "Kafka") {
    return (
      kafka &&
      kafkaSettings && {
        end,
        type: "Kafka",
        connection: kafka,
        settings: kafkaSettings,
        annotations,
        resource: endpoint,
        cloudEvents: kafkaSettings.cloudEventAttributes ?? cloudEvents,
      }
    );
  }
  flow.resource.report(
    "error",
    end.endpointPath,
    `the endpoint ${quote(end.endpoint)} is of type ${endpointType}, which is not supported: use a Kafka or an Mqtt endpoint`,
    "flow",
  );
  return undefined;
}

function routeOf(flow: Flow, name: string, from: Side, to: Side): Route | undefined {
  if (from.type === "Kafka" && to.type === "Mqtt") return toMqtt(flow, name, from, to);
  if (from.type === "Mqtt" && to.type === "Kafka") return toKafka(flow, name, from, to);
  flow.resource.report(
    "error",
    to.end.path,
    `a flow from ${from.type} to ${to.type} is not supported: one side must be Kafka and one MQTT`,
    "flow",
  );
  return undefined;
}

interface Sides {
  readonly kafka: KafkaSide;
  readonly mqtt: MqttSide;
  readonly to: Side;
}

function common(flow: Flow, name: string, sides: Sides) {
  const { kafka, mqtt, to } = sides;
  const annotations = { ...kafka.annotations, ...mqtt.annotations, ...flow.resource.annotations };
  const from = to === kafka ? mqtt : kafka;
  const window = annotations.maxInflightMessages ?? mqtt.settings.maxInflightMessages;
  return {
    annotations,
    base: {
      name,
      targetName: to.end.endpoint,
      location: flow.resource.locate(to.end.path),
      kafkaConnection: kafka.connection.id,
      mqttConnection: mqtt.connection.id,
      copyMqttProperties: kafka.settings.copyMqttProperties ?? true,
      cloudEvents: annotations.cloudEventAttributes ?? to.cloudEvents ?? from.cloudEvents ?? "None",
      deadLetterTopic: annotations.deadLetterTopic ?? defaultDeadLetterTopic,
      qos: mqtt.settings.qos ?? defaultQos,
      instances: flow.instances,
      clientIdPrefix: mqtt.settings.clientIdPrefix ?? "",
      ...(window === undefined ? {} : { maxInflightMessages: window }),
      ...(flow.transform === undefined ? {} : { transform: flow.transform }),
      ...(to.end.headers === undefined ? {} : { headerActions: to.end.headers }),
    },
  } as const;
}

function toMqtt(flow: Flow, name: string, from: KafkaSide, to: MqttSide): Route | undefined {
  const { annotations, base } = common(flow, name, { kafka: from, mqtt: to, to });
  const consumerGroupId = from.settings.consumerGroupId;
  if (consumerGroupId === undefined) {
    const field = ["spec", "kafkaSettings", "consumerGroupId"];
    from.resource.report(
      "error",
      field,
      `"consumerGroupId" is missing: the flow ${quote(flow.resource.name)} reads from this endpoint, so add under kafkaSettings: consumerGroupId: ${flow.resource.name}`,
    );
    return undefined;
  }
  return {
    ...base,
    direction: "kafkaToMqtt",
    topics: from.end.topics.map(({ text }) => topicSelector(text)),
    consumerGroupId,
    mqttTopic: to.end.topics[0]?.text ?? "",
    retain: annotations.retain ?? to.settings.retain === "Keep",
    ...headerSettings(annotations),
  };
}

function toKafka(flow: Flow, name: string, from: MqttSide, to: KafkaSide): Route | undefined {
  const { annotations, base } = common(flow, name, { kafka: to, mqtt: from, to });
  const { settings, resource } = to;
  const path: FieldPath = ["spec", "kafkaSettings"];
  const filters = from.end.topics.map(({ text }) => splitShared(text));
  const groups = new Set(filters.map(({ group }) => group));
  const asked = from.settings.sharedSubscription;
  if (groups.size > 1) {
    flow.resource.report(
      "error",
      from.end.path,
      "the topics of one source are in different shared groups: give all the same $share/<group>/, or none",
    );
  }
  const [group] = groups;
  const shared = sharedSubscription(
    group ?? asked?.groupName,
    asked?.groupMinimumShareNumber,
    flow.instances,
    name,
  );
  const compression = settings.compression ?? "None";
  refuseCompression(resource, [...path, "compression"], compression, to.connection);
  if (settings.kafkaAcks === "None" && base.qos === 1)
    warnOfNoAcks(resource, [...path, "kafkaAcks"]);
  return {
    ...base,
    direction: "mqttToKafka",
    topicFilters: filters.map(({ filter }) => filter),
    ...(shared === undefined ? {} : { sharedSubscription: shared }),
    kafkaTopic: to.end.topics[0]?.text ?? "",
    acks: acksOf[settings.kafkaAcks ?? "All"],
    compression,
    batching: batchingOf(resource, [...path, "batching"], settings.batching, true),
    partitionStrategy: partitionStrategyOf(resource, path, settings),
    cloudEventsPrefix: annotations.cloudEventsPrefix ?? "ce_",
  };
}
