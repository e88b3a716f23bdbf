import type { Plan } from "../shared/model/plan.ts";
import { type SandboxKafka, startSandboxKafka } from "./sandbox/kafka/sandbox-kafka.ts";
import { startSandboxMqtt } from "./sandbox/mqtt/sandbox-mqtt.ts";
import {
  kafkaBrokerKey,
  mqttBrokerKey,
  type SandboxAddress,
  sandboxedPlan,
} from "./sandboxed-plan.ts";

const USUAL_PORTS = { kafka: 9092, mqtt: 1883 };

interface SandboxBroker extends SandboxAddress {
  stop(): Promise<void>;
}

/** Kafka topics by connection id. */
export type TopicsByConnection = ReadonlyMap<string, readonly string[]>;

/** Embedded brokers for a plan, and the plan that uses them. */
export interface Sandbox {
  readonly plan: Plan;
  readonly kafka: readonly SandboxAddress[];
  readonly mqtt: readonly SandboxAddress[];
  stop(): Promise<void>;
}

/** The usual port for the first broker of its kind when it is free, else any free one. */
async function startOne<Broker extends SandboxBroker>(
  start: (port: number) => Promise<Broker>,
  usualPort: number | undefined,
): Promise<Broker> {
  if (usualPort === undefined) return await start(0);
  try {
    return await start(usualPort);
  } catch {
    return await start(0);
  }
}

async function startAll<Broker extends SandboxBroker>(
  keys: Iterable<string>,
  usualPort: number,
  start: (port: number) => Promise<Broker>,
): Promise<Map<string, Broker>> {
  const brokers = new Map<string, Broker>();
  for (const key of keys) {
    if (brokers.has(key)) continue;
    brokers.set(key, await startOne(start, brokers.size === 0 ? usualPort : undefined));
  }
  return brokers;
}

function addressOf({ host, port }: SandboxAddress): SandboxAddress {
  return { host, port };
}

function createTopics(
  plan: Plan,
  brokers: ReadonlyMap<string, SandboxKafka>,
  topics: TopicsByConnection,
): void {
  for (const [id, names] of topics) {
    const connection = plan.kafkaConnections.get(id);
    const broker = connection && brokers.get(kafkaBrokerKey(connection));
    const known = new Set(broker?.topics());
    for (const name of names) if (!known.has(name)) broker?.createTopic(name);
  }
}

/**
 * Starts an embedded broker in the place of each broker that the plan names. Everything is in memory and on loopback.
 * `topics` are there from the beginning, so that readers need not wait until something is sent.
 */
export async function startSandbox(plan: Plan, topics: TopicsByConnection): Promise<Sandbox> {
  const kafka = await startAll(
    [...plan.kafkaConnections.values()].map(kafkaBrokerKey),
    USUAL_PORTS.kafka,
    (port) => startSandboxKafka({ port }),
  );
  const mqtt = await startAll(
    [...plan.mqttConnections.values()].map(mqttBrokerKey),
    USUAL_PORTS.mqtt,
    (port) => startSandboxMqtt({ port }),
  );
  createTopics(plan, kafka, topics);
  return {
    plan: sandboxedPlan(plan, kafka, mqtt),
    kafka: [...kafka.values()].map(addressOf),
    mqtt: [...mqtt.values()].map(addressOf),
    stop: async () => {
      const brokers = [...kafka.values(), ...mqtt.values()];
      await Promise.allSettled(brokers.map((broker) => broker.stop()));
    },
  };
}
