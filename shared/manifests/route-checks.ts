/** Checks that need all routes: names, cycles, shared partitions. */
import type { KafkaConnection, MqttConnection } from "../model/connection.ts";
import type { AssetDataset, DeviceEndpoint } from "../model/device.ts";
import type { KafkaToMqttRoute, Route } from "../model/route.ts";
import { filtersOverlap } from "../topics/topic-filter.ts";
import type { CompiledRoute } from "./context.ts";
import { filterMayMatch, selectorMayMatch, selectorsMayMeet } from "./overlap.ts";
import type { FieldPath } from "./problem.ts";
import { quote } from "./quote.ts";
import type { Resource } from "./resource.ts";

/** The connections of a plan by their ids. */
export interface Connections {
  readonly kafka: ReadonlyMap<string, KafkaConnection>;
  readonly mqtt: ReadonlyMap<string, MqttConnection>;
}

/** Tells of every two routes of one name, and keeps the first of them. */
export function withoutDuplicates(routes: readonly CompiledRoute[]): CompiledRoute[] {
  const first = new Map<string, CompiledRoute>();
  for (const compiled of routes) {
    const { name } = compiled.route;
    const other = first.get(name);
    if (other === undefined) {
      first.set(name, compiled);
      continue;
    }
    const { file, line, column } = other.resource.locate(other.path);
    compiled.resource.report(
      "error",
      compiled.path,
      `the route ${quote(name)} is defined twice: the other one is at ${file}:${line}:${column}`,
    );
  }
  return [...first.values()];
}

function sameKafka(a: Route, b: Route, { kafka }: Connections): boolean {
  const serversOf = (route: Route): string[] =>
    (kafka.get(route.kafkaConnection)?.bootstrapServers ?? []).map((server) =>
      server.toLowerCase(),
    );
  const others = new Set(serversOf(b));
  return serversOf(a).some((server) => others.has(server));
}

/** A dataset of an asset as a step that messages can take in a circle. */
export interface CompiledForward {
  readonly endpoint: DeviceEndpoint;
  /** `<asset>/<dataset>` */
  readonly name: string;
  readonly dataset: AssetDataset;
  readonly resource: Resource;
  readonly path: FieldPath;
}

/** What takes messages from one topic to another. */
type Hop = CompiledRoute | CompiledForward;

/** What a hop writes to MQTT. */
interface MqttEnd {
  readonly address: string;
  readonly text: string;
  mayMatch(filter: string): boolean;
}

function nameOf(hop: Hop): string {
  return "route" in hop ? hop.route.name : hop.name;
}

function addressOf(id: string, { mqtt }: Connections): string {
  const connection = mqtt.get(id);
  return `${connection?.host.toLowerCase()}:${connection?.port}`;
}

function writesMqtt(hop: Hop, connections: Connections): MqttEnd | undefined {
  if ("route" in hop) {
    const { route } = hop;
    if (route.direction !== "kafkaToMqtt") return undefined;
    const { mqttTopic: text } = route;
    const address = addressOf(route.mqttConnection, connections);
    return { address, text, mayMatch: (filter) => filterMayMatch(filter, text) };
  }
  const { topic, topicFilter } = hop.dataset;
  const prefix = hop.endpoint.topicMappingPrefix;
  const text = topic ?? (prefix === undefined ? topicFilter : `${prefix}/${topicFilter}`);
  const address = addressOf(hop.endpoint.target, connections);
  return { address, text, mayMatch: (filter) => filtersOverlap(filter, text) };
}

function readsMqtt(hop: Hop, end: MqttEnd, connections: Connections): boolean {
  if ("route" in hop) {
    const { route } = hop;
    if (route.direction !== "mqttToKafka") return false;
    if (addressOf(route.mqttConnection, connections) !== end.address) return false;
    return route.topicFilters.some((filter) => end.mayMatch(filter));
  }
  const { source, topicMappingPrefix: prefix } = hop.endpoint;
  if (addressOf(source, connections) !== end.address) return false;
  // what begins with the endpoint's own prefix was forwarded already, and is let lie
  if (prefix !== undefined && end.text.startsWith(`${prefix}/`)) return false;
  return end.mayMatch(hop.dataset.topicFilter);
}

/** Where `a` writes what `b` may read, as text for people; undefined where it does not. */
function link(a: Hop, b: Hop, connections: Connections): string | undefined {
  const end = writesMqtt(a, connections);
  if (end !== undefined && readsMqtt(b, end, connections)) return `mqtt:${end.text}`;
  return "route" in a && "route" in b ? kafkaLink(a.route, b.route, connections) : undefined;
}

