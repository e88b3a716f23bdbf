import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Route } from "../../shared/model/route.ts";
import { topicTemplates } from "../../shared/plan/topic-templates.ts";
import { topicFilterMatches } from "../../shared/topics/topic-filter.ts";
import { parseTopicTemplate, renderTopicTemplate } from "../../shared/topics/topic-template.ts";
import { kafkaToMqttRoute, mqttToKafkaRoute } from "../support/routes.ts";

const publishes = (...topics: string[]): Route[] =>
  topics.map((mqttTopic) => kafkaToMqttRoute({ mqttTopic }));
const subscribes = (...topicFilters: string[]): Route[] => [mqttToKafkaRoute({ topicFilters })];
const many = Array.from({ length: 11 }, (_, n) => `hall/line-${n}/state`);

const cases: {
  name: string;
  routes: readonly Route[];
  direction: Route["direction"];
  want: readonly string[];
}[] = [
  {
    name: "a topic is itself",
    routes: publishes("plant/commands"),
    direction: "kafkaToMqtt",
    want: ["plant/commands"],
  },
  {
    name: "a level that depends on the message is any level",
    routes: publishes("a/$" + "{inputTopic}/b", "c/x-$" + "{inputTopic.2}"),
    direction: "kafkaToMqtt",
    want: ["a/+/b", "c/+"],
  },
  {
    name: "filters are themselves",
    routes: subscribes("a/+/b", "c/#"),
    direction: "mqttToKafka",
    want: ["a/+/b", "c/#"],
  },
  {
    name: "one that another covers is left out",
    routes: subscribes("a/#", "a/b/+", "a", "+/b", "c/b"),
    direction: "mqttToKafka",
    want: ["+/b", "a/#"],
  },
  {
    name: "the other direction has no part in it",
    routes: [...publishes("down"), ...subscribes("up")],
    direction: "mqttToKafka",
    want: ["up"],
  },
  {
    name: "of more than ten only the tree is left",
    routes: publishes(...many),
    direction: "kafkaToMqtt",
    want: ["hall/#"],
  },
  {
    name: "of more than ten trees everything is left",
    routes: subscribes(...many.map((topic) => topic.slice(5))),
    direction: "mqttToKafka",
    want: ["#"],
  },
];

describe("topicTemplates()", () => {
  test.each(cases)("$name", ({ routes, direction, want }) => {
    expect(topicTemplates(routes, direction)).toEqual(want);
  });

  const segment = fc.constantFrom("a", "b", "cell", "$" + "{inputTopic}", "$" + "{inputTopic.1}");
  const template = fc.array(segment, { minLength: 1, maxLength: 4 }).map((all) => all.join("/"));

  test("every topic that a route can publish to is allowed, by at most ten templates", () => {
    fc.assert(
      fc.property(
        fc.array(template, { minLength: 1, maxLength: 20 }),
        fc.constantFrom("x", "hall-1.press", "a"),
        (mqttTopics, kafkaTopic) => {
          const templates = topicTemplates(publishes(...mqttTopics), "kafkaToMqtt");
          expect(templates.length).toBeLessThanOrEqual(10);
          for (const mqttTopic of mqttTopics) {
            const parsed = parseTopicTemplate(mqttTopic);
            if (!parsed.ok) throw new Error(parsed.reason);
            const rendered = renderTopicTemplate(parsed.template, kafkaTopic, ".");
            if (!rendered.ok) throw new Error(rendered.reason);
            expect(templates.some((one) => topicFilterMatches(one, rendered.topic))).toBe(true);
          }
        },
      ),
    );
  });
});
