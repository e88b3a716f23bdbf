/** The ways of one direction in one run: order is kept within each lane. All lists are by lane. */
export interface Lanes {
  /** Unlike that of any other run on the same brokers. */
  readonly run: string;
  readonly mqttTopics: readonly string[];
  readonly topicBytes: readonly Buffer[];
  readonly kafkaTopics: readonly string[];
  /** The source's partition; towards Kafka the key decides. */
  readonly partitions: readonly number[];
}

export const PARTITIONS = 3;
const SOURCES = ["a", "b", "c", "d"];
const LINES = 5;

/** Four Kafka topics of three partitions: twelve lanes. */
export function lanesToMqtt(run: string): Lanes {
  const topics = SOURCES.map((name) => `${run}-source-${name}`);
  const lanes = topics.flatMap((topic) =>
    Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition })),
  );
  const mqttTopics = lanes.map(({ topic }) => `out/${run}/${topic}`);
  return {
    run,
    mqttTopics,
    topicBytes: mqttTopics.map((topic) => Buffer.from(topic)),
    kafkaTopics: lanes.map(({ topic }) => topic),
    partitions: lanes.map(({ partition }) => partition),
  };
}

/** Twenty MQTT topics, five to each of four Kafka topics. */
export function lanesToKafka(run: string): Lanes {
  const lanes = SOURCES.flatMap((name) =>
    Array.from({ length: LINES }, (_, line) => ({
      mqttTopic: `in/${run}/${name}/line-${line}`,
      kafkaTopic: `${run}-sink-${name}`,
    })),
  );
  const mqttTopics = lanes.map(({ mqttTopic }) => mqttTopic);
  return {
    run,
    mqttTopics,
    topicBytes: mqttTopics.map((topic) => Buffer.from(topic)),
    kafkaTopics: lanes.map(({ kafkaTopic }) => kafkaTopic),
    partitions: lanes.map(() => -1),
  };
}

export function consumerGroup(run: string): string {
  return `${run}-group`;
}

export function deadLetterTopic(run: string): string {
  return `${run}-dead`;
}
