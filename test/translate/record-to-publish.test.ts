import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { KafkaHeader, KafkaRecord } from "../../shared/model/kafka-record.ts";
import type { Publish, UserProperty } from "../../shared/model/publish.ts";
import type { KafkaToMqttRoute } from "../../shared/model/route.ts";
import type { Translation } from "../../shared/model/translation.ts";
import { recordToPublish } from "../../shared/translate/record-to-publish.ts";
import { propertiesLength, publishProblem } from "../../shared/wire/mqtt-publish-encoder.ts";
import { kafkaToMqttRoute } from "../support/routes.ts";
import {
  bytes,
  contextAt,
  headersOf,
  messageOf,
  recordOf,
  utf8,
  variable,
  WRITTEN,
} from "../support/translations.ts";

function translate(
  record: Partial<KafkaRecord>,
  route: Partial<KafkaToMqttRoute> = {},
  afterMs = 0,
): Translation<Publish> {
  return recordToPublish(kafkaToMqttRoute(route))(recordOf(record), contextAt(afterMs));
}

function userProperties(
  record: Partial<KafkaRecord>,
  route: Partial<KafkaToMqttRoute> = {},
): readonly UserProperty[] {
  return messageOf(translate(record, route)).properties.userProperties;
}

/** The same without "Timestamp", which every record of these tests has. */
function fromHeaders(
  headers: KafkaHeader[],
  route: Partial<KafkaToMqttRoute> = {},
): { kept: readonly UserProperty[]; removed: readonly object[] } {
  const translation = translate({ headers, timestamp: -1 }, route);
  const { properties } = messageOf(translation);
  return {
    kept: properties.userProperties,
    removed: translation.kind === "translated" ? translation.removed : [],
  };
}

const LONGEST = "x".repeat(65_535);

describe("recordToPublish() and the message", () => {
  test("carries the value as the payload, byte for byte", () => {
    const value = bytes(0, 255, 128);
    expect(messageOf(translate({ value })).payload).toBe(value);
  });

  test("turns a tombstone into a zero-length payload (S-23)", () => {
    expect(messageOf(translate({ value: null })).payload).toEqual(new Uint8Array(0));
  });

  test.each([true, false])(
    "takes retain %j from the route, for tombstones too (S-23)",
    (retain) => {
      expect(messageOf(translate({ value: null }, { retain })).retain).toBe(retain);
      expect(messageOf(translate({}, { retain })).retain).toBe(retain);
    },
  );

  test.each([0, 1] as const)("takes QoS %d from the route (S-25)", (qos) => {
    expect(messageOf(translate({}, { qos })).qos).toBe(qos);
  });

  test("sets no other property than User Properties", () => {
    expect(Object.keys(messageOf(translate({})).properties)).toEqual(["userProperties"]);
  });
});

describe("recordToPublish() and the Topic Name", () => {
  test.each([
    [`factory/${variable("inputTopic")}`, "f1.robot", "factory/f1.robot"],
    [
      `factory/${variable("inputTopic.1")}/${variable("inputTopic.2")}`,
      "f1.robot",
      "factory/f1/robot",
    ],
    ["heater-commands", "source", "heater-commands"],
    [`$${variable("inputTopic")}`, "source", `${variable("inputTopic")}`],
  ])("is made by %s of %s: %s (S-31)", (mqttTopic, topic, topicName) => {
    const route = recordToPublish(kafkaToMqttRoute({ mqttTopic }));
    for (let i = 0; i < 2; i += 1) {
      expect(messageOf(route(recordOf({ topic }), contextAt())).topicName).toBe(topicName);
    }
  });

  test("rejects the record whose topic has no such segment (S-31)", () => {
    expect(
      translate({ topic: "f1" }, { mqttTopic: `factory/${variable("inputTopic.2")}` }),
    ).toEqual({
      kind: "rejected",
      code: "TOPIC_SEGMENT_MISSING",
      reason: 'Topic "f1" has no segment 2',
    });
  });

  test("rejects an illegal Topic Name (S-32)", () => {
    expect(translate({ topic: "a+b" })).toEqual({
      kind: "rejected",
      code: "TOPIC_NAME_INVALID",
      reason: 'Topic Name "factory/a+b" must not contain the wildcards "+" and "#"',
    });
  });

  test("throws at preparation, not at a record, when the template is wrong", () => {
    expect(() => recordToPublish(kafkaToMqttRoute({ mqttTopic: `${variable("topic")}` }))).toThrow(
      RangeError,
    );
  });
});

