import type { Clock } from "../../engine/ports.ts";
import { type BridgeError, toBridgeError } from "../../errors.ts";
import type { MqttCredential } from "../../model/endpoint.ts";

type EnhancedCredential = Extract<MqttCredential, { kind: "enhanced" }>;

/** What of a connection is needed to renew its credential. */
interface Reauthenticating {
  reauthenticate(authenticationData: Buffer): void;
}

/** Renewal is due when a fifth of the credential's life is left, five minutes before its end at the earliest. */
const EARLIEST_MS = 300_000;
const SHARE = 0.2;
/** While it is due and nothing new can be had. */
const RETRY_MS = 15_000;
const SHORTEST_MS = 1000;
/** Timers take no more than 24 days. */
const LONGEST_MS = 86_400_000;

/** Keeps the authentication data of one connection fresh: what is new goes to the server by AUTH, before the old ends. */
export class CredentialRenewal {
  private readonly credential: EnhancedCredential;
  private readonly clock: Clock;
  private readonly failed: (error: BridgeError) => void;
  private connection: Reauthenticating | undefined;
  private sent: Buffer | undefined;
  /** When what was sent should be replaced; in milliseconds since the Unix epoch. */
  private dueAt = Number.POSITIVE_INFINITY;
  private cancel: (() => void) | undefined;
  private ended = false;

  constructor(credential: EnhancedCredential, clock: Clock, failed: (error: BridgeError) => void) {
    this.credential = credential;
    this.clock = clock;
    this.failed = failed;
  }

  /** For CONNECT, and for the AUTH packets that the server asks for before CONNACK. Rejects when there are none. */
  async data(): Promise<Buffer> {
    const { data, expiresAt } = await this.credential.data();
    return this.takes(data, expiresAt);
  }

  /** From now on what is new goes to this connection. */
  connected(connection: Reauthenticating): void {
    this.connection = connection;
  }

  end(): void {
    this.ended = true;
    this.cancel?.();
  }

  private takes(data: Uint8Array, expiresAt = Number.POSITIVE_INFINITY): Buffer {
    const now = this.clock.now();
    const life = Math.max(0, expiresAt - now);
    this.dueAt = now + Math.max(SHORTEST_MS, life - Math.min(EARLIEST_MS, life * SHARE));
    this.sent = Buffer.from(data);
    this.checkLater();
    return this.sent;
  }

  private checkLater(): void {
    const untilDue = this.dueAt - this.clock.now();
    const { checkEveryMs = Number.POSITIVE_INFINITY } = this.credential;
    const ms = Math.min(untilDue > 0 ? untilDue : RETRY_MS, checkEveryMs);
    this.cancel?.();
    if (this.ended || ms === Number.POSITIVE_INFINITY) return;
    this.cancel = this.clock.after(Math.min(ms, LONGEST_MS), () => void this.check());
  }

  private async check(): Promise<void> {
    try {
      const { data, expiresAt } = await this.credential.data();
      if (this.ended) return;
      if (this.connection === undefined || this.sent?.equals(data) === true) this.checkLater();
      else this.connection.reauthenticate(this.takes(data, expiresAt));
    } catch (cause) {
      const doing = "Cannot renew the MQTT credential";
      this.failed(toBridgeError(cause, "MQTT_AUTHENTICATION_FAILED", doing));
      this.dueAt = Math.min(this.dueAt, this.clock.now());
      this.checkLater();
    }
  }
}
