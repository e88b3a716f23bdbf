import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Publish } from "../../shared/model/publish.ts";
import { FrameSplitter, LARGEST_PACKET } from "../../shared/wire/mqtt-frames.ts";
import {
  PublishDecoder,
  type PublishFault,
  type ReceivedPublish,
} from "../../shared/wire/mqtt-publish-decoder.ts";
import {
  encodePublish,
  propertiesLength,
  publishProblem,
  publishSize,
} from "../../shared/wire/mqtt-publish-encoder.ts";
import { generatePacket, parsePackets } from "../support/mqtt-packet.ts";
import { anyPublish, publishOf } from "../support/publishes.ts";

interface Sending {
  readonly packetIdentifier: number;
  readonly dup: boolean;
}

const FIRST: Sending = { packetIdentifier: 1, dup: false };

function encode(publish: Publish, sending: Sending = FIRST): Buffer {
  const bytes = Buffer.alloc(publishSize(publish) + 10, 0xee);
  const end = encodePublish(bytes, 3, publish, {
    ...sending,
    propertiesLength: propertiesLength(publish.properties),
  });
  expect(end).toBe(3 + publishSize(publish));
  return bytes.subarray(3, end);
}

function decode(
  bytes: Uint8Array,
  decoder: PublishDecoder = new PublishDecoder(),
): ReceivedPublish | PublishFault {
  const results: (ReceivedPublish | PublishFault)[] = [];
  const splitter = new FrameSplitter(LARGEST_PACKET, (frame) =>
    results.push(decoder.decode(frame)),
  );
  expect(splitter.push(Buffer.from(bytes))).toBeUndefined();
  expect(results).toHaveLength(1);
  return results[0] as ReceivedPublish | PublishFault;
}

/** Body bytes behind a fixed header of PUBLISH, QoS 1 unless `first` says otherwise. */
function raw(body: readonly number[], first = 0x32): Uint8Array {
  return Uint8Array.from([first, body.length, ...body]);
}

const T = [0, 1, 0x74];
const ID = [0, 9];

