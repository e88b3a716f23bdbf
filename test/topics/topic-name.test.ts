import { describe, expect, test } from "vitest";
import { LONGEST_TOPIC, shortened, topicNameProblem } from "../../shared/topics/topic-name.ts";

describe("topicNameProblem()", () => {
  test.each([
    "a",
    "/",
    "a//b",
    " ",
    "$SYS/x",
    "factory/\u00fc/\u{1f600}",
    "factory/$inputTopic.2",
    "a".repeat(LONGEST_TOPIC),
    "\u00fc".repeat(32_767),
  ])("accepts %.20s (S-32)", (name) => {
    expect(topicNameProblem(name)).toBeUndefined();
  });

  const refused: { name: string; problem: string }[] = [
    { name: "", problem: "Topic Name must not be empty" },
    { name: "a/+", problem: 'Topic Name "a/+" must not contain the wildcards "+" and "#"' },
    { name: "a#b", problem: 'Topic Name "a#b" must not contain the wildcards "+" and "#"' },
    {
      name: "a\0b",
      problem: 'Topic Name "a\0b" must not contain U+0000 or half of a surrogate pair',
    },
    {
      name: "a\ud800b",
      problem: 'Topic Name "a\ud800b" must not contain U+0000 or half of a surrogate pair',
    },
    {
      name: "a".repeat(LONGEST_TOPIC + 1),
      problem: `Topic Name "${"a".repeat(100)}…" must have at most 65535 bytes: it has 65536`,
    },
    {
      name: "\u00fc".repeat(32_768),
      problem: `Topic Name "${"\u00fc".repeat(100)}…" must have at most 65535 bytes: it has 65536`,
    },
  ];
  test.each(refused)("says $problem (S-32)", ({ name, problem }) => {
    expect(topicNameProblem(name)).toBe(problem);
  });
});

describe("shortened()", () => {
  test("keeps 100 characters whole and cuts longer texts", () => {
    expect(shortened("a".repeat(100))).toBe("a".repeat(100));
    expect(shortened("a".repeat(101))).toBe(`${"a".repeat(100)}…`);
  });
});
