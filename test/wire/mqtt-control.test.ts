import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeConnack, decodeDisconnect, decodePuback } from "../../shared/wire/mqtt-control.ts";
import { type Frame, FrameSplitter, LARGEST_PACKET } from "../../shared/wire/mqtt-frames.ts";
import { encodePuback } from "../../shared/wire/mqtt-publish-encoder.ts";
import { generatePacket, parsePackets } from "../support/mqtt-packet.ts";

function decodeWith<T>(decode: (frame: Frame) => T, bytes: Uint8Array): T {
  const results: T[] = [];
  new FrameSplitter(LARGEST_PACKET, (frame) => results.push(decode(frame))).push(
    Buffer.from(bytes),
  );
  expect(results).toHaveLength(1);
  return results[0] as T;
}

describe("decodeConnack()", () => {
  test("fills in what MQTT 5 says an absent property means", () => {
    expect(decodeWith(decodeConnack, Uint8Array.of(0x20, 3, 0, 0, 0))).toEqual({
      sessionPresent: false,
      reasonCode: 0,
      receiveMaximum: 65_535,
      maximumQoS: 2,
      retainAvailable: true,
      topicAliasMaximum: 0,
      wildcardSubscriptionAvailable: true,
      sharedSubscriptionAvailable: true,
    });
  });

  test("reads every property that bears on us", () => {
    const bytes = generatePacket({
      cmd: "connack",
      sessionPresent: true,
      reasonCode: 0,
      properties: {
        sessionExpiryInterval: 3600,
        receiveMaximum: 20,
        maximumQoS: 1,
        retainAvailable: false,
        maximumPacketSize: 65_536,
        assignedClientIdentifier: "given",
        topicAliasMaximum: 8,
        reasonString: "fine",
        userProperties: { a: "1" },
        wildcardSubscriptionAvailable: false,
        subscriptionIdentifiersAvailable: true,
        sharedSubscriptionAvailable: false,
        serverKeepAlive: 30,
        responseInformation: "r",
        serverReference: "other",
        authenticationMethod: "m",
        authenticationData: Buffer.from("d"),
      },
    });
    expect(decodeWith(decodeConnack, bytes)).toEqual({
      sessionPresent: true,
      reasonCode: 0,
      reasonString: "fine",
      receiveMaximum: 20,
      maximumQoS: 1,
      retainAvailable: false,
      maximumPacketSize: 65_536,
      assignedClientIdentifier: "given",
      topicAliasMaximum: 8,
      wildcardSubscriptionAvailable: false,
      sharedSubscriptionAvailable: false,
      serverKeepAlive: 30,
      sessionExpiryInterval: 3600,
      serverReference: "other",
    });
  });

  test("reads the refusal of a server that speaks only MQTT 3.1.1", () => {
    expect(decodeWith(decodeConnack, Uint8Array.of(0x20, 2, 0, 1))).toMatchObject({
      reasonCode: 1,
    });
  });

  test.each([
    { name: "a Receive Maximum of 0", bytes: [0x20, 6, 0, 0, 3, 0x21, 0, 0] },
    { name: "a property twice", bytes: [0x20, 7, 0, 0, 4, 0x24, 1, 0x24, 1] },
    { name: "a property of PUBLISH", bytes: [0x20, 5, 0, 0, 2, 0x01, 1] },
    { name: "Maximum QoS 3", bytes: [0x20, 5, 0, 0, 2, 0x24, 3] },
    { name: "a cut value", bytes: [0x20, 5, 0, 0, 2, 0x21, 3] },
    { name: "one byte", bytes: [0x20, 1, 0] },
  ])("finds $name malformed", ({ bytes }) => {
    expect(decodeWith(decodeConnack, Uint8Array.from(bytes))).toBeUndefined();
  });
});

describe("decodeDisconnect()", () => {
  test.each([
    { bytes: [0xe0, 0], want: { reasonCode: 0 } },
    { bytes: [0xe0, 1, 0x8e], want: { reasonCode: 0x8e } },
    { bytes: [0xe0, 5, 0x9d, 3, 0x1c, 0, 0], want: { reasonCode: 0x9d, serverReference: "" } },
    { bytes: [0xe0, 3, 0x9d, 9, 0], want: undefined },
  ])("reads $bytes as $want", ({ bytes, want }) => {
    expect(decodeWith(decodeDisconnect, Uint8Array.from(bytes))).toEqual(want);
  });
});

describe("PUBACK", () => {
  test.each([1, 255, 256, 65_535])(
    "encodePuback() acknowledges %i as mqtt-packet reads it",
    (id) => {
      const bytes = Buffer.alloc(6);
      expect(encodePuback(bytes, 1, id)).toBe(5);
      expect(parsePackets(bytes.subarray(1, 5))[0]).toMatchObject({ cmd: "puback", messageId: id });
      expect(decodeWith(decodePuback, bytes.subarray(1, 5))).toEqual({
        packetIdentifier: id,
        reasonCode: 0,
      });
    },
  );

  test("decodePuback() reads Reason Code and Reason String", () => {
    const bytes = generatePacket({
      cmd: "puback",
      messageId: 7,
      reasonCode: 0x97,
      properties: { reasonString: "full", userProperties: { a: "b" } },
    });
    expect(decodeWith(decodePuback, bytes)).toEqual({
      packetIdentifier: 7,
      reasonCode: 0x97,
      reasonString: "full",
    });
  });

  test.each([[[0x40, 1, 0]], [[0x40, 2, 0, 0]], [[0x40, 4, 0, 1, 0, 9]]])(
    "decodePuback() finds %j malformed",
    (bytes) => {
      expect(decodeWith(decodePuback, Uint8Array.from(bytes))).toBeUndefined();
    },
  );
});

test("the control decoders are total over arbitrary bodies", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (body) => {
      const bytes = Uint8Array.from([0x40, body.length, ...body]);
      for (const decode of [decodeConnack, decodeDisconnect, decodePuback]) {
        decodeWith<unknown>(decode, bytes);
      }
    }),
    { numRuns: 1000 },
  );
});
