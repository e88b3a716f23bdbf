import type { KafkaConnection, MqttConnection } from "../../shared/model/connection.ts";
import type { Plan } from "../../shared/model/plan.ts";
import type { KafkaToMqttRoute, MqttToKafkaRoute, Route } from "../../shared/model/route.ts";

const location = { file: "sample.yaml", line: 1, column: 1 };

const base = {
  targetName: "target",
  location,
  kafkaConnection: "kafka",
  mqttConnection: "mqtt",
  copyMqttProperties: true,
  cloudEvents: "None",
  deadLetterTopic: "isthmus.dead-letter",
  qos: 1,
  instances: 1,
  clientIdPrefix: "",
} as const;

/** A route from the topic `machines` to `factory/${inputTopic}`, but for `some`. */
export function kafkaToMqttRoute(some: Partial<KafkaToMqttRoute> = {}): KafkaToMqttRoute {
  return {
    ...base,
    name: "down/one",
    direction: "kafkaToMqtt",
    topics: [{ kind: "name", topic: "machines" }],
    consumerGroupId: "group",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the template of a manifest
    mqttTopic: "factory/${inputTopic}",
    retain: false,
    amqpHeaders: "Auto",
    restoreMqttProperties: false,
    binaryHeaders: "Remove",
    ...some,
  };
}

/** A route from the filter `alerts/#` to the topic `alerts`, but for `some`. */
export function mqttToKafkaRoute(some: Partial<MqttToKafkaRoute> = {}): MqttToKafkaRoute {
  return {
    ...base,
    name: "up/one",
    direction: "mqttToKafka",
    topicFilters: ["alerts/#"],
    kafkaTopic: "alerts",
    acks: -1,
    compression: "None",
    batching: { enabled: false, latencyMs: 5, maxMessages: 100, maxBytes: 1000 },
    partitionStrategy: { kind: "Default" },
    cloudEventsPrefix: "ce_",
    ...some,
  };
}

export function kafkaConnection(some: Partial<KafkaConnection> = {}): KafkaConnection {
  return {
    id: "kafka",
    location,
    bootstrapServers: ["kafka.example:9093"],
    tls: { enabled: true },
    authentication: { method: "Anonymous" },
    isEventHubs: false,
    protocol: "Kafka",
    ...some,
  };
}

export function mqttConnection(some: Partial<MqttConnection> = {}): MqttConnection {
  return {
    id: "mqtt",
    location,
    host: "mqtt.example",
    port: 8883,
    protocol: "Mqtt",
    tls: { enabled: true },
    authentication: { method: "Anonymous" },
    keepAlive: 60,
    sessionExpiryInterval: 3600,
    maxInflightMessages: 100,
    ...some,
  };
}

/** A plan of these routes over the connections `kafka` and `mqtt`. */
export function planOf(routes: readonly Route[], some: Partial<Plan> = {}): Plan {
  return {
    routes,
    kafkaConnections: new Map([["kafka", kafkaConnection()]]),
    mqttConnections: new Map([["mqtt", mqttConnection()]]),
    ...some,
  };
}
