import { BridgeError } from "../errors.ts";
import type { Plan } from "../model/plan.ts";
import type { KafkaToMqttRoute } from "../model/route.ts";

/** File name of the lock, beside host.json. */
export const TOPIC_LOCK_FILE = "isthmus.lock.json";

export interface LockedRoute {
  /** The regular expression as it was when its topics were looked up. */
  readonly pattern: string;
  readonly topics: readonly string[];
}

/** Which topics the regular expressions of the manifests stand for; a trigger reads one topic and no expression. */
export interface TopicLock {
  readonly version: 1;
  /** By route name. */
  readonly routes: Readonly<Record<string, LockedRoute>>;
}

/** The route's regular expressions as one, or undefined when it names all its topics. */
export function routePattern(route: KafkaToMqttRoute): string | undefined {
  const patterns = route.topics.flatMap((t) => (t.kind === "pattern" ? [t.pattern] : []));
  if (patterns.length <= 1) return patterns[0];
  return `^(?:${patterns.map((pattern) => `(?:${pattern})`).join("|")})$`;
}

/** Whether a route's regular expression takes this topic; Kafka's own topics and the route's dead letters never (S-30). */
export function topicMatcher(route: KafkaToMqttRoute): (topic: string) => boolean {
  const pattern = routePattern(route);
  if (pattern === undefined) return () => false;
  const expression = new RegExp(`^(?:${pattern})$`);
  return (topic) =>
    !topic.startsWith("__") && topic !== route.deadLetterTopic && expression.test(topic);
}

/** The Kafka to MQTT routes of a plan that have a regular expression. */
export function patternRoutes(plan: Plan): KafkaToMqttRoute[] {
  return plan.routes.filter(
    (route) => route.direction === "kafkaToMqtt" && routePattern(route) !== undefined,
  ) as KafkaToMqttRoute[];
}

/**
 * Looks up the topics of every regular expression. `listTopics` is asked once per Kafka connection.
 * @throws whatever `listTopics` does.
 */
export async function resolveTopicLock(
  plan: Plan,
  listTopics: (kafkaConnection: string) => Promise<readonly string[]>,
): Promise<TopicLock> {
  const listed = new Map<string, readonly string[]>();
  const routes: [string, LockedRoute][] = [];
  for (const route of patternRoutes(plan)) {
    let topics = listed.get(route.kafkaConnection);
    if (topics === undefined) {
      topics = await listTopics(route.kafkaConnection);
      listed.set(route.kafkaConnection, topics);
    }
    const matching = topics.filter(topicMatcher(route)).sort();
    routes.push([route.name, { pattern: routePattern(route) ?? "", topics: matching }]);
  }
  routes.sort(([a], [b]) => (a < b ? -1 : 1));
  return { version: 1, routes: Object.fromEntries(routes) };
}

/** The text of the lock file: the same for the same topics, so that it compares well. */
export function formatTopicLock(lock: TopicLock): string {
  return `${JSON.stringify(lock, null, 2)}\n`;
}

function isLockedRoute(value: unknown): value is LockedRoute {
  if (typeof value !== "object" || value === null) return false;
  const { pattern, topics } = value as Partial<LockedRoute>;
  return (
    typeof pattern === "string" &&
    Array.isArray(topics) &&
    topics.every((topic) => typeof topic === "string")
  );
}

/** Reads a lock file. @throws BridgeError MANIFEST_INVALID that names the file and what is wrong. */
export function parseTopicLock(text: string, file: string = TOPIC_LOCK_FILE): TopicLock {
  const wrong = (what: string, cause?: unknown): BridgeError =>
    new BridgeError(
      "MANIFEST_INVALID",
      `Cannot read "${file}": ${what}; run "isthmus plan --resolve" to write it again`,
      cause === undefined ? {} : { cause },
    );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw wrong("it is no JSON", cause);
  }
  if (typeof value !== "object" || value === null) throw wrong("expected an object");
  const { version, routes } = value as { version?: unknown; routes?: unknown };
  if (version !== 1) throw wrong(`expected version 1, found ${JSON.stringify(version)}`);
  if (typeof routes !== "object" || routes === null) throw wrong('expected an object "routes"');
  for (const [name, route] of Object.entries(routes)) {
    if (!isLockedRoute(route)) throw wrong(`expected a pattern and topics for route "${name}"`);
  }
  return { version: 1, routes: routes as TopicLock["routes"] };
}
