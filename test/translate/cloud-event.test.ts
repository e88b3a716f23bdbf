import { describe, expect, test } from "vitest";
import type { PublishProperties, UserProperty } from "../../shared/model/publish.ts";
import type { KafkaToMqttRoute, MqttToKafkaRoute } from "../../shared/model/route.ts";
import { publishToRecord } from "../../shared/translate/publish-to-record.ts";
import { recordToPublish } from "../../shared/translate/record-to-publish.ts";
import { publishOf } from "../support/publishes.ts";
import { kafkaToMqttRoute, mqttToKafkaRoute } from "../support/routes.ts";
import {
  bytes,
  contextAt,
  headersOf,
  messageOf,
  recordOf,
  textsOf,
  utf8,
  WRITTEN,
} from "../support/translations.ts";

type Pairs = readonly (readonly [string, string])[];

/** The headers that a message gets besides "MQTT Topic" and built-ins. */
function toKafka(
  userProperties: Pairs,
  route: Partial<MqttToKafkaRoute>,
  contentType?: string,
): Pairs {
  const properties: PublishProperties =
    contentType === undefined ? { userProperties } : { contentType, userProperties };
  const translate = publishToRecord(mqttToKafkaRoute(route), 0);
  const received = { publish: publishOf({ properties }), receivedAt: WRITTEN };
  const headers = textsOf(messageOf(translate(received, contextAt(500))).headers);
  const own = headers.findIndex(([name]) => name === "MQTT Topic");
  return headers.slice(own + 1);
}

/** The properties that a record without key and timestamp gets. */
function toMqtt(
  headers: readonly (readonly [string, string | Uint8Array | null])[],
  route: Partial<KafkaToMqttRoute>,
): { contentType?: string; userProperties: readonly UserProperty[] } {
  const translate = recordToPublish(kafkaToMqttRoute(route));
  const record = recordOf({ headers: headersOf(...headers), timestamp: -1 });
  return messageOf(translate(record, contextAt(500))).properties;
}

const PROPAGATE = { cloudEvents: "Propagate" } as const;
const CREATE = { cloudEvents: "CreateOrRemap", targetName: "kafka" } as const;

