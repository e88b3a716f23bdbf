import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { KafkaRecord } from "../../shared/model/kafka-record.ts";
import type { Publish, PublishProperties } from "../../shared/model/publish.ts";
import type { KafkaToMqttRoute } from "../../shared/model/route.ts";
import type { Translation } from "../../shared/model/translation.ts";
import { publishToRecord } from "../../shared/translate/publish-to-record.ts";
import { recordToPublish } from "../../shared/translate/record-to-publish.ts";
import { anyPublish, publishOf } from "../support/publishes.ts";
import { kafkaToMqttRoute, mqttToKafkaRoute } from "../support/routes.ts";
import {
  bytes,
  contextAt,
  headersOf,
  messageOf,
  recordOf,
  utf8,
  WRITTEN,
} from "../support/translations.ts";

const RESTORE: Partial<KafkaToMqttRoute> = { restoreMqttProperties: true };

function restored(
  record: Partial<KafkaRecord>,
  route: Partial<KafkaToMqttRoute> = {},
  afterMs = 0,
): Translation<Publish> {
  const translate = recordToPublish(kafkaToMqttRoute({ ...RESTORE, ...route }));
  return translate(recordOf(record), contextAt(afterMs));
}

function propertiesOf(...args: Parameters<typeof restored>): PublishProperties {
  return messageOf(restored(...args)).properties;
}

/** To Kafka, and back at once. */
function thereAndBack(publish: Publish): Publish {
  const to = publishToRecord(mqttToKafkaRoute(), 0);
  const record = messageOf(to({ publish, receivedAt: WRITTEN }, contextAt()));
  return messageOf(restored({ ...record, partition: 0, offset: 0n, timestamp: WRITTEN }));
}