describe("recordToPublish() and User Properties", () => {
  test("come as Key, Timestamp, then each header in order, duplicates kept (S-20)", () => {
    const headers = headersOf(["b", "1"], ["a", "2"], ["b", "3"], ["Key", "4"], ["1", "5"]);
    expect(userProperties({ key: utf8("device-7"), headers })).toEqual([
      ["Key", "device-7"],
      ["Timestamp", String(WRITTEN)],
      ["b", "1"],
      ["a", "2"],
      ["b", "3"],
      ["Key", "4"],
      ["1", "5"],
    ]);
  });

  test.each([
    ["no key", null, []],
    ["an empty key", bytes(), [["Key", ""]]],
    ["a key that is no UTF-8", bytes(0xff), []],
    ["a key with U+0000", utf8("a\0"), []],
    ["a key of 65,535 bytes", utf8(LONGEST), [["Key", LONGEST]]],
    ["a key of 65,536 bytes", utf8(`${LONGEST}x`), []],
  ])("with %s (S-20)", (_, key, expected) => {
    const translation = translate({ key, timestamp: -1 });
    expect(messageOf(translation).properties.userProperties).toEqual(expected);
    expect(translation).toMatchObject({ removed: [] });
  });

  test.each([
    [-1, []],
    [0, [["Timestamp", "0"]]],
    [1_724_889_600_123, [["Timestamp", "1724889600123"]]],
  ])("with the timestamp %d: %j (S-20)", (timestamp, expected) => {
    expect(userProperties({ timestamp })).toEqual(expected);
  });

  test("are none when copying is off (S-20)", () => {
    const headers = headersOf(["a", "1"], ["b", bytes(0xff)], ["ce_type", "t"], ["type", "t"]);
    const record = { key: utf8("k"), headers };
    const translation = translate(record, { copyMqttProperties: false });
    expect(messageOf(translation).properties).toEqual({ userProperties: [] });
    expect(translation).toMatchObject({ removed: [] });
  });

  test.each(["constructor", "__proto__", "toString", "hasOwnProperty", "1", "Content Type"])(
    "carry a header named %s as any other (S-20)",
    (name) => {
      expect(fromHeaders(headersOf([name, "v"], [name, "w"])).kept).toEqual([
        [name, "v"],
        [name, "w"],
      ]);
    },
  );

  test("carry a header without a value as an empty text (S-21)", () => {
    expect(fromHeaders(headersOf(["a", null], ["b", ""]))).toEqual({
      kept: [
        ["a", ""],
        ["b", ""],
      ],
      removed: [],
    });
  });
});

describe("recordToPublish() and headers that MQTT cannot carry", () => {
  const removals: {
    why: string;
    header: readonly [string, string | Uint8Array];
    reason: string;
  }[] = [
    { why: "a value that is no UTF-8", header: ["h", bytes(0xff)], reason: "not_utf8" },
    { why: "a value with U+0000", header: ["h", "a\0b"], reason: "not_utf8" },
    { why: "a name with U+0000", header: ["a\0b", "v"], reason: "not_utf8" },
    { why: "a name with half of a surrogate pair", header: ["\ud800", "v"], reason: "not_utf8" },
    { why: "a value of 65,536 bytes", header: ["h", `${LONGEST}x`], reason: "too_large" },
    {
      why: "a value of 65,535 bytes that is no UTF-8",
      header: ["h", new Uint8Array(65_535).fill(255)],
      reason: "not_utf8",
    },
    {
      why: "a value of 65,536 bytes that is no UTF-8",
      header: ["h", new Uint8Array(65_536).fill(255)],
      reason: "too_large",
    },
    { why: "a name of 65,536 bytes", header: [`${LONGEST}x`, "v"], reason: "too_large" },
    {
      why: "a name of 65,536 bytes in fewer letters",
      header: ["\u00fc".repeat(32_768), "v"],
      reason: "too_large",
    },
    { why: "no name", header: ["", "v"], reason: "empty_name" },
  ];
  test.each(removals)("removes $why as $reason, and that header alone (S-21)", (given) => {
    const around = headersOf(["before", "1"], given.header, ["after", "2"]);
    expect(fromHeaders(around)).toEqual({
      kept: [
        ["before", "1"],
        ["after", "2"],
      ],
      removed: [{ header: given.header[0], reason: given.reason }],
    });
  });

  test("keeps names and values of exactly 65,535 bytes (S-21)", () => {
    const headers = headersOf([LONGEST, "v"], ["h", LONGEST], ["u", "\u00fc".repeat(32_767)]);
    expect(fromHeaders(headers).removed).toEqual([]);
    expect(fromHeaders(headers).kept).toHaveLength(3);
  });

  test("counts each removed header by its own reason, and anew for each record (S-21)", () => {
    const route = recordToPublish(kafkaToMqttRoute());
    const headers = headersOf(["a", bytes(0xff)], ["", "v"], ["a", bytes(0xfe)]);
    for (let i = 0; i < 2; i += 1) {
      expect(route(recordOf({ headers }), contextAt())).toMatchObject({
        removed: [
          { header: "a", reason: "not_utf8" },
          { header: "", reason: "empty_name" },
          { header: "a", reason: "not_utf8" },
        ],
      });
    }
    expect(route(recordOf(), contextAt())).toMatchObject({ removed: [] });
  });

  test("gives every message a list of its own", () => {
    const route = recordToPublish(kafkaToMqttRoute());
    const first = messageOf(route(recordOf({ headers: headersOf(["a", "1"]) }), contextAt()));
    route(recordOf({ headers: headersOf(["b", "2"]) }), contextAt());
    expect(first.properties.userProperties).toContainEqual(["a", "1"]);
    expect(first.properties.userProperties).not.toContainEqual(["b", "2"]);
  });
});

