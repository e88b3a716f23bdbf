import { BridgeError, type ErrorCode } from "../../errors.ts";

/** What one MQTT 5 Reason Code in one kind of packet means to this product. */
export interface ReasonCode {
  readonly reasonCode: number;
  readonly name: string;
  /** Undefined: it reports success. */
  readonly code?: ErrorCode;
  /** Whether the same attempt may succeed later without anybody doing anything. */
  readonly retryable: boolean;
  readonly operator: string;
}

type Row = readonly [number, string, ErrorCode | undefined, boolean, string];
export type AnsweringPacket = "CONNACK" | "PUBACK" | "SUBACK" | "DISCONNECT";

const NOTHING = "Nothing.";
const WAIT = "Wait; look at the broker when it lasts.";
const REPORT = "Report it with the broker's log: one side breaks the protocol.";
const CREDENTIALS = "Correct the credentials, or the broker's users.";
const PERMIT = "Permit it in the broker's access rules, or use another topic.";
const QUOTA = "Wait; raise the broker's quota when it lasts.";

const CONNACK: readonly Row[] = [
  [0x00, "Success", undefined, false, NOTHING],
  [
    0x01,
    "Unacceptable protocol version",
    "MQTT_REFUSED",
    false,
    "Use a broker that speaks MQTT 5.",
  ],
  [0x80, "Unspecified error", "MQTT_UNAVAILABLE", true, WAIT],
  [0x81, "Malformed Packet", "MQTT_REFUSED", false, REPORT],
  [0x82, "Protocol Error", "MQTT_REFUSED", false, REPORT],
  [0x83, "Implementation specific error", "MQTT_UNAVAILABLE", true, WAIT],
  [0x84, "Unsupported Protocol Version", "MQTT_REFUSED", false, "Use a broker that speaks MQTT 5."],
  [0x85, "Client Identifier not valid", "MQTT_REFUSED", false, "Change the client id prefix."],
  [0x86, "Bad User Name or Password", "MQTT_AUTHENTICATION_FAILED", false, CREDENTIALS],
  [0x87, "Not authorized", "MQTT_NOT_AUTHORIZED", false, "Permit this client to connect."],
  [0x88, "Server unavailable", "MQTT_UNAVAILABLE", true, WAIT],
  [0x89, "Server busy", "MQTT_BUSY", true, WAIT],
  [0x8a, "Banned", "MQTT_NOT_AUTHORIZED", false, "Lift the ban on this client."],
  [0x8c, "Bad authentication method", "MQTT_AUTHENTICATION_FAILED", false, CREDENTIALS],
  [0x90, "Topic Name invalid", "MQTT_REFUSED", false, REPORT],
  [
    0x95,
    "Packet too large",
    "MQTT_PACKET_TOO_LARGE",
    false,
    "Shorten the credentials, or raise the broker's limit.",
  ],
  [0x97, "Quota exceeded", "MQTT_BUSY", true, QUOTA],
  [0x99, "Payload format invalid", "MQTT_REFUSED", false, REPORT],
  [0x9a, "Retain not supported", "MQTT_REFUSED", false, REPORT],
  [0x9b, "QoS not supported", "MQTT_REFUSED", false, REPORT],
  [
    0x9c,
    "Use another server",
    "MQTT_REFUSED",
    false,
    "Put the server it names into the manifest for now.",
  ],
  [0x9d, "Server moved", "MQTT_REFUSED", false, "Put the server it names into the manifest."],
  [0x9f, "Connection rate exceeded", "MQTT_BUSY", true, WAIT],
];

