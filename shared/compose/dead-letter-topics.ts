import type { KafkaConnection } from "../model/connection.ts";
import type { Plan } from "../model/plan.ts";
import type { Route } from "../model/route.ts";

/** A dead-letter topic of a plan, and the route by whose connection it is read and marked. */
export interface DeadLetterTopic {
  readonly topic: string;
  readonly route: Route;
}

/** The dead-letter topics of the plan. Two connections to the same servers are one Kafka: its topics are read once. */
export function deadLetterTopics(plan: Plan): DeadLetterTopic[] {
  const found: { topic: string; route: Route; servers: ReadonlySet<string> }[] = [];
  for (const route of plan.routes) {
    const servers = serversOf(plan.kafkaConnections.get(route.kafkaConnection));
    const known = found.some(
      (other) =>
        other.topic === route.deadLetterTopic &&
        [...servers].some((server) => other.servers.has(server)),
    );
    if (!known) found.push({ topic: route.deadLetterTopic, route, servers });
  }
  return found.map(({ topic, route }) => ({ topic, route }));
}

function serversOf(connection: KafkaConnection | undefined): ReadonlySet<string> {
  return new Set(connection?.bootstrapServers.map((server) => server.toLowerCase()));
}
