import type { Clock, ConnectionStatus, Log } from "../../engine/ports.ts";
import { BridgeError, toBridgeError } from "../../errors.ts";
import type { MqttEndpoint } from "../../model/endpoint.ts";
import type { Connack } from "../../wire/mqtt-control.ts";
import { type Frame, LARGEST_PACKET } from "../../wire/mqtt-frames.ts";
import { CredentialRenewal } from "./credential-renewal.ts";
import { type ConnectionEnd, MqttConnection } from "./mqtt-connection.ts";
import { SESSION_TAKEN_OVER } from "./mqtt-reason-codes.ts";
import { endpointUrl } from "./mqtt-socket.ts";

/** What publisher and subscriber have in common. */
export interface MqttClientOptions {
  readonly endpoint: MqttEndpoint;
  readonly clientIdentifier: string;
  readonly log: Log;
  readonly clock: Clock;
  /** Told of a refusal that will not pass by itself, after `start` has resolved. It goes on being tried, slowly. */
  readonly onFailed?: (error: BridgeError) => void;
  /** From opening the socket to CONNACK. Default 20 s. */
  readonly connectTimeoutMs?: number;
  /** Largest packet that is read, in bytes. Default: MQTT's own limit. */
  readonly maximumPacketSize?: number;
}

export interface LinkOptions extends MqttClientOptions {
  /** True when this process holds no state of a session before its first connection [MQTT-3.2.2-4]. */
  readonly cleanFirst: boolean;
  readonly receiveMaximum?: number;
}

/** What a {@link MqttLink} calls. */
export interface LinkUser {
  /** Called within CONNACK, before any packet behind it is looked at. */
  connected(connection: MqttConnection, connack: Connack): void;
  /** Called when SUBSCRIBE may be sent; the link is up when it resolves, and the connection is given up when it rejects. */
  ready(connection: MqttConnection): Promise<void>;
  publish(frame: Frame): void;
  puback(frame: Frame): void;
  turnEnd(): void;
  /** The connection given last is gone. */
  disconnected(end: ConnectionEnd): void;
}

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 30_000;
/** After a refusal that only an operator can lift, and after a takeover. */
const SLOW_DELAY_MS = 60_000;
/** A connection that held this long ends a row of failures: one that breaks at once must not be tried in a hot loop. */
const STABLE_MS = 10_000;
const LAPSED: ReadonlySet<string> = new Set(["MQTT_AUTHENTICATION_FAILED", "MQTT_NOT_AUTHORIZED"]);

/** Keeps one MQTT session connected: connects, waits, connects again. */
export class MqttLink {
  private readonly options: LinkOptions;
  private readonly user: LinkUser;
  /** With the secrets that were read last. */
  private endpoint: MqttEndpoint;
  private connection: MqttConnection | undefined;
  private starting: { resolve(): void; reject(error: BridgeError): void } | undefined;
  private stopped: (() => void) | undefined;
  private stopping = false;
  private up = false;
  private upSince = 0;
  private failures = 0;
  private hasSession: boolean;
  private lastError: BridgeError | undefined;
  private cancelTimer: (() => void) | undefined;
  private renewal: CredentialRenewal | undefined;

  constructor(options: LinkOptions, user: LinkUser) {
    this.options = options;
    this.endpoint = options.endpoint;
    this.user = user;
    this.hasSession = !options.cleanFirst;
  }

  /** Resolves when the link is up for the first time. @throws BridgeError when it is refused for good, or stopped before. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.starting = { resolve, reject };
      void this.connect();
    });
  }

  status(): ConnectionStatus {
    if (this.up || this.lastError === undefined) return { connected: this.up };
    return { connected: false, detail: this.lastError.message };
  }

  /** Gives the connection up because the server broke the protocol; it is tried again later. */
  breakOff(reasonCode: number, problem: string): void {
    this.connection?.breakOff(reasonCode, problem);
  }

