import { describe, expect, test } from "vitest";
import {
  FACTORY_TOPICS,
  machineEvent,
  temperatureAlert,
} from "../../../../local/sandbox/traffic/samples.ts";
import { trafficTargets } from "../../../../local/sandbox/traffic/targets.ts";
import { kafkaToMqttRoute, mqttToKafkaRoute, planOf } from "../../../support/sample-routes.ts";

describe("trafficTargets()", () => {
  test.each([
    {
      name: "a named topic",
      topics: [{ kind: "name", topic: "mine" }],
      want: ["mine"],
    },
    {
      name: "the factory's topics for an expression that fits them",
      topics: [{ kind: "pattern", pattern: "^(warehouse-w1-.*|factory-f1-.*)$" }],
      want: FACTORY_TOPICS,
    },
    {
      name: "only topics that fit as a whole (S-30)",
      topics: [{ kind: "pattern", pattern: "^factory-f1-robot|^.*-m2" }],
      want: ["warehouse-w1-machine-m2"],
    },
  ] as const)("sends to $name", ({ topics, want }) => {
    const targets = trafficTargets(planOf([kafkaToMqttRoute({ topics })]));
    expect(targets.kafka.get("kafka")).toEqual(want);
    expect(targets.silent).toEqual([]);
  });

  test("names the routes that no sample fits", () => {
    const topics = [{ kind: "pattern", pattern: "^mine-.*" }] as const;
    const targets = trafficTargets(planOf([kafkaToMqttRoute({ topics })]));
    expect(targets).toEqual({ kafka: new Map(), mqtt: new Map(), silent: ["down/one"] });
  });

  test.each([
    { filter: "plain/topic", want: ["plain/topic"] },
    { filter: "alerts/#", want: ["alerts/line-1/oven", "alerts/line-2/oven"] },
    { filter: "+/a/+", want: ["line-1/a/line-1", "line-2/a/line-2"] },
  ])("publishes to names that $filter matches", ({ filter, want }) => {
    const targets = trafficTargets(planOf([mqttToKafkaRoute({ topicFilters: [filter] })]));
    expect(targets.mqtt.get("mqtt")).toEqual(want);
  });
});

test.each([
  { name: "a robot", sample: machineEvent("factory-f1-robot-r1", 3, 0), has: "jointTemperatures" },
  { name: "a machine", sample: machineEvent("warehouse-w1-machine-m1", 3, 0), has: "vibration" },
  { name: "a setpoint", sample: machineEvent("heater-setpoints", 3, 0), has: "setpoint" },
  { name: "an alert", sample: temperatureAlert("alerts/oven", 3, 0), has: "limit" },
])("the sample of $name is JSON with its time", ({ sample, has }) => {
  const value = JSON.parse(sample.payload) as Record<string, unknown>;
  expect(value).toHaveProperty(has);
  expect(value["time"]).toBe("1970-01-01T00:00:00.000Z");
});