const PUBACK: readonly Row[] = [
  [0x00, "Success", undefined, false, NOTHING],
  [0x10, "No matching subscribers", undefined, false, NOTHING],
  [0x80, "Unspecified error", "MQTT_UNAVAILABLE", true, WAIT],
  [0x83, "Implementation specific error", "MQTT_UNAVAILABLE", true, WAIT],
  [0x87, "Not authorized", "MQTT_NOT_AUTHORIZED", false, PERMIT],
  [
    0x90,
    "Topic Name invalid",
    "MQTT_REFUSED",
    false,
    "Change the topic template: the broker does not take this name.",
  ],
  [0x91, "Packet identifier in use", "MQTT_UNAVAILABLE", true, WAIT],
  [0x97, "Quota exceeded", "MQTT_BUSY", true, QUOTA],
  [
    0x99,
    "Payload format invalid",
    "MQTT_REFUSED",
    false,
    "Correct what writes this payload: it is not what its indicator says.",
  ],
];

const SUBACK: readonly Row[] = [
  [0x00, "Granted QoS 0", undefined, false, NOTHING],
  [0x01, "Granted QoS 1", undefined, false, NOTHING],
  [0x02, "Granted QoS 2", undefined, false, NOTHING],
  [0x80, "Unspecified error", "MQTT_UNAVAILABLE", true, WAIT],
  [0x83, "Implementation specific error", "MQTT_UNAVAILABLE", true, WAIT],
  [0x87, "Not authorized", "MQTT_NOT_AUTHORIZED", false, PERMIT],
  [0x8f, "Topic Filter invalid", "MQTT_REFUSED", false, "Correct the Topic Filter."],
  [0x91, "Packet Identifier in use", "MQTT_UNAVAILABLE", true, WAIT],
  [0x97, "Quota exceeded", "MQTT_BUSY", true, QUOTA],
  [
    0x9e,
    "Shared Subscriptions not supported",
    "MQTT_REFUSED",
    false,
    "Use one instance and no shared subscription, or another broker.",
  ],
  [0xa1, "Subscription Identifiers not supported", "MQTT_REFUSED", false, REPORT],
  [
    0xa2,
    "Wildcard Subscriptions not supported",
    "MQTT_REFUSED",
    false,
    "List the topics without wildcards, or use another broker.",
  ],
];

const DISCONNECT: readonly Row[] = [
  [0x00, "Normal disconnection", "MQTT_UNAVAILABLE", true, WAIT],
  [0x04, "Disconnect with Will Message", "MQTT_UNAVAILABLE", true, WAIT],
  [0x80, "Unspecified error", "MQTT_UNAVAILABLE", true, WAIT],
  [0x81, "Malformed Packet", "MQTT_REFUSED", true, REPORT],
  [0x82, "Protocol Error", "MQTT_REFUSED", true, REPORT],
  [0x83, "Implementation specific error", "MQTT_UNAVAILABLE", true, WAIT],
  [
    0x87,
    "Not authorized",
    "MQTT_NOT_AUTHORIZED",
    false,
    "Renew the credentials, or permit what this client does.",
  ],
  [0x89, "Server busy", "MQTT_BUSY", true, WAIT],
  [0x8b, "Server shutting down", "MQTT_UNAVAILABLE", true, WAIT],
  [
    0x8d,
    "Keep Alive timeout",
    "MQTT_UNAVAILABLE",
    true,
    "Lengthen the keep alive when the network is slow.",
  ],
  [
    0x8e,
    "Session taken over",
    "MQTT_REFUSED",
    true,
    "Stop the other client that uses the same Client Identifier.",
  ],
  [0x8f, "Topic Filter invalid", "MQTT_REFUSED", false, "Correct the Topic Filter."],
  [
    0x90,
    "Topic Name invalid",
    "MQTT_REFUSED",
    true,
    "Change the topic template: the broker does not take this name.",
  ],
  [0x93, "Receive Maximum exceeded", "MQTT_REFUSED", true, REPORT],
  [0x94, "Topic Alias invalid", "MQTT_REFUSED", true, REPORT],
  [
    0x95,
    "Packet too large",
    "MQTT_PACKET_TOO_LARGE",
    true,
    "Send smaller messages, or raise the broker's limit.",
  ],
  [0x96, "Message rate too high", "MQTT_BUSY", true, QUOTA],
  [0x97, "Quota exceeded", "MQTT_BUSY", true, QUOTA],
  [
    0x98,
    "Administrative action",
    "MQTT_UNAVAILABLE",
    true,
    "Ask who closed the connection at the broker.",
  ],
  [
    0x99,
    "Payload format invalid",
    "MQTT_REFUSED",
    true,
    "Correct what writes this payload: it is not what its indicator says.",
  ],
  [0x9a, "Retain not supported", "MQTT_REFUSED", true, "Turn retain off for this route."],
  [0x9b, "QoS not supported", "MQTT_REFUSED", true, "Lower the QoS of this route."],
  [
    0x9c,
    "Use another server",
    "MQTT_REFUSED",
    false,
    "Put the server it names into the manifest for now.",
  ],
  [0x9d, "Server moved", "MQTT_REFUSED", false, "Put the server it names into the manifest."],
  [
    0x9e,
    "Shared Subscriptions not supported",
    "MQTT_REFUSED",
    false,
    "Use one instance and no shared subscription, or another broker.",
  ],
  [0x9f, "Connection rate exceeded", "MQTT_BUSY", true, WAIT],
  [0xa0, "Maximum connect time", "MQTT_UNAVAILABLE", true, NOTHING],
  [0xa1, "Subscription Identifiers not supported", "MQTT_REFUSED", false, REPORT],
  [
    0xa2,
    "Wildcard Subscriptions not supported",
    "MQTT_REFUSED",
    false,
    "List the topics without wildcards, or use another broker.",
  ],
];

