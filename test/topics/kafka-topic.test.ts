import { describe, expect, test } from "vitest";
import type { TopicSelector } from "../../shared/model/route.ts";
import {
  kafkaTopicProblem,
  selectorProblem,
  toKafkaTopic,
  topicSelectorMatches,
} from "../../shared/topics/kafka-topic.ts";

describe("kafkaTopicProblem()", () => {
  test.each(["a", "A-Z_0.9", "...", ".a", "a".repeat(249)])("accepts %.20s (S-32)", (name) => {
    expect(kafkaTopicProblem(name)).toBeUndefined();
  });

  const allowed = 'must have only letters, digits, ".", "_" and "-": it has';
  test.each([
    ["", "Kafka topic must not be empty"],
    [".", 'Kafka topic must not be "."'],
    ["..", 'Kafka topic must not be ".."'],
    ["a/b", `Kafka topic "a/b" ${allowed} "/"`],
    ["a b", `Kafka topic "a b" ${allowed} " "`],
    ["a\n", `Kafka topic "a\n" ${allowed} "\\n"`],
    ["\u00fc", `Kafka topic "\u00fc" ${allowed} "\u00fc"`],
    ["\u{1f600}", `Kafka topic "\u{1f600}" ${allowed} "\u{1f600}"`],
    [
      "a".repeat(250),
      `Kafka topic "${"a".repeat(100)}…" must have at most 249 characters: it has 250`,
    ],
  ])("refuses %j (S-32)", (name, problem) => {
    expect(kafkaTopicProblem(name)).toBe(problem);
  });
});

describe("toKafkaTopic()", () => {
  test("writes every / as . (S-32)", () => {
    expect(toKafkaTopic("/plant/7//t")).toBe(".plant.7..t");
  });
});

describe("selectorProblem()", () => {
  test.each(["orders", "^(warehouse-w1-.*|factory-f1-.*)$", "^a*b?$", "^.+"])(
    "accepts %s (S-30)",
    (text) => {
      expect(selectorProblem(text)).toBeUndefined();
    },
  );

  test.each(["*", "orders-*", "order?", "a/#", "+"])(
    "says that %s is no regular expression (S-30)",
    (text) => {
      const wildcard = text.replace(/[^*?#+]/g, "");
      expect(selectorProblem(text)).toBe(
        `Kafka topic "${text}" must not contain the wildcard "${wildcard}": write a regular expression that starts with "^", such as "^plant-.*"`,
      );
    },
  );

  test.each(["^(", "^a)|(b"])("refuses the malformed %s (S-30)", (text) => {
    expect(selectorProblem(text)).toMatch(
      `Kafka topic "${text}" must be a regular expression: Invalid regular expression: `,
    );
  });

  test("refuses what is no topic name either", () => {
    expect(selectorProblem("a b")).toBe(kafkaTopicProblem("a b"));
  });
});

describe("topicSelectorMatches()", () => {
  const name = (topic: string): TopicSelector => ({ kind: "name", topic });
  const pattern = (text: string): TopicSelector => ({ kind: "pattern", pattern: text });
  const cases: { selector: TopicSelector; topic: string; matches: boolean }[] = [
    { selector: name("orders"), topic: "orders", matches: true },
    { selector: name("orders"), topic: "orders2", matches: false },
    { selector: name("a.b"), topic: "axb", matches: false },
    { selector: pattern("^a.b"), topic: "axb", matches: true },
    { selector: pattern("^factory-f1-.*"), topic: "factory-f1-robot-r1", matches: true },
    { selector: pattern("^factory"), topic: "factory-f1", matches: false },
    { selector: pattern("^a|b"), topic: "ab", matches: false },
    { selector: pattern("^a|b"), topic: "xb", matches: false },
    { selector: pattern("^a|b"), topic: "b", matches: true },
    { selector: pattern("^(w-.*|f-.*)$"), topic: "f-1", matches: true },
    { selector: pattern("^(w-.*|f-.*)$"), topic: "xf-1", matches: false },
  ];
  test.each(cases)("$selector and $topic: $matches (S-30)", ({ selector, topic, matches }) => {
    expect(topicSelectorMatches(selector, topic)).toBe(matches);
    expect(topicSelectorMatches(selector, topic)).toBe(matches);
  });
});
