import { describe, expect, test } from "vitest";
import { compileTransform } from "../../shared/expressions/transform.ts";
import type { KafkaRecord, OutgoingRecord } from "../../shared/model/kafka-record.ts";
import type { Publish } from "../../shared/model/publish.ts";
import type { KafkaToMqttRoute, MqttToKafkaRoute } from "../../shared/model/route.ts";
import type { HeaderAction, MapRule, Transform } from "../../shared/model/transform.ts";
import type { Translation } from "../../shared/model/translation.ts";
import { withHeaderActions } from "../../shared/translate/header-actions.ts";
import { publishToRecord } from "../../shared/translate/publish-to-record.ts";
import { recordToPublish } from "../../shared/translate/record-to-publish.ts";
import { publishOf } from "../support/publishes.ts";
import { kafkaToMqttRoute, mqttToKafkaRoute } from "../support/routes.ts";
import { transformOf } from "../support/transforms.ts";
import {
  bytes,
  contextAt,
  headersOf,
  messageOf,
  recordOf,
  textsOf,
  utf8,
  variable,
  WRITTEN,
} from "../support/translations.ts";

function toMqtt(
  stages: Partial<Transform>,
  record: Partial<KafkaRecord>,
  route: Partial<KafkaToMqttRoute> = {},
): Translation<Publish> {
  const transform = transformOf(stages);
  const run = compileTransform(transform, new Map());
  const translate = recordToPublish(kafkaToMqttRoute({ ...route, transform }), run);
  return translate(recordOf({ timestamp: -1, ...record }), contextAt());
}

function toKafka(
  stages: Partial<Transform>,
  publish: Partial<Publish>,
  route: Partial<MqttToKafkaRoute> = {},
): Translation<OutgoingRecord> {
  const transform = transformOf(stages);
  const run = compileTransform(transform, new Map());
  const translate = publishToRecord(mqttToKafkaRoute({ ...route, transform }), 0, run);
  return translate({ publish: publishOf(publish), receivedAt: WRITTEN }, contextAt(500));
}

const keep: MapRule = { inputs: ["*"], output: "*" };
const write = (field: string, expression: string): MapRule => ({
  inputs: [],
  output: `$metadata.${field}`,
  expression,
});
const text = (payload: Uint8Array | null | undefined): string =>
  payload ? new TextDecoder().decode(payload) : String(payload);
/** Without the header of S-11. */
const headersIn = (record: OutgoingRecord) =>
  textsOf(record.headers).filter(([name]) => name !== "MQTT Topic");

