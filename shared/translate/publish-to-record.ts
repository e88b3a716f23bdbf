import type { RunTransform } from "../expressions/transform.ts";
import type { KafkaHeader, OutgoingRecord, Partitioning } from "../model/kafka-record.ts";
import type { Publish, PublishProperties, UserProperty } from "../model/publish.ts";
import type { MqttToKafkaRoute } from "../model/route.ts";
import type { Translation, TranslationContext } from "../model/translation.ts";
import { type CloudEventDefaults, cloudEventToKafka } from "./cloud-event.ts";
import { type Destination, type DestinationOf, kafkaDestination } from "./destination.ts";
import { type Edits, type EventParts, editsOf } from "./edits.ts";
import { secondsLeft } from "./expiry.ts";
import { withHeaderActions } from "./header-actions.ts";
import {
  CONTENT_TYPE,
  CORRELATION_DATA,
  JSON_TYPE,
  MESSAGE_EXPIRY_INTERVAL,
  MQTT_TOPIC,
  PAYLOAD_FORMAT_INDICATOR,
  RESPONSE_TOPIC,
} from "./header-names.ts";
import { publishView } from "./message-view.ts";
import { namespacedName } from "./own-names.ts";
import { memoByTopic } from "./topic-memo.ts";
import { utf8FromText } from "./utf8.ts";

/** A message and when it was read from the network, in milliseconds since the Unix epoch. */
export interface ReceivedPublish {
  readonly publish: Publish;
  readonly receivedAt: number;
}

/** What all messages of one Topic Name have in common. */
interface TopicParts {
  readonly destination: Destination;
  readonly topicName: Uint8Array;
}

const ROUND_ROBIN: Partitioning = { by: "roundRobin" };
const BY_KEY: Partitioning = { by: "key" };

/**
 * Prepares the translation of MQTT messages to the records they become under `route`, in the instance of that number
 * (docs/mapping.md). What it returns is pure (but for the memory of a transform) and total over any message: bad data is a value.
 * `transform` is the route's own, compiled. @throws RangeError when the route's topic template cannot be parsed.
 */
export function publishToRecord(
  route: MqttToKafkaRoute,
  instance: number,
  transform?: RunTransform,
): (received: ReceivedPublish, context: TranslationContext) => Translation<OutgoingRecord> {
  const translator = new PublishTranslator(route, instance, transform);
  return (received, context) => translator.translate(received, context);
}

class PublishTranslator {
  private readonly route: MqttToKafkaRoute;
  private readonly transform: RunTransform | undefined;
  private readonly render: DestinationOf;
  private readonly partsOf: (topicName: string) => TopicParts;
  private readonly unkeyed: Partitioning;
  private readonly events: CloudEventDefaults;

  constructor(route: MqttToKafkaRoute, instance: number, transform: RunTransform | undefined) {
    this.route = route;
    this.transform = transform;
    const render = kafkaDestination(route.kafkaTopic, route.deadLetterTopic);
    this.render = render;
    this.partsOf = memoByTopic((topicName) => ({
      destination: render(topicName),
      topicName: utf8FromText(topicName),
    }));
    this.unkeyed =
      route.partitionStrategy.kind === "Static" ? { by: "instance", instance } : ROUND_ROBIN;
    this.events = {
      mode: route.cloudEvents,
      source: `aio://${route.targetName}`,
      copyOthers: route.copyMqttProperties,
    };
  }

