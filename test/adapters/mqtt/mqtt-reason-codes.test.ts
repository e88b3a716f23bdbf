import { describe, expect, test } from "vitest";
import {
  type AnsweringPacket,
  REASON_CODES,
  reasonError,
} from "../../../shared/adapters/mqtt/mqtt-reason-codes.ts";
import type { ErrorCode } from "../../../shared/errors.ts";

type Row = readonly [code: number, error: ErrorCode | "success", retryable: boolean];

/** MQTT 5 sections 3.2.2.2, 3.4.2.1, 3.9.3 and 3.14.2.1: every Reason Code a server may send. */
const rows: Readonly<Record<AnsweringPacket, readonly Row[]>> = {
  CONNACK: [
    [0x00, "success", false],
    [0x01, "MQTT_REFUSED", false],
    [0x80, "MQTT_UNAVAILABLE", true],
    [0x81, "MQTT_REFUSED", false],
    [0x82, "MQTT_REFUSED", false],
    [0x83, "MQTT_UNAVAILABLE", true],
    [0x84, "MQTT_REFUSED", false],
    [0x85, "MQTT_REFUSED", false],
    [0x86, "MQTT_AUTHENTICATION_FAILED", false],
    [0x87, "MQTT_NOT_AUTHORIZED", false],
    [0x88, "MQTT_UNAVAILABLE", true],
    [0x89, "MQTT_BUSY", true],
    [0x8a, "MQTT_NOT_AUTHORIZED", false],
    [0x8c, "MQTT_AUTHENTICATION_FAILED", false],
    [0x90, "MQTT_REFUSED", false],
    [0x95, "MQTT_PACKET_TOO_LARGE", false],
    [0x97, "MQTT_BUSY", true],
    [0x99, "MQTT_REFUSED", false],
    [0x9a, "MQTT_REFUSED", false],
    [0x9b, "MQTT_REFUSED", false],
    [0x9c, "MQTT_REFUSED", false],
    [0x9d, "MQTT_REFUSED", false],
    [0x9f, "MQTT_BUSY", true],
  ],
  PUBACK: [
    [0x00, "success", false],
    [0x10, "success", false],
    [0x80, "MQTT_UNAVAILABLE", true],
    [0x83, "MQTT_UNAVAILABLE", true],
    [0x87, "MQTT_NOT_AUTHORIZED", false],
    [0x90, "MQTT_REFUSED", false],
    [0x91, "MQTT_UNAVAILABLE", true],
    [0x97, "MQTT_BUSY", true],
    [0x99, "MQTT_REFUSED", false],
  ],
  SUBACK: [
    [0x00, "success", false],
    [0x01, "success", false],
    [0x02, "success", false],
    [0x80, "MQTT_UNAVAILABLE", true],
    [0x83, "MQTT_UNAVAILABLE", true],
    [0x87, "MQTT_NOT_AUTHORIZED", false],
    [0x8f, "MQTT_REFUSED", false],
    [0x91, "MQTT_UNAVAILABLE", true],
    [0x97, "MQTT_BUSY", true],
    [0x9e, "MQTT_REFUSED", false],
    [0xa1, "MQTT_REFUSED", false],
    [0xa2, "MQTT_REFUSED", false],
  ],
  DISCONNECT: [
    [0x00, "MQTT_UNAVAILABLE", true],
    [0x04, "MQTT_UNAVAILABLE", true],
    [0x80, "MQTT_UNAVAILABLE", true],
    [0x81, "MQTT_REFUSED", true],
    [0x82, "MQTT_REFUSED", true],
    [0x83, "MQTT_UNAVAILABLE", true],
    [0x87, "MQTT_NOT_AUTHORIZED", false],
    [0x89, "MQTT_BUSY", true],
    [0x8b, "MQTT_UNAVAILABLE", true],
    [0x8d, "MQTT_UNAVAILABLE", true],
    [0x8e, "MQTT_REFUSED", true],
    [0x8f, "MQTT_REFUSED", false],
    [0x90, "MQTT_REFUSED", true],
    [0x93, "MQTT_REFUSED", true],
    [0x94, "MQTT_REFUSED", true],
    [0x95, "MQTT_PACKET_TOO_LARGE", true],
    [0x96, "MQTT_BUSY", true],
    [0x97, "MQTT_BUSY", true],
    [0x98, "MQTT_UNAVAILABLE", true],
    [0x99, "MQTT_REFUSED", true],
    [0x9a, "MQTT_REFUSED", true],
    [0x9b, "MQTT_REFUSED", true],
    [0x9c, "MQTT_REFUSED", false],
    [0x9d, "MQTT_REFUSED", false],
    [0x9e, "MQTT_REFUSED", false],
    [0x9f, "MQTT_BUSY", true],
    [0xa0, "MQTT_UNAVAILABLE", true],
    [0xa1, "MQTT_REFUSED", false],
    [0xa2, "MQTT_REFUSED", false],
  ],
};

const packets = Object.keys(rows) as AnsweringPacket[];
const cases = packets.flatMap((packet) =>
  rows[packet].map(([reasonCode, code, retryable]) => ({
    packet,
    hex: `0x${reasonCode.toString(16)}`,
    reasonCode,
    code,
    retryable,
  })),
);

describe("reasonError()", () => {
  test.each(cases)("$packet $hex is $code, retryable $retryable (S-54)", (row) => {
    const error = reasonError(row, "Cannot go on");
    if (row.code === "success") expect(error).toBeUndefined();
    else expect(error).toMatchObject({ code: row.code, retryable: row.retryable });
  });

  test.each(packets)(
    "every Reason Code of %s has a row here and says what an operator does",
    (packet) => {
      expect([...REASON_CODES[packet].keys()]).toEqual(rows[packet].map(([code]) => code));
      for (const { operator } of REASON_CODES[packet].values()) expect(operator).toMatch(/\.$/u);
    },
  );

  test("names the code, what the server said and what to do", () => {
    const error = reasonError(
      { packet: "CONNACK", reasonCode: 0x9d, reasonString: "moved", serverReference: "b:1883" },
      'Cannot connect to "mqtt://a:1883"',
    );
    expect(error?.message).toBe(
      'Cannot connect to "mqtt://a:1883": CONNACK 0x9D Server moved ("moved"), server "b:1883". Put the server it names into the manifest.',
    );
  });

  test.each([
    { reasonCode: 0x7f, want: undefined },
    { reasonCode: 0xf0, want: { code: "MQTT_REFUSED", retryable: true } },
  ])("takes an unknown Reason Code $reasonCode for what its range says", ({ reasonCode, want }) => {
    const error = reasonError({ packet: "PUBACK", reasonCode }, "Cannot publish");
    if (want === undefined) expect(error).toBeUndefined();
    else expect(error).toMatchObject(want);
  });
});
