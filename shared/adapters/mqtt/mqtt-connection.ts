import { MqttClient } from "mqtt";
import type { Clock } from "../../engine/ports.ts";
import { BridgeError } from "../../errors.ts";
import type { MqttEndpoint } from "../../model/endpoint.ts";
import type { Connack } from "../../wire/mqtt-control.ts";
import type { Frame } from "../../wire/mqtt-frames.ts";
import { type Answer, reasonError } from "./mqtt-reason-codes.ts";
import { endpointUrl, openSocket, socketError } from "./mqtt-socket.ts";
import { MqttTap } from "./mqtt-tap.ts";

export interface ConnectionOptions {
  readonly endpoint: MqttEndpoint;
  readonly clientIdentifier: string;
  readonly cleanStart: boolean;
  /** Undefined leaves it at MQTT's 65,535. */
  readonly receiveMaximum: number | undefined;
  /** Largest packet that is read, in bytes. Not announced: a server would drop, not keep, what is larger [MQTT-3.1.2-25]. */
  readonly maximumPacketSize: number;
  readonly connectTimeoutMs: number;
  readonly authenticationData: (() => Promise<Buffer>) | undefined;
  /** What goes into CONNECT when the credential is enhanced. */
  readonly firstAuthenticationData: Buffer | undefined;
  readonly clock: Clock;
}

/** Why a connection ended. */
export interface ConnectionEnd {
  readonly error: BridgeError;
  /** Of the CONNACK or DISCONNECT that ended it. */
  readonly reasonCode?: number;
  /** The server has closed a connection that stood, without a word. */
  readonly hungUp?: boolean;
}

/** What a {@link MqttConnection} calls; nothing after `closed`. */
export interface ConnectionUser {
  /** CONNACK with success, before any packet behind it is looked at. */
  connected(connack: Connack): void;
  /** mqtt.js is through with CONNACK too: `subscribe` may be called. */
  ready(): void;
  publish(frame: Frame): void;
  puback(frame: Frame): void;
  turnEnd(): void;
  closed(end: ConnectionEnd): void;
}

/** How long a DISCONNECT may take to leave. */
const END_MS = 1000;

/** One network connection from CONNECT to its end: mqtt.js keeps the session, a {@link MqttTap} carries the messages. */
export class MqttConnection {
  private readonly options: ConnectionOptions;
  private readonly user: ConnectionUser;
  private readonly client: MqttClient;
  private readonly tap: MqttTap;
  private connected = false;
  private end_: ConnectionEnd | undefined;
  private cancelEnd: (() => void) | undefined;

  /** @throws BridgeError SECRET_INVALID when TLS cannot be prepared. */
  constructor(options: ConnectionOptions, user: ConnectionUser) {
    this.options = options;
    this.user = user;
    this.tap = new MqttTap(openSocket(options.endpoint), options.maximumPacketSize, {
      connack: (connack) => this.connack(connack),
      disconnect: (disconnect) => this.answered({ packet: "DISCONNECT", ...disconnect }),
      publish: (frame) => user.publish(frame),
      puback: (frame) => user.puback(frame),
      turnEnd: () => user.turnEnd(),
      broken: (reasonCode, problem) => this.breakOff(reasonCode, problem),
      closed: (error) => this.closed(error),
    });
    this.client = this.createClient();
    this.client.connect();
  }

  /** Bytes written and not yet taken by the operating system. */
  get buffered(): number {
    return this.tap.buffered;
  }

  write(bytes: Buffer, done?: (error?: Error | null) => void): void {
    this.tap.send(bytes, done);
  }

  stopReading(): void {
    this.tap.stopReading();
  }

  startReading(): void {
    this.tap.startReading();
  }

  /** Resolves to one Reason Code per filter; rejects when the connection ends before SUBACK. */
  subscribe(topicFilters: readonly string[], qos: 0 | 1): Promise<readonly number[]> {
    // Retained messages only for a subscription that is new (rh 1): every start subscribes again and would forward them again.
    const options = { qos, rap: true, rh: 1 } as const;
    return new Promise((resolve, reject) => {
      this.client.subscribe([...topicFilters], options, (error, _granted, suback) => {
        const codes = suback?.granted as readonly number[] | undefined;
        if (codes !== undefined) resolve(codes);
        else reject(socketError(error ?? new Error("no SUBACK"), "Cannot subscribe"));
      });
    });
  }

  /** Sends AUTH 0x19 with new authentication data; a server that refuses it disconnects [MQTT-4.12.1-1]. */
  reauthenticate(authenticationData: Buffer): void {
    const { credential } = this.options.endpoint;
    if (credential.kind !== "enhanced" || !this.client.connected) return;
    const properties = { authenticationMethod: credential.method, authenticationData };
    this.client["_sendPacket"]({ cmd: "auth", reasonCode: 0x19, properties });
  }