describe("records through a transform", () => {
  test("their payload is mapped, and everything else stays", () => {
    const map = [{ inputs: ["t"], output: "f", expression: "cToF($1)" }];
    const record = { value: utf8('{"t":100}'), key: utf8("k"), headers: headersOf(["a", "1"]) };
    expect(messageOf(toMqtt({ map }, record))).toEqual({
      topicName: "factory/source",
      payload: utf8('{"f":212.0}'),
      qos: 1,
      retain: false,
      properties: {
        userProperties: [
          ["Key", "k"],
          ["a", "1"],
        ],
      },
    });
  });

  test("they can be filtered, and bad ones are rejected with their reason", () => {
    const filter = [{ inputs: ["t"], expression: "$1 > 50" }];
    expect(toMqtt({ filter }, { value: utf8('{"t":51}') })).toEqual({ kind: "filtered" });
    expect(toMqtt({ filter }, { value: utf8("{}") })).toMatchObject({
      kind: "rejected",
      code: "EXPRESSION_FAILED",
      reason: expect.stringContaining("$1 (t) is missing"),
    });
    expect(toMqtt({ filter }, { value: utf8("51") })).toMatchObject({
      kind: "rejected",
      code: "PAYLOAD_NOT_JSON",
    });
  });

  test("a tombstone has nothing to filter or map (S-23)", () => {
    const filter = [{ inputs: ["t"], expression: "$1 > 50" }];
    const translated = toMqtt({ filter, map: [write("header.a", "1")] }, { value: null });
    expect(messageOf(translated)).toMatchObject({
      payload: new Uint8Array(),
      properties: { userProperties: [] },
    });
  });

  test("an expired one is not dead-lettered (S-24)", () => {
    const headers = headersOf(["Message Expiry Interval", "0"]);
    const record = { value: utf8("no JSON"), headers };
    const map = [{ inputs: ["a"], output: "a" }];
    expect(toMqtt({ map }, record, { restoreMqttProperties: true })).toEqual({ kind: "expired" });
  });

  test.each([true, false])(
    "what a map writes goes out, copyMqttProperties %s",
    (copyMqttProperties) => {
      const headers = headersOf(["a", "came"], ["b", "came"], ["a", "again"], ["c", "came"]);
      const map = [
        keep,
        write("header.a", "'new'"),
        write("user_property.a", "'second'"),
        write("header.c", "()"),
      ];
      const { properties } = messageOf(toMqtt({ map }, { headers }, { copyMqttProperties }));
      expect(properties.userProperties).toEqual([
        ...(copyMqttProperties ? [["b", "came"]] : []),
        ["a", "new"],
        ["a", "second"],
      ]);
    },
  );

  test("what MQTT cannot carry of it is removed like any header (S-21)", () => {
    const map = [keep, { inputs: ["x"], output: "$metadata.user_property.a" }];
    const value = utf8(JSON.stringify({ x: "x".repeat(70_000) }));
    expect(toMqtt({ map }, { value })).toMatchObject({
      removed: [{ header: "a", reason: "too_large" }],
      message: { properties: { userProperties: [] } },
    });
  });

  test.each([
    ["$metadata.header.text", "plain"],
    ["$metadata.header.amqp", "bar"],
    ["$metadata.header.Key", "k"],
    ["$metadata.header.Timestamp", String(WRITTEN)],
    ["$metadata.topic", "source"],
    ["$metadata.system_property.content_type", "text/csv"],
    ["$metadata.header.null", "missing"],
    ["$metadata.header.none", "missing"],
  ])("%s is read as %s", (input, value) => {
    const map = [{ inputs: [input], output: "x", expression: "if($1 == (), 'missing', $1)" }];
    const headers = headersOf(
      ["text", "plain"],
      ["amqp", bytes(0xa1, 3, 98, 97, 114)],
      ["null", null],
      ["content-type", "text/csv"],
    );
    const record = { value: utf8("{}"), key: utf8("k"), timestamp: WRITTEN, headers };
    expect(text(messageOf(toMqtt({ map }, record)).payload)).toBe(JSON.stringify({ x: value }));
  });

  test.each([
    ["raw", "$metadata.header.raw"],
    ["Key", "$metadata.header.Key"],
  ])("%s is no text and cannot be read", (_, input) => {
    const map = [{ inputs: [input], output: "x" }];
    const record = {
      value: utf8("{}"),
      key: bytes(0xff),
      headers: headersOf(["raw", bytes(0xff)]),
    };
    expect(toMqtt({ map }, record)).toMatchObject({
      kind: "rejected",
      reason: expect.stringContaining("bytes that are no text"),
    });
  });

  test("without key, timestamp and content type there is none to read", () => {
    const inputs = [
      "$metadata.header.Key",
      "$metadata.header.Timestamp",
      "$metadata.system_property.content_type",
    ];
    const map = [{ inputs, output: "x", expression: "($1, $2, $3)" }];
    expect(text(messageOf(toMqtt({ map }, { value: utf8("{}") })).payload)).toBe(
      '{"x":[null,null,null]}',
    );
  });

  test("the topic that a map writes is the template's outputTopic, and must be legal (S-31, S-32)", () => {
    const route = { mqttTopic: `${variable("inputTopic.1")}/${variable("outputTopic")}` };
    const value = utf8("{}");
    const topicOf = (expression: string): unknown => {
      const translated = toMqtt({ map: [keep, write("topic", expression)] }, { value }, route);
      return translated.kind === "translated" ? translated.message.topicName : translated;
    };
    expect(topicOf("'alarms/' + 5")).toBe("source/alarms/5");
    expect(topicOf("()")).toBe("source/source");
    expect(topicOf("'#'")).toMatchObject({ kind: "rejected", code: "TOPIC_NAME_INVALID" });
  });

  test.each([
    ["written", [keep, write("system_property.content_type", "'text/plain'")], "text/plain"],
    ["taken away", [keep, write("system_property.content_type", "()")], undefined],
    ["left alone", [keep, write("header.x", "1")], "came"],
  ])("the Content Type can be %s", (_, map, contentType) => {
    const record = { headers: headersOf(["Content Type", "came"]) };
    const { properties } = messageOf(toMqtt({ map }, record, { restoreMqttProperties: true }));
    expect(properties.contentType).toBe(contentType);
  });
});