describe("MQTT to Kafka to MQTT", () => {
  /** A legal PUBLISH: no wildcard in the Response Topic, and an interval that has not run out. */
  const legal = anyPublish.map((publish): Publish => {
    const { responseTopic, messageExpiryInterval, ...rest } = publish.properties;
    return {
      ...publish,
      properties: {
        ...rest,
        ...(responseTopic ? { responseTopic: responseTopic.replaceAll(/[+#]/g, "_") } : {}),
        ...(messageExpiryInterval ? { messageExpiryInterval } : {}),
      },
    };
  });
  /** User Properties with the names of everything that the bridge writes itself. */
  const tricky = fc.array(
    fc.tuple(
      fc.constantFrom(
        "MQTT Topic",
        "Content Type",
        "Message Expiry Interval",
        "Key",
        "Timestamp",
        "",
      ),
      fc.constantFrom("0", "1", "60", "a/b", "", "\u0080", "\u{1f600}"),
    ),
  );

  test("loses nothing with restore on: properties, order, duplicates, payload (S-24)", () => {
    fc.assert(
      fc.property(legal, tricky, (publish, more) => {
        const { properties } = publish;
        const userProperties = [...properties.userProperties, ...more];
        const whole = { ...publish, properties: { ...properties, userProperties } };
        const back = thereAndBack(whole);
        expect(back.properties).toEqual(whole.properties);
        expect(back.payload).toEqual(whole.payload);
      }),
      { numRuns: 1000 },
    );
  });

  test("without restore the headers arrive as User Properties (S-20)", () => {
    const publish = publishOf({ properties: { contentType: "text/plain" } });
    const record = messageOf(
      publishToRecord(mqttToKafkaRoute(), 0)({ publish, receivedAt: WRITTEN }, contextAt()),
    );
    const back = recordToPublish(kafkaToMqttRoute());
    expect(messageOf(back(recordOf({ headers: record.headers }), contextAt())).properties).toEqual({
      userProperties: [
        ["Timestamp", String(WRITTEN)],
        ["Content Type", "text/plain"],
        ["MQTT Topic", "plant/7/temperature"],
      ],
    });
  });
});

describe("recordToPublish() restores a record that came from MQTT", () => {
  test("with its properties real again, and without Key, Timestamp and MQTT Topic (S-24)", () => {
    const correlationData = bytes(0xa1, 1, 0x62);
    const headers = headersOf(
      ["Payload Format Indicator", "1"],
      ["Message Expiry Interval", "60"],
      ["Response Topic", "answers"],
      ["Correlation Data", correlationData],
      ["Content Type", "text/plain"],
      ["MQTT Topic", "a/b"],
      ["", "no name"],
      ["Content Type", "mine"],
      ["MQTT Topic", "mine"],
    );
    expect(propertiesOf({ key: utf8("a/b"), headers })).toEqual({
      payloadFormatIndicator: 1,
      messageExpiryInterval: 60,
      responseTopic: "answers",
      correlationData,
      contentType: "text/plain",
      userProperties: [
        ["", "no name"],
        ["Content Type", "mine"],
        ["MQTT Topic", "mine"],
      ],
    });
  });

  test("and takes no header behind MQTT Topic for a built-in (S-24)", () => {
    const headers = headersOf(["MQTT Topic", "a"], ["Content Type", "mine"], ["", "no name"]);
    expect(propertiesOf({ headers })).toEqual({
      userProperties: [
        ["Content Type", "mine"],
        ["", "no name"],
      ],
    });
  });

  test("and keeps what others have put before it as User Properties (S-24)", () => {
    const headers = headersOf(["trace", "1"], ["Content Type", "text/plain"], ["MQTT Topic", "a"]);
    expect(propertiesOf({ headers })).toEqual({
      contentType: "text/plain",
      userProperties: [["trace", "1"]],
    });
  });
});

describe("recordToPublish() restores a record of another producer", () => {
  test("wherever its headers stand, the first of each name, and adds Key and Timestamp (S-20, S-24)", () => {
    const headers = headersOf(
      ["a", "1"],
      ["Content Type", "text/plain"],
      ["b", "2"],
      ["Content Type", "second"],
      ["Payload Format Indicator", "0"],
    );
    expect(propertiesOf({ key: utf8("k"), headers })).toEqual({
      contentType: "text/plain",
      payloadFormatIndicator: 0,
      userProperties: [
        ["Key", "k"],
        ["Timestamp", String(WRITTEN)],
        ["a", "1"],
        ["b", "2"],
        ["Content Type", "second"],
      ],
    });
  });

  test("and removes a header without a name as ever (S-21)", () => {
    expect(restored({ headers: headersOf(["", "v"]) })).toMatchObject({
      removed: [{ header: "", reason: "empty_name" }],
    });
  });

  test("with the values decoded that Event Hubs has encoded (S-22, S-24)", () => {
    const value = Uint8Array.from([0xa1, 10, ...utf8("text/plain")]);
    expect(propertiesOf({ headers: headersOf(["Content Type", value]) }).contentType).toBe(
      "text/plain",
    );
    const { contentType } = propertiesOf(
      { headers: headersOf(["Content Type", value]) },
      { amqpHeaders: "Never" },
    );
    expect(contentType).toBeUndefined();
  });

  const longest = "x".repeat(65_535);
  const invalid: [name: string, value: string | Uint8Array | null, why: string][] = [
    ["Payload Format Indicator", "2", "is neither 0 nor 1"],
    ["Payload Format Indicator", "", "is neither 0 nor 1"],
    ["Payload Format Indicator", "01", "is neither 0 nor 1"],
    ["Payload Format Indicator", null, "has no value"],
    ["Message Expiry Interval", "abc", "is no number"],
    ["Message Expiry Interval", "", "is no number"],
    ["Message Expiry Interval", "-1", "is negative"],
    ["Message Expiry Interval", "1.5", "is not whole"],
    ["Message Expiry Interval", "60 ", "is not digits alone"],
    ["Message Expiry Interval", "x60", "is not digits alone"],
    ["Message Expiry Interval", "4294967296", "takes more than four bytes"],
    ["Message Expiry Interval", "00000000060", "has too many digits"],
    ["Response Topic", "a/#", "has a wildcard [MQTT-3.3.2-14]"],
    ["Response Topic", "", "is no Topic Name"],
    ["Correlation Data", `${longest}x`, "is too long"],
    ["Content Type", `${longest}x`, "is too long"],
    ["Content Type", bytes(0xff), "is no UTF-8"],
  ];
  test.each(invalid)("%s = %j %s: an ordinary header (S-24)", (name, value) => {
    const translation = restored({ headers: headersOf([name, value]), timestamp: -1 });
    const ordinary = recordToPublish(kafkaToMqttRoute())(
      recordOf({ headers: headersOf([name, value]), timestamp: -1 }),
      contextAt(),
    );
    expect(translation).toEqual(ordinary);
  });

  test("takes the first valid one of a name (S-24)", () => {
    const headers = headersOf(
      ["Message Expiry Interval", "abc"],
      ["Message Expiry Interval", "60"],
    );
    expect(propertiesOf({ headers, timestamp: -1 })).toEqual({
      messageExpiryInterval: 60,
      userProperties: [["Message Expiry Interval", "abc"]],
    });
  });

  test.each([
    ["Correlation Data", longest],
    ["Content Type", longest],
    ["Content Type", ""],
    ["Response Topic", longest],
  ])("%s = %.5s is as long as it may be (S-24)", (name, value) => {
    expect(
      propertiesOf({ headers: headersOf([name, value]), timestamp: -1 }).userProperties,
    ).toEqual([]);
  });
});

describe("recordToPublish() and a restored Message Expiry Interval", () => {
  const headers = (interval: string): KafkaRecord["headers"] =>
    headersOf(["Message Expiry Interval", interval]);

  test.each([
    ["60", 0, 60],
    ["60", 999, 60],
    ["60", 1000, 59],
    ["60", 59_999, 1],
    ["60", -5000, 60],
    ["4294967295", 0, 4_294_967_295],
    ["0000000060", 0, 60],
  ])("%s s read %d ms after the record was written: %d (S-24)", (interval, afterMs, left) => {
    expect(propertiesOf({ headers: headers(interval) }, {}, afterMs).messageExpiryInterval).toBe(
      left,
    );
  });

  test.each([
    ["60", 60_000, WRITTEN],
    ["60", 3_600_000, WRITTEN],
    ["0", 0, WRITTEN],
    ["0", 0, -1],
    ["1", 0, 0],
  ])("%s s after %d ms of %d: expired, not published (S-24)", (interval, afterMs, timestamp) => {
    expect(restored({ headers: headers(interval), timestamp }, {}, afterMs)).toEqual({
      kind: "expired",
    });
  });

  test("is expired even where the topic would be rejected (S-24)", () => {
    expect(restored({ headers: headers("0"), topic: "+" })).toEqual({ kind: "expired" });
  });

  test("is as it was when the record has no timestamp (S-24)", () => {
    const record = { headers: headers("60"), timestamp: -1 };
    expect(propertiesOf(record, {}, 3_600_000).messageExpiryInterval).toBe(60);
  });

  test("is an ordinary header when restore or copying is off (S-20, S-24)", () => {
    const record = { headers: headers("60"), timestamp: -1 };
    expect(propertiesOf(record, { restoreMqttProperties: false })).toEqual({
      userProperties: [["Message Expiry Interval", "60"]],
    });
    expect(propertiesOf(record, { copyMqttProperties: false })).toEqual({ userProperties: [] });
  });
});
