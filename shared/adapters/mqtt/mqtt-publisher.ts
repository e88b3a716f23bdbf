import type { ConnectionStatus, Publisher, PublishReceipt } from "../../engine/ports.ts";
import { BridgeError } from "../../errors.ts";
import type { Publish } from "../../model/publish.ts";
import { type Connack, decodePuback } from "../../wire/mqtt-control.ts";
import type { Frame } from "../../wire/mqtt-frames.ts";
import { PacketBuffer } from "../../wire/mqtt-packet-buffer.ts";
import { propertiesLength, publishProblem, publishSize } from "../../wire/mqtt-publish-encoder.ts";
import { isDiscouraged } from "../../wire/mqtt-text.ts";
import type { ConnectionEnd, MqttConnection } from "./mqtt-connection.ts";
import { type MqttClientOptions, MqttLink } from "./mqtt-link.ts";
import { blamesMessage, reasonError } from "./mqtt-reason-codes.ts";
import { PacketIdentifiers } from "./packet-identifiers.ts";

export interface MqttPublisherOptions extends MqttClientOptions {
  /** How many QoS 1 messages may be unacknowledged; 1 to 65,535. */
  readonly window: number;
}

/** One message from the call of publish() to its receipt. */
interface Outgoing {
  readonly publish: Publish;
  readonly receipt: PublishReceipt;
  readonly propertiesLength: number;
  /** Counts the calls of publish(), so that the old order can be restored after a reconnect. */
  readonly order: number;
  /** 0 until it is sent within the present session. */
  packetIdentifier: number;
  dup: boolean;
  /** How often the server hung up when this one alone was on its way. */
  hangUps: number;
}

/** More than this gathered or waiting for the network, in bytes, and there is no room. */
const HIGH_WATER = 262_144;
/** So much is written without waiting for flush(). */
const WRITE_AT = 65_536;
/** A network ends connections as well, but hardly so often in a row on one and the same message, alone, which holds text that servers may close on. */
const HANG_UPS = 3;
/** After so many in a row, between which nothing new got through, messages go one at a time whatever they hold. */
const VAIN_CONNECTIONS = 2;
/** Payloads from this size on are written as they are instead of being copied. */
const LARGE_PAYLOAD = 32_768;

/** A Publisher over MQTT 5, as {@link Publisher} promises. QoS 0 messages that the network had not taken are sent again too. */
export function mqttPublisher(options: MqttPublisherOptions): Publisher {
  return new MqttPublisher(options);
}

class MqttPublisher implements Publisher {
  private readonly options: MqttPublisherOptions;
  private readonly link: MqttLink;
  private readonly packets = new PacketBuffer();
  private readonly identifiers: PacketIdentifiers<Outgoing>;
  /** Messages of lost connections that are to be sent again before any new one, in the old order. */
  private again: Outgoing[] = [];
  /** QoS 0 messages gathered, and those handed to the socket whose write has not ended. */
  private gathered: Outgoing[] = [];
  private readonly writing = new Set<readonly Outgoing[]>();
  private connection: MqttConnection | undefined;
  private connack: Connack | undefined;
  private limit = 0;
  private count = 0;
  /** Room was seen to be 0: onRoom is owed. */
  private full = true;
  /** Messages go one at a time, to find the one for which the server ends the connection. */
  private suspicious = false;
  /** Connections in a row that the server has ended without a word, and the newest message of them. */
  private inVain = 0;
  private newestInVain = 0;
  /** The server was found to close on discouraged text: it is spared more of it. */
  private closesOnText = false;
  private stopping = false;
  private onRoom: () => void = () => undefined;
  private drained: (() => void) | undefined;

  constructor(options: MqttPublisherOptions) {
    this.options = options;
    this.identifiers = new PacketIdentifiers(options.window);
    this.link = new MqttLink(
      { ...options, cleanFirst: true },
      {
        connected: (connection, connack) => this.connected(connection, connack),
        ready: () => Promise.resolve(),
        publish: () => undefined,
        puback: (frame) => this.puback(frame),
        turnEnd: () => this.turnEnd(),
        disconnected: (end) => this.disconnected(end),
      },
    );
  }

  async start(onRoom: () => void): Promise<void> {
    this.onRoom = onRoom;
    await this.link.start();
  }

  get room(): number {
    const room = this.stopping || this.again.length > 0 ? 0 : this.capacity();
    if (room === 0) this.full = true;
    return room;
  }

  status(): ConnectionStatus {
    return this.link.status();
  }