  /** Says that the server broke the protocol, in the log and by DISCONNECT, and ends. */
  breakOff(reasonCode: number, problem: string): void {
    const message = `The server at "${endpointUrl(this.options.endpoint)}" broke the protocol: ${problem}`;
    this.end(reasonCode, { error: new BridgeError("MQTT_REFUSED", message, { retryable: true }) });
  }

  /** DISCONNECT, without touching the session's expiry, then the end of the stream. */
  end(reasonCode: number, why: ConnectionEnd): void {
    this.end_ ??= why;
    if (this.cancelEnd !== undefined) return;
    this.cancelEnd = this.options.clock.after(END_MS, () => this.tap.destroy());
    this.tap.discard();
    if (this.client.connected) this.client.end(false, { reasonCode });
    else this.tap.destroy();
  }

  private createClient(): MqttClient {
    const { endpoint, clientIdentifier, cleanStart } = this.options;
    const { credential } = endpoint;
    const client = new MqttClient(() => this.tap, {
      protocolVersion: 5,
      clientId: clientIdentifier,
      clean: cleanStart,
      keepalive: endpoint.keepAlive,
      connectTimeout: this.options.connectTimeoutMs,
      // One client per connection: when and how to connect again is decided by MqttLink.
      reconnectPeriod: 0,
      manualConnect: true,
      resubscribe: false,
      writeCache: false,
      ...(credential.kind === "usernamePassword"
        ? { username: credential.username, password: credential.password }
        : {}),
      properties: this.connectProperties(),
    });
    client.handleAuth = (packet, callback) =>
      this.continueAuthentication(packet.reasonCode, callback);
    client.on("error", (error) => this.failed(error));
    client.on("connect", () => {
      if (this.end_ === undefined) this.user.ready();
    });
    client.on("packetsend", (packet) => {
      if (packet.cmd === "pingreq") this.tap.pinged();
    });
    return client;
  }

  private connectProperties(): Record<string, unknown> {
    const { endpoint, receiveMaximum, firstAuthenticationData } = this.options;
    const { credential } = endpoint;
    return {
      sessionExpiryInterval: endpoint.sessionExpiryInterval,
      ...(receiveMaximum === undefined ? {} : { receiveMaximum }),
      ...(credential.kind === "enhanced"
        ? { authenticationMethod: credential.method, authenticationData: firstAuthenticationData }
        : {}),
    };
  }

  private continueAuthentication(
    reasonCode: number,
    // mqtt.js declares a narrower callback than it calls
    callback: (error?: Error, packet?: never) => void,
  ): void {
    const { credential } = this.options.endpoint;
    const { authenticationData } = this.options;
    if (reasonCode !== 0x18 || credential.kind !== "enhanced" || authenticationData === undefined) {
      callback();
      return;
    }
    authenticationData().then(
      (data) => {
        const properties = { authenticationMethod: credential.method, authenticationData: data };
        callback(undefined, { cmd: "auth", reasonCode: 0x18, properties } as never);
      },
      (error: Error) => callback(error),
    );
  }

  private connack(connack: Connack): void {
    this.connected = connack.reasonCode === 0;
    if (this.connected) this.user.connected(connack);
    else this.answered({ packet: "CONNACK", ...connack });
  }

  private get doing(): string {
    const { endpoint, clientIdentifier } = this.options;
    const what = `"${endpointUrl(endpoint)}" as "${clientIdentifier}"`;
    return this.connected ? `Lost the connection to ${what}` : `Cannot connect to ${what}`;
  }

  private answered(answer: Answer): void {
    const { doing } = this;
    const error =
      reasonError(answer, doing) ??
      new BridgeError("MQTT_REFUSED", `${doing}: CONNACK with Reason Code ${answer.reasonCode}`);
    this.end_ ??= { error, reasonCode: answer.reasonCode };
    // Nothing can follow a refusal or a DISCONNECT.
    this.tap.destroy();
  }

  private failed(error: Error): void {
    this.end_ ??= this.ended(error, isReset(error));
    this.tap.destroy();
  }

  private closed(error: Error | undefined): void {
    this.cancelEnd?.();
    const cause = error ?? new Error("the connection was closed by the other side");
    this.end_ ??= this.ended(cause, error === undefined || isReset(error));
    this.user.closed(this.end_);
  }

  private ended(cause: Error, byServer: boolean): ConnectionEnd {
    return { error: this.socketError(cause), hungUp: this.connected && byServer };
  }

  private socketError(cause: Error): BridgeError {
    return socketError(cause, this.doing, this.connected ? undefined : this.options.endpoint);
  }
}

function isReset(error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ECONNRESET" || code === "EPIPE";
}
