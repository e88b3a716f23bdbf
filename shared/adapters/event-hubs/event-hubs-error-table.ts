import type { ErrorCode } from "../../errors.ts";

/** What some errors of @azure/event-hubs mean to a start, and to a record that is sent. */
export interface EventHubsErrors {
  /** `MessagingError.code`, or the error's name where it has none. */
  readonly names: readonly string[];
  /** Only of errors whose text matches. */
  readonly saying?: RegExp;
  readonly code: ErrorCode;
  readonly start: "retry" | "stop";
  readonly message: "retry" | "dead-letter";
  /** What somebody does about it, as a sentence. */
  readonly operator: string;
}

/** How the service says that a credential which it knows may not do this. */
export const MISSING_CLAIM: RegExp = /claim\(s\) are required/u;

const REPORT = "Report it: nothing that Isthmus sends is meant to be answered so.";

/** Every code of the SDK, the first row that fits counting; whatever is not here is taken for passing. docs/operations.md shows it. */
export const EVENT_HUBS_ERRORS: readonly EventHubsErrors[] = [
  {
    names: ["MessageTooLargeError"],
    code: "KAFKA_MESSAGE_TOO_LARGE",
    start: "retry",
    message: "dead-letter",
    operator: "Send smaller messages, or use a tier that takes larger ones.",
  },
  {
    names: ["UnauthorizedError"],
    saying: MISSING_CLAIM,
    code: "KAFKA_NOT_AUTHORIZED",
    start: "stop",
    message: "dead-letter",
    operator:
      "Grant the Azure Event Hubs Data Sender role (the Send claim) on an event hub that is written to, Data Receiver (Listen) on one that is read.",
  },
  {
    names: ["UnauthorizedError"],
    code: "EVENT_HUBS_REFUSED",
    start: "stop",
    message: "retry",
    operator: "Correct or renew the connection string or the identity: it is refused as such.",
  },
  {
    names: [
      "ArgumentError",
      "ArgumentOutOfRangeError",
      "DecodeError",
      "InvalidFieldError",
      "NotImplementedError",
      "TypeError",
      "RangeError",
    ],
    code: "EVENT_HUBS_REFUSED",
    start: "stop",
    message: "dead-letter",
    operator:
      "See what the message has that no event may have: a long key, a partition that is not there.",
  },
  {
    names: ["MessagingEntityNotFoundError", "ResourceDeletedError"],
    code: "KAFKA_TOPIC_MISSING",
    start: "retry",
    message: "retry",
    operator: "Create the event hub, or correct its name in the manifest.",
  },
  {
    names: ["MessagingEntityDisabledError"],
    code: "EVENT_HUBS_UNAVAILABLE",
    start: "retry",
    message: "retry",
    operator: "Enable the event hub.",
  },
  {
    names: ["QuotaExceededError", "ServerBusyError", "TransferLimitExceededError"],
    code: "EVENT_HUBS_UNAVAILABLE",
    start: "retry",
    message: "retry",
    operator: "Wait; raise the namespace's throughput units when it lasts.",
  },
  {
    names: [
      "ServiceCommunicationError",
      "ServiceUnavailableError",
      "OperationTimeoutError",
      "SystemError",
      "ConnectionLostError",
    ],
    code: "EVENT_HUBS_UNAVAILABLE",
    start: "retry",
    message: "retry",
    operator: "Check the namespace's name, its network rules and private endpoints, and port 5671.",
  },
  {
    names: [
      "InternalServerError",
      "OperationCancelledError",
      "MessagingError",
      "SendOperationFailedError",
      "SenderBusyError",
      "SenderNotReadyError",
      "InsufficientCreditError",
      "DetachForcedError",
      "ConnectionForcedError",
      "ConnectionRedirectError",
      "LinkRedirectError",
      "ErrantLinkError",
      "HandleInUseError",
      "UnattachedHandleError",
      "SessionWindowViolationError",
      "FramingError",
      "FrameSizeTooSmallError",
      "IllegalStateError",
      "ResourceLockedError",
    ],
    code: "EVENT_HUBS_UNAVAILABLE",
    start: "retry",
    message: "retry",
    operator: "Wait; see the state of the namespace when it lasts.",
  },
  {
    names: [
      "AddressAlreadyInUseError",
      "InvalidOperationError",
      "MessageLockLostError",
      "MessageNotFoundError",
      "MessageWaitTimeout",
      "MessagingEntityAlreadyExistsError",
      "NoMatchingSubscriptionError",
      "PartitionNotOwnedError",
      "PreconditionFailedError",
      "PublisherRevokedError",
      "ReceiverDisconnectedError",
      "RelayNotFoundError",
      "SessionCannotBeLockedError",
      "SessionLockLostError",
      "StoreLockLostError",
    ],
    code: "EVENT_HUBS_REFUSED",
    start: "retry",
    message: "retry",
    operator: REPORT,
  },
];