describe("messages through a transform", () => {
  const json = utf8('{"t":100}');

  test("their payload is mapped, and everything else stays", () => {
    const map = [{ inputs: ["t"], output: "f", expression: "cToF($1)" }];
    const properties = { contentType: "application/json", userProperties: [["a", "1"]] as const };
    const record = messageOf(toKafka({ map }, { payload: json, topicName: "a/b", properties }));
    expect(text(record.value)).toBe('{"f":212.0}');
    expect(textsOf(record.headers)).toEqual([
      ["Content Type", "application/json"],
      ["MQTT Topic", "a/b"],
      ["a", "1"],
    ]);
  });

  test("they can be filtered and rejected, but not before they have expired (S-12)", () => {
    const filter = [{ inputs: ["t"], expression: "$1 > 50" }];
    expect(toKafka({ filter }, { payload: json })).toEqual({ kind: "filtered" });
    expect(toKafka({ filter }, { payload: utf8("") })).toMatchObject({ code: "PAYLOAD_NOT_JSON" });
    const properties = { messageExpiryInterval: 0, userProperties: [] };
    expect(toKafka({ filter }, { payload: utf8(""), properties })).toEqual({ kind: "expired" });
  });

  test.each([true, false])(
    "what a map writes goes out, copyMqttProperties %s",
    (copyMqttProperties) => {
      const properties = {
        userProperties: [
          ["a", "came"],
          ["b", "came"],
          ["c", "came"],
        ] as const,
      };
      const map = [keep, write("header.a", "'new'"), write("header.c", "()")];
      const record = messageOf(
        toKafka({ map }, { payload: json, properties }, { copyMqttProperties }),
      );
      expect(headersIn(record)).toEqual([
        ...(copyMqttProperties ? [["b", "came"]] : []),
        ["a", "new"],
      ]);
    },
  );

  test("the key can be a property that a map wrote (S-13)", () => {
    const map = [keep, { inputs: ["t"], output: "$metadata.user_property.id" }];
    const partitionStrategy = { kind: "Property", property: "id" } as const;
    const record = messageOf(toKafka({ map }, { payload: json }, { partitionStrategy }));
    expect(text(record.key)).toBe("100");
  });

  test("the topic that a map writes is the template's outputTopic (S-17)", () => {
    const map = [keep, write("topic", "'x/y'")];
    const route = { kafkaTopic: variable("outputTopic") };
    expect(messageOf(toKafka({ map }, { payload: json }, route)).topic).toBe("x.y");
    const bad = [keep, write("topic", "'ü'")];
    expect(toKafka({ map: bad }, { payload: json }, route)).toMatchObject({
      code: "KAFKA_TOPIC_INVALID",
    });
  });

  test("the Content Type can be written and taken away", () => {
    const properties = { contentType: "came", userProperties: [] };
    const typeAfter = (expression: string): unknown => {
      const map = [keep, write("system_property.content_type", expression)];
      return headersIn(messageOf(toKafka({ map }, { payload: json, properties })));
    };
    expect(typeAfter("'text/plain'")).toEqual([["Content Type", "text/plain"]]);
    expect(typeAfter("()")).toEqual([]);
  });

  test("its topic and properties can be read", () => {
    const inputs = [
      "$metadata.topic",
      "$metadata.user_property.a",
      "$metadata.system_property.content_type",
    ];
    const map = [{ inputs, output: "x", expression: "($1, $2, $3)" }];
    const properties = {
      contentType: "t",
      userProperties: [
        ["a", "1"],
        ["a", "2"],
      ] as const,
    };
    const record = messageOf(toKafka({ map }, { payload: json, topicName: "a/b", properties }));
    expect(text(record.value)).toBe('{"x":["a/b","1","t"]}');
  });
});

