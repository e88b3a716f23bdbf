import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  filtersOverlap,
  parseSharedSubscription,
  sharedSubscriptionFilter,
  topicFilterMatches,
  topicFilterProblem,
} from "../../shared/topics/topic-filter.ts";

describe("topicFilterProblem()", () => {
  test.each(["a", "/", "#", "+", "+/+", "a/#", "a/+/b", "/#", "$SYS/#", "a//b", "a b"])(
    "accepts %s",
    (filter) => {
      expect(topicFilterProblem(filter)).toBeUndefined();
    },
  );

  test.each([
    ["", "Topic Filter must not be empty"],
    ["a/#/b", 'Topic Filter "a/#/b" must have "#" only as its whole last level'],
    ["#/a", 'Topic Filter "#/a" must have "#" only as its whole last level'],
    ["a#", 'Topic Filter "a#" must have "#" only as its whole last level'],
    ["a/b#", 'Topic Filter "a/b#" must have "#" only as its whole last level'],
    ["##", 'Topic Filter "##" must have "#" only as its whole last level'],
    ["a+/b", 'Topic Filter "a+/b" must have "+" only as a whole level'],
    ["++", 'Topic Filter "++" must have "+" only as a whole level'],
    ["a\0", 'Topic Filter "a\0" must not contain U+0000 or half of a surrogate pair'],
  ])("refuses %j: %s [MQTT-4.7.1-1] [MQTT-4.7.1-2]", (filter, problem) => {
    expect(topicFilterProblem(filter)).toBe(problem);
  });
});

describe("topicFilterMatches()", () => {
  const cases: { filter: string; name: string; matches: boolean }[] = [
    { filter: "a/b", name: "a/b", matches: true },
    { filter: "a/b", name: "a/B", matches: false },
    { filter: "a/b", name: "a", matches: false },
    { filter: "a", name: "a/b", matches: false },
    { filter: "a", name: "/a", matches: false },
    // the examples of MQTT 5, 4.7.1.2
    { filter: "sport/tennis/player1/#", name: "sport/tennis/player1", matches: true },
    { filter: "sport/tennis/player1/#", name: "sport/tennis/player1/ranking", matches: true },
    { filter: "sport/tennis/player1/#", name: "sport/tennis/player1/a/b", matches: true },
    { filter: "sport/tennis/player1/#", name: "sport/tennis/player2", matches: false },
    { filter: "sport/#", name: "sport", matches: true },
    { filter: "#", name: "a/b", matches: true },
    { filter: "#", name: "/", matches: true },
    // the examples of 4.7.1.3
    { filter: "sport/tennis/+", name: "sport/tennis/player1", matches: true },
    { filter: "sport/tennis/+", name: "sport/tennis/player1/ranking", matches: false },
    { filter: "sport/+", name: "sport", matches: false },
    { filter: "sport/+", name: "sport/", matches: true },
    { filter: "+/+", name: "/finance", matches: true },
    { filter: "/+", name: "/finance", matches: true },
    { filter: "+", name: "/finance", matches: false },
    { filter: "+/tennis/#", name: "sport/tennis", matches: true },
    { filter: "+/b", name: "a/c", matches: false },
    // 4.7.2
    { filter: "#", name: "$SYS/x", matches: false },
    { filter: "+/monitor/Clients", name: "$SYS/monitor/Clients", matches: false },
    { filter: "$SYS/#", name: "$SYS/x", matches: true },
    { filter: "$SYS/monitor/+", name: "$SYS/monitor/Clients", matches: true },
    { filter: "a/+", name: "a/$b", matches: true },
  ];
  test.each(cases)("$filter and $name: $matches [MQTT-4.7.2-1]", ({ filter, name, matches }) => {
    expect(topicFilterMatches(filter, name)).toBe(matches);
  });
});

describe("filtersOverlap()", () => {
  const cases: { a: string; b: string; overlap: boolean }[] = [
    { a: "a/b", b: "a/b", overlap: true },
    { a: "a/b", b: "a/c", overlap: false },
    { a: "a/b", b: "c/b", overlap: false },
    { a: "a", b: "a/b", overlap: false },
    { a: "a/#", b: "a", overlap: true },
    { a: "a/b/#", b: "a", overlap: false },
    { a: "a/+", b: "a", overlap: false },
    { a: "a/+", b: "a/b/c", overlap: false },
    { a: "a/+/c", b: "+/b/+", overlap: true },
    { a: "a/+/c", b: "a/b/d", overlap: false },
    { a: "#", b: "#", overlap: true },
    { a: "+/x/#", b: "y/#", overlap: true },
    { a: "#", b: "$SYS/#", overlap: false },
    { a: "+/a", b: "$SYS/a", overlap: false },
    { a: "$SYS/+", b: "$SYS/a", overlap: true },
    { a: "$a/b", b: "$a/b", overlap: true },
    { a: "x/+", b: "x/$b", overlap: true },
  ];
  test.each(cases)("$a and $b: $overlap, either way round (S-7)", ({ a, b, overlap }) => {
    expect(filtersOverlap(a, b)).toBe(overlap);
    expect(filtersOverlap(b, a)).toBe(overlap);
  });

  test("says that two filters overlap whenever one name matches both", () => {
    const level = fc.constantFrom("a", "b", "$", "");
    const filter = fc
      .tuple(
        fc.array(fc.oneof(level, fc.constant("+")), { minLength: 1, maxLength: 4 }),
        fc.boolean(),
      )
      .map(([levels, open]) => (open ? [...levels, "#"] : levels).join("/"));
    const name = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join("/"));
    fc.assert(
      fc.property(filter, filter, fc.array(name, { maxLength: 30 }), (a, b, names) => {
        const both = names.some((n) => topicFilterMatches(a, n) && topicFilterMatches(b, n));
        if (both) expect(filtersOverlap(a, b)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe("parseSharedSubscription()", () => {
  test.each(["a/b", "share/g/f", "$sharedx/g/f", "$SYS/g/f", ""])(
    "leaves %j, which is none, alone",
    (text) => {
      expect(parseSharedSubscription(text)).toBeUndefined();
    },
  );

  test.each([
    ["$share/g/f", "g", "f"],
    ["$shared/g/f", "g", "f"],
    ["$share/group 1//a/#", "group 1", "/a/#"],
    ["$share/g/#", "g", "#"],
  ])("takes %s apart (S-8, S-33)", (text, groupName, topicFilter) => {
    expect(parseSharedSubscription(text)).toEqual({ ok: true, groupName, topicFilter });
  });

  const wrongGroup = 'the group name must have at least one character, and no "+" and "#"';
  test.each([
    ["$share", wrongGroup],
    ["$share//f", wrongGroup],
    ["$share/g+/f", wrongGroup],
    ["$shared/#/f", wrongGroup],
    ["$share/g", "Topic Filter must not be empty"],
    ["$share/g/", "Topic Filter must not be empty"],
    ["$share/g/a#", 'Topic Filter "a#" must have "#" only as its whole last level'],
  ])("refuses %s [MQTT-4.8.2-1] [MQTT-4.8.2-2]", (text, why) => {
    expect(parseSharedSubscription(text)).toEqual({
      ok: false,
      reason: `Shared Subscription "${text}" must be $share/<groupName>/<filter>: ${why}`,
    });
  });

  test("reads what sharedSubscriptionFilter() writes (S-33)", () => {
    const text = sharedSubscriptionFilter("group1", "a/+/#");
    expect(text).toBe("$share/group1/a/+/#");
    expect(parseSharedSubscription(text)).toEqual({
      ok: true,
      groupName: "group1",
      topicFilter: "a/+/#",
    });
  });
});
