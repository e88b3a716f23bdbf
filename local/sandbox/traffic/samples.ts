/** One sample message, before it is given to a client library. */
export interface Sample {
  readonly payload: string;
  /** Kafka headers or MQTT User Properties. */
  readonly properties: Readonly<Record<string, string>>;
}

/** The machines of the sample factory: one Kafka topic each. */
export const FACTORY_TOPICS: readonly string[] = [
  "factory-f1-robot-r1",
  "warehouse-w1-machine-m1",
  "warehouse-w1-machine-m2",
  "warehouse-w1-machine-m3",
];

/** A reading that wanders around `middle`, so that charts of it look like a machine's. */
function wander(middle: number, swing: number, n: number): number {
  const value = middle + swing * Math.sin(n / 7) + (swing / 3) * Math.sin(n * 1.7);
  return Math.round(value * 10) / 10;
}

function robot(n: number): object {
  return {
    program: "weld-door-left",
    cycle: 18_200 + n,
    jointTemperatures: [1, 2, 3, 4, 5, 6].map((joint) => wander(38 + joint, 3, n + joint * 5)),
    status: n % 40 === 39 ? "tool change" : "running",
  };
}

function machine(n: number): object {
  return {
    temperature: wander(22.5, 2.5, n),
    vibration: wander(1.8, 0.6, n + 3),
    packages: 1200 + n,
    status: n % 25 === 24 ? "idle" : "running",
  };
}

function setpoint(n: number): object {
  return { heater: `oven-${(n % 3) + 1}`, setpoint: wander(180, 10, n), reason: "schedule" };
}

function reading(topic: string, n: number): object {
  if (/setpoint|command/.test(topic)) return setpoint(n);
  return topic.includes("robot") ? robot(n) : machine(n);
}

/** The `n`-th event of a machine, as it would come from its Kafka topic. `at` in milliseconds since the Unix epoch. */
export function machineEvent(topic: string, n: number, at: number): Sample {
  const time = new Date(at).toISOString();
  return {
    payload: JSON.stringify({ machine: topic, time, ...reading(topic, n) }),
    properties: {
      "content-type": "application/json",
      "machine-id": topic,
      "sequence-number": String(n),
    },
  };
}

/** The `n`-th temperature alert, as a sensor would publish it. `at` in milliseconds since the Unix epoch. */
export function temperatureAlert(topicName: string, n: number, at: number): Sample {
  const temperature = wander(84, 4, n);
  return {
    payload: JSON.stringify({
      sensor: topicName,
      time: new Date(at).toISOString(),
      temperature,
      limit: 80,
      unit: "C",
    }),
    properties: {
      severity: temperature > 85 ? "high" : "elevated",
      "device-id": `sensor-${(n % 4) + 1}`,
    },
  };
}
