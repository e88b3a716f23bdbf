/** Stable codes; docs/operations.md says of each what an operator does. */
export type ErrorCode =
  | "MANIFEST_INVALID"
  | "MANIFEST_UNREADABLE"
  | "SECRET_MISSING"
  | "SECRET_INVALID"
  | "IDENTITY_UNAVAILABLE"
  | "KEY_VAULT_UNAVAILABLE"
  | "KEY_VAULT_REFUSED"
  | "KAFKA_UNAVAILABLE"
  | "KAFKA_AUTHENTICATION_FAILED"
  | "KAFKA_NOT_AUTHORIZED"
  | "KAFKA_MESSAGE_TOO_LARGE"
  | "KAFKA_TOPIC_MISSING"
  | "KAFKA_REFUSED"
  | "EVENT_HUBS_UNAVAILABLE"
  | "EVENT_HUBS_REFUSED"
  | "MQTT_UNAVAILABLE"
  | "MQTT_AUTHENTICATION_FAILED"
  | "MQTT_NOT_AUTHORIZED"
  | "MQTT_PACKET_TOO_LARGE"
  | "MQTT_REFUSED"
  | "MQTT_BUSY"
  | "DEAD_LETTER_FAILED"
  | "USAGE"
  | "STATE_UNAVAILABLE"
  | "STOPPED";

/** What a refusal asks for: the same again later, the dead letters for this message, or an operator. */
export type Verdict = "retry" | "dead-letter" | "stop";

export interface BridgeErrorOptions {
  readonly cause?: unknown;
  /** True when the same attempt may succeed later. */
  readonly retryable?: boolean;
  /** How many milliseconds the other side asked to be left alone. */
  readonly retryAfterMs?: number;
  /** Of a send of several records: the places of those that are safe all the same. Only the others are to be sent again. */
  readonly written?: ReadonlySet<number>;
}

/** The one error of this product: what failed, whether to try again, and why. Never holds a secret or a payload. */
export class BridgeError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly written: ReadonlySet<number> | undefined;

  constructor(code: ErrorCode, message: string, options: BridgeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "BridgeError";
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.retryAfterMs = options.retryAfterMs;
    this.written = options.written;
  }
}

/** Turns anything thrown into a {@link BridgeError}; what is one already stays as it is. */
export function toBridgeError(cause: unknown, code: ErrorCode, doing: string): BridgeError {
  if (cause instanceof BridgeError) return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  return new BridgeError(code, `${doing}: ${text}`, { cause, retryable: true });
}