describe("recordToPublish() and AMQP-encoded values", () => {
  const bar = bytes(0xa1, 3, 0x62, 0x61, 0x72);
  const float = bytes(0x72, 0x41, 0x3e, 0x66, 0x66);
  test.each([
    ["Auto", bar, [["h", "bar"]], []],
    ["Always", bar, [["h", "bar"]], []],
    ["Never", bar, [], [{ header: "h", reason: "not_utf8" }]],
    ["Auto", float, [["h", "rA>ff"]], []],
    ["Always", float, [["h", "11.9"]], []],
    ["Never", float, [["h", "rA>ff"]], []],
    ["Auto", utf8("A"), [["h", "A"]], []],
    ["Always", utf8("A"), [["h", "true"]], []],
    ["Always", utf8("bar"), [["h", "bar"]], []],
    ["Auto", bytes(0xa1, 9, 0x62), [], [{ header: "h", reason: "not_utf8" }]],
    ["Auto", bytes(0xa0, 1, 0xff), [], [{ header: "h", reason: "not_utf8" }]],
  ] as const)("%s makes of %j: %j (S-22)", (amqpHeaders, value, kept, removed) => {
    expect(fromHeaders([["h", value]], { amqpHeaders })).toEqual({ kept, removed });
  });

  test("removes a decoded text of 65,536 bytes, not one whose encoding is that long (S-22)", () => {
    const encoded = (text: string): Uint8Array => {
      const view = new DataView(new ArrayBuffer(5));
      view.setUint8(0, 0xb1);
      view.setUint32(1, text.length);
      return Uint8Array.from([...new Uint8Array(view.buffer), ...utf8(text)]);
    };
    expect(fromHeaders([["h", encoded(LONGEST)]]).kept).toEqual([["h", LONGEST]]);
    expect(fromHeaders([["h", encoded(`${LONGEST}x`)]]).removed).toEqual([
      { header: "h", reason: "too_large" },
    ]);
  });
});

describe("recordToPublish() and binary headers as Base64", () => {
  const base64 = { binaryHeaders: "Base64" } as const;
  test("forwards what is no UTF-8 as Base64, marked directly after it (S-24)", () => {
    const headers = headersOf(["a", "text"], ["b", bytes(0xff, 0)], ["c", "a\0"], ["d", "x"]);
    expect(fromHeaders(headers, base64)).toEqual({
      kept: [
        ["a", "text"],
        ["b", "/wA="],
        ["b;encoding", "base64"],
        ["c", "YQA="],
        ["c;encoding", "base64"],
        ["d", "x"],
      ],
      removed: [],
    });
  });

  test("forwards the content of an AMQP binary, not its encoding (S-22, S-24)", () => {
    expect(fromHeaders([["b", bytes(0xa0, 2, 0xff, 0)]], base64).kept).toEqual([
      ["b", "/wA="],
      ["b;encoding", "base64"],
    ]);
  });

  const longName = (length: number): string => "n".repeat(length);
  test.each([
    ["a value whose Base64 has 65,536 bytes", "b", 49_150, "too_large"],
    ["a value of 65,536 bytes", "b", 65_536, "too_large"],
    ["a name that leaves no room for ;encoding", longName(65_527), 1, "too_large"],
    ["a name of 65,536 bytes", longName(65_536), 1, "too_large"],
    ["no name", "", 1, "empty_name"],
    ["a name with U+0000", "\0", 1, "not_utf8"],
  ])("removes %s, both or none (S-24)", (_, name, length, reason) => {
    expect(fromHeaders([[name, new Uint8Array(length).fill(255)]], base64)).toEqual({
      kept: [],
      removed: [{ header: name, reason }],
    });
  });

  test("keeps the longest that still fit (S-24)", () => {
    const headers: KafkaHeader[] = [
      [longName(65_526), bytes(255)],
      ["b", new Uint8Array(49_149).fill(255)],
    ];
    expect(fromHeaders(headers, base64).kept).toHaveLength(4);
  });

  test("leaves a binary key out all the same: S-20 has it only as UTF-8", () => {
    expect(userProperties({ key: bytes(0xff), timestamp: -1 }, base64)).toEqual([]);
  });
});

