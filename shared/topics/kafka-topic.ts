import type { TopicSelector } from "../model/route.ts";
import { shortened } from "./topic-name.ts";

const LONGEST_NAME = 249;

/** Why `name` is no Kafka topic name, or undefined when it is one. */
export function kafkaTopicProblem(name: string): string | undefined {
  if (name === "") return "Kafka topic must not be empty";
  if (name === "." || name === "..") return `Kafka topic must not be "${name}"`;
  const foreign = /[^a-zA-Z0-9._-]/u.exec(name);
  if (foreign !== null) {
    return `Kafka topic "${shortened(name)}" must have only letters, digits, ".", "_" and "-": it has ${JSON.stringify(foreign[0])}`;
  }
  if (name.length <= LONGEST_NAME) return undefined;
  return `Kafka topic "${shortened(name)}" must have at most ${LONGEST_NAME} characters: it has ${name.length}`;
}

/** An MQTT topic as a Kafka topic: `/` becomes `.` (S-32). The result may still be illegal: see {@link kafkaTopicProblem}. */
export function toKafkaTopic(topicName: string): string {
  return topicName.replaceAll("/", ".");
}

/**
 * Why `text` cannot say which Kafka topics to read, or undefined when it can: a name, or a regular expression that starts with
 * `^` (S-30).
 */
export function selectorProblem(text: string): string | undefined {
  if (text.startsWith("^")) return patternProblem(text);
  const wildcard = /[*?+#]/.exec(text);
  if (wildcard === null) return kafkaTopicProblem(text);
  return `Kafka topic "${shortened(text)}" must not contain the wildcard "${wildcard[0]}": write a regular expression that starts with "^", such as "^plant-.*"`;
}

/** Tried by itself: within the group of {@link topicSelectorMatches} a stray `)` could find a partner. */
function patternProblem(pattern: string): string | undefined {
  try {
    new RegExp(pattern);
    return undefined;
  } catch (cause) {
    const { message } = cause as SyntaxError;
    return `Kafka topic "${shortened(pattern)}" must be a regular expression: ${message}`;
  }
}

/** Whether a selector reads this topic; a regular expression must match the whole name (S-30). */
export function topicSelectorMatches(selector: TopicSelector, topic: string): boolean {
  if (selector.kind === "name") return selector.topic === topic;
  return new RegExp(`^(?:${selector.pattern})$`).test(topic);
}
