/** Checks of topic texts that can be made before any message crosses (S-17, S-30 to S-33). */
import { kafkaTopicProblem, selectorProblem, toKafkaTopic } from "../topics/kafka-topic.ts";
import { parseSharedSubscription, topicFilterProblem } from "../topics/topic-filter.ts";
import { topicNameProblem } from "../topics/topic-name.ts";
import { parseTopicTemplate, type TopicTemplate } from "../topics/topic-template.ts";
import { quote } from "./quote.ts";

/** A check says what is wrong, or undefined when nothing is. */
export type TextCheck = (text: string) => string | undefined;

export interface SharedFilter {
  readonly filter: string;
  readonly group?: string;
}

/** The filter of a source without its `$share/<group>/` or `$shared/<group>/`, and that group (S-8). */
export function splitShared(text: string): SharedFilter {
  const shared = parseSharedSubscription(text);
  if (shared === undefined || !shared.ok) return { filter: text };
  return { filter: shared.topicFilter, group: shared.groupName };
}

/** A Topic Filter, with or without a shared group before it. */
export const checkTopicFilter: TextCheck = (text) => {
  const shared = parseSharedSubscription(text);
  if (shared?.ok === false) return shared.reason;
  const { filter } = splitShared(text);
  if (filter !== "*") return topicFilterProblem(filter);
  return `${quote(filter)} is not a wildcard in MQTT: use "#" for every topic or "+" for one level`;
};

/** What a person writes by hand; a regular expression far longer than any topic can exhaust its compiler. */
const longestSource = 1000;

/** S-30: what a Kafka source may read: a name, or a regular expression that starts with `^`. */
export const checkKafkaSource: TextCheck = (text) => {
  if (text.length <= longestSource) return selectorProblem(text);
  return `Kafka topic has ${text.length} characters: at most ${longestSource} are allowed, and 249 in a name`;
};

/** The parts of a template; none where it is not one. */
export function templateOf(text: string): TopicTemplate {
  const parsed = parseTopicTemplate(text);
  return parsed.ok ? parsed.template : { parts: [] };
}

/** The fixed text of a template, and whether that is all of it. */
function fixedText({ parts }: TopicTemplate): { readonly text: string; readonly whole: boolean } {
  const texts = parts.filter((part) => typeof part === "string");
  return { text: texts.join(""), whole: texts.length === parts.length };
}

/** A template of an MQTT Topic Name (S-32). */
export const checkMqttTemplate: TextCheck = (text) => {
  const parsed = parseTopicTemplate(text);
  if (!parsed.ok) return parsed.reason;
  const fixed = fixedText(parsed.template);
  return fixed.text === "" && !fixed.whole ? undefined : topicNameProblem(fixed.text);
};

/** A template of a Kafka topic, in which `/` becomes `.` (S-17, S-32). */
export const checkKafkaTemplate: TextCheck = (text) => {
  const parsed = parseTopicTemplate(text);
  if (!parsed.ok) return parsed.reason;
  const fixed = fixedText(parsed.template);
  const name = toKafkaTopic(fixed.text);
  // With a variable in it, "." and nothing at all may still become names.
  const unknowable = !fixed.whole && /^\.{0,2}$/.test(name);
  return unknowable ? undefined : kafkaTopicProblem(name);
};
