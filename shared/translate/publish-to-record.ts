import type { KafkaHeader, OutgoingRecord, Partitioning } from "../model/kafka-record.ts";
import type { Publish, PublishProperties, UserProperty } from "../model/publish.ts";
import type { MqttToKafkaRoute } from "../model/route.ts";
import type { Translation, TranslationContext } from "../model/translation.ts";
import { type CloudEventDefaults, cloudEventToKafka } from "./cloud-event.ts";
import { type Destination, kafkaDestination } from "./destination.ts";
import { secondsLeft } from "./expiry.ts";
import {
  CONTENT_TYPE,
  CORRELATION_DATA,
  MESSAGE_EXPIRY_INTERVAL,
  MQTT_TOPIC,
  PAYLOAD_FORMAT_INDICATOR,
  RESPONSE_TOPIC,
} from "./header-names.ts";
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
 * (docs/mapping.md). What it returns is pure and total over any message: bad data is a value.
 * @throws RangeError when the route's topic template cannot be parsed.
 */
export function publishToRecord(
  route: MqttToKafkaRoute,
  instance: number,
): (received: ReceivedPublish, context: TranslationContext) => Translation<OutgoingRecord> {
  const translator = new PublishTranslator(route, instance);
  return (received, context) => translator.translate(received, context);
}

class PublishTranslator {
  private readonly route: MqttToKafkaRoute;
  private readonly partsOf: (topicName: string) => TopicParts;
  private readonly unkeyed: Partitioning;
  private readonly events: CloudEventDefaults;

  constructor(route: MqttToKafkaRoute, instance: number) {
    this.route = route;
    const destinationOf = kafkaDestination(route.kafkaTopic, route.deadLetterTopic);
    this.partsOf = memoByTopic((topicName) => ({
      destination: destinationOf(topicName),
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
    { publish, receivedAt }: ReceivedPublish,
    context: TranslationContext,
  ): Translation<OutgoingRecord> {
    const interval = publish.properties.messageExpiryInterval;
    const expiry =
      interval === undefined ? undefined : secondsLeft(interval, receivedAt, context.now);
    if (expiry !== undefined && expiry <= 0) return { kind: "expired" };
    const { destination, topicName } = this.partsOf(publish.topicName);
    if (destination.kind === "rejected") return destination;
    const { topic } = destination;
    const headers: KafkaHeader[] = [];
    if (this.route.copyMqttProperties) {
      addBuiltIns(headers, publish.properties, expiry);
      headers.push([MQTT_TOPIC, topicName]);
    }
    for (const pair of this.userProperties(publish, topic, context)) {
      headers.push([pair[0], utf8FromText(pair[1])]);
    }
    const key = this.keyOf(publish, topicName, expiry);
    const partitioning = key === null ? this.unkeyed : BY_KEY;
    return {
      kind: "translated",
      message: { topic, key, value: publish.payload, headers, partitioning },
      removed: [],
    };
  }

  private userProperties(
    { properties }: Publish,
    subject: string,
    context: TranslationContext,
  ): readonly UserProperty[] {
    const { route } = this;
    if (route.cloudEvents === "None")
      return route.copyMqttProperties ? properties.userProperties : [];
    const message = { pairs: properties.userProperties, contentType: properties.contentType };
    return cloudEventToKafka(message, route.cloudEventsPrefix, this.events, {
      subject,
      now: context.now,
      newId: () => context.newId(),
    });
  }

  /** S-13: null is the default strategy, also where the property is missing. */
  private keyOf(
    { properties }: Publish,
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
