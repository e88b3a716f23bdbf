import type { Plan } from "../../../shared/model/plan.ts";
import type { TopicSelector } from "../../../shared/model/route.ts";
import { FACTORY_TOPICS } from "./samples.ts";

/** Where sample messages are sent so that every route of a plan has something to carry. */
export interface TrafficTargets {
  /** Kafka topics by connection id. */
  readonly kafka: ReadonlyMap<string, readonly string[]>;
  /** MQTT Topic Names by connection id. */
  readonly mqtt: ReadonlyMap<string, readonly string[]>;
  /** Routes whose topics no sample fits; the user must send to them. */
  readonly silent: readonly string[];
}

const LEVELS = ["line-1", "line-2"];

function kafkaTopics(selector: TopicSelector): readonly string[] {
  if (selector.kind === "name") return [selector.topic];
  const whole = new RegExp(`^(?:${selector.pattern})$`, "u");
  return FACTORY_TOPICS.filter((topic) => whole.test(topic));
}

/** Topic Names that a Topic Filter matches. */
function topicNames(filter: string): readonly string[] {
  if (!/[+#]/.test(filter)) return [filter];
  return LEVELS.map((level) => filter.replaceAll("+", level).replace("#", `${level}/oven`));
}

function add(map: Map<string, Set<string>>, connection: string, topics: readonly string[]): void {
  const known = map.get(connection) ?? new Set<string>();
  for (const topic of topics) known.add(topic);
  map.set(connection, known);
}

function lists(map: Map<string, Set<string>>): Map<string, readonly string[]> {
  return new Map([...map].map(([connection, topics]) => [connection, [...topics]]));
}

/** Chooses topics for sample traffic: the names in the manifests, or the sample factory's where a regular expression fits them. */
export function trafficTargets(plan: Plan): TrafficTargets {
  const kafka = new Map<string, Set<string>>();
  const mqtt = new Map<string, Set<string>>();
  const silent: string[] = [];
  for (const route of plan.routes) {
    if (route.direction === "kafkaToMqtt") {
      const topics = route.topics.flatMap(kafkaTopics);
      if (topics.length === 0) silent.push(route.name);
      else add(kafka, route.kafkaConnection, topics);
    } else {
      add(mqtt, route.mqttConnection, route.topicFilters.flatMap(topicNames));
    }
  }
  return { kafka: lists(kafka), mqtt: lists(mqtt), silent };
}
