import { describe, expect, test } from "vitest";
import {
  type AnsweringPacket,
  REASON_CODES,
} from "../../../shared/adapters/mqtt/mqtt-reason-code-table.ts";
import { reasonError } from "../../../shared/adapters/mqtt/mqtt-reason-codes.ts";
import { EXPECTED, expectedOf } from "../../support/reason-codes.ts";

const packets = Object.keys(EXPECTED) as AnsweringPacket[];
const cases = packets.flatMap((packet) => expectedOf(packet).map((row) => ({ packet, ...row })));

/** MQTT 5 section 2.4, table 2-6: the codes of each packet that a server may send to this product. */
const STANDARD: Readonly<Record<AnsweringPacket, readonly number[]>> = {
  CONNACK: [
    0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c, 0x90, 0x95, 0x97,
    0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9f,
  ],
  PUBACK: [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99],
  SUBACK: [0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2],
  DISCONNECT: [
    0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8b, 0x8d, 0x8e, 0x8f, 0x90, 0x93, 0x94, 0x95,
    0x96, 0x97, 0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2,
  ],
};

describe("reasonError()", () => {
  test.each(cases)("$packet $hex is $code: $verdict (S-54)", (row) => {
    const { packet, reasonCode, code, verdict } = row;
    expect(REASON_CODES[packet].get(reasonCode)?.verdict).toBe(verdict);
    const error = reasonError({ packet, reasonCode }, "Cannot go on");
    if (verdict === "success") expect(error).toBeUndefined();
    else {
      const final = packet === "PUBACK" ? "dead-letter" : "stop";
      expect(error).toMatchObject({ code, retryable: verdict !== final });
    }
  });

  test.each(packets)("every Reason Code that the standard has in %s has a row", (packet) => {
    const besides = packet === "CONNACK" ? [0x01] : [];
    expect(new Set(REASON_CODES[packet].keys())).toEqual(
      new Set([...STANDARD[packet], ...besides]),
    );
    expect([...REASON_CODES[packet].keys()]).toEqual(EXPECTED[packet].map(([code]) => code));
  });

  test.each(packets)("every row of %s that is no success says what an operator does", (packet) => {
    for (const { verdict, operator, reasonCode } of REASON_CODES[packet].values()) {
      const nothingToDo = verdict === "success" || reasonCode === 0xa0;
      expect(operator).toMatch(nothingToDo ? /^$/u : /^[A-Z].+\.$/u);
    }
  });

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
    { packet: "PUBACK", reasonCode: 0x7f, want: undefined },
    { packet: "PUBACK", reasonCode: 0xf0, want: { code: "MQTT_REFUSED", retryable: true } },
    { packet: "PUBACK", reasonCode: 0x89, want: { code: "MQTT_BUSY", retryable: true } },
    {
      packet: "PUBACK",
      reasonCode: 0x95,
      want: { code: "MQTT_PACKET_TOO_LARGE", retryable: false },
    },
    { packet: "PUBACK", reasonCode: 0x9e, want: { code: "MQTT_REFUSED", retryable: true } },
    { packet: "SUBACK", reasonCode: 0x95, want: { retryable: true } },
    { packet: "CONNACK", reasonCode: 0x8b, want: { code: "MQTT_UNAVAILABLE", retryable: true } },
  ] as const)(
    "takes $packet $reasonCode, which the standard does not have, for what it says elsewhere",
    ({ packet, reasonCode, want }) => {
      const error = reasonError({ packet, reasonCode }, "Cannot publish");
      if (want === undefined) expect(error).toBeUndefined();
      else expect(error).toMatchObject(want);
    },
  );
});
