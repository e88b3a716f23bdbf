import type { RunTransform, Transformed } from "../expressions/transform.ts";
import type { KafkaRecord } from "../model/kafka-record.ts";
import type { Publish, PublishProperties } from "../model/publish.ts";
import type { KafkaToMqttRoute } from "../model/route.ts";
import type { Translation, TranslationContext } from "../model/translation.ts";
import { propertiesLength } from "../wire/mqtt-publish-encoder.ts";
import { type CloudEventDefaults, cloudEventToMqtt, isCloudEventHeader } from "./cloud-event.ts";
import { type Destination, type DestinationOf, mqttDestination } from "./destination.ts";
import { type Edits, type EventParts, editsOf } from "./edits.ts";
import { secondsLeft } from "./expiry.ts";
import { withHeaderActions } from "./header-actions.ts";
import { JSON_TYPE, KEY, MQTT_TOPIC, TIMESTAMP } from "./header-names.ts";
import { headerValue } from "./header-value.ts";
import { recordView } from "./message-view.ts";
import { ownName } from "./own-names.ts";
import { type PropertiesInProgress, restoreProperty } from "./restore-properties.ts";
import { memoByTopic } from "./topic-memo.ts";
import { LONGEST_TEXT, UserPropertyList } from "./user-property-list.ts";
import { textFromUtf8 } from "./utf8.ts";

/** The largest number a Variable Byte Integer holds, and so the most bytes that all properties may have (MQTT 5, 1.5.5). */
const LARGEST_PROPERTIES = 268_435_455;
/** More than the built-in properties and generated CloudEvents attributes can add to the User Properties. */
const OTHER_PROPERTIES = 1_000_000;
const EMPTY = new Uint8Array(0);

/**
 * Prepares the translation of Kafka records to the messages they become under `route` (docs/mapping.md). What it returns is pure (but for
 * the memory of a transform) and total over any record: bad data is a value. `transform` is the route's own, compiled.
 * @throws RangeError when the route's topic template cannot be parsed.
 */
export function recordToPublish(
  route: KafkaToMqttRoute,
  transform?: RunTransform,
): (record: KafkaRecord, context: TranslationContext) => Translation<Publish> {
  const translator = new RecordTranslator(route, transform);
  return (record, context) => translator.translate(record, context);
}

/** The name of the header at `index`; of one behind the marker of a restored record, as its publisher gave it. */
function nameAfter(marker: number, index: number, name: string): string {
  return marker >= 0 && index > marker ? ownName(name) : name;
}

/** Holds what is the same for every record of a route, and one list that every record uses in turn. */
class RecordTranslator {
  private readonly route: KafkaToMqttRoute;
  private readonly transform: RunTransform | undefined;
  private readonly render: DestinationOf;
  private readonly destinationOf: (kafkaTopic: string) => Destination;
  private readonly events: CloudEventDefaults;
  private readonly list = new UserPropertyList();

  constructor(route: KafkaToMqttRoute, transform: RunTransform | undefined) {
    this.route = route;
    this.transform = transform;
    const render = mqttDestination(route.mqttTopic);
    this.render = render;
    this.destinationOf = memoByTopic((topic) => render(topic));
    this.events = {
      mode: route.cloudEvents,
      source: `aio://${route.targetName}`,
      copyOthers: route.copyMqttProperties,
    };
  }

  translate(record: KafkaRecord, context: TranslationContext): Translation<Publish> {
    const { route, list } = this;
    const properties = this.gather(record);
    if (properties.messageExpiryInterval !== undefined && record.timestamp >= 0) {
      const { messageExpiryInterval: interval } = properties;
      properties.messageExpiryInterval = secondsLeft(interval, record.timestamp, context.now);
    }
    // only a restored interval can be 0: S-12 holds for it as for one that has run out
    if ((properties.messageExpiryInterval ?? 1) <= 0) return { kind: "expired" };
    const transformed = this.transformed(record);
    if (transformed !== undefined && transformed.kind !== "passed") return transformed;
    const edits = editsOf(transformed?.edits ?? []);
    this.edit(properties, edits);
    const destination =
      edits.topic === undefined
        ? this.destinationOf(record.topic)
        : this.render(record.topic, edits.topic);
    if (destination.kind === "rejected") return destination;
    const payload = transformed?.payload;
    if (route.cloudEvents !== "None") {
      const { topic: subject } = destination;
      this.asCloudEvent(properties, { subject, context, edits, isNew: payload !== undefined });
    }
    const { headerActions } = route;
    properties.userProperties = withHeaderActions(properties.userProperties, headerActions, String);
    if (list.length > LARGEST_PROPERTIES - OTHER_PROPERTIES && !fits(properties)) {
      return {
        kind: "rejected",
        code: "PROPERTIES_TOO_LARGE",
        reason: `The properties must have at most ${LARGEST_PROPERTIES} bytes together: they have ${propertiesLength(properties)}`,
      };
    }
    const message: Publish = {
      topicName: destination.topic,
      payload: payload ?? record.value ?? EMPTY,
      qos: route.qos,
      retain: route.retain,
      properties,
    };
    return { kind: "translated", message, removed: list.removed };
  }