function kafkaLink(a: Route, b: Route, connections: Connections): string | undefined {
  if (b.direction !== "kafkaToMqtt" || !sameKafka(a, b, connections)) return undefined;
  const reads = (topic: string): boolean =>
    b.topics.some((selector) => selectorMayMatch(selector, topic));
  if (a.direction === "mqttToKafka" && reads(a.kafkaTopic)) return `kafka:${a.kafkaTopic}`;
  // what a route may not read whatever its expression says: its own dead letters
  const { deadLetterTopic } = a;
  if (deadLetterTopic === b.deadLetterTopic || !reads(deadLetterTopic)) return undefined;
  return `dead letters in kafka:${deadLetterTopic}`;
}

/** S-7, S-54: tells of each circle of routes and assets once, from its first step on. */
export function checkCycles(hops: readonly Hop[], connections: Connections): void {
  const next = hops.map((a) =>
    hops.flatMap((b, index) => (link(a, b, connections) === undefined ? [] : [index])),
  );
  for (const [start, hop] of hops.entries()) {
    const cycle = shortestCycle(start, next);
    if (cycle === undefined || Math.min(...cycle) < start) continue;
    const members = cycle.flatMap((index) => hops[index] ?? []);
    const steps = members.flatMap((member, at) => [
      nameOf(member),
      link(member, members[at + 1] ?? hop, connections),
    ]);
    const text = [...steps, nameOf(hop)].join(" -> ");
    const what = members.every((member) => "route" in member) ? "routes" : "routes and assets";
    hop.resource.report("error", hop.path, `these ${what} feed themselves: ${text}`);
  }
}

/** The routes from `start` back to it, or undefined when there is no way back. */
function shortestCycle(start: number, next: readonly (readonly number[])[]): number[] | undefined {
  const cameFrom = new Map<number, number>();
  const queue = [start];
  for (const at of queue) {
    for (const to of next[at] ?? []) {
      if (to === start) return pathTo(at, start, cameFrom);
      if (cameFrom.has(to)) continue;
      cameFrom.set(to, at);
      queue.push(to);
    }
  }
  return undefined;
}

function pathTo(end: number, start: number, cameFrom: ReadonlyMap<number, number>): number[] {
  const path = [end];
  for (let at = end; at !== start; at = path[0] ?? start) path.unshift(cameFrom.get(at) ?? start);
  return path;
}

function readers(
  routes: readonly CompiledRoute[],
): (CompiledRoute & { route: KafkaToMqttRoute })[] {
  return routes.flatMap((compiled) =>
    compiled.route.direction === "kafkaToMqtt" ? [{ ...compiled, route: compiled.route }] : [],
  );
}

/** S-26: two routes of one group on one topic share its partitions, which is seldom meant. */
export function checkSharedGroups(
  routes: readonly CompiledRoute[],
  connections: Connections,
): void {
  const all = readers(routes);
  for (const [index, { route, resource, path }] of all.entries()) {
    const other = all
      .slice(0, index)
      .find(
        ({ route: earlier }) =>
          earlier.consumerGroupId === route.consumerGroupId &&
          sameKafka(earlier, route, connections) &&
          route.topics.some((a) => earlier.topics.some((b) => selectorsMayMeet(a, b))),
      );
    if (other === undefined) continue;
    const names = `${quote(other.route.name)} and ${quote(route.name)}`;
    resource.report(
      "warning",
      path,
      `${names} read the same topic in the consumer group ${quote(route.consumerGroupId)}: each gets only a part of its records`,
    );
  }
}

/** What is among the dead letters is taken for one, and may be sent again: no route may put messages there. */
export function checkDeadLetterWriters(
  routes: readonly CompiledRoute[],
  connections: Connections,
): void {
  for (const { route, resource, path } of routes) {
    if (route.direction !== "mqttToKafka") continue;
    const owner = routes.find(
      ({ route: other }) =>
        other.deadLetterTopic === route.kafkaTopic && sameKafka(other, route, connections),
    );
    if (owner === undefined) continue;
    const topic = quote(route.kafkaTopic);
    resource.report(
      "error",
      path,
      `the route writes to ${topic}, the dead-letter topic of ${quote(owner.route.name)}: name another by the annotation isthmus.dev/dead-letter-topic`,
    );
  }
}

/** A route that reads its own dead letters would write each of them again and again. */
export function checkDeadLetters(routes: readonly CompiledRoute[]): void {
  for (const { route, resource, path } of readers(routes)) {
    const { deadLetterTopic, topics } = route;
    for (const selector of topics) {
      if (!selectorMayMatch(selector, deadLetterTopic)) continue;
      const topic = quote(deadLetterTopic);
      if (selector.kind === "name") {
        resource.report(
          "error",
          path,
          `the route reads its own dead-letter topic ${topic}: name another by the annotation isthmus.dev/dead-letter-topic`,
        );
      } else {
        resource.report(
          "warning",
          path,
          `${quote(selector.pattern)} matches the route's own dead-letter topic ${topic}, which is left out of what it reads`,
        );
      }
    }
  }
}
