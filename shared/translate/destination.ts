import type { RejectionCode, Translation } from "../model/translation.ts";
import { kafkaTopicProblem, toKafkaTopic } from "../topics/kafka-topic.ts";
import { topicNameProblem } from "../topics/topic-name.ts";
import {
  parseTopicTemplate,
  type RenderedTopic,
  renderTopicTemplate,
} from "../topics/topic-template.ts";

export type Rejected = Extract<Translation<never>, { readonly kind: "rejected" }>;

/** Where a message goes, or why it can go nowhere. */
export type Destination = { readonly kind: "topic"; readonly topic: string } | Rejected;

/** Where messages of a topic go; `outputTopic` is what a map wrote as their topic, where it did. */
export type DestinationOf = (inputTopic: string, outputTopic?: string) => Destination;

/** The MQTT Topic Name that a template makes of a Kafka topic (S-31, S-32). @throws RangeError for a template that cannot be parsed. */
export function mqttDestination(templateText: string): DestinationOf {
  const render = renderer(templateText, ".");
  return (kafkaTopic, outputTopic) => {
    const rendered = render(kafkaTopic, outputTopic);
    if (!rendered.ok) return rejected("TOPIC_SEGMENT_MISSING", rendered.reason);
    return checked(rendered.topic, topicNameProblem(rendered.topic), "TOPIC_NAME_INVALID");
  };
}

/**
 * The Kafka topic that a template makes of an MQTT Topic Name (S-17, S-32), never the route's dead-letter topic: what lies there is
 * taken for dead letters (S-54). @throws RangeError for a template that cannot be parsed.
 */
export function kafkaDestination(templateText: string, deadLetterTopic?: string): DestinationOf {
  const render = renderer(templateText, "/");
  return (topicName, outputTopic) => {
    const rendered = render(topicName, outputTopic);
    if (!rendered.ok) return rejected("TOPIC_SEGMENT_MISSING", rendered.reason);
    const topic = toKafkaTopic(rendered.topic);
    const problem =
      topic === deadLetterTopic
        ? `Cannot write to Kafka topic "${topic}": it is the route's dead-letter topic`
        : kafkaTopicProblem(topic);
    return checked(topic, problem, "KAFKA_TOPIC_INVALID");
  };
}

function renderer(
  templateText: string,
  separator: "." | "/",
): (topic: string, outputTopic?: string) => RenderedTopic {
  const parsed = parseTopicTemplate(templateText);
  if (!parsed.ok) throw new RangeError(parsed.reason);
  const { template } = parsed;
  return (topic, outputTopic) => renderTopicTemplate(template, topic, separator, outputTopic);
}

function checked(topic: string, problem: string | undefined, code: RejectionCode): Destination {
  return problem === undefined ? { kind: "topic", topic } : rejected(code, problem);
}

function rejected(code: RejectionCode, reason: string): Rejected {
  return { kind: "rejected", code, reason };
}
