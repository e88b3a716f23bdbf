import type { Publish, PublishProperties } from "../model/publish.ts";
import { textLength, writeText } from "./mqtt-text.ts";

/** What a PUBLISH has besides its Application Message. */
export interface PublishIdentity {
  /** 1 to 65,535; unused at QoS 0. */
  readonly packetIdentifier: number;
  readonly dup: boolean;
  /** What {@link propertiesLength} said of the message: measured once, used for its size and at every sending. */
  readonly propertiesLength: number;
}

const LARGEST_REMAINING_LENGTH = 268_435_455;
const LARGEST_UINT32 = 0xffff_ffff;

/** Bytes of the PUBLISH on the wire, or -1 when MQTT cannot express it ({@link publishProblem} says why). */
export function publishSize(
  publish: Publish,
  properties: number = propertiesLength(publish.properties),
): number {
  const remaining = remainingLength(publish, properties);
  return remaining < 0 ? -1 : 1 + varintSize(remaining) + remaining;
}

/**
 * Writes the PUBLISH without its payload at `offset` and returns the offset after it: the payload follows as it is.
 * `target` must have room for {@link publishSize} less the payload. Returns -1 when MQTT cannot express the message.
 */
export function encodePublishHead(
  target: Buffer,
  offset: number,
  publish: Publish,
  identity: PublishIdentity,
): number {
  const properties = identity.propertiesLength;
  const remaining = remainingLength(publish, properties);
  if (remaining < 0) return -1;
  const { qos } = publish;
  target[offset] = 0x30 | (qos << 1) | (publish.retain ? 1 : 0) | (identity.dup ? 8 : 0);
  let at = writeVarint(target, offset + 1, remaining);
  at = writeText(target, at, publish.topicName);
  if (qos > 0) {
    target[at] = identity.packetIdentifier >>> 8;
    target[at + 1] = identity.packetIdentifier & 255;
    at += 2;
  }
  at = writeVarint(target, at, properties);
  return writeProperties(target, at, publish.properties);
}

/** As {@link encodePublishHead}, with the payload. */
export function encodePublish(
  target: Buffer,
  offset: number,
  publish: Publish,
  identity: PublishIdentity,
): number {
  const at = encodePublishHead(target, offset, publish, identity);
  if (at < 0) return at;
  target.set(publish.payload, at);
  return at + publish.payload.length;
}

/** Writes PUBACK with Reason Code 0x00 at `offset` and returns the offset after it: always 4 bytes [MQTT-3.4.2]. */
export function encodePuback(target: Buffer, offset: number, packetIdentifier: number): number {
  target[offset] = 0x40;
  target[offset + 1] = 2;
  target[offset + 2] = packetIdentifier >>> 8;
  target[offset + 3] = packetIdentifier & 255;
  return offset + 4;
}

/** Why MQTT cannot express the message, or undefined when it can. */
export function publishProblem(publish: Publish): string | undefined {
  const { properties, topicName } = publish;
  if (topicLength(topicName) < 0) {
    return `the Topic Name "${topicName.slice(0, 100)}" must have 1 to 65,535 bytes without "+", "#" and U+0000`;
  }
  if (!textFits(properties.contentType)) return textProblem("Content Type");
  if (!textFits(properties.responseTopic)) return textProblem("Response Topic");
  if ((properties.correlationData?.length ?? 0) > 65_535) {
    return `Correlation Data has ${properties.correlationData?.length} bytes, 65,535 are allowed`;
  }
  for (const [name, value] of properties.userProperties) {
    if (textLength(name) < 0)
      return textProblem(`the name of User Property "${name.slice(0, 100)}"`);
    if (textLength(value) < 0) {
      return textProblem(`the value of User Property "${name.slice(0, 100)}"`);
    }
  }
  if (!isUint32(properties.messageExpiryInterval)) {
    return `Message Expiry Interval ${properties.messageExpiryInterval} is not a whole number from 0 to 4,294,967,295`;
  }
  return publishSize(publish) < 0 ? "it is larger than an MQTT packet may be" : undefined;
}

