/** Why one header was left out while its message went on (S-21). */
export type RemovalReason = "not_utf8" | "too_large" | "empty_name";

export interface RemovedHeader {
  readonly header: string;
  readonly reason: RemovalReason;
}

/** Why a message can never be delivered. Stable: dead letters and metrics carry it. */
export type RejectionCode =
  | "TOPIC_NAME_INVALID"
  | "TOPIC_SEGMENT_MISSING"
  | "KAFKA_TOPIC_INVALID"
  | "PROPERTIES_TOO_LARGE"
  | "EXPRESSION_FAILED"
  | "PAYLOAD_NOT_JSON";

/** What one message becomes under one route. Bad data is a value here, never an exception. */
export type Translation<T> =
  | {
      readonly kind: "translated";
      readonly message: T;
      readonly removed: readonly RemovedHeader[];
    }
  /** Its Message Expiry Interval has passed: acknowledge, count, do not send (S-12, S-24). */
  | { readonly kind: "expired" }
  /** A filter of the route took it out: acknowledge and count. */
  | { readonly kind: "filtered" }
  | { readonly kind: "rejected"; readonly code: RejectionCode; readonly reason: string };

/** What a translation may know of the outside world; passed in so that the core stays pure. */
export interface TranslationContext {
  /** Milliseconds since the Unix epoch at which the message is handed on. */
  readonly now: number;
  /** A fresh UUID, for CloudEvents that have no id (S-40). */
  newId(): string;
}
