import { Duplex } from "node:stream";
import {
  type Connack,
  type Disconnect,
  decodeConnack,
  decodeDisconnect,
} from "../../wire/mqtt-control.ts";
import { type Frame, FrameSplitter } from "../../wire/mqtt-frames.ts";

/** What a {@link MqttTap} calls, always synchronously and in the order of the bytes. Frames are valid during the call only. */
export interface TapUser {
  connack(connack: Connack): void;
  disconnect(disconnect: Disconnect): void;
  publish(frame: Frame): void;
  puback(frame: Frame): void;
  /** All packets that the last bytes completed have been handed over. */
  turnEnd(): void;
  /** The server broke the protocol; nothing more is handed over. */
  broken(reasonCode: number, problem: string): void;
  /** Called once. */
  closed(error: Error | undefined): void;
}

const PINGRESP = Buffer.of(0xd0, 0);

/**
 * Stands between the network and mqtt.js. PUBLISH and PUBACK go to and from the {@link TapUser}; all other packets pass, so that mqtt.js
 * keeps the session (CONNECT, AUTH, SUBSCRIBE, keep alive, DISCONNECT) and never sees, orders or delays a message.
 */
export class MqttTap extends Duplex {
  // not named `socket`: mqtt.js declares that name on its streams
  private readonly network: Duplex;
  private readonly user: TapUser;
  private readonly splitter: FrameSplitter;
  private connected = false;
  private paused = false;
  private pingUnanswered = false;
  private networkError: Error | undefined;

  constructor(socket: Duplex, maximumPacketSize: number, user: TapUser) {
    super();
    this.network = socket;
    this.user = user;
    this.splitter = new FrameSplitter(maximumPacketSize, (frame) => this.frame(frame));
    socket.on("data", (chunk: Buffer) => this.received(chunk));
    socket.on("error", (error: Error) => {
      this.networkError ??= error;
    });
    socket.on("close", () => {
      this.splitter.stop();
      this.destroy();
      user.closed(this.networkError);
    });
  }

  /** Bytes written and not yet taken by the operating system. */
  get buffered(): number {
    return this.network.writableLength;
  }

  /** Writes our own whole packets between those of mqtt.js. */
  send(bytes: Buffer, done?: (error?: Error | null) => void): void {
    this.network.write(bytes, done);
  }

  /** Stops reading. mqtt.js must not take our silence for the broker's, so its pings are answered here meanwhile. */
  stopReading(): void {
    this.paused = true;
    this.network.pause();
    this.answerPing();
  }

  startReading(): void {
    this.paused = false;
    this.network.resume();
  }

  /** Hands nothing over any more, but reads on, so that the end of the connection is seen. */
  discard(): void {
    this.splitter.stop();
    this.startReading();
  }

  /** mqtt.js is about to write PINGREQ. */
  pinged(): void {
    this.pingUnanswered = true;
    if (this.paused) setImmediate(() => this.answerPing());
  }

  override _read(): void {
    // Packets are pushed as they come: they are few and small, for messages do not pass here.
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.network.write(chunk);
    done();
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: () => void): void {
    // mqtt.js writes a packet in pieces while corked: in one write no packet of ours can come between them.
    this.network.write(Buffer.concat(chunks.map(({ chunk }) => Buffer.from(chunk))));
    done();
  }

  override _final(done: () => void): void {
    this.network.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.splitter.stop();
    this.network.destroy();
    done(error);
  }

  private received(chunk: Buffer): void {
    // Any byte proves that the broker lives: its PINGRESP may stand behind megabytes of messages.
    this.answerPing();
    const problem = this.splitter.push(chunk);
    if (problem !== undefined)
      this.user.broken(problem === "packet too large" ? 0x95 : 0x81, problem);
    this.user.turnEnd();
  }

  private answerPing(): void {
    if (!this.pingUnanswered) return;
    this.pingUnanswered = false;
    this.pass(PINGRESP);
  }

  private frame(frame: Frame): void {
    const type = (frame.bytes[frame.start] as number) >> 4;
    if (type === 3 || type === 4) {
      // [MQTT-3.2.0-1]
      if (!this.connected) this.breakOff(0x82, "a packet came before CONNACK");
      else if (type === 3) this.user.publish(frame);
      else this.user.puback(frame);
      return;
    }
    // answered in received() already
    if (type === 13) return;
    if (type === 2) this.connack(frame);
    if (type === 14) this.user.disconnect(decodeDisconnect(frame) ?? { reasonCode: 0x81 });
    this.pass(frame.bytes.subarray(frame.start, frame.end));
  }

  private connack(frame: Frame): void {
    const connack = decodeConnack(frame);
    if (connack === undefined) {
      this.breakOff(0x81, "CONNACK is malformed");
      return;
    }
    this.connected = connack.reasonCode === 0;
    this.user.connack(connack);
  }

  private breakOff(reasonCode: number, problem: string): void {
    this.splitter.stop();
    this.user.broken(reasonCode, problem);
  }

  private pass(bytes: Buffer): void {
    if (!this.destroyed) this.push(bytes);
  }
}
