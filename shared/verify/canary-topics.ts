import { BridgeError } from "../errors.ts";
import type { KafkaToMqttRoute, MqttToKafkaRoute } from "../model/route.ts";
import { topicSelectorMatches } from "../topics/kafka-topic.ts";
import { topicFilterMatches } from "../topics/topic-filter.ts";
import { topicNameProblem } from "../topics/topic-name.ts";
import { CANARY } from "./canary.ts";

/** Whether the route reads this Kafka topic: its dead letters it never does. */
export function readsKafkaTopic(route: KafkaToMqttRoute, topic: string): boolean {
  return route.topics.some(
    (selector) =>
      topicSelectorMatches(selector, topic) &&
      (selector.kind === "name" || (topic !== route.deadLetterTopic && !topic.startsWith("__"))),
  );
}

export function readsTopicName(route: MqttToKafkaRoute, topicName: string): boolean {
  return route.topicFilters.some((filter) => topicFilterMatches(filter, topicName));
}

/**
 * The Kafka topic that canaries are sent to: the one asked for, the first that the route names, or the first of `existing` that it reads.
 * Undefined when only the broker can tell and `existing` is not given. @throws BridgeError USAGE
 */
export function sourceKafkaTopic(
  route: KafkaToMqttRoute,
  asked: string | undefined,
  existing?: readonly string[],
): string | undefined {
  if (asked !== undefined) {
    if (readsKafkaTopic(route, asked)) return asked;
    throw new BridgeError("USAGE", `Route "${route.name}" does not read Kafka topic "${asked}"`);
  }
  for (const selector of route.topics) if (selector.kind === "name") return selector.topic;
  if (existing === undefined) return undefined;
  const found = existing.toSorted().find((topic) => readsKafkaTopic(route, topic));
  if (found !== undefined) return found;
  throw new BridgeError(
    "USAGE",
    `No topic matches the regular expression of route "${route.name}" yet: create one, or name it with --kafka-topic`,
  );
}

/** The MQTT topic that canaries are sent to: the one asked for, or one that the first Topic Filter matches. @throws BridgeError USAGE */
export function sourceTopicName(route: MqttToKafkaRoute, asked: string | undefined): string {
  if (asked === undefined) return nameFor(route.topicFilters[0] ?? "#");
  const problem = topicNameProblem(asked);
  if (problem !== undefined) throw new BridgeError("USAGE", `Wrong --mqtt-topic: ${problem}`);
  if (readsTopicName(route, asked)) return asked;
  throw new BridgeError("USAGE", `Route "${route.name}" does not read MQTT topic "${asked}"`);
}

function nameFor(filter: string): string {
  return filter
    .split("/")
    .map((level) => (level === "+" || level === "#" ? CANARY : level))
    .join("/");
}
