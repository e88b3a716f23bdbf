import type { HeaderAction, Transform } from "./transform.ts";

/** Where in a manifest something was said; lines and columns count from 1. */
export interface SourceLocation {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A Kafka topic to read: one by name, or every topic a regular expression matches as a whole (S-30). */
export type TopicSelector =
  | { readonly kind: "name"; readonly topic: string }
  | { readonly kind: "pattern"; readonly pattern: string };

export type CloudEventsMode = "None" | "Propagate" | "CreateOrRemap";
export type CloudEventsPrefix = "ce_" | "ce-";
export type AmqpHeaders = "Auto" | "Always" | "Never";
export type Compression = "None" | "Gzip" | "Snappy" | "Lz4";

/** The part of a route that every direction has. */
export interface RouteBase {
  /** Unique among all routes: `<connector or dataflow>/<route>`; shown to people and used in metrics. */
  readonly name: string;
  /** The CloudEvents `source` of created events is `aio://<targetName>` (S-40). */
  readonly targetName: string;
  readonly location: SourceLocation;
  /** Keys into {@link Plan.kafkaConnections} and {@link Plan.mqttConnections}. */
  readonly kafkaConnection: string;
  readonly mqttConnection: string;
  /** S-10, S-20: whether properties and headers cross at all. */
  readonly copyMqttProperties: boolean;
  readonly cloudEvents: CloudEventsMode;
  /** Kafka topic for messages that can never be delivered (S-54). */
  readonly deadLetterTopic: string;
  readonly qos: 0 | 1;
  /** How many instances of this route are to run over all hosts; at least 1. */
  readonly instances: number;
  /** Part of the MQTT Client Identifier; may be empty. */
  readonly clientIdPrefix: string;
  /** Bound on unacknowledged messages: publish window or our Receive Maximum; undefined = the connection's. */
  readonly maxInflightMessages?: number;
  /** What is done to messages before they are translated. */
  readonly transform?: Transform;
  /** What is done to their headers or User Properties afterwards, in this order. */
  readonly headerActions?: readonly HeaderAction[];
}

export interface KafkaToMqttRoute extends RouteBase {
  readonly direction: "kafkaToMqtt";
  readonly topics: readonly TopicSelector[];
  readonly consumerGroupId: string;
  /** Topic template (S-31), for example `factory/${inputTopic}`. */
  readonly mqttTopic: string;
  /** S-23 */
  readonly retain: boolean;
  /** S-22 */
  readonly amqpHeaders: AmqpHeaders;
  /** S-24 */
  readonly restoreMqttProperties: boolean;
  /** S-24 */
  readonly binaryHeaders: "Remove" | "Base64";
}

export interface SharedSubscription {
  readonly groupName: string;
  /** Subscribers over all instances; at least 1 (S-33). */
  readonly minimumShareNumber: number;
}

/** S-16: a batch is sent at whichever limit is met first. */
export interface Batching {
  readonly enabled: boolean;
  readonly latencyMs: number;
  readonly maxMessages: number;
  /** Encoded bytes. */
  readonly maxBytes: number;
}

export type PartitionStrategy =
  | { readonly kind: "Default" }
  | { readonly kind: "Static" }
  | { readonly kind: "Topic" }
  | { readonly kind: "Property"; readonly property: string };

export interface MqttToKafkaRoute extends RouteBase {
  readonly direction: "mqttToKafka";
  /** Topic Filters without any `$share` prefix; at least one. */
  readonly topicFilters: readonly string[];
  readonly sharedSubscription?: SharedSubscription;
  /** Topic template (S-17). */
  readonly kafkaTopic: string;
  readonly acks: -1 | 0 | 1;
  readonly compression: Compression;
  readonly batching: Batching;
  readonly partitionStrategy: PartitionStrategy;
  readonly cloudEventsPrefix: CloudEventsPrefix;
}

/** One direction of one mapping: what every manifest compiles to. */
export type Route = KafkaToMqttRoute | MqttToKafkaRoute;