  publish(message: Publish, receipt: PublishReceipt): void {
    if (this.room === 0) throw new RangeError("publish() was called without room");
    this.count += 1;
    const outgoing: Outgoing = {
      publish: message,
      receipt,
      propertiesLength: propertiesLength(message.properties),
      order: this.count,
      packetIdentifier: 0,
      dup: false,
      hangUps: 0,
    };
    this.send(outgoing);
    if (this.capacity() === 0) this.full = true;
  }

  flush(): void {
    const { connection, packets } = this;
    if (connection === undefined || packets.length === 0) return;
    this.write(connection, packets.take());
    if (this.capacity() === 0) this.full = true;
  }

  async stop(deadlineMs: number): Promise<void> {
    this.stopping = true;
    this.flush();
    if (this.pending > 0) {
      await new Promise<void>((resolve) => {
        const cancel = this.options.clock.after(deadlineMs, resolve);
        this.drained = (): void => {
          cancel();
          resolve();
        };
      });
    }
    await this.link.stop();
    for (const { receipt } of this.takeAll()) {
      receipt.settle(
        new BridgeError("STOPPED", "The publisher was stopped before the PUBACK came"),
      );
    }
  }

  private get pending(): number {
    return this.identifiers.size + this.again.length + this.gathered.length + this.writing.size;
  }

  private capacity(): number {
    const { connection } = this;
    if (connection === undefined) return 0;
    if (this.packets.length + connection.buffered > HIGH_WATER) return 0;
    return Math.max(0, this.limit - this.identifiers.size);
  }

  private connected(connection: MqttConnection, connack: Connack): void {
    this.connection = connection;
    this.connack = connack;
    const { window } = this.options;
    this.limit = this.suspicious ? 1 : Math.min(window, connack.receiveMaximum);
    for (const outgoing of this.again) {
      // [MQTT-4.4.0-1]: what the session knows comes again under its Packet Identifier; without the session all is new.
      if (!connack.sessionPresent) outgoing.packetIdentifier = 0;
      outgoing.dup = outgoing.packetIdentifier !== 0;
    }
    this.turnEnd();
  }

  private disconnected(end: ConnectionEnd): void {
    this.connection = undefined;
    if (end.hungUp === true && this.identifiers.size > 0) {
      this.inVain += 1;
      this.newestInVain = this.count;
    }
    const blamed = this.blamesMessages(end);
    const [alone] = this.suspicious ? this.identifiers.values() : [];
    const guilty = blamed && alone !== undefined && this.isGuilty(alone, end);
    if (guilty) {
      this.identifiers.release(alone.packetIdentifier);
      alone.receipt.settle(this.verdict(alone, end));
    }
    this.suspicious = !guilty && (blamed || (this.suspicious && end.hungUp === true));
    this.again = this.takeAll();
    this.full = true;
  }

  /** Whether the connection may have ended for one of the messages that were on their way. */
  private blamesMessages({ reasonCode, hungUp }: ConnectionEnd): boolean {
    if (reasonCode !== undefined) return blamesMessage(reasonCode);
    if (hungUp !== true) return false;
    // Mosquitto 2.0 hangs up on a message that it has to refuse while answers to others wait: it has to come alone
    return this.inVain >= VAIN_CONNECTIONS || this.identifiers.values().some(hasDiscouragedText);
  }

  /** Alone, and not for the first time: at the first there may have been another reason, as credentials that ended. */
  private isGuilty(alone: Outgoing, { reasonCode }: ConnectionEnd): boolean {
    if (reasonCode !== undefined) return true;
    if (!hasDiscouragedText(alone)) return false;
    alone.hangUps += 1;
    return alone.hangUps >= HANG_UPS;
  }

  private verdict({ publish }: Outgoing, { reasonCode, error }: ConnectionEnd): BridgeError {
    if (reasonCode !== undefined)
      return new BridgeError(error.code, error.message, { cause: error });
    this.closesOnText = true;
    return textRefused(publish);
  }

  /** Everything unsettled, in the order of publish(); the publisher then holds nothing. */
  private takeAll(): Outgoing[] {
    const all = [
      ...this.identifiers.values(),
      ...[...this.writing].flat(),
      ...this.gathered,
      ...this.again,
    ];
    this.identifiers.clear();
    this.writing.clear();
    this.packets.clear();
    this.gathered = [];
    this.again = [];
    return all.sort((a, b) => a.order - b.order);
  }

  private puback(frame: Frame): void {
    const ack = decodePuback(frame);
    if (ack === undefined) {
      this.link.breakOff(0x81, "PUBACK is malformed");
      return;
    }
    const outgoing = this.identifiers.release(ack.packetIdentifier);
    if (outgoing === undefined) return;
    if (outgoing.order > this.newestInVain) this.inVain = 0;
    if (ack.reasonCode === 0) {
      outgoing.receipt.settle(undefined);
      return;
    }
    const doing = `Cannot publish to "${outgoing.publish.topicName}"`;
    outgoing.receipt.settle(reasonError({ packet: "PUBACK", ...ack }, doing));
  }

