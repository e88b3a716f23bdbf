import { BridgeError } from "../../errors.ts";
import { type AnsweringPacket, REASON_CODES, type ReasonCode } from "./mqtt-reason-code-table.ts";

/** Session taken over: to fight for the session would throw both clients out in turns. */
export const SESSION_TAKEN_OVER = 0x8e;

/** What a server answered, and to what. */
export interface Answer {
  readonly packet: AnsweringPacket;
  readonly reasonCode: number;
  readonly reasonString?: string;
  readonly serverReference?: string;
}

/** Whether one of our messages may have brought this DISCONNECT about: sent again after a reconnect, it would do so again. */
export function blamesMessage(reasonCode: number): boolean {
  return REASON_CODES.DISCONNECT.get(reasonCode)?.verdict === "dead-letter";
}

/**
 * The error a Reason Code stands for, or undefined when it reports success. Of PUBACK, retryable false means that the message is refused;
 * of the others, that somebody must act.
 */
export function reasonError(answer: Answer, doing: string): BridgeError | undefined {
  const row = rowOf(answer);
  const success = row === undefined ? answer.reasonCode < 0x80 : row.verdict === "success";
  if (success && answer.packet !== "DISCONNECT") return undefined;
  const hex = `0x${answer.reasonCode.toString(16).toUpperCase().padStart(2, "0")}`;
  const said = answer.reasonString === undefined ? "" : ` ("${answer.reasonString}")`;
  const server = answer.serverReference === undefined ? "" : `, server "${answer.serverReference}"`;
  const what = `${row?.name ?? "unknown Reason Code"}${said}${server}`;
  const operator = row === undefined || row.operator === "" ? "" : `. ${row.operator}`;
  const final = answer.packet === "PUBACK" ? "dead-letter" : "stop";
  return new BridgeError(
    row?.code ?? "MQTT_REFUSED",
    `${doing}: ${answer.packet} ${hex} ${what}${operator}`,
    { retryable: row?.verdict !== final },
  );
}

/** A code that the standard does not have in this packet, as Mosquitto's PUBACK 0x95, is taken for what it says in DISCONNECT. */
function rowOf({ packet, reasonCode }: Answer): ReasonCode | undefined {
  const row = REASON_CODES[packet].get(reasonCode);
  if (row !== undefined || reasonCode < 0x80) return row;
  return REASON_CODES.DISCONNECT.get(reasonCode);
}
