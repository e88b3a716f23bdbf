import type { Publish, UserProperty } from "../model/publish.ts";
import type { Frame } from "./mqtt-frames.ts";
import { TextReader } from "./mqtt-text.ts";

export interface ReceivedPublish {
  readonly kind: "publish";
  readonly publish: Publish;
  /** 1 to 65,535 at QoS 1; 0 at QoS 0. */
  readonly packetIdentifier: number;
  readonly dup: boolean;
}

/** A PUBLISH that breaks the protocol, with the Reason Code that DISCONNECT is to carry for it. */
export interface PublishFault {
  readonly kind: "fault";
  readonly reasonCode: 0x81 | 0x82 | 0x90 | 0x94 | 0x9b;
  readonly problem: string;
}

interface BuiltIns {
  payloadFormatIndicator?: 0 | 1;
  messageExpiryInterval?: number;
  responseTopic?: string;
  correlationData?: Uint8Array;
  contentType?: string;
}

type Properties = BuiltIns & { readonly userProperties: readonly UserProperty[] };

const NO_USER_PROPERTIES: readonly UserProperty[] = Object.freeze([]);
const NO_PROPERTIES: Properties = Object.freeze({ userProperties: NO_USER_PROPERTIES });

/**
 * Decodes PUBLISH packets of one connection. Payload and Correlation Data are views of the bytes given.
 * No Topic Alias is accepted, for we announce a Topic Alias Maximum of 0; Subscription Identifiers are read over.
 */
export class PublishDecoder {
  private readonly texts = new TextReader();
  private at = 0;
  private fault: PublishFault | undefined;

  /** Total over arbitrary bodies: what is wrong comes back as a {@link PublishFault}. */
  decode(frame: Frame): ReceivedPublish | PublishFault {
    const { bytes, body, end } = frame;
    const flags = bytes[frame.start] as number;
    const qos = (flags >> 1) & 3;
    const dup = (flags & 8) !== 0;
    if (qos > 1) return qosFault(qos);
    if (dup && qos === 0) return malformed("DUP is set at QoS 0"); // [MQTT-3.3.1-2]
    this.at = body;
    this.fault = undefined;
    const topicName = this.text(bytes, end, "the Topic Name");
    const packetIdentifier = qos > 0 ? this.uint16(bytes, end, "the Packet Identifier") : 0;
    const properties = this.properties(bytes, end);
    if (this.fault !== undefined) return this.fault;
    if (topicName.length === 0) return protocolError("the Topic Name is empty"); // no Topic Alias can be known
    if (topicName.includes("+") || topicName.includes("#")) {
      // [MQTT-3.3.2-2]
      return { kind: "fault", reasonCode: 0x90, problem: "the Topic Name holds a wildcard" };
    }
    if (qos > 0 && packetIdentifier === 0) return protocolError("the Packet Identifier is 0"); // [MQTT-2.2.1-3]
    const publish: Publish = {
      topicName,
      payload: bytes.subarray(this.at, end),
      qos: qos as 0 | 1,
      retain: (flags & 1) !== 0,
      properties,
    };
    return { kind: "publish", publish, packetIdentifier, dup };
  }

  private properties(bytes: Buffer, end: number): Properties {
    const length = this.varint(bytes, end, "the Property Length");
    const stop = this.at + length;
    if (stop > end) this.fail("the Property Length exceeds the packet");
    if (length === 0 || this.fault !== undefined) return NO_PROPERTIES;
    const builtIns: BuiltIns = {};
    let userProperties: UserProperty[] | undefined;
    while (this.at < stop && this.fault === undefined) {
      const identifier = bytes[this.at] as number;
      this.at += 1;
      if (identifier === 0x26) {
        const name = this.text(bytes, stop, "a User Property name");
        const value = this.text(bytes, stop, "a User Property value");
        if (userProperties === undefined) userProperties = [[name, value]];
        else userProperties.push([name, value]);
      } else {
        this.builtIn(identifier, bytes, stop, builtIns);
      }
    }
    return Object.assign(builtIns, { userProperties: userProperties ?? NO_USER_PROPERTIES });
  }

