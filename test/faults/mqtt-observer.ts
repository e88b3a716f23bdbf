import { decodeConnack } from "../../shared/wire/mqtt-control.ts";
import { type Frame, FrameSplitter, LARGEST_PACKET } from "../../shared/wire/mqtt-frames.ts";
import type { ConnectionObserver } from "./fault-proxy.ts";
import {
  CONNACK,
  PUBACK,
  PUBLISH,
  publishParts,
  SUBACK,
  variableByteInteger,
} from "./mqtt-wire.ts";

const CONNECT = 1;
const DUP = 0x38;

/** What a row may want to know of the bridge's MQTT connections besides the counts. */
export interface MqttWatcher {
  /** SUBACK to this client. */
  subscribed?(clientId: string): void;
  /** The broker has acknowledged a message of the bridge, with success. */
  taken?(payload: Buffer): void;
  /** The broker hands a message to the bridge, which need not have read it yet. */
  delivered?(payload: Buffer): void;
  /** The bridge has acknowledged a message of the broker. */
  acknowledged?(payload: Buffer): void;
}

function clientIdOf({ bytes, body }: Frame): string {
  // protocol name, version, flags and keep alive take ten bytes; then come the properties
  const { value: length, end } = variableByteInteger(bytes, body + 10);
  const at = end + length;
  return bytes.toString("utf8", at + 2, at + 2 + bytes.readUInt16BE(at));
}

function succeeded({ bytes, body, end }: Frame): boolean {
  return end - body <= 2 || (bytes[body + 2] as number) < 0x80;
}

/** Reads the MQTT packets of the bridge as the proxy hands them on. */
export class MqttObserver {
  watcher: MqttWatcher = {};
  /** Messages that the broker delivered a second time, as it says itself: it had no acknowledgement of them. */
  redelivered = 0;
  /** Client Identifiers that were let in. */
  readonly clients: Set<string> = new Set();
  private welcomed: (() => void)[] = [];
  private readonly ofBroker = new Set<ReadonlyMap<number, Buffer>>();

  /** Delivered to the bridge and not acknowledged by it, as far as the proxy has seen. */
  get inFlight(): number {
    let sum = 0;
    for (const open of this.ofBroker) sum += open.size;
    return sum;
  }

  /** Resolves when so many more connections have been let in. */
  async welcomes(count: number): Promise<void> {
    for (let left = count; left > 0; left -= 1) {
      await new Promise<void>((resolve) => this.welcomed.push(resolve));
    }
  }

  welcome(clientId: string): void {
    this.clients.add(clientId);
    for (const resolve of this.welcomed.splice(0)) resolve();
  }

  /** For one more connection. */
  observe(): ConnectionObserver {
    const connection = new ObservedConnection(this);
    this.ofBroker.add(connection.ofBroker);
    return {
      up: (bytes) => void connection.up.push(bytes),
      down: (bytes) => void connection.down.push(bytes),
      closed: () => void this.ofBroker.delete(connection.ofBroker),
    };
  }
}

class ObservedConnection {
  readonly up: FrameSplitter;
  readonly down: FrameSplitter;
  /** Payloads of what is unacknowledged, of the broker and of the bridge; empty ones when nobody asks for them. */
  readonly ofBroker = new Map<number, Buffer>();
  private readonly ofBridge = new Map<number, Buffer>();
  private readonly owner: MqttObserver;
  private clientId = "";

  constructor(owner: MqttObserver) {
    this.owner = owner;
    this.up = new FrameSplitter(LARGEST_PACKET, (frame) => this.fromBridge(frame));
    this.down = new FrameSplitter(LARGEST_PACKET, (frame) => this.fromBroker(frame));
  }

  private fromBridge(frame: Frame): void {
    const { watcher } = this.owner;
    const type = (frame.bytes[frame.start] as number) >> 4;
    if (type === CONNECT) this.clientId = clientIdOf(frame);
    else if (type === PUBACK) {
      const packetIdentifier = frame.bytes.readUInt16BE(frame.body);
      const payload = this.ofBroker.get(packetIdentifier);
      this.ofBroker.delete(packetIdentifier);
      if (payload !== undefined) watcher.acknowledged?.(payload);
    } else if (type === PUBLISH) {
      const { packetIdentifier, payload } = publishParts(frame);
      const kept = watcher.taken === undefined ? NOTHING : Buffer.from(payload);
      if (packetIdentifier > 0) this.ofBridge.set(packetIdentifier, kept);
    }
  }

  private fromBroker(frame: Frame): void {
    const { watcher } = this.owner;
    const first = frame.bytes[frame.start] as number;
    const type = first >> 4;
    if (type === CONNACK) {
      const connack = decodeConnack(frame);
      if (connack?.reasonCode === 0) this.owner.welcome(this.clientId);
    } else if (type === SUBACK) watcher.subscribed?.(this.clientId);
    else if (type === PUBACK) {
      const packetIdentifier = frame.bytes.readUInt16BE(frame.body);
      const payload = this.ofBridge.get(packetIdentifier);
      this.ofBridge.delete(packetIdentifier);
      if (payload !== undefined && succeeded(frame)) watcher.taken?.(payload);
    } else if (type === PUBLISH) {
      const { packetIdentifier, payload } = publishParts(frame);
      if ((first & DUP) === DUP) this.owner.redelivered += 1;
      const kept = watcher.acknowledged === undefined ? NOTHING : Buffer.from(payload);
      if (packetIdentifier > 0) this.ofBroker.set(packetIdentifier, kept);
      watcher.delivered?.(payload);
    }
  }
}

const NOTHING = Buffer.alloc(0);
