import type { Frame } from "../../shared/wire/mqtt-frames.ts";
import type { Account } from "./account.ts";
import { COUNTS, type PublishContent, type RecordContent } from "./messages.ts";
import {
  MqttWire,
  PUBACK,
  PUBLISH,
  type PublishParts,
  publishPacket,
  publishParts,
} from "./mqtt-wire.ts";
import type { Lanes } from "./names.ts";
import { type Pace, paced } from "./pace.ts";

/** Unacknowledged at once. */
const WINDOW = 2000;
const RECEIVE_MAXIMUM = 65_535;
const BUFFER_BYTES = 1024 * 1024;

/** Publishes the messages of an account at QoS 1; what a lost connection leaves open is published anew, as another copy. */
export class MqttSource {
  private readonly account: Account;
  private readonly content: PublishContent;
  private readonly lanes: Lanes;
  private readonly wire: MqttWire;
  /** By Packet Identifier, in the order of sending. */
  private open = new Map<number, number>();
  private packetIdentifier = 0;
  private readonly ready: Promise<void>;
  private changed: () => void = () => undefined;

  constructor(options: { port: number; account: Account; content: PublishContent; lanes: Lanes }) {
    this.account = options.account;
    this.content = options.content;
    this.lanes = options.lanes;
    let stands: () => void = () => undefined;
    this.ready = new Promise((resolve) => {
      stands = resolve;
    });
    this.wire = new MqttWire({
      port: options.port,
      clientId: `source-${options.lanes.run}`,
      cleanStart: true,
      receiveMaximum: RECEIVE_MAXIMUM,
      connected: () => {
        this.sendAgain();
        stands();
      },
      packet: (type, frame) => {
        if (type === PUBACK) this.acknowledged(frame);
      },
      turnEnd: () => this.changed(),
    });
  }

  async connected(): Promise<void> {
    await this.ready;
  }

  /** Resolves when all are acknowledged. */
  async send(pace: Pace): Promise<void> {
    await paced(pace, this.account, async (count) => {
      while (
        !this.wire.isUp ||
        this.open.size + count > WINDOW ||
        this.wire.buffered > BUFFER_BYTES
      ) {
        await this.change();
      }
      const packets: Buffer[] = [];
      for (let i = 0; i < count; i += 1)
        packets.push(this.packet(this.account.sending(pace.lane())));
      this.wire.write(Buffer.concat(packets));
    });
    while (this.open.size > 0) await this.change();
  }

  close(): void {
    this.wire.close();
  }

  private change(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, 20);
      this.changed = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private packet(index: number): Buffer {
    do this.packetIdentifier = (this.packetIdentifier % 65_535) + 1;
    while (this.open.has(this.packetIdentifier));
    this.open.set(this.packetIdentifier, index);
    const { account, content, lanes } = this;
    const { properties, payload } = content.publish(index, account.copyOf(index));
    const topic = lanes.topicBytes[account.laneOf(index)] as Buffer;
    return publishPacket(topic, this.packetIdentifier, properties, payload);
  }

  private sendAgain(): void {
    const indexes = [...this.open.values()];
    this.open = new Map();
    for (const index of indexes) {
      this.account.sendingAgain(index);
      this.wire.write(this.packet(index));
    }
  }

  private acknowledged({ bytes, body, end }: Frame): void {
    const index = this.open.get(bytes.readUInt16BE(body));
    this.open.delete(bytes.readUInt16BE(body));
    const reasonCode = end - body > 2 ? (bytes[body + 2] as number) : 0;
    if (reasonCode >= 0x80)
      this.account.note(`the broker answered ${reasonCode} to message ${index}`);
  }
}

interface CollectorOptions {
  readonly port: number;
  readonly topicFilter: string;
  readonly account: Account;
  readonly content: RecordContent;
  readonly lanes: Lanes;
}

/** Takes what the bridge publishes and compares every byte of it with what it is to be. */
export class MqttCollector {
  private readonly options: CollectorOptions;
  private readonly wire: MqttWire;
  private ready: Promise<void>;
  private stands: () => void = () => undefined;
  /** What came last under each Packet Identifier: the broker may deliver it to us again. */
  private readonly last = new Map<number, number>();
  private acknowledgements: number[] = [];

  constructor(options: CollectorOptions) {
    this.options = options;
    this.ready = this.subscription();
    this.wire = new MqttWire({
      port: options.port,
      clientId: `collector-${options.lanes.run}`,
      cleanStart: false,
      receiveMaximum: RECEIVE_MAXIMUM,
      connected: (sessionPresent) => {
        if (sessionPresent) return;
        this.last.clear();
        void this.wire.subscribe(options.topicFilter).then(() => this.stands());
      },
      packet: (type, frame) => {
        if (type === PUBLISH) this.receive(frame);
      },
      turnEnd: () => this.acknowledge(),
    });
  }

  /** Resolves when it has subscribed. */
  async connected(): Promise<void> {
    await this.ready;
  }

  /** Its session is about to be lost: {@link connected} is to wait for the next one. */
  sessionEnds(): void {
    this.ready = this.subscription();
  }

  private subscription(): Promise<void> {
    return new Promise((resolve) => {
      this.stands = resolve;
    });
  }

  close(): void {
    this.wire.close();
  }

  private acknowledge(): void {
    const { acknowledgements } = this;
    if (acknowledgements.length === 0) return;
    this.acknowledgements = [];
    const bytes = Buffer.allocUnsafe(acknowledgements.length * 4);
    let at = 0;
    for (const packetIdentifier of acknowledgements) {
      bytes.writeUInt16BE(0x4002, at);
      at = bytes.writeUInt16BE(packetIdentifier, at + 2);
    }
    this.wire.write(bytes);
  }

  private receive(frame: Frame): void {
    const { account } = this.options;
    const parts = publishParts(frame);
    const { payload, packetIdentifier } = parts;
    if (parts.qos === 1) this.acknowledgements.push(packetIdentifier);
    if (payload.length < COUNTS) {
      account.note(`a PUBLISH to "${parts.topic}" has ${payload.length} bytes`);
      return;
    }
    const index = payload.readUInt32BE(0);
    const copy = payload.readUInt32BE(4);
    const identity = index * 32 + copy;
    if (parts.dup && this.last.get(packetIdentifier) === identity) return;
    this.last.set(packetIdentifier, identity);
    account.arrive(
      index,
      copy,
      index < account.sent ? this.problem(index, copy, parts) : undefined,
    );
  }

  private problem(index: number, copy: number, parts: PublishParts): string | undefined {
    const { account, content, lanes } = this.options;
    if (parts.qos !== 1) return `it came at QoS ${parts.qos}`;
    if (parts.retain) return "it came with RETAIN";
    const topic = lanes.topicBytes[account.laneOf(index)] as Buffer;
    if (!parts.topic.equals(topic)) return `it came to "${parts.topic}" instead of "${topic}"`;
    if (!parts.payload.equals(content.payload(index, copy))) return "its payload is wrong";
    if (parts.properties.equals(content.userProperties(index))) return undefined;
    return `its properties are ${parts.properties.toString("latin1")}`;
  }
}