  /** Sends DISCONNECT 0x00, which keeps the session, and resolves when the connection is gone. */
  stop(): Promise<void> {
    this.stopping = true;
    this.cancelTimer?.();
    this.renewal?.end();
    const error = new BridgeError("STOPPED", "The MQTT connection was stopped");
    this.starting?.reject(error);
    this.starting = undefined;
    const { connection } = this;
    if (connection === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      this.stopped = resolve;
      connection.end(0x00, { error });
    });
  }

  private async connect(): Promise<void> {
    try {
      this.endpoint = (await this.options.endpoint.reread?.()) ?? this.options.endpoint;
      this.renewal = this.newRenewal();
      const data = await this.renewal?.data();
      if (!this.stopping) this.open(data);
    } catch (cause) {
      const doing = `Cannot prepare the connection to "${endpointUrl(this.endpoint)}"`;
      this.closed({ error: toBridgeError(cause, "MQTT_AUTHENTICATION_FAILED", doing) });
    }
  }

  private open(firstAuthenticationData: Buffer | undefined): void {
    const { options, user, endpoint, renewal } = this;
    const connection = new MqttConnection(
      {
        endpoint,
        clientIdentifier: options.clientIdentifier,
        cleanStart: !this.hasSession,
        receiveMaximum: options.receiveMaximum,
        maximumPacketSize: options.maximumPacketSize ?? LARGEST_PACKET,
        connectTimeoutMs: options.connectTimeoutMs ?? 20_000,
        firstAuthenticationData,
        authenticationData: renewal && ((): Promise<Buffer> => renewal.data()),
        clock: options.clock,
      },
      {
        connected: (connack) => {
          this.hasSession = true;
          renewal?.connected(connection);
          user.connected(connection, connack);
        },
        ready: () => void this.ready(connection),
        publish: (frame) => user.publish(frame),
        puback: (frame) => user.puback(frame),
        turnEnd: () => user.turnEnd(),
        closed: (end) => this.closed(end),
      },
    );
    this.connection = connection;
  }

  private async ready(connection: MqttConnection): Promise<void> {
    try {
      await this.user.ready(connection);
    } catch (cause) {
      const error = toBridgeError(cause, "MQTT_UNAVAILABLE", "Cannot subscribe");
      connection.end(0x00, { error });
      return;
    }
    if (this.connection !== connection || this.stopping) return;
    this.up = true;
    this.upSince = this.options.clock.now();
    this.options.log("info", "MQTT connected", this.fields());
    this.starting?.resolve();
    this.starting = undefined;
  }

  private closed(end: ConnectionEnd): void {
    const { up, connection } = this;
    this.connection = undefined;
    this.up = false;
    this.lastError = end.error;
    this.renewal?.end();
    if (connection !== undefined) this.user.disconnected(end);
    if (this.stopping) {
      this.stopped?.();
      return;
    }
    if (up && this.options.clock.now() - this.upSince >= STABLE_MS) this.failures = 0;
    this.failures += 1;
    if (this.starting !== undefined && !end.error.retryable) {
      this.stopping = true;
      this.starting.reject(end.error);
      return;
    }
    this.retry(end, up);
  }

  private retry(end: ConnectionEnd, wasUp: boolean): void {
    const { clock, log } = this.options;
    const takenOver = end.reasonCode === SESSION_TAKEN_OVER;
    // a token that has ended on a connection that was well is had anew for the next
    const lapsed = wasUp && this.renewal !== undefined && LAPSED.has(end.error.code);
    const slow = takenOver || (!end.error.retryable && !lapsed);
    const longest = slow
      ? SLOW_DELAY_MS
      : Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(this.failures - 1, 20));
    const delayMs = Math.round(longest * (0.5 + clock.random() / 2));
    const fields = { ...this.fields(), code: end.error.code, error: end.error.message, delayMs };
    log(slow ? "error" : "warn", wasUp ? "MQTT connection lost" : "MQTT connection failed", fields);
    if (!end.error.retryable) this.options.onFailed?.(end.error);
    this.cancelTimer = clock.after(delayMs, () => void this.connect());
  }

  private fields(): Record<string, unknown> {
    const { clientIdentifier } = this.options;
    return { server: endpointUrl(this.endpoint), clientIdentifier };
  }

  private newRenewal(): CredentialRenewal | undefined {
    const { credential } = this.endpoint;
    if (credential.kind !== "enhanced") return undefined;
    return new CredentialRenewal(credential, this.options.clock, ({ code, message }) =>
      this.options.log("warn", message, { ...this.fields(), code }),
    );
  }
}
