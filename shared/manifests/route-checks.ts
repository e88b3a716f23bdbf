/** Checks that need all routes: names, cycles, shared partitions. */
import type { KafkaConnection, MqttConnection } from "../model/connection.ts";
import type { KafkaToMqttRoute, Route } from "../model/route.ts";
import type { CompiledRoute } from "./context.ts";
import { filterMayMatch, selectorMayMatch, selectorsMayMeet } from "./overlap.ts";
import { quote } from "./quote.ts";

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

function sameMqtt(a: Route, b: Route, { mqtt }: Connections): boolean {
  const addressOf = (route: Route): string => {
    const connection = mqtt.get(route.mqttConnection);
    return `${connection?.host.toLowerCase()}:${connection?.port}`;
  };
  return addressOf(a) === addressOf(b);
}

/** Where `a` writes what `b` may read, as text for people; undefined where it does not. */
function link(a: Route, b: Route, connections: Connections): string | undefined {
  if (a.direction === "kafkaToMqtt" && b.direction === "mqttToKafka") {
    const meets =
      sameMqtt(a, b, connections) &&
      b.topicFilters.some((filter) => filterMayMatch(filter, a.mqttTopic));
    return meets ? `mqtt:${a.mqttTopic}` : undefined;
  }
  if (b.direction !== "kafkaToMqtt" || !sameKafka(a, b, connections)) return undefined;
  const reads = (topic: string): boolean =>
    b.topics.some((selector) => selectorMayMatch(selector, topic));
  if (a.direction === "mqttToKafka" && reads(a.kafkaTopic)) return `kafka:${a.kafkaTopic}`;
  // what a route may not read whatever its expression says: its own dead letters
  const { deadLetterTopic } = a;
  if (deadLetterTopic === b.deadLetterTopic || !reads(deadLetterTopic)) return undefined;
  return `dead letters in kafka:${deadLetterTopic}`;
}

/** S-7, S-54: tells of each circle of routes once, from its first route on. */
export function checkCycles(routes: readonly CompiledRoute[], connections: Connections): void {
  const next = routes.map(({ route: a }) =>
    routes.flatMap(({ route: b }, index) => (link(a, b, connections) === undefined ? [] : [index])),
  );
  for (const [start, { route, resource, path }] of routes.entries()) {
    const cycle = shortestCycle(start, next);
    if (cycle === undefined || Math.min(...cycle) < start) continue;
    const members = cycle.flatMap((index) => routes[index]?.route ?? []);
    const steps = members.flatMap((member, at) => [
      member.name,
      link(member, members[at + 1] ?? route, connections),
    ]);
    const text = [...steps, route.name].join(" -> ");
    resource.report("error", path, `these routes feed themselves: ${text}`);
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
