import { BridgeError, type ErrorCode } from "../../errors.ts";

interface Verdict {
  readonly code: ErrorCode;
  readonly retryable: boolean;
}

/** Kafka's error names by what they mean to a bridge; whatever is not here is taken for passing (S-54). */
const BY_TYPE: Readonly<Record<string, Verdict>> = {
  MESSAGE_TOO_LARGE: { code: "KAFKA_MESSAGE_TOO_LARGE", retryable: false },
  RECORD_LIST_TOO_LARGE: { code: "KAFKA_MESSAGE_TOO_LARGE", retryable: false },
  INVALID_RECORD: { code: "KAFKA_REFUSED", retryable: false },
  INVALID_TIMESTAMP: { code: "KAFKA_REFUSED", retryable: false },
  INVALID_TOPIC_EXCEPTION: { code: "KAFKA_REFUSED", retryable: false },
  UNSUPPORTED_FOR_MESSAGE_FORMAT: { code: "KAFKA_REFUSED", retryable: false },
  UNSUPPORTED_COMPRESSION_TYPE: { code: "KAFKA_REFUSED", retryable: false },
  INVALID_REQUIRED_ACKS: { code: "KAFKA_REFUSED", retryable: false },
  POLICY_VIOLATION: { code: "KAFKA_REFUSED", retryable: false },
  TOPIC_AUTHORIZATION_FAILED: { code: "KAFKA_NOT_AUTHORIZED", retryable: false },
  GROUP_AUTHORIZATION_FAILED: { code: "KAFKA_NOT_AUTHORIZED", retryable: false },
  CLUSTER_AUTHORIZATION_FAILED: { code: "KAFKA_NOT_AUTHORIZED", retryable: false },
  SASL_AUTHENTICATION_FAILED: { code: "KAFKA_AUTHENTICATION_FAILED", retryable: false },
  UNSUPPORTED_SASL_MECHANISM: { code: "KAFKA_AUTHENTICATION_FAILED", retryable: false },
  ILLEGAL_SASL_STATE: { code: "KAFKA_AUTHENTICATION_FAILED", retryable: false },
  INVALID_GROUP_ID: { code: "KAFKA_REFUSED", retryable: false },
  INVALID_SESSION_TIMEOUT: { code: "KAFKA_REFUSED", retryable: false },
  INCONSISTENT_GROUP_PROTOCOL: { code: "KAFKA_REFUSED", retryable: false },
  UNKNOWN_TOPIC_OR_PARTITION: { code: "KAFKA_TOPIC_MISSING", retryable: true },
};

/** kafkajs' own error classes that no protocol error stands behind. */
const BY_NAME: Readonly<Record<string, Verdict>> = {
  KafkaJSSASLAuthenticationError: { code: "KAFKA_AUTHENTICATION_FAILED", retryable: false },
  KafkaJSServerDoesNotSupportApiKey: { code: "KAFKA_REFUSED", retryable: false },
  KafkaJSNotImplemented: { code: "KAFKA_REFUSED", retryable: false },
  KafkaJSUnsupportedMagicByteInMessageSet: { code: "KAFKA_REFUSED", retryable: false },
};

const PASSING: Verdict = { code: "KAFKA_UNAVAILABLE", retryable: true };

interface VendorError {
  readonly name?: string;
  readonly type?: string;
  readonly message?: string;
  readonly cause?: unknown;
  readonly errors?: readonly unknown[];
}

/** What a fault of kafkajs means: its code, and whether to try again. `doing` says what failed, for people. */
export function kafkaError(cause: unknown, doing: string): BridgeError {
  if (cause instanceof BridgeError) return cause;
  const root = rootOf(cause);
  const own = root instanceof BridgeError ? root : undefined;
  if (own !== undefined) return own;
  const { type, name } = root as VendorError;
  const verdict = BY_TYPE[type ?? ""] ?? BY_NAME[name ?? ""] ?? PASSING;
  return new BridgeError(verdict.code, `${doing}: ${textOf(root)}`, {
    cause,
    retryable: verdict.retryable,
  });
}

/** kafkajs wraps: retries in "number of retries exceeded", several produce failures in one with `errors`. */
function rootOf(cause: unknown, depth = 0): unknown {
  if (typeof cause !== "object" || cause === null || depth > 8) return cause ?? {};
  const { type, cause: inner, errors } = cause as VendorError;
  if (cause instanceof BridgeError || (type !== undefined && BY_TYPE[type] !== undefined))
    return cause;
  const next = errors?.[0] ?? inner;
  return next === undefined || next === null ? cause : rootOf(next, depth + 1);
}

function textOf(root: unknown): string {
  const { message, name, type } = root as VendorError;
  const text = (message ?? name ?? "unknown reason").split("\n", 1)[0] ?? "";
  return type === undefined ? text : `${text} (${type})`;
}
