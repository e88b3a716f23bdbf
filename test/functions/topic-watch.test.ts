import { describe, expect, test } from "vitest";
import { topicWatchHandler } from "../../functions/topic-watch.ts";
import type { TopicLock } from "../../shared/plan/topic-lock.ts";
import { invocation } from "../support/invocation.ts";
import { kafkaToMqttRoute } from "../support/routes.ts";

const plan = {
  routes: [
    kafkaToMqttRoute({
      name: "c/r",
      topics: [
        { kind: "pattern", pattern: "^plant-\\d$" },
        { kind: "name", topic: "plant-9" },
      ],
    }),
    kafkaToMqttRoute({ name: "c/other" }),
  ],
  kafkaConnections: new Map(),
  mqttConnections: new Map(),
};
const lock: TopicLock = {
  version: 1,
  routes: { "c/r": { pattern: "^plant-\\d$", topics: ["plant-1"] } },
};

describe("topicWatchHandler()", () => {
  test.each([
    { listed: ["plant-1", "plant-9", "other"], want: [] },
    { listed: ["plant-3", "plant-1", "plant-2", "other"], want: ["plant-2", "plant-3"] },
  ])("of $listed it warns of $want (S-30)", async ({ listed, want }) => {
    const context = invocation();
    const handler = topicWatchHandler({ plan, lock, listTopics: () => Promise.resolve(listed) });
    await handler(undefined, context);
    expect(context.lines).toHaveLength(want.length === 0 ? 0 : 1);
    for (const topic of want) expect(context.lines[0]).toContain(`"${topic}"`);
    if (want.length > 0) expect(context.lines[0]).toContain("isthmus plan --resolve");
  });

  test("without a lock every matching topic is missing", async () => {
    const context = invocation();
    const listTopics = (): Promise<string[]> => Promise.resolve(["plant-1"]);
    await topicWatchHandler({ plan, lock: undefined, listTopics })(undefined, context);
    expect(context.lines[0]).toContain("plant-1");
  });

  test("throws an Error when topics cannot be listed", async () => {
    const listTopics = (): Promise<string[]> => Promise.reject(undefined);
    const call = topicWatchHandler({ plan, lock, listTopics })(undefined, invocation());
    await expect(call).rejects.toThrow("Cannot list the topics");
  });
});