  translate(
    { publish: received, receivedAt }: ReceivedPublish,
    context: TranslationContext,
  ): Translation<OutgoingRecord> {
    const interval = received.properties.messageExpiryInterval;
    const expiry =
      interval === undefined ? undefined : secondsLeft(interval, receivedAt, context.now);
    if (expiry !== undefined && expiry <= 0) return { kind: "expired" };
    const transformed = this.transform?.(publishView(received));
    if (transformed !== undefined && transformed.kind !== "passed") return transformed;
    const edits = editsOf(transformed?.edits ?? []);
    const parts = this.partsOf(received.topicName);
    const { topicName } = parts;
    const destination =
      edits.topic === undefined ? parts.destination : this.render(received.topicName, edits.topic);
    if (destination.kind === "rejected") return destination;
    const { topic } = destination;
    const properties = edited(received.properties, edits);
    const headers: KafkaHeader[] = [];
    if (this.route.copyMqttProperties) {
      addBuiltIns(headers, properties, expiry);
      headers.push([MQTT_TOPIC, topicName]);
    }
    const isNew = transformed?.payload !== undefined;
    const event = { subject: topic, context, edits, isNew };
    for (const pair of this.userProperties(properties, event)) {
      headers.push([namespacedName(pair[0]), utf8FromText(pair[1])]);
    }
    const key = this.keyOf(properties, topicName, expiry);
    const partitioning = key === null ? this.unkeyed : BY_KEY;
    const value = transformed?.payload ?? received.payload;
    const message = {
      topic,
      key,
      value,
      headers: withHeaderActions(headers, this.route.headerActions, utf8FromText),
      partitioning,
    };
    return { kind: "translated", message, removed: [] };
  }

  private userProperties(
    properties: PublishProperties,
    { subject, context, edits, isNew }: EventParts,
  ): readonly UserProperty[] {
    const { route } = this;
    const { copyMqttProperties, transform } = route;
    if (route.cloudEvents === "None")
      return copyMqttProperties ? properties.userProperties : edits.written;
    const message = { pairs: properties.userProperties, contentType: properties.contentType };
    const isOwnType = edits.contentType !== undefined && edits.contentType !== null;
    return cloudEventToKafka(message, route.cloudEventsPrefix, this.events, {
      subject,
      now: context.now,
      newId: () => context.newId(),
      output: {
        contentType: isNew && !isOwnType ? JSON_TYPE : undefined,
        schema: transform?.outputSchema,
      },
      written: edits.removed,
    });
  }

  /** S-13: null is the default strategy, also where the property is missing. */
  private keyOf(
    properties: PublishProperties,
    topicName: Uint8Array,
    expiry: number | undefined,
  ): Uint8Array | null {
    const { partitionStrategy } = this.route;
    if (partitionStrategy.kind === "Topic") return topicName;
    if (partitionStrategy.kind !== "Property") return null;
    const { property } = partitionStrategy;
    for (const [name, value] of properties.userProperties) {
      if (name === property) return utf8FromText(value);
    }
    const builtIns: KafkaHeader[] = [];
    addBuiltIns(builtIns, properties, expiry);
    return builtIns.find(([name]) => name === property)?.[1] ?? null;
  }
}

/** The properties with what a map wrote. */
function edited(properties: PublishProperties, edits: Edits): PublishProperties {
  if (edits.removed.size === 0 && edits.contentType === undefined) return properties;
  const { contentType: came, ...others } = properties;
  const contentType = edits.contentType === undefined ? came : (edits.contentType ?? undefined);
  const kept = properties.userProperties.filter(([name]) => !edits.removed.has(name));
  return {
    ...others,
    ...(contentType === undefined ? {} : { contentType }),
    userProperties: [...kept, ...edits.written],
  };
}

/** The built-in properties that are present, in the order of S-10. */
function addBuiltIns(
  headers: KafkaHeader[],
  properties: PublishProperties,
  expiry: number | undefined,
): void {
  const { payloadFormatIndicator, responseTopic, correlationData, contentType } = properties;
  if (payloadFormatIndicator !== undefined) {
    headers.push([PAYLOAD_FORMAT_INDICATOR, utf8FromText(String(payloadFormatIndicator))]);
  }
  if (expiry !== undefined) {
    headers.push([MESSAGE_EXPIRY_INTERVAL, utf8FromText(String(expiry))]);
  }
  if (responseTopic !== undefined) headers.push([RESPONSE_TOPIC, utf8FromText(responseTopic)]);
  if (correlationData !== undefined) headers.push([CORRELATION_DATA, correlationData]);
  if (contentType !== undefined) headers.push([CONTENT_TYPE, utf8FromText(contentType)]);
}
