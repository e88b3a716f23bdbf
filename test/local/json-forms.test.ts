import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parsePublish, parseRecord, publishJson, recordJson } from "../../local/json-forms.ts";

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const base64 = (text: string): string => Buffer.from(text).toString("base64");

describe("parseRecord()", () => {
  test("reads every field, bytes from Base64, a null value as a tombstone", () => {
    const line = JSON.stringify({
      topic: "t",
      partition: 3,
      offset: "9007199254740993",
      timestamp: 1700000000000,
      key: base64("k"),
      value: null,
      headers: [
        ["a", base64("1")],
        ["a", null],
      ],
    });
    expect(parseRecord(line)).toMatchObject({
      value: {
        topic: "t",
        partition: 3,
        offset: 9_007_199_254_740_993n,
        timestamp: 1_700_000_000_000,
        value: null,
        headers: [
          ["a", expect.anything()],
          ["a", null],
        ],
      },
    });
  });

  test("fills in what is left out", () => {
    expect(parseRecord('{"topic":"t"}')).toEqual({
      value: {
        topic: "t",
        partition: 0,
        offset: 0n,
        timestamp: -1,
        key: null,
        value: null,
        headers: [],
      },
    });
  });

  test.each([
    { line: "{", want: "not JSON" },
    { line: "[]", want: /expected object/i },
    { line: '{"value":"aGk="}', want: /^"topic": / },
    { line: '{"topic":"t","value":"aGk"}', want: '"value": is not Base64' },
    { line: '{"topic":"t","value":"a-_="}', want: '"value": is not Base64' },
    { line: '{"topic":"t","headers":[["a"]]}', want: /^"headers\.0/ },
    { line: '{"topic":"t","hedaers":[]}', want: /hedaers/ },
    { line: '{"topic":"t","offset":1.5}', want: /^"offset": / },
  ])("says what is wrong with $line", ({ line, want }) => {
    const parsed = parseRecord(line);
    const problem = "problem" in parsed ? parsed.problem : "";
    if (typeof want === "string") expect(problem).toBe(want);
    else expect(problem).toMatch(want);
  });

  test("never throws, whatever the line", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
        expect(parseRecord(line)).toBeTypeOf("object");
        expect(parsePublish(line)).toBeTypeOf("object");
      }),
    );
  });
});

describe("parsePublish()", () => {
  test("fills in what is left out, with no property that was not given", () => {
    expect(parsePublish('{"topic":"a/b"}')).toEqual({
      value: {
        publish: {
          topicName: "a/b",
          payload: new Uint8Array(),
          qos: 1,
          retain: false,
          properties: { userProperties: [] },
        },
        ageMs: 0,
      },
    });
  });

  test.each([
    { line: '{"topic":"t","qos":2}', want: /^"qos": / },
    { line: '{"topic":"t","ageMs":-1}', want: /^"ageMs": / },
    {
      line: '{"topic":"t","properties":{"userProperties":[["a",1]]}}',
      want: /^"properties\.userProperties\.0/,
    },
    {
      line: '{"topic":"t","properties":{"messageExpiryInterval":4294967296}}',
      want: /messageExpiryInterval/,
    },
  ])("says what is wrong with $line", ({ line, want }) => {
    const parsed = parsePublish(line);
    expect("problem" in parsed ? parsed.problem : "").toMatch(want);
  });

  test("reads back what publishJson() writes", () => {
    const binary = fc.uint8Array();
    const publish = fc.record({
      topicName: fc.string(),
      payload: binary,
      qos: fc.constantFrom(0 as const, 1 as const),
      retain: fc.boolean(),
      properties: fc.record(
        {
          payloadFormatIndicator: fc.constantFrom(0 as const, 1 as const),
          messageExpiryInterval: fc.nat(4_294_967_295),
          responseTopic: fc.string(),
          correlationData: binary,
          contentType: fc.string(),
          userProperties: fc.array(fc.tuple(fc.string(), fc.string())),
        },
        { requiredKeys: ["userProperties"] },
      ),
    });
    fc.assert(
      fc.property(publish, (given) => {
        const parsed = parsePublish(JSON.stringify(publishJson(given)));
        const read = "value" in parsed ? parsed.value.publish : undefined;
        // a Buffer is a Uint8Array, but toEqual tells them apart
        const plain = JSON.stringify(publishJson(read ?? { ...given, topicName: "unread" }));
        expect(plain).toBe(JSON.stringify(publishJson(given)));
      }),
    );
  });
});

test.each([
  { partitioning: { by: "roundRobin" }, want: {} },
  { partitioning: { by: "key" }, want: {} },
  { partitioning: { by: "instance", instance: 0 }, want: { partition: 0 } },
  { partitioning: { by: "partition", partition: 5 }, want: { partition: 5 } },
] as const)("recordJson() gives the partition where it is known: $partitioning", (given) => {
  const { partitioning, want } = given;
  const record = {
    topic: "t",
    key: null,
    value: bytes("v"),
    headers: [["h", bytes("1")]],
    partitioning,
  } as const;
  expect(recordJson(record)).toEqual({
    topic: "t",
    ...want,
    key: null,
    value: base64("v"),
    headers: [["h", base64("1")]],
  });
});
