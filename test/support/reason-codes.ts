import type { AnsweringPacket } from "../../shared/adapters/mqtt/mqtt-reason-code-table.ts";
import type { ErrorCode, Verdict } from "../../shared/errors.ts";

type Row = readonly [reasonCode: number, verdict: Verdict | "success", code: ErrorCode | undefined];

/**
 * Every Reason Code that a server may send, written down a second time: MQTT 5 sections 3.2.2.2, 3.4.2.1, 3.9.3 and 3.14.2.1,
 * and CONNACK 0x01 of MQTT 3.1.1.
 */
export const EXPECTED: Readonly<Record<AnsweringPacket, readonly Row[]>> = {
  CONNACK: [
    [0x00, "success", undefined],
    [0x01, "stop", "MQTT_REFUSED"],
    [0x80, "retry", "MQTT_UNAVAILABLE"],
    [0x81, "stop", "MQTT_REFUSED"],
    [0x82, "stop", "MQTT_REFUSED"],
    [0x83, "retry", "MQTT_UNAVAILABLE"],
    [0x84, "stop", "MQTT_REFUSED"],
    [0x85, "stop", "MQTT_REFUSED"],
    [0x86, "stop", "MQTT_AUTHENTICATION_FAILED"],
    [0x87, "stop", "MQTT_NOT_AUTHORIZED"],
    [0x88, "retry", "MQTT_UNAVAILABLE"],
    [0x89, "retry", "MQTT_BUSY"],
    [0x8a, "stop", "MQTT_NOT_AUTHORIZED"],
    [0x8c, "stop", "MQTT_AUTHENTICATION_FAILED"],
    [0x90, "stop", "MQTT_REFUSED"],
    [0x95, "stop", "MQTT_PACKET_TOO_LARGE"],
    [0x97, "retry", "MQTT_BUSY"],
    [0x99, "stop", "MQTT_REFUSED"],
    [0x9a, "stop", "MQTT_REFUSED"],
    [0x9b, "stop", "MQTT_REFUSED"],
    [0x9c, "stop", "MQTT_REFUSED"],
    [0x9d, "stop", "MQTT_REFUSED"],
    [0x9f, "retry", "MQTT_BUSY"],
  ],
  PUBACK: [
    [0x00, "success", undefined],
    [0x10, "success", undefined],
    [0x80, "retry", "MQTT_UNAVAILABLE"],
    [0x83, "dead-letter", "MQTT_REFUSED"],
    [0x87, "dead-letter", "MQTT_NOT_AUTHORIZED"],
    [0x90, "dead-letter", "MQTT_REFUSED"],
    [0x91, "retry", "MQTT_UNAVAILABLE"],
    [0x97, "retry", "MQTT_BUSY"],
    [0x99, "dead-letter", "MQTT_REFUSED"],
  ],
  SUBACK: [
    [0x00, "success", undefined],
    [0x01, "success", undefined],
    [0x02, "success", undefined],
    [0x80, "retry", "MQTT_UNAVAILABLE"],
    [0x83, "retry", "MQTT_UNAVAILABLE"],
    [0x87, "stop", "MQTT_NOT_AUTHORIZED"],
    [0x8f, "stop", "MQTT_REFUSED"],
    [0x91, "retry", "MQTT_UNAVAILABLE"],
    [0x97, "retry", "MQTT_BUSY"],
    [0x9e, "stop", "MQTT_REFUSED"],
    [0xa1, "stop", "MQTT_REFUSED"],
    [0xa2, "stop", "MQTT_REFUSED"],
  ],
  DISCONNECT: [
    [0x00, "retry", "MQTT_UNAVAILABLE"],
    [0x04, "retry", "MQTT_UNAVAILABLE"],
    [0x80, "retry", "MQTT_UNAVAILABLE"],
    [0x81, "dead-letter", "MQTT_REFUSED"],
    [0x82, "dead-letter", "MQTT_REFUSED"],
    [0x83, "retry", "MQTT_UNAVAILABLE"],
    [0x87, "dead-letter", "MQTT_NOT_AUTHORIZED"],
    [0x89, "retry", "MQTT_BUSY"],
    [0x8b, "retry", "MQTT_UNAVAILABLE"],
    [0x8d, "retry", "MQTT_UNAVAILABLE"],
    [0x8e, "retry", "MQTT_REFUSED"],
    [0x8f, "stop", "MQTT_REFUSED"],
    [0x90, "dead-letter", "MQTT_REFUSED"],
    [0x93, "retry", "MQTT_REFUSED"],
    [0x94, "retry", "MQTT_REFUSED"],
    [0x95, "dead-letter", "MQTT_PACKET_TOO_LARGE"],
    [0x96, "retry", "MQTT_BUSY"],
    [0x97, "retry", "MQTT_BUSY"],
    [0x98, "retry", "MQTT_UNAVAILABLE"],
    [0x99, "dead-letter", "MQTT_REFUSED"],
    [0x9a, "dead-letter", "MQTT_REFUSED"],
    [0x9b, "dead-letter", "MQTT_REFUSED"],
    [0x9c, "stop", "MQTT_REFUSED"],
    [0x9d, "stop", "MQTT_REFUSED"],
    [0x9e, "stop", "MQTT_REFUSED"],
    [0x9f, "retry", "MQTT_BUSY"],
    [0xa0, "retry", "MQTT_UNAVAILABLE"],
    [0xa1, "stop", "MQTT_REFUSED"],
    [0xa2, "stop", "MQTT_REFUSED"],
  ],
};

export interface ReasonCodeRow {
  readonly hex: string;
  readonly reasonCode: number;
  readonly verdict: Verdict | "success";
  readonly code: ErrorCode | undefined;
}

/** The rows of one packet as test.each takes them. */
export function expectedOf(packet: AnsweringPacket): ReasonCodeRow[] {
  return EXPECTED[packet].map(([reasonCode, verdict, code]) => ({
    hex: `0x${reasonCode.toString(16).padStart(2, "0")}`,
    reasonCode,
    verdict,
    code,
  }));
}
