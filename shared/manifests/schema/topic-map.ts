import * as z from "zod";
import type { Compression } from "../../model/route.ts";
import {
  checkKafkaSource,
  checkKafkaTemplate,
  checkMqttTemplate,
  checkTopicFilter,
} from "../topic-text.ts";
import {
  type BatchingSpec,
  batching,
  compression,
  type PartitionStrategyName,
  partitionStrategy,
} from "./kafka-settings.ts";
import { checked, choice, integer, qos, resourceName, type Schema, text, toggle } from "./leaf.ts";

export interface MqttToKafkaEntry {
  readonly name: string;
  readonly mqttTopic: string;
  readonly kafkaTopic: string;
  readonly kafkaAcks?: "Zero" | "One" | "All" | undefined;
  readonly qos?: 0 | 1 | undefined;
  readonly sharedSubscription?: SharedSubscriptionSpec | undefined;
}

export interface SharedSubscriptionSpec {
  readonly groupName: string;
  readonly groupMinimumShareNumber?: number | undefined;
}

export interface KafkaToMqttEntry {
  readonly name: string;
  readonly kafkaTopic: string;
  readonly mqttTopic: string;
  readonly consumerGroupId?: string | undefined;
  readonly qos?: 0 | 1 | undefined;
}

export interface TopicMapEntry {
  readonly mqttToKafka?: MqttToKafkaEntry | undefined;
  readonly kafkaToMqtt?: KafkaToMqttEntry | undefined;
}

export interface TopicMapSpec {
  readonly kafkaConnectorRef: string;
  readonly compression?: Compression | undefined;
  readonly batching?: BatchingSpec | undefined;
  readonly partitionStrategy?: PartitionStrategyName | undefined;
  readonly partitionKeyProperty?: string | undefined;
  readonly copyMqttProperties?: boolean | undefined;
  readonly routes: readonly TopicMapEntry[];
}

const groupName = checked((name) =>
  /^[^/+#]+$/.test(name)
    ? undefined
    : `${JSON.stringify(name)} is not a group name: use text without "/", "+" and "#"`,
);

export const sharedSubscription: Schema<SharedSubscriptionSpec> = z.object({
  groupName,
  groupMinimumShareNumber: integer(1).optional(),
});

/** `spec` of a KafkaConnectorTopicMap. */
export const topicMapSpec: Schema<TopicMapSpec> = z.object({
  kafkaConnectorRef: resourceName,
  compression: compression.optional(),
  batching: batching.optional(),
  partitionStrategy: partitionStrategy.optional(),
  partitionKeyProperty: text.optional(),
  copyMqttProperties: toggle.optional(),
  routes: z.array(
    z.object({
      mqttToKafka: z
        .object({
          name: resourceName,
          mqttTopic: checked(checkTopicFilter),
          kafkaTopic: checked(checkKafkaTemplate),
          kafkaAcks: choice(["Zero", "One", "All"]).optional(),
          qos: qos.optional(),
          sharedSubscription: sharedSubscription.optional(),
        })
        .optional(),
      kafkaToMqtt: z
        .object({
          name: resourceName,
          kafkaTopic: checked(checkKafkaSource),
          mqttTopic: checked(checkMqttTemplate),
          consumerGroupId: text.optional(),
          qos: qos.optional(),
        })
        .optional(),
    }),
  ),
});
