import type { Plan } from "../shared/model/plan.ts";
import { startSandboxKafka } from "./sandbox/kafka/sandbox-kafka.ts";
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

/** Embedded brokers for a plan, and the plan that uses them. */
export interface Sandbox {
  readonly plan: Plan;
  readonly kafka: readonly SandboxAddress[];
  readonly mqtt: readonly SandboxAddress[];
  stop(): Promise<void>;
}

/** The usual port for the first broker of its kind when it is free, else any free one. */
async function startOne(
  start: (port: number) => Promise<SandboxBroker>,
  usualPort: number | undefined,
): Promise<SandboxBroker> {
  if (usualPort === undefined) return await start(0);
  try {
    return await start(usualPort);
  } catch {
    return await start(0);
  }
}

async function startAll(
  keys: Iterable<string>,
  usualPort: number,
  start: (port: number) => Promise<SandboxBroker>,
): Promise<Map<string, SandboxBroker>> {
  const brokers = new Map<string, SandboxBroker>();
  for (const key of keys) {
    if (brokers.has(key)) continue;
    brokers.set(key, await startOne(start, brokers.size === 0 ? usualPort : undefined));
  }
  return brokers;
}

/** Starts an embedded broker in the place of each broker that the plan names. Everything is in memory and on loopback. */
export async function startSandbox(plan: Plan): Promise<Sandbox> {
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
  return {
    plan: sandboxedPlan(plan, kafka, mqtt),
    kafka: [...kafka.values()],
    mqtt: [...mqtt.values()],
    stop: async () => {
      const brokers = [...kafka.values(), ...mqtt.values()];
      await Promise.allSettled(brokers.map((broker) => broker.stop()));
    },
  };
}
