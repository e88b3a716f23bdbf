import fc from "fast-check";
import type { Publish, PublishProperties, UserProperty } from "../../shared/model/publish.ts";

/** A PUBLISH in which only what a test is about is named. */
export function publishOf(
  over: Partial<Omit<Publish, "properties">> & { properties?: Partial<PublishProperties> } = {},
): Publish {
  const { properties, ...rest } = over;
  return {
    topicName: "plant/7/temperature",
    payload: Buffer.from("21.5"),
    qos: 1,
    retain: false,
    ...rest,
    properties: { userProperties: [], ...properties },
  };
}

/** Text as MQTT allows it: no U+0000, no lone surrogates. */
const text = fc
  .oneof(fc.string({ maxLength: 80 }), fc.string({ unit: "grapheme", maxLength: 30 }))
  .map((value) => Buffer.from(value.replaceAll("\0", "")).toString());

const userProperty: fc.Arbitrary<UserProperty> = fc.tuple(
  fc.oneof(text, fc.constantFrom("constructor", "__proto__", "1", "Key", "")),
  text,
);

export const anyPublish: fc.Arbitrary<Publish> = fc.record({
  topicName: text.map((value) => `t${value.replaceAll(/[+#]/gu, "/")}`),
  payload: fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes) as Uint8Array),
  qos: fc.constantFrom(0, 1),
  retain: fc.boolean(),
  properties: fc.record(
    {
      payloadFormatIndicator: fc.constantFrom<(0 | 1)[]>(0, 1),
      messageExpiryInterval: fc.nat(0xffff_ffff),
      responseTopic: text,
      correlationData: fc
        .uint8Array({ maxLength: 40 })
        .map((bytes) => Buffer.from(bytes) as Uint8Array),
      contentType: text,
      userProperties: fc.array(userProperty, { maxLength: 8 }),
    },
    { requiredKeys: ["userProperties"] },
  ),
});
