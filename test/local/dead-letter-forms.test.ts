import { describe, expect, test } from "vitest";
import {
  allLeft,
  letterJson,
  letterLine,
  messageForm,
  resultJson,
  resultLines,
  strangersLine,
} from "../../local/dead-letter-forms.ts";
import { parsePublish, parseRecord } from "../../local/json-forms.ts";
import type { StoredLetter } from "../../shared/engine/dead-letter-log.ts";
import type { ReplayResult } from "../../shared/engine/replay.ts";
import { newCounters, type RouteCounters } from "../../shared/engine/status.ts";
import { publish, record } from "../support/memory-ports.ts";

const WHY = {
  code: "TOPIC_NAME_INVALID",
  reason: 'Cannot publish to "a/#"',
  route: "down",
  time: Date.parse("2026-11-21T08:30:00Z"),
  attempt: 2,
};
const ofKafka: StoredLetter = {
  ...{ topic: "dead", partition: 1, offset: 9n, replayed: false },
  letter: { source: "kafka", why: WHY, record: record({ offset: 2n ** 60n, partition: 3 }) },
};
const ofMqtt: StoredLetter = {
  ...{ topic: "dead", partition: 0, offset: 4n, replayed: true },
  letter: {
    ...{ source: "mqtt", why: WHY, receivedAt: WHY.time - 1000 },
    publish: publish({ payload: new Uint8Array([1]) }),
  },
};

describe("letterLine()", () => {
  test("says when, which route, why, from where, how large, how often", () => {
    expect(letterLine(ofKafka)).toBe(
      '2026-11-21T08:30:00.000Z  down  TOPIC_NAME_INVALID  kafka:source/3/1152921504606846976  7 bytes  attempt 2  Cannot publish to "a/#"',
    );
    expect(letterLine(ofMqtt)).toBe(
      '2026-11-21T08:30:00.000Z  down  TOPIC_NAME_INVALID  mqtt:factory/line  1 byte  attempt 2  sent again  Cannot publish to "a/#"',
    );
  });

  test("shows what a terminal would obey", () => {
    const topicName = "a\u001b[2J\u202e\u2028b\nc";
    const letter = { ...ofMqtt.letter, publish: publish({ topicName }) } as StoredLetter["letter"];
    expect(letterLine({ ...ofMqtt, letter })).toContain(
      "mqtt:a\\u001b[2J\\u202e\\u2028b\\u000ac  ",
    );
  });

  test("shows a time that is no date as its number", () => {
    const letter = { ...ofKafka.letter, why: { ...WHY, time: 1e18 } };
    expect(letterLine({ ...ofKafka, letter })).toMatch(/^1000000000000000000 {2}down/);
  });
});

describe("letterJson()", () => {
  test("has the same, and no payload unless it is asked for", () => {
    expect(letterJson(ofKafka, false)).toEqual({
      time: "2026-11-21T08:30:00.000Z",
      route: "down",
      code: "TOPIC_NAME_INVALID",
      reason: 'Cannot publish to "a/#"',
      attempt: 2,
      source: "kafka",
      origin: { topic: "source", partition: 3, offset: "1152921504606846976" },
      bytes: 7,
      replayed: false,
      deadLetter: { topic: "dead", partition: 1, offset: 9 },
    });
    expect(letterJson(ofMqtt, false)).toMatchObject({
      source: "mqtt",
      origin: { topic: "factory/line", receivedAt: "2026-11-21T08:29:59.000Z" },
      replayed: true,
    });
    expect(letterJson(ofKafka, true)).toMatchObject({ record: messageForm(ofKafka) });
    expect(letterJson(ofMqtt, true)).toMatchObject({ message: messageForm(ofMqtt) });
  });

  test("shows messages in the form that isthmus translate reads", () => {
    const [kafka, mqtt] = [ofKafka, ofMqtt].map((stored) => JSON.stringify(messageForm(stored)));
    expect(parseRecord(kafka ?? "")).toMatchObject({ value: { offset: 2n ** 60n, partition: 3 } });
    expect(parsePublish(mqtt ?? "")).toMatchObject({ value: { publish: { qos: 1 } } });
  });
});

function resultOf(counted: Partial<RouteCounters>, over: Partial<ReplayResult> = {}): ReplayResult {
  return {
    ...{ taken: 0, noRoute: new Map(), interrupted: false },
    routes: new Map([["down", [{ ...newCounters(), ...counted }]]]),
    ...over,
  };
}

describe("the result of a replay", () => {
  test.each([
    [
      { received: 9, delivered: 7, expired: 1, deadLettered: 1 },
      "down: 9 sent again: 7 delivered, 1 expired, 1 dead-lettered again",
    ],
    [
      { received: 3, delivered: 1, filtered: 1 },
      "down: 3 sent again: 1 delivered, 0 expired, 1 filtered, 0 dead-lettered again, 1 not ended, and not marked",
    ],
  ])("of %j", (counted, line) => {
    expect(resultLines(resultOf(counted), false)).toEqual([line]);
    expect(resultLines(resultOf(counted), true)[0]).toContain("would be sent again");
  });

  test("adds up what a route had in several topics", () => {
    const one = { ...newCounters(), received: 1, delivered: 1 };
    const result = resultOf({}, { routes: new Map([["down", [one, one]]]), taken: 2 });
    expect(resultJson(result, false)).toEqual({
      ...{ dryRun: false, interrupted: false, taken: 2, noRoute: [] },
      routes: [
        { route: "down", received: 2, delivered: 2, expired: 0, filtered: 0, deadLettered: 0 },
      ],
    });
  });

  test("names the routes that are not there", () => {
    expect(strangersLine(resultOf({}))).toBeUndefined();
    const noRoute = new Map([
      ["gone", 2],
      ["a\u0007", 1],
    ]);
    expect(strangersLine(resultOf({}, { noRoute }))).toMatch(/: gone \(2\), a\\u0007 \(1\)$/);
    expect(resultJson(resultOf({}, { noRoute }), true)).toMatchObject({
      ...{ dryRun: true },
      noRoute: [
        { route: "gone", count: 2 },
        { route: "a\u0007", count: 1 },
      ],
    });
  });

  test.each([
    [
      "all delivered, expired or filtered",
      resultOf({ received: 3, delivered: 1, expired: 1, filtered: 1 }),
      true,
    ],
    ["nothing", resultOf({}, { routes: new Map() }), true],
    ["one dead-lettered again", resultOf({ received: 2, delivered: 1, deadLettered: 1 }), false],
    ["one in the middle", resultOf({ received: 2, delivered: 1 }), false],
    ["interrupted", resultOf({}, { interrupted: true }), false],
  ])("%s", (_name, result, well) => {
    expect(allLeft(result)).toBe(well);
  });
});