/** The eight attributes of the documents' tables but datacontenttype, and an extension. */
const ATTRIBUTES: Pairs = [
  ["specversion", "1.0"],
  ["type", "ms.aio.telemetry"],
  ["source", "aio://mycluster/myoven"],
  ["id", "A234-1234-1234"],
  ["subject", "aio/myoven/telemetry/temperature"],
  ["time", "2018-04-05T17:31:00Z"],
  ["dataschema", "sr://fabrikam-schemas/123123123234234234234234#1.0.0"],
  ["traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
];
const REQUIRED = ATTRIBUTES.slice(0, 4);

function prefixed(prefix: string, pairs: Pairs): Pairs {
  return pairs.map(([name, value]) => [prefix + name, value]);
}

describe("CloudEvents from MQTT to Kafka", () => {
  test.each(["None", "Propagate", "CreateOrRemap"] as const)(
    "%s: a CloudEvent keeps its values and their order (S-40)",
    (cloudEvents) => {
      const prefix = cloudEvents === "None" ? "" : "ce_";
      expect(toKafka(ATTRIBUTES, { cloudEvents })).toEqual(prefixed(prefix, ATTRIBUTES));
    },
  );

  test.each(["ce_", "ce-"] as const)(
    "are written with the prefix %s (S-40)",
    (cloudEventsPrefix) => {
      expect(toKafka(REQUIRED, { ...PROPAGATE, cloudEventsPrefix })).toEqual(
        prefixed(cloudEventsPrefix, REQUIRED),
      );
    },
  );

  test.each(["", "ce_", "ce-"])("are read with the prefix %j (S-40)", (prefix) => {
    expect(toKafka(prefixed(prefix, ATTRIBUTES), PROPAGATE)).toEqual(prefixed("ce_", ATTRIBUTES));
  });

  test("leave alone what is no attribute name, and keep it in its place (S-10, S-40)", () => {
    const others: Pairs = [
      ["Key", "1"],
      ["device-id", "2"],
      ["ce_Type", "3"],
      ["ce_", "4"],
      ["__proto__", "5"],
      ["", "6"],
    ];
    expect(toKafka([...others, ...REQUIRED], PROPAGATE)).toEqual([
      ...others,
      ...prefixed("ce_", REQUIRED),
    ]);
  });

  test("keep duplicates (S-10, S-40)", () => {
    expect(toKafka([...REQUIRED, ["type", "again"]], PROPAGATE).at(-1)).toEqual([
      "ce_type",
      "again",
    ]);
  });

  test.each([
    ["Content Type", "text/plain", [], "text/plain"],
    ["datacontenttype", undefined, [["datacontenttype", "text/csv"]], "text/csv"],
    ["Content Type before datacontenttype", "text/plain", [["datacontenttype", "x"]], "text/plain"],
    [
      "the first datacontenttype",
      undefined,
      [
        ["ce_datacontenttype", "first"],
        ["datacontenttype", "second"],
      ],
      "first",
    ],
  ] as const)(
    "have %s as content-type (S-40, CE-Kafka 3.2.1)",
    (_, contentType, more, expected) => {
      expect(toKafka([...REQUIRED, ...more], PROPAGATE, contentType)).toEqual([
        ["content-type", expected],
        ...prefixed("ce_", REQUIRED),
      ]);
      expect(
        toKafka([...REQUIRED, ...more], { ...PROPAGATE, cloudEventsPrefix: "ce-" }, contentType),
      ).toEqual([
        ["content-type", expected],
        ["ce-datacontenttype", expected],
        ...prefixed("ce-", REQUIRED),
      ]);
    },
  );

  test.each(REQUIRED)("Propagate: without %s a message passes as it is (S-41)", (missing) => {
    const partial: Pairs = [
      ...ATTRIBUTES.filter(([name]) => name !== missing),
      ["ce_x", "1"],
      ["datacontenttype", "text/csv"],
    ];
    expect(toKafka(partial, PROPAGATE, "text/plain")).toEqual(partial);
  });

  const GENERATED: Pairs = [
    ["ce_specversion", "1.0"],
    ["ce_type", "ms.aio-dataflow.telemetry"],
    ["ce_source", "aio://kafka"],
    ["ce_id", "0b0f1e62-0000-4000-8000-000000000001"],
    ["ce_subject", "destination"],
    ["ce_time", "2026-11-21T08:00:00.500Z"],
  ];

  test("CreateOrRemap: what is no CloudEvent becomes one behind its own properties (S-40)", () => {
    const others: Pairs = [
      ["location", "hall 3"],
      ["device-id", "7"],
    ];
    expect(toKafka(others, CREATE, "text/plain")).toEqual([
      ["content-type", "text/plain"],
      ...others,
      ...GENERATED,
    ]);
    expect(toKafka([], CREATE)).toEqual(GENERATED);
  });

  test.each(["specversion", "type", "source", "id", "subject", "time", "dataschema"])(
    "CreateOrRemap: %s is kept where it is there, and the others are generated (S-40)",
    (name) => {
      // alone it makes no CloudEvent, so all the others are missing
      expect(toKafka([[name, "mine"]], CREATE)).toEqual([
        [`ce_${name}`, "mine"],
        ...GENERATED.filter(([generated]) => generated !== `ce_${name}`),
      ]);
    },
  );

  test("CreateOrRemap: a CloudEvent gets no subject and no time that it did not have (S-40)", () => {
    expect(toKafka(REQUIRED, CREATE)).toEqual(prefixed("ce_", REQUIRED));
  });

  test.each([
    "application/cloudevents+json",
    "application/cloudevents+json; charset=utf-8",
    "Application/CloudEvents-Batch+json",
  ])("leave a message in structured mode %s as it is (S-40, CE-Kafka 3.3)", (contentType) => {
    for (const mode of [PROPAGATE, CREATE]) {
      expect(toKafka([["type", "mine"]], mode, contentType)).toEqual([
        ["content-type", contentType],
        ["type", "mine"],
      ]);
    }
  });

  test("travel alone when copying is off (S-10, S-40)", () => {
    const off = { copyMqttProperties: false };
    const message: Pairs = [...ATTRIBUTES, ["device-id", "7"]];
    expect(toKafka(message, { ...PROPAGATE, ...off }, "text/plain")).toEqual([
      ["content-type", "text/plain"],
      ...prefixed("ce_", ATTRIBUTES),
    ]);
    expect(toKafka([["type", "x"]], { ...PROPAGATE, ...off })).toEqual([]);
    expect(toKafka([["device-id", "7"]], { ...CREATE, ...off })).toEqual(GENERATED);
    expect(toKafka([["a", "b"]], { ...PROPAGATE, ...off }, "application/cloudevents+json")).toEqual(
      [["content-type", "application/cloudevents+json"]],
    );
  });
});

describe("CloudEvents from Kafka to MQTT", () => {
  test.each(["", "ce_", "ce-"])(
    "are read with the prefix %j and written without (S-40)",
    (prefix) => {
      const headers = prefixed(prefix, ATTRIBUTES);
      // strictly: a Content Type that is there without a value would be encoded
      expect(toMqtt(headers, PROPAGATE)).toStrictEqual({ userProperties: ATTRIBUTES });
    },
  );

  test("None: stay as they are (S-20)", () => {
    const headers: Pairs = [...prefixed("ce_", REQUIRED), ["content-type", "text/plain"]];
    expect(toMqtt(headers, {})).toEqual({ userProperties: headers });
  });

  test("keep Key, Timestamp and ordinary headers in their places (S-20, S-40)", () => {
    const headers: Pairs = [["a", "1"], ...prefixed("ce_", REQUIRED), ["ce_Type", "2"]];
    const translate = recordToPublish(kafkaToMqttRoute(PROPAGATE));
    const record = recordOf({ key: utf8("k"), headers: headersOf(...headers) });
    expect(messageOf(translate(record, contextAt())).properties.userProperties).toEqual([
      ["Key", "k"],
      ["Timestamp", String(WRITTEN)],
      ["a", "1"],
      ...REQUIRED,
      ["ce_Type", "2"],
    ]);
  });

  test.each([
    ["content-type", [["content-type", "text/plain"]], "text/plain", []],
    ["ce_datacontenttype", [["ce_datacontenttype", "text/csv"]], "text/csv", []],
    ["datacontenttype", [["datacontenttype", "text/csv"]], "text/csv", []],
    [
      "content-type before datacontenttype",
      [
        ["ce-datacontenttype", "text/csv"],
        ["content-type", "text/plain"],
      ],
      "text/plain",
      [],
    ],
    [
      "the first content-type",
      [
        ["content-type", "first"],
        ["content-type", "second"],
      ],
      "first",
      [["content-type", "second"]],
    ],
  ] as const)("have %s as Content Type (S-40, CE-MQTT 3.1.2)", (_, more, contentType, left) => {
    expect(toMqtt([...prefixed("ce_", REQUIRED), ...more], PROPAGATE)).toEqual({
      contentType,
      userProperties: [...REQUIRED, ...left],
    });
  });

  test.each(REQUIRED)("Propagate: without %s a record passes as it is (S-41)", (missing) => {
    const headers: Pairs = [
      ...prefixed(
        "ce_",
        REQUIRED.filter(([name]) => name !== missing),
      ),
      ["content-type", "text/plain"],
    ];
    expect(toMqtt(headers, PROPAGATE)).toEqual({ userProperties: headers });
  });

  test("Propagate: a required attribute that MQTT cannot carry makes it no CloudEvent (S-21, S-41)", () => {
    const headers = [
      ...prefixed("ce_", REQUIRED.slice(1)),
      ["ce_specversion", bytes(0xff)],
    ] as const;
    expect(toMqtt(headers, PROPAGATE)).toEqual({
      userProperties: prefixed("ce_", REQUIRED.slice(1)),
    });
  });

  const GENERATED: Pairs = [
    ["specversion", "1.0"],
    ["type", "ms.aio-dataflow.telemetry"],
    ["source", "aio://broker"],
    ["id", "0b0f1e62-0000-4000-8000-000000000001"],
    ["subject", "factory/source"],
    ["time", "2026-11-21T08:00:00.500Z"],
  ];

  test("CreateOrRemap: what is no CloudEvent becomes one behind its own headers (S-40)", () => {
    const create = { cloudEvents: "CreateOrRemap" } as const;
    expect(
      toMqtt(
        [
          ["a", "1"],
          ["content-type", "text/plain"],
        ],
        create,
      ),
    ).toEqual({ contentType: "text/plain", userProperties: [["a", "1"], ...GENERATED] });
    expect(toMqtt([["ce_type", "mine"]], create)).toEqual({
      userProperties: [["type", "mine"], ...GENERATED.filter(([name]) => name !== "type")],
    });
    expect(toMqtt(prefixed("ce_", REQUIRED), create)).toEqual({ userProperties: REQUIRED });
  });

  test("CreateOrRemap: a time that RFC 3339 cannot write is left out (S-40)", () => {
    const translate = recordToPublish(kafkaToMqttRoute({ cloudEvents: "CreateOrRemap" }));
    const { properties } = messageOf(translate(recordOf({ timestamp: -1 }), contextAt(1e18)));
    expect(properties.userProperties).toEqual(GENERATED.filter(([name]) => name !== "time"));
  });

  test("a structured-mode content type survives the hop (S-40)", () => {
    const headers: Pairs = [
      ["content-type", "application/cloudevents+json"],
      ["a", "1"],
    ];
    for (const cloudEvents of ["Propagate", "CreateOrRemap"] as const) {
      expect(toMqtt(headers, { cloudEvents })).toEqual({
        contentType: "application/cloudevents+json",
        userProperties: [["a", "1"]],
      });
    }
  });

  test("travel alone when copying is off, and only they can be removed (S-20, S-40)", () => {
    const off = { copyMqttProperties: false };
    const headers = [
      ...prefixed("ce_", ATTRIBUTES),
      ["a", "1"],
      ["b", bytes(0xff)],
      ["content-type", "text/plain"],
    ] as const;
    const translate = recordToPublish(kafkaToMqttRoute({ ...PROPAGATE, ...off }));
    const record = recordOf({ key: utf8("k"), headers: headersOf(...headers) });
    const translation = translate(record, contextAt());
    expect(translation).toMatchObject({ removed: [] });
    expect(messageOf(translation).properties).toEqual({
      contentType: "text/plain",
      userProperties: ATTRIBUTES,
    });
    expect(toMqtt([["ce_type", "x"]], { ...PROPAGATE, ...off })).toEqual({ userProperties: [] });
    const structured: Pairs = [
      ["content-type", "application/cloudevents+json"],
      ["ce_x", "1"],
    ];
    expect(toMqtt(structured, { ...PROPAGATE, ...off })).toEqual({
      contentType: "application/cloudevents+json",
      userProperties: [],
    });
  });

  test("leave a restored Content Type as it is (S-24, S-40)", () => {
    const headers: Pairs = [
      ["Content Type", "text/plain"],
      ["MQTT Topic", "a"],
      ["content-type", "text/csv"],
      ...prefixed("ce_", REQUIRED),
    ];
    expect(toMqtt(headers, { ...PROPAGATE, restoreMqttProperties: true })).toEqual({
      contentType: "text/plain",
      userProperties: REQUIRED,
    });
  });
});

describe("CloudEvents from MQTT to Kafka to MQTT", () => {
  test.each(["ce_", "ce-"] as const)("come back as they were with %s (S-24, S-40)", (prefix) => {
    const properties: PublishProperties = {
      contentType: "application/json",
      userProperties: [...ATTRIBUTES, ["Zone", "3"], ["type", "again"]],
    };
    const to = publishToRecord(mqttToKafkaRoute({ ...PROPAGATE, cloudEventsPrefix: prefix }), 0);
    const received = { publish: publishOf({ properties }), receivedAt: WRITTEN };
    const { headers } = messageOf(to(received, contextAt()));
    const back = recordToPublish(kafkaToMqttRoute({ ...PROPAGATE, restoreMqttProperties: true }));
    expect(messageOf(back(recordOf({ headers }), contextAt())).properties).toEqual(properties);
  });
});