describe("PUBLISH", () => {
  test("comes back as it went, with order and duplicates of User Properties [MQTT-3.3.2-18]", () => {
    const decoder = new PublishDecoder();
    fc.assert(
      fc.property(
        anyPublish,
        fc.integer({ min: 1, max: 65_535 }),
        fc.boolean(),
        (publish, packetIdentifier, flag) => {
          const dup = flag && publish.qos === 1;
          const received = decode(encode(publish, { packetIdentifier, dup }), decoder);
          expect(received).toEqual({
            kind: "publish",
            publish,
            packetIdentifier: publish.qos === 1 ? packetIdentifier : 0,
            dup,
          });
        },
      ),
      { numRuns: 500 },
    );
  });

  const vectors: { name: string; publish: Publish; identity?: Sending; packet: object }[] = [
    { name: "the least there is", publish: publishOf({ qos: 0 }), packet: { qos: 0 } },
    { name: "QoS 1", publish: publishOf(), packet: { qos: 1, messageId: 1 } },
    {
      name: "retain and DUP",
      publish: publishOf({ retain: true }),
      identity: { packetIdentifier: 65_535, dup: true },
      packet: { qos: 1, messageId: 65_535, retain: true, dup: true },
    },
    {
      name: "every property of the model",
      publish: publishOf({
        properties: {
          payloadFormatIndicator: 1,
          messageExpiryInterval: 4_294_967_295,
          responseTopic: "answers/ü",
          correlationData: Uint8Array.of(0, 255, 7),
          contentType: "application/json",
          userProperties: [
            ["constructor", "a"],
            ["Key", "€uro \u{1f600}"],
            ["long", "x".repeat(300)],
          ],
        },
      }),
      packet: {
        qos: 1,
        messageId: 1,
        properties: {
          payloadFormatIndicator: true,
          messageExpiryInterval: 4_294_967_295,
          responseTopic: "answers/ü",
          correlationData: Buffer.of(0, 255, 7),
          contentType: "application/json",
          userProperties: { constructor: "a", Key: "€uro \u{1f600}", long: "x".repeat(300) },
        },
      },
    },
    {
      name: "a Remaining Length of four bytes",
      publish: publishOf({ payload: Buffer.alloc(2_200_000, 1) }),
      packet: { qos: 1, messageId: 1, payload: Buffer.alloc(2_200_000, 1) },
    },
  ];

  test.each(vectors)(
    "is byte for byte what mqtt-packet writes: $name",
    ({ publish, identity, packet }) => {
      const theirs = generatePacket({
        cmd: "publish",
        topic: publish.topicName,
        payload: Buffer.from("21.5"),
        retain: false,
        dup: false,
        ...packet,
      });
      const ours = encode(publish, identity);
      expect(ours.equals(theirs)).toBe(true);
    },
  );

  test("duplicates of a User Property in any order are read by mqtt-packet too", () => {
    const bytes = encode(
      publishOf({
        properties: {
          userProperties: [
            ["a", "1"],
            ["b", "2"],
            ["a", "3"],
          ],
        },
      }),
    );
    expect(bytes.toString("latin1")).toContain("&\0\x01a\0\x011&\0\x01b\0\x012&\0\x01a\0\x013");
    expect(parsePackets(bytes)[0]).toMatchObject({
      properties: { userProperties: { a: ["1", "3"], b: "2" } },
    });
  });

  test.each([
    { name: "an empty topic", publish: publishOf({ topicName: "" }), want: "Topic Name" },
    { name: "a wildcard", publish: publishOf({ topicName: "a/#" }), want: "Topic Name" },
    { name: "U+0000", publish: publishOf({ topicName: "a\0" }), want: "Topic Name" },
    {
      name: "a value of 65,536 bytes",
      publish: publishOf({ properties: { userProperties: [["a", "ü".repeat(32_768)]] } }),
      want: 'value of User Property "a"',
    },
    {
      name: "a name with U+0000",
      publish: publishOf({ properties: { userProperties: [["a\0", ""]] } }),
      want: "name of User Property",
    },
    {
      name: "a long Content Type",
      publish: publishOf({ properties: { contentType: "x".repeat(65_536) } }),
      want: "Content Type",
    },
    {
      name: "a Response Topic with U+0000",
      publish: publishOf({ properties: { responseTopic: "\0" } }),
      want: "Response Topic",
    },
    {
      name: "long Correlation Data",
      publish: publishOf({ properties: { correlationData: Buffer.alloc(65_536) } }),
      want: "Correlation Data has 65536 bytes",
    },
    {
      name: "a negative expiry",
      publish: publishOf({ properties: { messageExpiryInterval: -1 } }),
      want: "Message Expiry Interval -1",
    },
  ])("cannot hold $name, and says so as a value (S-21, S-32)", ({ publish, want }) => {
    expect(publishSize(publish)).toBe(-1);
    const identity = { ...FIRST, propertiesLength: propertiesLength(publish.properties) };
    expect(encodePublish(Buffer.alloc(1e5), 0, publish, identity)).toBe(-1);
    expect(publishProblem(publish)).toContain(want);
  });

  test("publishProblem() finds nothing in what can be sent", () => {
    fc.assert(fc.property(anyPublish, (publish) => publishProblem(publish) === undefined));
  });

  test.each([
    { name: "QoS 2 (S-5)", bytes: raw([...T, ...ID, 0], 0x34), reasonCode: 0x9b },
    { name: "QoS 3 [MQTT-3.3.1-4]", bytes: raw([...T, ...ID, 0], 0x36), reasonCode: 0x81 },
    { name: "DUP at QoS 0 [MQTT-3.3.1-2]", bytes: raw([...T, 0], 0x38), reasonCode: 0x81 },
    { name: "an empty Topic Name", bytes: raw([0, 0, ...ID, 0]), reasonCode: 0x82 },
    { name: "a wildcard [MQTT-3.3.2-2]", bytes: raw([0, 1, 0x23, ...ID, 0]), reasonCode: 0x90 },
    { name: "Packet Identifier 0 [MQTT-2.2.1-3]", bytes: raw([...T, 0, 0, 0]), reasonCode: 0x82 },
    { name: "a topic that is not UTF-8", bytes: raw([0, 1, 0xff, ...ID, 0]), reasonCode: 0x81 },
    { name: "an overlong NUL", bytes: raw([0, 2, 0xc0, 0x80, ...ID, 0]), reasonCode: 0x81 },
    {
      name: "a surrogate [MQTT-1.5.4-1]",
      bytes: raw([0, 3, 0xed, 0xa0, 0x80, ...ID, 0]),
      reasonCode: 0x81,
    },
    { name: "U+0000 [MQTT-1.5.4-2]", bytes: raw([0, 1, 0, ...ID, 0]), reasonCode: 0x81 },
    { name: "a topic beyond the packet", bytes: raw([0, 9, 0x74]), reasonCode: 0x81 },
    { name: "no Packet Identifier", bytes: raw([...T, 0]), reasonCode: 0x81 },
    { name: "no Property Length", bytes: raw([...T, ...ID]), reasonCode: 0x81 },
    { name: "properties beyond the packet", bytes: raw([...T, ...ID, 5, 1, 1]), reasonCode: 0x81 },
    { name: "an unknown property", bytes: raw([...T, ...ID, 2, 0x7f, 1]), reasonCode: 0x81 },
    { name: "a property of CONNACK", bytes: raw([...T, ...ID, 3, 0x21, 0, 1]), reasonCode: 0x81 },
    { name: "a property twice", bytes: raw([...T, ...ID, 4, 1, 1, 1, 1]), reasonCode: 0x82 },
    { name: "Payload Format Indicator 2", bytes: raw([...T, ...ID, 2, 1, 2]), reasonCode: 0x82 },
    { name: "Subscription Identifier 0", bytes: raw([...T, ...ID, 2, 0x0b, 0]), reasonCode: 0x82 },
    { name: "a Topic Alias", bytes: raw([...T, ...ID, 3, 0x23, 0, 1]), reasonCode: 0x94 },
    { name: "a cut pair", bytes: raw([...T, ...ID, 4, 0x26, 0, 1, 0x61]), reasonCode: 0x81 },
  ])("decode() answers $name with a fault", ({ bytes, reasonCode }) => {
    expect(decode(bytes)).toMatchObject({ kind: "fault", reasonCode });
  });

  test("U+FFFD itself and a byte order mark are text like any other [MQTT-1.5.4-3]", () => {
    const publish = publishOf({ topicName: "\uFEFFa\uFFFD" });
    expect(decode(encode(publish))).toMatchObject({ publish: { topicName: "\uFEFFa\uFFFD" } });
  });

  test("Subscription Identifiers, one or several, are read over (S-10)", () => {
    const bytes = raw([...T, ...ID, 5, 0x0b, 0x81, 0x01, 0x0b, 7]);
    expect(decode(bytes)).toMatchObject({ publish: { properties: { userProperties: [] } } });
  });

  test("decode() is total over arbitrary bodies", () => {
    const decoder = new PublishDecoder();
    fc.assert(
      fc.property(
        fc.constantFrom(0x30, 0x31, 0x32, 0x33, 0x34, 0x36, 0x3a, 0x3f),
        fc.uint8Array({ maxLength: 120 }),
        (first, body) => {
          expect(["publish", "fault"]).toContain(decode(raw([...body], first), decoder).kind);
        },
      ),
      { numRuns: 1000 },
    );
  });

  test("decode() finds a fault or the same message in every one-byte corruption", () => {
    const good = encode(
      publishOf({ properties: { contentType: "a", userProperties: [["k", "v"]] } }),
    );
    fc.assert(
      fc.property(fc.nat(good.length - 3), fc.nat(255), (at, value) => {
        const bytes = Buffer.from(good);
        bytes[at + 2] = value;
        const { body, first } = { body: [...bytes.subarray(2)], first: 0x32 };
        expect(["publish", "fault"]).toContain(decode(raw(body, first)).kind);
      }),
    );
  });
});