/** Every MQTT 5 Reason Code that a server may send, by the packet it comes in. */
export const REASON_CODES: Readonly<Record<AnsweringPacket, ReadonlyMap<number, ReasonCode>>> = {
  CONNACK: byCode(CONNACK),
  PUBACK: byCode(PUBACK),
  SUBACK: byCode(SUBACK),
  DISCONNECT: byCode(DISCONNECT),
};

function byCode(rows: readonly Row[]): ReadonlyMap<number, ReasonCode> {
  return new Map(
    rows.map(([reasonCode, name, code, retryable, operator]) => [
      reasonCode,
      { reasonCode, name, ...(code === undefined ? {} : { code }), retryable, operator },
    ]),
  );
}

/** DISCONNECT reasons that one of our messages may have caused: sent again after a reconnect, it would cause them again. */
export const BLAMES_A_MESSAGE: ReadonlySet<number> = new Set([
  0x81, 0x82, 0x90, 0x95, 0x99, 0x9a, 0x9b,
]);

/** Session taken over: to fight for the session would throw both clients out in turns. */
export const SESSION_TAKEN_OVER = 0x8e;

/** What a server answered, and to what. */
export interface Answer {
  readonly packet: AnsweringPacket;
  readonly reasonCode: number;
  readonly reasonString?: string;
  readonly serverReference?: string;
}

/** The error a Reason Code stands for, or undefined when it reports success. An unknown one of 0x80 or above may pass. */
export function reasonError(answer: Answer, doing: string): BridgeError | undefined {
  const known = REASON_CODES[answer.packet].get(answer.reasonCode);
  const success = known === undefined ? answer.reasonCode < 0x80 : known.code === undefined;
  if (success && answer.packet !== "DISCONNECT") return undefined;
  const hex = `0x${answer.reasonCode.toString(16).toUpperCase().padStart(2, "0")}`;
  const said = answer.reasonString === undefined ? "" : ` ("${answer.reasonString}")`;
  const server = answer.serverReference === undefined ? "" : `, server "${answer.serverReference}"`;
  const what = `${known?.name ?? "unknown Reason Code"}${said}${server}`;
  const operator = known === undefined || known.operator === NOTHING ? "" : `. ${known.operator}`;
  return new BridgeError(
    known?.code ?? "MQTT_REFUSED",
    `${doing}: ${answer.packet} ${hex} ${what}${operator}`,
    { retryable: known?.retryable ?? true },
  );
}
