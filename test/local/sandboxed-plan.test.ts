import { describe, expect, test } from "vitest";
import { kafkaBrokerKey, mqttBrokerKey, sandboxedPlan } from "../../local/sandboxed-plan.ts";
import {
  kafkaConnection,
  kafkaToMqttRoute,
  mqttConnection,
  mqttToKafkaRoute,
  planOf,
} from "../support/sample-routes.ts";

describe("sandboxedPlan()", () => {
  const secretive = {
    method: "Sasl",
    mechanism: "plain",
    credential: { kind: "secret", name: "cs-secret" },
  } as const;
  const plan = planOf([kafkaToMqttRoute()], {
    kafkaConnections: new Map([
      [
        "hub",
        kafkaConnection({
          id: "hub",
          isEventHubs: true,
          protocol: "Amqp",
          authentication: secretive,
        }),
      ],
      ["other", kafkaConnection({ id: "other", bootstrapServers: ["b:1", "a:1"] })],
    ]),
    mqttConnections: new Map([["mqtt", mqttConnection({ protocol: "WebSockets" })]]),
  });
  const sandboxed = sandboxedPlan(
    plan,
    new Map([
      ["kafka.example:9093", { host: "127.0.0.1", port: 1 }],
      ["a:1,b:1", { host: "127.0.0.1", port: 2 }],
    ]),
    new Map([["mqtt.example:8883", { host: "127.0.0.1", port: 3 }]]),
  );

  test("leads every connection to its own sandbox broker, without TLS and credentials", () => {
    expect(sandboxed.kafkaConnections.get("hub")).toMatchObject({
      bootstrapServers: ["127.0.0.1:1"],
      tls: { enabled: false },
      authentication: { method: "Anonymous" },
      isEventHubs: false,
      protocol: "Kafka",
    });
    expect(sandboxed.kafkaConnections.get("other")?.bootstrapServers).toEqual(["127.0.0.1:2"]);
    expect(sandboxed.mqttConnections.get("mqtt")).toMatchObject({
      host: "127.0.0.1",
      port: 3,
      protocol: "Mqtt",
      tls: { enabled: false },
    });
    expect(JSON.stringify([...sandboxed.kafkaConnections])).not.toContain("cs-secret");
  });

  test("leaves the routes as they are, but for what the embedded broker lacks", () => {
    expect(sandboxed.routes).toEqual(plan.routes);
    const sharedSubscription = { groupName: "group1", minimumShareNumber: 3 };
    const shared = planOf([
      mqttToKafkaRoute({ instances: 2, sharedSubscription }),
      kafkaToMqttRoute({ instances: 2 }),
    ]);
    expect(sandboxedPlan(shared, new Map(), new Map()).routes).toEqual([
      mqttToKafkaRoute(),
      kafkaToMqttRoute(),
    ]);
  });
});

test("brokers are the same whatever the order and case of their names", () => {
  const servers = (...bootstrapServers: string[]) =>
    kafkaBrokerKey(kafkaConnection({ bootstrapServers }));
  expect(servers("B:1", "a:2")).toBe(servers("A:2", "b:1"));
  expect(servers("a:1")).not.toBe(servers("a:2"));
  expect(mqttBrokerKey(mqttConnection({ host: "H" }))).toBe("h:8883");
});