  private turnEnd(): void {
    if (this.again.length > 0) this.sendAgain();
    this.trust();
    this.flush();
    this.checkRoom();
  }

  private sendAgain(): void {
    let sent = 0;
    while (sent < this.again.length && this.capacity() > 0) {
      this.send(this.again[sent] as Outgoing);
      sent += 1;
    }
    this.again = this.again.slice(sent);
  }

  /** Ends the suspicion when all that was under it got through. */
  private trust(): void {
    if (!this.suspicious || this.again.length + this.identifiers.size > 0) return;
    this.suspicious = false;
    this.inVain = 0;
    this.limit = Math.min(this.options.window, this.connack?.receiveMaximum ?? 0);
  }

  private checkRoom(): void {
    if (this.pending === 0) this.drained?.();
    if (!this.full || this.room === 0) return;
    this.full = false;
    this.onRoom();
  }

  private send(outgoing: Outgoing): void {
    const { connection, packets } = this;
    const { publish } = outgoing;
    const size = publishSize(publish, outgoing.propertiesLength);
    const refusal = this.refusal(publish, size);
    if (refusal !== undefined) {
      outgoing.receipt.settle(refusal);
      return;
    }
    if (connection === undefined) {
      this.again.push(outgoing);
      return;
    }
    if (publish.qos === 0) this.gathered.push(outgoing);
    else if (outgoing.packetIdentifier === 0) {
      outgoing.packetIdentifier = this.identifiers.allocate(outgoing);
    } else this.identifiers.keep(outgoing.packetIdentifier, outgoing);
    if (publish.payload.length < LARGE_PAYLOAD) {
      packets.publish(publish, outgoing, size);
      if (packets.length >= WRITE_AT) this.write(connection, packets.take());
      return;
    }
    packets.publishHead(publish, outgoing, size);
    connection.write(packets.take());
    const { buffer, byteOffset, length } = publish.payload;
    this.write(connection, Buffer.from(buffer, byteOffset, length));
  }

  /** Why this server can never take the message, said without asking it [MQTT-3.2.2-11] [MQTT-3.2.2-14] [MQTT-3.2.2-15]. */
  private refusal(publish: Publish, size: number): BridgeError | undefined {
    const doing = `Cannot publish to "${publish.topicName.slice(0, 200)}"`;
    if (size < 0) return new BridgeError("MQTT_REFUSED", `${doing}: ${publishProblem(publish)}`);
    const { connack } = this;
    if (connack === undefined) return undefined;
    if (this.closesOnText && hasDiscouragedText({ publish })) return textRefused(publish);
    const { maximumPacketSize, maximumQoS, retainAvailable } = connack;
    if (maximumPacketSize !== undefined && size > maximumPacketSize) {
      const what = `the packet has ${size} bytes, the server takes ${maximumPacketSize}`;
      return new BridgeError("MQTT_PACKET_TOO_LARGE", `${doing}: ${what}`);
    }
    if (publish.qos > maximumQoS) {
      return new BridgeError(
        "MQTT_REFUSED",
        `${doing}: the server takes QoS ${maximumQoS} at most`,
      );
    }
    if (publish.retain && !retainAvailable) {
      return new BridgeError(
        "MQTT_REFUSED",
        `${doing}: the server does not take retained messages`,
      );
    }
    return undefined;
  }

  private write(connection: MqttConnection, bytes: Buffer): void {
    const { gathered } = this;
    if (gathered.length > 0) {
      this.gathered = [];
      this.writing.add(gathered);
    }
    connection.write(bytes, (error) => {
      if (error || this.connection !== connection) return;
      if (this.writing.delete(gathered))
        for (const { receipt } of gathered) receipt.settle(undefined);
      this.turnEnd();
    });
  }
}

function hasDiscouragedText({ publish }: Pick<Outgoing, "publish">): boolean {
  const { contentType = "", responseTopic = "", userProperties } = publish.properties;
  const own = [publish.topicName, contentType, responseTopic];
  return own.some(isDiscouraged) || userProperties.some((pair) => pair.some(isDiscouraged));
}

function textRefused({ topicName }: Publish): BridgeError {
  const why = "the server closes the connection on control characters in a User Property";
  const remedy = "remove that header in the route, or use a server that takes it";
  return new BridgeError(
    "MQTT_REFUSED",
    `Cannot publish to "${topicName.slice(0, 200)}": ${why}; ${remedy} [MQTT-1.5.4]`,
  );
}
