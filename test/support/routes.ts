import type { KafkaToMqttRoute, MqttToKafkaRoute } from "../../shared/model/route.ts";

const location = { file: "test.yaml", line: 1, column: 1 };

export function kafkaToMqttRoute(over: Partial<KafkaToMqttRoute> = {}): KafkaToMqttRoute {
  return {
    direction: "kafkaToMqtt",
    name: "connector/to-mqtt",
    targetName: "broker",
    location,
    kafkaConnection: "kafka",
    mqttConnection: "mqtt",
    copyMqttProperties: true,
    cloudEvents: "None",
    deadLetterTopic: "isthmus.dead-letter",
    qos: 1,
    instances: 1,
    clientIdPrefix: "",
    topics: [{ kind: "name", topic: "source" }],
    consumerGroupId: "group",
    mqttTopic: "factory/$" + "{inputTopic}",
    retain: false,
    amqpHeaders: "Auto",
    restoreMqttProperties: false,
    binaryHeaders: "Remove",
    ...over,
  };
}

export function mqttToKafkaRoute(over: Partial<MqttToKafkaRoute> = {}): MqttToKafkaRoute {
  return {
    direction: "mqttToKafka",
    name: "connector/to-kafka",
    targetName: "kafka",
    location,
    kafkaConnection: "kafka",
    mqttConnection: "mqtt",
    copyMqttProperties: true,
    cloudEvents: "None",
    deadLetterTopic: "isthmus.dead-letter",
    qos: 1,
    instances: 1,
    clientIdPrefix: "",
    topicFilters: ["factory/#"],
    kafkaTopic: "destination",
    acks: -1,
    compression: "None",
    batching: { enabled: true, latencyMs: 5, maxMessages: 100_000, maxBytes: 1_000_000 },
    partitionStrategy: { kind: "Default" },
    cloudEventsPrefix: "ce_",
    ...over,
  };
}