  private builtIn(identifier: number, bytes: Buffer, stop: number, into: BuiltIns): void {
    switch (identifier) {
      case 0x01:
        this.once(into.payloadFormatIndicator, "Payload Format Indicator");
        into.payloadFormatIndicator = this.indicator(bytes, stop);
        return;
      case 0x02:
        this.once(into.messageExpiryInterval, "Message Expiry Interval");
        into.messageExpiryInterval = this.uint32(bytes, stop);
        return;
      case 0x03:
        this.once(into.contentType, "Content Type");
        into.contentType = this.text(bytes, stop, "the Content Type");
        return;
      case 0x08:
        this.once(into.responseTopic, "Response Topic");
        into.responseTopic = this.text(bytes, stop, "the Response Topic");
        return;
      case 0x09:
        this.once(into.correlationData, "Correlation Data");
        into.correlationData = this.binary(bytes, stop);
        return;
      case 0x0b:
        if (this.varint(bytes, stop, "a Subscription Identifier") === 0) {
          this.fault ??= protocolError("a Subscription Identifier is 0");
        }
        return;
      case 0x23:
        // [MQTT-3.3.2-8]: a server must not send an alias above our Topic Alias Maximum, which is 0
        this.fault ??= {
          kind: "fault",
          reasonCode: 0x94,
          problem: "a Topic Alias was not offered",
        };
        return;
      default:
        this.fail(
          `property 0x${identifier.toString(16).padStart(2, "0")} does not belong to PUBLISH`,
        );
    }
  }

  private once(present: unknown, name: string): void {
    if (present !== undefined) this.fault ??= protocolError(`${name} appears twice`);
  }

  private fail(problem: string): void {
    this.fault ??= malformed(problem);
  }

  private text(bytes: Buffer, end: number, what: string): string {
    const length = this.uint16(bytes, end, what);
    const start = this.at;
    if (start + length > end) {
      this.fail(`${what} exceeds the packet`);
      return "";
    }
    this.at = start + length;
    const text = this.texts.read(bytes, start, this.at);
    if (text === undefined) this.fail(`${what} is not UTF-8 as MQTT allows it`);
    return text ?? "";
  }

  private binary(bytes: Buffer, end: number): Uint8Array {
    const length = this.uint16(bytes, end, "the Correlation Data");
    const start = this.at;
    this.at = start + length;
    if (this.at > end) this.fail("the Correlation Data exceeds the packet");
    return bytes.subarray(start, this.at);
  }

  private indicator(bytes: Buffer, end: number): 0 | 1 {
    const value = this.at < end ? bytes[this.at] : undefined;
    this.at += 1;
    if (value !== 0 && value !== 1) {
      this.fault ??= protocolError("the Payload Format Indicator is neither 0 nor 1");
    }
    return value === 1 ? 1 : 0;
  }

  private uint16(bytes: Buffer, end: number, what: string): number {
    const { at } = this;
    this.at = at + 2;
    if (this.at <= end) return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
    this.fail(`${what} exceeds the packet`);
    return 0;
  }

  private uint32(bytes: Buffer, end: number): number {
    const { at } = this;
    this.at = at + 4;
    if (this.at <= end) return bytes.readUInt32BE(at);
    this.fail("the Message Expiry Interval exceeds the packet");
    return 0;
  }

  private varint(bytes: Buffer, end: number, what: string): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.at < end ? (bytes[this.at] as number) : 255;
      this.at += 1;
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
    this.fail(`${what} is not a Variable Byte Integer`);
    return 0;
  }
}

function malformed(problem: string): PublishFault {
  return { kind: "fault", reasonCode: 0x81, problem };
}

function protocolError(problem: string): PublishFault {
  return { kind: "fault", reasonCode: 0x82, problem };
}

function qosFault(qos: number): PublishFault {
  if (qos === 3) return malformed("both QoS bits are set"); // [MQTT-3.3.1-4]
  return { kind: "fault", reasonCode: 0x9b, problem: "QoS 2 was not subscribed to" };
}
