import { describe, expect, test } from "vitest";
import { crossingTap, preview, RecentCrossings } from "../../local/crossings.ts";
import type { KafkaToMqttRoute, MqttToKafkaRoute } from "../../shared/model/route.ts";
import type { Crossing } from "../../shared/pages/status-view.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("preview()", () => {
  test.each([
    { name: "text as it is", payload: utf8('{"a":1}'), want: '{"a":1}' },
    { name: "one line of several", payload: utf8("a\n\t b"), want: "a b" },
    { name: "a note for nothing", payload: utf8(""), want: "(empty)" },
    {
      name: "a note for bytes that are no text",
      payload: Uint8Array.of(0xff, 1),
      want: "(binary, 2 bytes)",
    },
    {
      name: "the beginning of long text",
      payload: utf8("a".repeat(161)),
      want: `${"a".repeat(160)}…`,
    },
    { name: "160 bytes whole", payload: utf8("a".repeat(160)), want: "a".repeat(160) },
    {
      name: "whole characters where the cut falls into one",
      payload: utf8(`${"a".repeat(158)}🙂 and more`),
      want: `${"a".repeat(158)}…`,
    },
  ])("shows $name", ({ payload, want }) => {
    expect(preview(payload)).toBe(want);
  });

  test("notes bytes of any length that are no text", () => {
    expect(preview(new Uint8Array(1000).fill(0xfe))).toBe("(binary, 1000 bytes)");
  });
});

describe("crossingTap()", () => {
  const publish = {
    topicName: "factory/m1",
    payload: utf8("hi"),
    qos: 1,
    retain: false,
    properties: { userProperties: [["k", "v"]] },
  } as const;
  const record = {
    topic: "m1",
    partition: 0,
    offset: 0n,
    timestamp: 0,
    key: null,
    value: utf8("hi"),
    headers: [],
  };

  test("tells both directions", () => {
    const told: Crossing[] = [];
    const tap = crossingTap(
      () => 5,
      (crossing) => told.push(crossing),
    );
    tap.published?.({ name: "down" } as KafkaToMqttRoute, record, publish);
    tap.produced?.({ name: "up" } as MqttToKafkaRoute, publish, "alerts");
    expect(told).toEqual([
      {
        at: 5,
        route: "down",
        from: "m1",
        to: "factory/m1",
        bytes: 2,
        preview: "hi",
        properties: 1,
      },
      {
        at: 5,
        route: "up",
        from: "factory/m1",
        to: "alerts",
        bytes: 2,
        preview: "hi",
        properties: 1,
      },
    ]);
  });

  test("tells at most 20 a second, so that a tap slows nothing down", () => {
    let now = 0;
    let told = 0;
    const tap = crossingTap(
      () => now,
      () => told++,
    );
    for (let i = 0; i < 1000; i++)
      tap.published?.({ name: "a" } as KafkaToMqttRoute, record, publish);
    expect(told).toBe(20);
    now = 1000;
    tap.published?.({ name: "a" } as KafkaToMqttRoute, record, publish);
    expect(told).toBe(21);
  });
});

test("RecentCrossings keeps the newest, newest first", () => {
  const recent = new RecentCrossings(2);
  const crossing = { at: 0, from: "", to: "", bytes: 0, preview: "", properties: 0 };
  for (const route of ["a", "b", "c"]) recent.add({ ...crossing, route });
  expect(recent.list().map(({ route }) => route)).toEqual(["c", "b"]);
});
