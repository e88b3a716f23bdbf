import { describe, expect, test } from "vitest";
import { routeBudget } from "../../shared/compose/context.ts";
import {
  kafkaClientId,
  publisherIdentifier,
  subscriberIdentifier,
} from "../../shared/compose/names.ts";
import { mqttToKafkaRoute } from "../support/routes.ts";

const route = mqttToKafkaRoute({ name: "my-eh-connector/route1" });

describe("Client Identifiers", () => {
  test.each([
    [
      "the same at every start [S-51]",
      subscriberIdentifier(route, 0, 0),
      "isthmus-my-eh-connector-route1-0-0",
    ],
    [
      "another for each instance [S-33]",
      subscriberIdentifier(route, 1, 0),
      "isthmus-my-eh-connector-route1-1-0",
    ],
    [
      "another for each subscriber of a group [S-33]",
      subscriberIdentifier(route, 0, 2),
      "isthmus-my-eh-connector-route1-0-2",
    ],
    [
      "with the manifest's prefix",
      subscriberIdentifier({ ...route, clientIdPrefix: "my prefix/" }, 0, 0),
      "my-prefix-isthmus-my-eh-connector-route1-0-0",
    ],
    [
      "of a publisher: unique",
      publisherIdentifier(route, "0123456789"),
      "isthmus-my-eh-connector-route1-01234567",
    ],
    ["of a Kafka client", kafkaClientId(route, 3), "isthmus-my-eh-connector-route1-3"],
  ])("%s", (_, actual, expected) => {
    expect(actual).toBe(expected);
  });
});

describe("routeBudget()", () => {
  const options = { memoryBudgetBytes: 64 * 1024 * 1024 } as Parameters<typeof routeBudget>[0];

  test.each([
    [1, 64 * 1024 * 1024],
    [4, 16 * 1024 * 1024],
    [0, 64 * 1024 * 1024],
    [1000, 1024 * 1024],
  ])("divides the process's bytes over %i routes", (routes, bytes) => {
    expect(routeBudget(options, routes)).toBe(bytes);
  });
});
