/** The packets of which an adapter needs the properties: CONNACK, DISCONNECT, PUBACK. Rare ones, so written for clearness. */
import type { Frame } from "./mqtt-frames.ts";
import { TextReader } from "./mqtt-text.ts";

/** What a server said in CONNACK, with MQTT's defaults where it said nothing. */
export interface Connack {
  readonly sessionPresent: boolean;
  readonly reasonCode: number;
  readonly reasonString?: string;
  /** 1 to 65,535. */
  readonly receiveMaximum: number;
  readonly maximumQoS: 0 | 1 | 2;
  readonly retainAvailable: boolean;
  /** Bytes; undefined is no limit. */
  readonly maximumPacketSize?: number;
  readonly assignedClientIdentifier?: string;
  readonly topicAliasMaximum: number;
  readonly wildcardSubscriptionAvailable: boolean;
  readonly sharedSubscriptionAvailable: boolean;
  /** Seconds; undefined is the interval we asked for. */
  readonly serverKeepAlive?: number;
  /** Seconds; undefined is the interval we asked for. */
  readonly sessionExpiryInterval?: number;
  readonly serverReference?: string;
}

export interface Disconnect {
  readonly reasonCode: number;
  readonly reasonString?: string;
  readonly serverReference?: string;
}

export interface Puback {
  readonly packetIdentifier: number;
  readonly reasonCode: number;
  readonly reasonString?: string;
}

type Kind = "byte" | "uint16" | "uint32" | "text" | "binary" | "pair";
type Values = ReadonlyMap<number, number | string>;

const KINDS: Readonly<Record<number, Kind>> = {
  17: "uint32",
  18: "text",
  19: "uint16",
  21: "text",
  22: "binary",
  26: "text",
  28: "text",
  31: "text",
  33: "uint16",
  34: "uint16",
  36: "byte",
  37: "byte",
  38: "pair",
  39: "uint32",
  40: "byte",
  41: "byte",
  42: "byte",
};

const texts = new TextReader();

/** @returns undefined when the packet is malformed. */
export function decodeConnack(frame: Frame): Connack | undefined {
  const { bytes, body, end } = frame;
  if (end - body < 2) return undefined;
  const values = readProperties(bytes, body + 2, end);
  if (values === undefined || values.get(0x21) === 0 || values.get(0x27) === 0) return undefined;
  const maximumQoS = number(values, 0x24) ?? 2;
  if (maximumQoS > 2) return undefined;
  return {
    sessionPresent: ((bytes[body] as number) & 1) === 1,
    reasonCode: bytes[body + 1] as number,
    receiveMaximum: number(values, 0x21) ?? 65_535,
    maximumQoS: maximumQoS as 0 | 1 | 2,
    retainAvailable: values.get(0x25) !== 0,
    topicAliasMaximum: number(values, 0x22) ?? 0,
    wildcardSubscriptionAvailable: values.get(0x28) !== 0,
    sharedSubscriptionAvailable: values.get(0x2a) !== 0,
    ...optional("reasonString", text(values, 0x1f)),
    ...optional("maximumPacketSize", number(values, 0x27)),
    ...optional("assignedClientIdentifier", text(values, 0x12)),
    ...optional("serverKeepAlive", number(values, 0x13)),
    ...optional("sessionExpiryInterval", number(values, 0x11)),
    ...optional("serverReference", text(values, 0x1c)),
  };
}

/** A DISCONNECT without a body is Reason Code 0x00. @returns undefined when the packet is malformed. */
export function decodeDisconnect(frame: Frame): Disconnect | undefined {
  const { bytes, body, end } = frame;
  if (end === body) return { reasonCode: 0 };
  const values = readProperties(bytes, body + 1, end);
  if (values === undefined) return undefined;
  return {
    reasonCode: bytes[body] as number,
    ...optional("reasonString", text(values, 0x1f)),
    ...optional("serverReference", text(values, 0x1c)),
  };
}

/** A PUBACK without a Reason Code is success. @returns undefined when the packet is malformed. */
export function decodePuback(frame: Frame): Puback | undefined {
  const { bytes, body, end } = frame;
  if (end - body < 2) return undefined;
  const packetIdentifier = ((bytes[body] as number) << 8) | (bytes[body + 1] as number);
  if (packetIdentifier === 0) return undefined;
  if (end - body === 2) return { packetIdentifier, reasonCode: 0 };
  const values = readProperties(bytes, body + 3, end);
  if (values === undefined) return undefined;
  const reasonCode = bytes[body + 2] as number;
  return { packetIdentifier, reasonCode, ...optional("reasonString", text(values, 0x1f)) };
}

function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: V });
}

function number(values: Values, identifier: number): number | undefined {
  const value = values.get(identifier);
  return typeof value === "number" ? value : undefined;
}

function text(values: Values, identifier: number): string | undefined {
  const value = values.get(identifier);
  return typeof value === "string" ? value : undefined;
}

/** Properties from `start`, where their length is or, where a packet may end early, nothing. Binary data and User Properties are read over. */
function readProperties(bytes: Buffer, start: number, end: number): Values | undefined {
  const values = new Map<number, number | string>();
  if (start >= end) return values;
  const length = readVarint(bytes, start, end);
  if (length === undefined || length.next + length.value !== end) return undefined;
  let at = length.next;
  while (at < end) {
    const identifier = bytes[at] as number;
    const kind = KINDS[identifier];
    const read = kind === undefined ? undefined : readValue(kind, bytes, at + 1, end);
    if (read === undefined || values.has(identifier)) return undefined;
    if (read.value !== undefined) values.set(identifier, read.value);
    at = read.next;
  }
  return values;
}

interface Read {
  readonly value: number | string | undefined;
  readonly next: number;
}

function readValue(kind: Kind, bytes: Buffer, at: number, end: number): Read | undefined {
  switch (kind) {
    case "byte":
      return at < end ? { value: bytes[at], next: at + 1 } : undefined;
    case "uint16":
      return at + 2 <= end ? { value: bytes.readUInt16BE(at), next: at + 2 } : undefined;
    case "uint32":
      return at + 4 <= end ? { value: bytes.readUInt32BE(at), next: at + 4 } : undefined;
    case "text":
      return readText(bytes, at, end);
    case "binary": {
      const next = at + 2 <= end ? at + 2 + bytes.readUInt16BE(at) : end + 1;
      return next <= end ? { value: undefined, next } : undefined;
    }
    case "pair": {
      const name = readText(bytes, at, end);
      const value = name === undefined ? undefined : readText(bytes, name.next, end);
      return value === undefined ? undefined : { value: undefined, next: value.next };
    }
  }
}

function readText(bytes: Buffer, at: number, end: number): Read | undefined {
  const next = at + 2 <= end ? at + 2 + bytes.readUInt16BE(at) : end + 1;
  if (next > end) return undefined;
  const value = texts.read(bytes, at + 2, next);
  return value === undefined ? undefined : { value, next };
}

function readVarint(
  bytes: Buffer,
  start: number,
  end: number,
): { readonly value: number; readonly next: number } | undefined {
  let value = 0;
  for (let i = 0; i < 4 && start + i < end; i += 1) {
    const byte = bytes[start + i] as number;
    value |= (byte & 127) << (7 * i);
    if (byte < 128) return { value, next: start + i + 1 };
  }
  return undefined;
}
