import { BridgeError, type ErrorCode } from "../../errors.ts";

interface Verdict {
  readonly code: ErrorCode;
  readonly retryable: boolean;
}

/** `MessagingError.code` of the SDK by what it means to a bridge; what is not here follows the SDK's own `retryable`. */
const BY_CODE: Readonly<Record<string, Verdict>> = {
  MessageTooLargeError: { code: "KAFKA_MESSAGE_TOO_LARGE", retryable: false },
  UnauthorizedError: { code: "KAFKA_NOT_AUTHORIZED", retryable: false },
  UnauthorizedAccess: { code: "KAFKA_NOT_AUTHORIZED", retryable: false },
  MessagingEntityNotFoundError: { code: "KAFKA_TOPIC_MISSING", retryable: true },
  MessagingEntityDisabledError: { code: "EVENT_HUBS_UNAVAILABLE", retryable: true },
  QuotaExceededError: { code: "EVENT_HUBS_UNAVAILABLE", retryable: true },
  ArgumentError: { code: "EVENT_HUBS_REFUSED", retryable: false },
  ArgumentOutOfRangeError: { code: "EVENT_HUBS_REFUSED", retryable: false },
  NotImplementedError: { code: "EVENT_HUBS_REFUSED", retryable: false },
  DecodeError: { code: "EVENT_HUBS_REFUSED", retryable: false },
  InvalidFieldError: { code: "EVENT_HUBS_REFUSED", retryable: false },
};

const PASSING: Verdict = { code: "EVENT_HUBS_UNAVAILABLE", retryable: true };

/** What a fault of @azure/event-hubs means. `doing` says what failed, for people. */
export function eventHubsError(cause: unknown, doing: string): BridgeError {
  if (cause instanceof BridgeError) return cause;
  const { code, message } = cause as { code?: string; message?: string };
  const verdict = BY_CODE[code ?? ""] ?? PASSING;
  const text = (message ?? String(cause)).split("\n", 1)[0] ?? "";
  return new BridgeError(verdict.code, `${doing}: ${text}`, {
    cause,
    retryable: verdict.retryable,
  });
}
