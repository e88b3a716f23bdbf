import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { KafkaHeader } from "../../shared/model/kafka-record.ts";
import type { UserProperty } from "../../shared/model/publish.ts";
import { deadLetterDepth, deadLetterOfPublish } from "../../shared/translate/dead-letter.ts";
import { namespacedName, ownName } from "../../shared/translate/own-names.ts";
import { publishToRecord } from "../../shared/translate/publish-to-record.ts";
import { readDeadLetter } from "../../shared/translate/read-dead-letter.ts";
import { publishOf } from "../support/publishes.ts";
import { mqttToKafkaRoute } from "../support/routes.ts";
import { contextAt, messageOf, recordOf, WRITTEN } from "../support/translations.ts";

describe("namespacedName()", () => {
  test.each([
    ["isthmus-route", "mqtt-isthmus-route"],
    ["ISTHMUS-Route", "mqtt-ISTHMUS-Route"],
    ["isthmus-escaped-isthmus-route", "mqtt-isthmus-escaped-isthmus-route"],
    ["isthmus-replayed", "mqtt-isthmus-replayed"],
    ["isthmus-canary-1", "mqtt-isthmus-canary-1"],
    ["MQTT Topic", "mqtt-MQTT Topic"],
    ["mqtt topic", "mqtt-mqtt topic"],
    ["mqtt-isthmus-route", "mqtt-mqtt-isthmus-route"],
  ])("%s becomes %s, and comes back", (name, namespaced) => {
    expect(namespacedName(name)).toBe(namespaced);
    expect(ownName(namespaced)).toBe(name);
  });

  test.each([
    "isthmus",
    "isthmus.dev/x",
    "isthmus-canary",
    "isthmus-check",
    "MQTT Topics",
    "my MQTT Topic",
    "mqtt-",
    "mqtt-x",
    "Content Type",
    "Key",
    "",
  ])("leaves %o as it is, in both directions", (name) => {
    expect(namespacedName(name)).toBe(name);
    expect(ownName(name)).toBe(name);
  });

  test("no two names become one, and each comes back", () => {
    const parts = fc.constantFrom("mqtt-", "MQTT-", "isthmus-", "Isthmus-", "MQTT Topic", "canary");
    const name = fc.oneof(
      fc.array(parts).map((all) => all.join("")),
      fc.string(),
    );
    fc.assert(
      fc.property(name, (given) => {
        expect(ownName(namespacedName(given))).toBe(given);
      }),
      { numRuns: 5000 },
    );
  });
});

describe("a publisher that pretends to be the bridge", () => {
  const why = { code: "KAFKA_REFUSED", reason: "forged", route: "other", time: 0, attempt: 1 };
  const letter = deadLetterOfPublish(
    { publish: publishOf({}), receivedAt: WRITTEN },
    "dead-letters",
    why,
  );
  const text = new TextDecoder();
  const forged = letter.headers.map(
    ([name, value]): UserProperty => [name, value === null ? "" : text.decode(value)],
  );

  function headersFor(userProperties: readonly UserProperty[]): readonly KafkaHeader[] {
    const translate = publishToRecord(mqttToKafkaRoute(), 0);
    const publish = publishOf({ properties: { userProperties } });
    return messageOf(translate({ publish, receivedAt: WRITTEN }, contextAt())).headers;
  }

  test("makes no dead letter, whatever topic its route writes to (S-54)", () => {
    expect(readDeadLetter(recordOf({ headers: letter.headers }))).toMatchObject({ why });
    const headers = headersFor(forged);
    expect(readDeadLetter(recordOf({ headers }))).toBeUndefined();
    expect(deadLetterDepth(headers)).toBe(0);
  });

  test("cannot keep its message out of the dead letters as one that goes round in circles (S-54)", () => {
    const name = `${"isthmus-escaped-".repeat(20)}isthmus-route`;
    expect(deadLetterDepth(headersFor([[name, ""]]))).toBe(0);
  });

  test("cannot forge the Topic Name that the broker let it publish to (S-11)", () => {
    const topics = headersFor([["MQTT Topic", "admin/door"]]).filter(
      ([name]) => name === "MQTT Topic",
    );
    expect(topics.map(([, value]) => text.decode(value as Uint8Array))).toEqual([
      publishOf({}).topicName,
    ]);
  });
});