function textProblem(what: string): string {
  return `${what} is longer than 65,535 bytes or holds U+0000`;
}

function textFits(text: string | undefined): boolean {
  return text === undefined || textLength(text) >= 0;
}

function isUint32(value: number | undefined): boolean {
  if (value === undefined) return true;
  return Number.isInteger(value) && value >= 0 && value <= LARGEST_UINT32;
}

function topicLength(topicName: string): number {
  // [MQTT-3.3.2-2]; a server would close the connection for it, and every reconnect would send it again
  if (topicName.length === 0 || topicName.includes("+") || topicName.includes("#")) return -1;
  return textLength(topicName);
}

function remainingLength(publish: Publish, properties: number): number {
  const topic = topicLength(publish.topicName);
  if (topic < 0 || properties < 0) return -1;
  const head = 2 + topic + (publish.qos > 0 ? 2 : 0) + varintSize(properties) + properties;
  const remaining = head + publish.payload.length;
  return remaining > LARGEST_REMAINING_LENGTH ? -1 : remaining;
}

/** Bytes of all properties without their own length, or -1 when MQTT cannot express them. */
export function propertiesLength(properties: PublishProperties): number {
  let length = 0;
  for (const pair of properties.userProperties) {
    const name = textLength(pair[0]);
    const value = textLength(pair[1]);
    if (name < 0 || value < 0) return -1;
    length += 5 + name + value;
  }
  const others = builtInLength(properties);
  return others < 0 ? -1 : length + others;
}

function builtInLength(properties: PublishProperties): number {
  const { contentType, responseTopic, correlationData } = properties;
  let length = 0;
  if (properties.payloadFormatIndicator !== undefined) length += 2;
  if (properties.messageExpiryInterval !== undefined) {
    if (!isUint32(properties.messageExpiryInterval)) return -1;
    length += 5;
  }
  if (contentType !== undefined) {
    if (textLength(contentType) < 0) return -1;
    length += 3 + textLength(contentType);
  }
  if (responseTopic !== undefined) {
    if (textLength(responseTopic) < 0) return -1;
    length += 3 + textLength(responseTopic);
  }
  if (correlationData !== undefined) {
    if (correlationData.length > 65_535) return -1;
    length += 3 + correlationData.length;
  }
  return length;
}

function writeProperties(target: Buffer, offset: number, properties: PublishProperties): number {
  let at = writeBuiltIns(target, offset, properties);
  for (const pair of properties.userProperties) {
    target[at] = 0x26;
    at = writeText(target, at + 1, pair[0]);
    at = writeText(target, at, pair[1]);
  }
  return at;
}

function writeBuiltIns(target: Buffer, offset: number, properties: PublishProperties): number {
  const { payloadFormatIndicator, messageExpiryInterval, correlationData } = properties;
  let at = offset;
  if (payloadFormatIndicator !== undefined) {
    target[at] = 0x01;
    target[at + 1] = payloadFormatIndicator;
    at += 2;
  }
  if (messageExpiryInterval !== undefined) {
    target[at] = 0x02;
    at = target.writeUInt32BE(messageExpiryInterval, at + 1);
  }
  if (properties.responseTopic !== undefined) {
    target[at] = 0x08;
    at = writeText(target, at + 1, properties.responseTopic);
  }
  if (correlationData !== undefined) {
    target[at] = 0x09;
    at = target.writeUInt16BE(correlationData.length, at + 1);
    target.set(correlationData, at);
    at += correlationData.length;
  }
  if (properties.contentType !== undefined) {
    target[at] = 0x03;
    at = writeText(target, at + 1, properties.contentType);
  }
  return at;
}

function varintSize(value: number): number {
  if (value < 128) return 1;
  if (value < 16_384) return 2;
  return value < 2_097_152 ? 3 : 4;
}

function writeVarint(target: Buffer, offset: number, value: number): number {
  let rest = value;
  let at = offset;
  while (rest > 127) {
    target[at] = (rest & 127) | 128;
    rest >>>= 7;
    at += 1;
  }
  target[at] = rest;
  return at + 1;
}
