import { connect, type Socket } from "node:net";
import { type Frame, FrameSplitter, LARGEST_PACKET } from "../../shared/wire/mqtt-frames.ts";
import { PropertyWriter } from "./property-writer.ts";

export const CONNACK = 2;
export const PUBLISH = 3;
export const PUBACK = 4;
export const SUBACK = 9;
const KEEP_ALIVE_SECONDS = 30;
const AGAIN_MS = 50;

export interface WireOptions {
  readonly port: number;
  readonly clientId: string;
  readonly cleanStart: boolean;
  readonly receiveMaximum: number;
  /** CONNACK with success, at the first connection and at every later one. */
  connected(sessionPresent: boolean): void;
  /** PUBLISH and PUBACK. */
  packet(type: number, frame: Frame): void;
  /** All packets of one read have been handed over. */
  turnEnd?(): void;
}

function packet(first: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length: number[] = [];
  for (let rest = body.length, more = true; more; ) {
    more = rest > 127;
    length.push((rest & 127) | (more ? 128 : 0));
    rest >>= 7;
  }
  return Buffer.concat([Buffer.from([first, ...length]), body]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

function withLength(properties: Buffer): Buffer {
  if (properties.length < 128) return Buffer.concat([Buffer.from([properties.length]), properties]);
  const { length } = properties;
  const bytes = [(length & 127) | 128, (length >> 7) & 127];
  if (length >= 16_384) {
    bytes[1] = (bytes[1] as number) | 128;
    bytes.push(length >> 14);
  }
  return Buffer.concat([Buffer.from(bytes), properties]);
}

/** A PUBLISH at QoS 1. */
export function publishPacket(
  topic: Buffer,
  packetIdentifier: number,
  properties: Buffer,
  payload: Buffer,
): Buffer {
  const head = Buffer.from([topic.length >> 8, topic.length & 0xff]);
  const identifier = Buffer.from([packetIdentifier >> 8, packetIdentifier & 0xff]);
  return packet(0x32, head, topic, identifier, withLength(properties), payload);
}

/** A Variable Byte Integer and where it ends. */
export function variableByteInteger(
  bytes: Buffer,
  start: number,
): { readonly value: number; readonly end: number } {
  let value = 0;
  let end = start;
  for (let shift = 0, more = true; more; shift += 7) {
    const byte = bytes[end] as number;
    value |= (byte & 127) << shift;
    more = byte > 127;
    end += 1;
  }
  return { value, end };
}

/** A PUBLISH in its parts; nothing is decoded. */
export interface PublishParts {
  readonly qos: number;
  readonly dup: boolean;
  readonly retain: boolean;
  readonly topic: Buffer;
  readonly packetIdentifier: number;
  readonly properties: Buffer;
  readonly payload: Buffer;
}

export function publishParts({ bytes, start, body, end }: Frame): PublishParts {
  const flags = bytes[start] as number;
  const qos = (flags >> 1) & 3;
  let at = body + 2 + bytes.readUInt16BE(body);
  const topic = bytes.subarray(body + 2, at);
  const packetIdentifier = qos > 0 ? bytes.readUInt16BE(at) : 0;
  if (qos > 0) at += 2;
  const { value: length, end: from } = variableByteInteger(bytes, at);
  return {
    qos,
    dup: (flags & 8) !== 0,
    retain: (flags & 1) !== 0,
    topic,
    packetIdentifier,
    properties: bytes.subarray(from, from + length),
    payload: bytes.subarray(from + length, end),
  };
}

/**
 * An MQTT 5 client of its own, with little more than what it takes: an end of the bridge that must cost less than the bridge, and that
 * knows for certain which copy of a message the broker took. It connects again without end until it is closed.
 */
export class MqttWire {
  private readonly options: WireOptions;
  private socket: Socket | undefined;
  private alive: NodeJS.Timeout | undefined;
  private again: NodeJS.Timeout | undefined;
  private up = false;
  private closed = false;
  private granted: (() => void) | undefined;

  constructor(options: WireOptions) {
    this.options = options;
    this.open();
  }

  /** Whether CONNACK has come. */
  get isUp(): boolean {
    return this.up;
  }

  /** Bytes that the network has not taken yet. */
  get buffered(): number {
    return this.socket?.writableLength ?? 0;
  }

  write(bytes: Buffer): void {
    this.socket?.write(bytes);
  }

  /** Resolves at SUBACK. */
  subscribe(topicFilter: string): Promise<void> {
    const subscription = Buffer.concat([text(topicFilter), Buffer.from([1])]);
    this.write(packet(0x82, Buffer.from([0, 1, 0]), subscription));
    return new Promise((resolve) => {
      this.granted = resolve;
    });
  }

  /** DISCONNECT, and not back again. */
  close(): void {
    this.closed = true;
    clearTimeout(this.again);
    clearInterval(this.alive);
    this.socket?.end(Buffer.from([0xe0, 0]));
  }

  private open(): void {
    const socket = connect({ port: this.options.port, host: "127.0.0.1" });
    const splitter = new FrameSplitter(LARGEST_PACKET, (frame) => this.receive(frame));
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("connect", () => socket.write(this.connectPacket()));
    socket.on("data", (bytes: Buffer) => {
      splitter.push(bytes);
      this.options.turnEnd?.();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.up = false;
      splitter.stop();
      clearInterval(this.alive);
      if (!this.closed) this.again = setTimeout(() => this.open(), AGAIN_MS);
    });
  }

  private connectPacket(): Buffer {
    const { clientId, cleanStart, receiveMaximum } = this.options;
    const properties = new PropertyWriter();
    properties.fourBytes(0x11, cleanStart ? 0 : 600);
    const maximum = Buffer.from([0x21, receiveMaximum >> 8, receiveMaximum & 0xff]);
    return packet(
      0x10,
      text("MQTT"),
      Buffer.from([5, cleanStart ? 2 : 0, 0, KEEP_ALIVE_SECONDS]),
      withLength(Buffer.concat([properties.take(), maximum])),
      text(clientId),
    );
  }

  private receive(frame: Frame): void {
    const type = (frame.bytes[frame.start] as number) >> 4;
    if (type === PUBLISH || type === PUBACK) this.options.packet(type, frame);
    else if (type === SUBACK) this.granted?.();
    else if (type === CONNACK) this.welcomed(frame);
  }

  private welcomed({ bytes, body }: Frame): void {
    const reasonCode = bytes[body + 1] as number;
    if (reasonCode !== 0) throw new Error(`${this.options.clientId}: CONNACK ${reasonCode}`);
    this.up = true;
    this.alive = setInterval(
      () => this.write(Buffer.from([0xc0, 0])),
      (KEEP_ALIVE_SECONDS * 1000) / 2,
    );
    this.options.connected(((bytes[body] as number) & 1) === 1);
  }
}