describe("CloudEvents tell of the payload that goes out (S-40)", () => {
  const required = [
    ["specversion", "1.0"],
    ["type", "t"],
    ["source", "s"],
    ["id", "i"],
  ] as const;
  const event = [...required, ["datacontenttype", "text/csv"], ["dataschema", "old"]] as const;
  const value = utf8('{"a":1}');
  const map = [{ inputs: ["a"], output: "b" }];
  const schema = { outputSchema: "aio-sr://ns/out:1" };

  test.each<[string, Partial<Transform>, string | undefined, string | undefined]>([
    ["a new payload and schema", { map, ...schema }, "application/json", "aio-sr://ns/out:1"],
    ["a new payload", { map }, "application/json", "old"],
    ["a schema", schema, "text/csv", "aio-sr://ns/out:1"],
    ["neither", { filter: [{ inputs: ["a"], expression: "$1 == 2" }] }, "text/csv", "old"],
    [
      "a map's own words",
      {
        map: [
          ...map,
          write("system_property.content_type", "'x/y'"),
          write("header.dataschema", "'own'"),
        ],
      },
      "x/y",
      "own",
    ],
  ])("Propagate, %s", (_, stages, contentType, dataschema) => {
    const route = { cloudEvents: "Propagate" } as const;
    const { properties } = messageOf(
      toMqtt(stages, { value, headers: headersOf(...event) }, route),
    );
    expect(properties.contentType).toBe(contentType);
    expect(new Map(properties.userProperties).get("dataschema")).toBe(dataschema);
    const sent = { payload: value, properties: { userProperties: event } };
    const headers = new Map(headersIn(messageOf(toKafka(stages, sent, route))));
    expect(headers.get("content-type")).toBe(contentType);
    expect(headers.get("ce_dataschema")).toBe(dataschema);
  });

  test("CreateOrRemap adds the schema to what it creates", () => {
    const route = { cloudEvents: "CreateOrRemap" } as const;
    const to = messageOf(toMqtt({ map, ...schema }, { value }, route));
    expect(to.properties).toMatchObject({ contentType: "application/json" });
    expect(to.properties.userProperties).toContainEqual(["dataschema", "aio-sr://ns/out:1"]);
    const back = messageOf(
      toKafka({ map, ...schema }, { payload: value }, { ...route, cloudEventsPrefix: "ce-" }),
    );
    expect(headersIn(back)).toEqual(
      expect.arrayContaining([
        ["content-type", "application/json"],
        ["ce-datacontenttype", "application/json"],
        ["ce-dataschema", "aio-sr://ns/out:1"],
      ]),
    );
  });

  test("what a map writes is an attribute where it names one, and goes out beside them where it does not", () => {
    const stages = { map: [keep, write("header.type", "'new'"), write("header.X", "1")] };
    const route = { cloudEvents: "Propagate", copyMqttProperties: false } as const;
    const others = [...required, ["Y", "came"]] as const;
    const to = messageOf(toMqtt(stages, { value, headers: headersOf(...others) }, route));
    expect(to.properties.userProperties).toEqual([
      ["specversion", "1.0"],
      ["source", "s"],
      ["id", "i"],
      ["type", "new"],
      ["X", "1"],
    ]);
    const sent = { payload: value, properties: { userProperties: others } };
    expect(headersIn(messageOf(toKafka(stages, sent, route)))).toEqual([
      ["ce_specversion", "1.0"],
      ["ce_source", "s"],
      ["ce_id", "i"],
      ["ce_type", "new"],
      ["X", "1"],
    ]);
  });
});

describe("headers of the destination", () => {
  const pairs = [
    ["a", "1"],
    ["b", "2"],
    ["a", "3"],
  ] as const;
  test.each<[string, HeaderAction[], (readonly [string, string])[]]>([
    [
      "AddIfNotPresent adds",
      [{ action: "AddIfNotPresent", name: "c", value: "x" }],
      [...pairs, ["c", "x"]],
    ],
    ["AddIfNotPresent leaves", [{ action: "AddIfNotPresent", name: "a", value: "x" }], [...pairs]],
    [
      "AddOrReplace adds",
      [{ action: "AddOrReplace", name: "c", value: "x" }],
      [...pairs, ["c", "x"]],
    ],
    [
      "AddOrReplace replaces all, at the first's place",
      [{ action: "AddOrReplace", name: "a", value: "x" }],
      [
        ["a", "x"],
        ["b", "2"],
      ],
    ],
    ["Remove removes all", [{ action: "Remove", name: "a" }], [["b", "2"]]],
    ["Remove finds none", [{ action: "Remove", name: "c" }], [...pairs]],
    [
      "one after the other",
      [
        { action: "Remove", name: "a" },
        { action: "AddIfNotPresent", name: "a", value: "x" },
      ],
      [
        ["b", "2"],
        ["a", "x"],
      ],
    ],
  ])("%s", (_, actions, want) => {
    expect(withHeaderActions(pairs, actions, String)).toEqual(want);
    expect(withHeaderActions(pairs, undefined, String)).toBe(pairs);
  });

  test("are set on whatever goes out, copied or not", () => {
    const headerActions: HeaderAction[] = [
      { action: "AddOrReplace", name: "a", value: "x" },
      { action: "Remove", name: "MQTT Topic" },
    ];
    const record = recordOf({ headers: headersOf(["a", "1"]) });
    for (const copyMqttProperties of [true, false]) {
      const route = { copyMqttProperties, headerActions };
      const to = messageOf(recordToPublish(kafkaToMqttRoute(route))(record, contextAt()));
      expect(to.properties.userProperties.filter(([name]) => name !== "Timestamp")).toEqual([
        ["a", "x"],
      ]);
      const received = { publish: publishOf(to), receivedAt: WRITTEN };
      const back = messageOf(publishToRecord(mqttToKafkaRoute(route), 0)(received, contextAt()));
      expect(textsOf(back.headers).filter(([name]) => name !== "Timestamp")).toEqual([["a", "x"]]);
    }
  });
});
