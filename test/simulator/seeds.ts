import type { Engine } from "./engine.ts";
import { simulateFunctions } from "./simulate-functions.ts";
import { simulateKafkaToMqtt } from "./simulate-kafka-to-mqtt.ts";
import { simulateMqttToKafka } from "./simulate-mqtt-to-kafka.ts";

export type SimulationName = "kafka-to-mqtt" | "mqtt-to-kafka" | "functions";

export const SIMULATIONS: Readonly<Record<SimulationName, typeof simulateKafkaToMqtt>> = {
  "kafka-to-mqtt": simulateKafkaToMqtt,
  "mqtt-to-kafka": simulateMqttToKafka,
  functions: simulateFunctions,
};

export interface Finding {
  readonly seed: number;
  readonly violations: readonly string[];
  /** The command that shows it again, step by step. */
  readonly replay: string;
}

/** Runs seeds from `first` on, `count` of them; returns the first that goes wrong. */
export async function trySeeds(
  name: SimulationName,
  engine: Engine,
  first: number,
  count: number,
): Promise<Finding | undefined> {
  for (let seed = first; seed < first + count; seed += 1) {
    const violations = await SIMULATIONS[name](engine, seed);
    if (violations.length > 0) {
      return { seed, violations, replay: `npm run simulate -- ${name} ${seed}` };
    }
  }
  return undefined;
}