describe("recordToPublish() and the size of all properties", () => {
  const LIMIT = 268_435_455;
  // one long name again and again: 4,095 pairs of 65,541 bytes, and one that fills what is left
  const many: KafkaHeader[] = Array.from({ length: 4095 }, () => [LONGEST, utf8("v")]);
  const rest = LIMIT - 4095 * (5 + 65_535 + 1);
  const filling = (length: number): KafkaHeader => ["n".repeat(length - 5), bytes()];

  test("lets 268,435,455 bytes pass and rejects one more", () => {
    const exact = messageOf(translate({ headers: [...many, filling(rest)], timestamp: -1 }));
    expect(propertiesLength(exact.properties)).toBe(LIMIT);
    expect(translate({ headers: [...many, filling(rest + 1)], timestamp: -1 })).toEqual({
      kind: "rejected",
      code: "PROPERTIES_TOO_LARGE",
      reason: `The properties must have at most ${LIMIT} bytes together: they have ${LIMIT + 1}`,
    });
    // three times a quarter of a gigabyte, measured letter by letter
  }, 180_000);
});

describe("recordToPublish() over anything", () => {
  const name = fc.oneof(
    fc.string(),
    fc.string({ unit: "binary" }),
    fc.constantFrom("constructor", "__proto__", "ce_id", "type", "source", "id", "specversion"),
    fc.constantFrom(
      "content-type",
      "Content Type",
      "MQTT Topic",
      "Message Expiry Interval",
      "\ud800",
    ),
  );
  const value = fc.oneof(
    fc.uint8Array({ maxLength: 30 }),
    fc.string().map(utf8),
    fc.constantFrom("0", "1", "60", "a/b").map(utf8),
    fc.uint8Array({ maxLength: 20 }).map((tail) => Uint8Array.from([0xa1, tail.length, ...tail])),
    fc.constant(null),
  );
  const anyRecord: fc.Arbitrary<KafkaRecord> = fc.record({
    topic: fc.oneof(fc.string(), fc.constant("f1.robot")),
    partition: fc.nat(),
    offset: fc.bigInt({ min: 0n, max: 2n ** 63n }),
    timestamp: fc.oneof(fc.constant(-1), fc.integer({ min: 0, max: WRITTEN })),
    key: fc.option(fc.uint8Array()),
    value: fc.option(fc.uint8Array()),
    headers: fc.array(fc.tuple(name, value), { maxLength: 12 }),
  });
  const anyRoute = fc
    .record({
      copyMqttProperties: fc.boolean(),
      restoreMqttProperties: fc.boolean(),
      cloudEvents: fc.constantFrom("None", "Propagate", "CreateOrRemap"),
      amqpHeaders: fc.constantFrom("Auto", "Always", "Never"),
      binaryHeaders: fc.constantFrom("Remove", "Base64"),
      mqttTopic: fc.constantFrom(
        "fixed",
        `f/${variable("inputTopic")}`,
        `f/${variable("inputTopic.2")}`,
      ),
    } as const)
    .map((over) => kafkaToMqttRoute(over));

  test("never throws, and whatever it makes MQTT can carry (S-21, S-32)", () => {
    fc.assert(
      fc.property(anyRecord, anyRoute, (record, route) => {
        const translation = recordToPublish(route)(record, contextAt());
        if (translation.kind === "translated") {
          expect(publishProblem(translation.message)).toBeUndefined();
        }
      }),
      { numRuns: 1000 },
    );
  });

  test("keeps the order of headers and removes no header that MQTT can carry (S-20, S-21)", () => {
    const carried = (text: string): boolean =>
      !text.includes("\0") && Buffer.from(text).toString() === text;
    fc.assert(
      fc.property(anyRecord, (record) => {
        const { kept, removed } = fromHeaders([...record.headers], { amqpHeaders: "Never" });
        const texts = record.headers.map(([header, raw]): UserProperty | undefined => {
          const text = Buffer.from(raw ?? []).toString();
          const isText = carried(text) && Buffer.from(text).equals(Buffer.from(raw ?? []));
          return header !== "" && carried(header) && isText ? [header, text] : undefined;
        });
        expect(kept).toEqual(texts.filter((pair) => pair !== undefined));
        expect(removed).toHaveLength(record.headers.length - kept.length);
      }),
      { numRuns: 500 },
    );
  });
});
