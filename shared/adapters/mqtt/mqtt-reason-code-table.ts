import type { ErrorCode, Verdict } from "../../errors.ts";

export type AnsweringPacket = "CONNACK" | "PUBACK" | "SUBACK" | "DISCONNECT";

/** What one MQTT 5 Reason Code in one kind of packet means to this product. */
export interface ReasonCode {
  readonly reasonCode: number;
  readonly name: string;
  /**
   * `retry`: it may pass without anybody doing anything. `stop`: somebody must act; a start ends, a running route goes on trying, slowly.
   * `dead-letter`: it is the message that is refused; in DISCONNECT, the one message that brings it about again and again.
   */
  readonly verdict: Verdict | "success";
  /** Undefined of success. */
  readonly code?: ErrorCode;
  /** What somebody does about it, as a sentence; empty when there is nothing to do. */
  readonly operator: string;
}

type Row = readonly [number, string, Verdict | "success", ErrorCode?, string?];

const WAIT = "Wait; look at the broker when it lasts.";
const REPORT = "Report it with the broker's log: one side breaks the protocol.";
const VERSION = "Use a broker that speaks MQTT 5.";
/** Mosquitto and others answer so to a wrong password too. */
const ADMIT = "Correct the credentials, or permit this client to connect.";
const CREDENTIALS = "Correct the credentials, or the broker's users.";
const PERMIT = "Permit it in the broker's access rules, or use another topic.";
const QUOTA = "Wait; raise the broker's quota when it lasts.";
const RULES = "See which rule or plugin of the broker turns this message away.";
const TOPIC = "Change the topic template: the broker does not take this name.";
const PAYLOAD = "Correct what writes this payload: it is not what its indicator says.";
const FILTER = "Correct the Topic Filter.";
const SHARED = "Use one instance and no shared subscription, or another broker.";
const WILDCARD = "List the topics without wildcards, or use another broker.";
const MOVED = "Put the server it names into the manifest.";
const MOVED_FOR_NOW = "Put the server it names into the manifest for now.";
const LONG_CREDENTIALS = "Shorten the credentials, or raise the broker's limit.";
const SMALLER = "Send smaller messages, or raise the broker's limit.";
const RENEW = "Renew the credentials, or permit what this client does.";
const KEEP_ALIVE = "Lengthen the keep alive when the network is slow.";
const OTHER_CLIENT = "Stop the other client that uses the same Client Identifier.";
const ADMINISTRATOR = "Ask who closed the connection at the broker.";

/** Section 3.2.2.2, and 0x01, which is how a server of MQTT 3.1.1 says that it knows no later version. */
const CONNACK: readonly Row[] = [
  [0x00, "Success", "success"],
  [0x01, "Unacceptable protocol version", "stop", "MQTT_REFUSED", VERSION],
  [0x80, "Unspecified error", "retry", "MQTT_UNAVAILABLE", WAIT],
  [0x81, "Malformed Packet", "stop", "MQTT_REFUSED", REPORT],
  [0x82, "Protocol Error", "stop", "MQTT_REFUSED", REPORT],
  [0x83, "Implementation specific error", "retry", "MQTT_UNAVAILABLE", WAIT],
  [0x84, "Unsupported Protocol Version", "stop", "MQTT_REFUSED", VERSION],
  [0x85, "Client Identifier not valid", "stop", "MQTT_REFUSED", "Change the client id prefix."],
  [0x86, "Bad User Name or Password", "stop", "MQTT_AUTHENTICATION_FAILED", CREDENTIALS],
  [0x87, "Not authorized", "stop", "MQTT_NOT_AUTHORIZED", ADMIT],
  [0x88, "Server unavailable", "retry", "MQTT_UNAVAILABLE", WAIT],
  [0x89, "Server busy", "retry", "MQTT_BUSY", WAIT],
  [0x8a, "Banned", "stop", "MQTT_NOT_AUTHORIZED", "Lift the ban on this client."],
  [0x8c, "Bad authentication method", "stop", "MQTT_AUTHENTICATION_FAILED", CREDENTIALS],
  [0x90, "Topic Name invalid", "stop", "MQTT_REFUSED", REPORT],
  [0x95, "Packet too large", "stop", "MQTT_PACKET_TOO_LARGE", LONG_CREDENTIALS],
  [0x97, "Quota exceeded", "retry", "MQTT_BUSY", QUOTA],
  [0x99, "Payload format invalid", "stop", "MQTT_REFUSED", REPORT],
  [0x9a, "Retain not supported", "stop", "MQTT_REFUSED", REPORT],
  [0x9b, "QoS not supported", "stop", "MQTT_REFUSED", REPORT],
  [0x9c, "Use another server", "stop", "MQTT_REFUSED", MOVED_FOR_NOW],
  [0x9d, "Server moved", "stop", "MQTT_REFUSED", MOVED],
  [0x9f, "Connection rate exceeded", "retry", "MQTT_BUSY", WAIT],
];

/** Section 3.4.2.1. 0x83 says that this PUBLISH is valid and not wanted: brokers answer so for what fails their rules. */
const PUBACK: readonly Row[] = [
  [0x00, "Success", "success"],
  [0x10, "No matching subscribers", "success"],
  [0x80, "Unspecified error", "retry", "MQTT_UNAVAILABLE", WAIT],
  [0x83, "Implementation specific error", "dead-letter", "MQTT_REFUSED", RULES],
  [0x87, "Not authorized", "dead-letter", "MQTT_NOT_AUTHORIZED", PERMIT],
  [0x90, "Topic Name invalid", "dead-letter", "MQTT_REFUSED", TOPIC],
  [0x91, "Packet Identifier in use", "retry", "MQTT_UNAVAILABLE", WAIT],
  [0x97, "Quota exceeded", "retry", "MQTT_BUSY", QUOTA],
  [0x99, "Payload format invalid", "dead-letter", "MQTT_REFUSED", PAYLOAD],
];