  /** The properties that the record's key, timestamp and headers become, in the order of S-20. */
  private gather(record: KafkaRecord): PropertiesInProgress {
    const { route, list } = this;
    const { headers } = record;
    // S-11 wrote it directly before the User Properties: a record that has it came from MQTT, and all after it is to stay as it is
    const marker = this.restores() ? headers.findIndex(([name]) => name === MQTT_TOPIC) : -1;
    list.clear(marker >= 0);
    const properties: PropertiesInProgress = { userProperties: list.pairs };
    if (!route.copyMqttProperties && route.cloudEvents === "None") return properties;
    if (route.copyMqttProperties && marker < 0) this.addKeyAndTimestamp(record);
    const restorable = marker < 0 && this.restores() ? headers.length : marker;
    for (let i = 0; i < headers.length; i += 1) {
      const header = headers[i];
      if (header === undefined || i === marker || !this.travels(header[0])) continue;
      if (i < restorable && restoreProperty(properties, header, route.amqpHeaders)) continue;
      this.addHeader(nameAfter(marker, i, header[0]), header[1]);
    }
    return properties;
  }

  private travels(name: string): boolean {
    return this.route.copyMqttProperties || isCloudEventHeader(name);
  }

  private restores(): boolean {
    return this.route.restoreMqttProperties && this.route.copyMqttProperties;
  }

  private addKeyAndTimestamp({ key, timestamp }: KafkaRecord): void {
    const text = key === null || key.length > LONGEST_TEXT ? undefined : textFromUtf8(key);
    if (text !== undefined) this.list.add(KEY, text);
    if (timestamp >= 0) this.list.add(TIMESTAMP, String(timestamp));
  }

  private addHeader(name: string, bytes: Uint8Array | null): void {
    const { list, route } = this;
    // MQTT has no null: an empty text keeps at least that the header was there
    const value = bytes === null ? "" : headerValue(bytes, route.amqpHeaders);
    if (typeof value === "string") list.add(name, value);
    else if (value.length > LONGEST_TEXT) list.remove(name, "too_large");
    else if (route.binaryHeaders === "Base64") list.addBase64(name, value);
    else list.remove(name, "not_utf8");
  }

  /** A tombstone says that something is gone: there is nothing in it to read or to change. */
  private transformed(record: KafkaRecord): Transformed | undefined {
    if (this.transform === undefined || record.value === null) return undefined;
    return this.transform(recordView(record, record.value, this.route.amqpHeaders));
  }

  /** What a map wrote goes out whether or not headers are copied. */
  private edit(properties: PropertiesInProgress, edits: Edits): void {
    const { list } = this;
    if (edits.contentType === null) delete properties.contentType;
    else if (edits.contentType !== undefined) properties.contentType = edits.contentType;
    if (edits.removed.size === 0) return;
    list.without(edits.removed);
    for (const [name, value] of edits.written) list.add(name, value);
    properties.userProperties = list.pairs;
  }

  private asCloudEvent(
    properties: PropertiesInProgress,
    { subject, context, edits, isNew }: EventParts,
  ): void {
    const { transform } = this.route;
    const event = cloudEventToMqtt(this.list.pairs, this.events, {
      subject,
      now: context.now,
      newId: () => context.newId(),
      output: { contentType: isNew ? JSON_TYPE : undefined, schema: transform?.outputSchema },
      written: edits.removed,
    });
    properties.userProperties = event.pairs;
    // a map's own word counts most, then what it made of the payload, then what came
    const own = edits.contentType === undefined ? undefined : properties.contentType;
    const contentType = isNew
      ? (own ?? event.contentType)
      : (properties.contentType ?? event.contentType);
    if (contentType !== undefined) properties.contentType = contentType;
  }
}

function fits(properties: PublishProperties): boolean {
  return propertiesLength(properties) <= LARGEST_PROPERTIES;
}
