import type { RouteStatus } from "../shared/engine/status.ts";
import type { Plan } from "../shared/model/plan.ts";
import type { SandboxAddress } from "./sandboxed-plan.ts";
import { routeEnds } from "./starting-status.ts";

/** What `isthmus dev` tells of itself when all runs. */
export interface DevFacts {
  readonly plan: Plan;
  readonly kafka: readonly SandboxAddress[];
  readonly mqtt: readonly SandboxAddress[];
  readonly page: string;
  /** Routes that no sample message is sent to. */
  readonly silent: readonly string[];
}

function at({ host, port }: SandboxAddress): string {
  return `${host}:${port}`;
}

/** The first screen, for people. */
export function devScreen({ plan, kafka, mqtt, page, silent }: DevFacts): string {
  const routes = plan.routes.map((route) => {
    const { from, to } = routeEnds(route);
    const [left, right] = route.direction === "kafkaToMqtt" ? ["Kafka", "MQTT"] : ["MQTT", "Kafka"];
    return `  ${route.name}: ${left} ${from} -> ${right} ${to}`;
  });
  return [
    "Isthmus is running with brokers of its own, in memory, on this machine only.",
    `  Kafka        ${kafka.map(at).join(", ")}`,
    `  MQTT 5       ${mqtt.map((address) => `mqtt://${at(address)}`).join(", ")}`,
    `  Status page  ${page}`,
    "",
    "Routes:",
    ...routes,
    ...silent.map((name) => `  No sample fits the topics of ${name}: send to it yourself`),
    "",
    "Sample messages are being sent. Ctrl-C ends everything.",
  ].join("\n");
}

/** Messages that crossed so far. */
export interface Crossed {
  readonly kafkaToMqtt: number;
  readonly mqttToKafka: number;
}

/** Adds up what the routes delivered in each direction. */
export function crossed(statuses: readonly RouteStatus[]): Crossed {
  const sum = { kafkaToMqtt: 0, mqttToKafka: 0, mqttToMqtt: 0 };
  for (const { direction, counters } of statuses) sum[direction] += counters.delivered;
  return sum;
}

/** One line of progress, for people: totals and what is new since the line before. */
export function progressLine(now: Crossed, before: Crossed): string {
  const part = (label: string, name: keyof Crossed): string =>
    `${label} ${now[name]} (+${now[name] - before[name]})`;
  return `Crossed: ${part("Kafka -> MQTT", "kafkaToMqtt")}, ${part("MQTT -> Kafka", "mqttToKafka")}`;
}