/** Section 3.9.3. */
const SUBACK: readonly Row[] = [
  [0x00, "Granted QoS 0", "success"],
  [0x01, "Granted QoS 1", "success"],
  [0x02, "Granted QoS 2", "success"],
  [0x80, "Unspecified error", "retry", "MQTT_UNAVAILABLE", WAIT],
  [0x83, "Implementation specific error", "retry", "MQTT_UNAVAILABLE", WAIT],
  [0x87, "Not authorized", "stop", "MQTT_NOT_AUTHORIZED", PERMIT],
  [0x8f, "Topic Filter invalid", "stop", "MQTT_REFUSED", FILTER],
  [0x91, "Packet Identifier in use", "retry", "MQTT_UNAVAILABLE", WAIT],
  [0x97, "Quota exceeded", "retry", "MQTT_BUSY", QUOTA],
  [0x9e, "Shared Subscriptions not supported", "stop", "MQTT_REFUSED", SHARED],
  [0xa1, "Subscription Identifiers not supported", "stop", "MQTT_REFUSED", REPORT],
  [0xa2, "Wildcard Subscriptions not supported", "stop", "MQTT_REFUSED", WILDCARD],
];

/** Section 3.14.2.1. */
const DISCONNECT: readonly Row[] = [
  [0x00, "Normal disconnection", "retry", "MQTT_UNAVAILABLE", WAIT],
  [0x04, "Disconnect with Will Message", "retry", "MQTT_UNAVAILABLE", WAIT],
  [0x80, "Unspecified error", "retry", "MQTT_UNAVAILABLE", WAIT],
  [0x81, "Malformed Packet", "dead-letter", "MQTT_REFUSED", REPORT],
  [0x82, "Protocol Error", "dead-letter", "MQTT_REFUSED", REPORT],
  [0x83, "Implementation specific error", "retry", "MQTT_UNAVAILABLE", WAIT],
  [0x87, "Not authorized", "dead-letter", "MQTT_NOT_AUTHORIZED", RENEW],
  [0x89, "Server busy", "retry", "MQTT_BUSY", WAIT],
  [0x8b, "Server shutting down", "retry", "MQTT_UNAVAILABLE", WAIT],
  [0x8d, "Keep Alive timeout", "retry", "MQTT_UNAVAILABLE", KEEP_ALIVE],
  [0x8e, "Session taken over", "retry", "MQTT_REFUSED", OTHER_CLIENT],
  [0x8f, "Topic Filter invalid", "stop", "MQTT_REFUSED", FILTER],
  [0x90, "Topic Name invalid", "dead-letter", "MQTT_REFUSED", TOPIC],
  [0x93, "Receive Maximum exceeded", "retry", "MQTT_REFUSED", REPORT],
  [0x94, "Topic Alias invalid", "retry", "MQTT_REFUSED", REPORT],
  [0x95, "Packet too large", "dead-letter", "MQTT_PACKET_TOO_LARGE", SMALLER],
  [0x96, "Message rate too high", "retry", "MQTT_BUSY", QUOTA],
  [0x97, "Quota exceeded", "retry", "MQTT_BUSY", QUOTA],
  [0x98, "Administrative action", "retry", "MQTT_UNAVAILABLE", ADMINISTRATOR],
  [0x99, "Payload format invalid", "dead-letter", "MQTT_REFUSED", PAYLOAD],
  [0x9a, "Retain not supported", "dead-letter", "MQTT_REFUSED", "Turn retain off for this route."],
  [0x9b, "QoS not supported", "dead-letter", "MQTT_REFUSED", "Lower the QoS of this route."],
  [0x9c, "Use another server", "stop", "MQTT_REFUSED", MOVED_FOR_NOW],
  [0x9d, "Server moved", "stop", "MQTT_REFUSED", MOVED],
  [0x9e, "Shared Subscriptions not supported", "stop", "MQTT_REFUSED", SHARED],
  [0x9f, "Connection rate exceeded", "retry", "MQTT_BUSY", WAIT],
  [0xa0, "Maximum connect time", "retry", "MQTT_UNAVAILABLE"],
  [0xa1, "Subscription Identifiers not supported", "stop", "MQTT_REFUSED", REPORT],
  [0xa2, "Wildcard Subscriptions not supported", "stop", "MQTT_REFUSED", WILDCARD],
];

/** Every MQTT 5 Reason Code that a server may send, by the packet it comes in. docs/operations.md shows this table. */
export const REASON_CODES: Readonly<Record<AnsweringPacket, ReadonlyMap<number, ReasonCode>>> = {
  CONNACK: byCode(CONNACK),
  PUBACK: byCode(PUBACK),
  SUBACK: byCode(SUBACK),
  DISCONNECT: byCode(DISCONNECT),
};

function byCode(rows: readonly Row[]): ReadonlyMap<number, ReasonCode> {
  return new Map(
    rows.map(([reasonCode, name, verdict, code, operator = ""]) => [
      reasonCode,
      { reasonCode, name, verdict, ...(code === undefined ? {} : { code }), operator },
    ]),
  );
}
