import type { ErrorCode } from "../../errors.ts";

/** What some errors of @azure/event-hubs mean to a record that is sent; links open at the first record, so that there is no start. */
export interface EventHubsErrors {
  /** `MessagingError.code`, or the error's name where it has none. */
  readonly names: readonly string[];
  /** Only of errors whose text matches. */
  readonly saying?: RegExp;
  readonly code: ErrorCode;
  readonly message: "retry" | "dead-letter";
  /** What somebody does about it, as a sentence. */
  readonly operator: string;
}

const REPORT = "Report it: nothing that Isthmus sends is meant to be answered so.";

/** Every code of the SDK, the first row that fits counting; whatever is not here is taken for passing. docs/operations.md shows it. */
export const EVENT_HUBS_ERRORS: readonly EventHubsErrors[] = [
  {
    names: ["MessageTooLargeError"],
    code: "KAFKA_MESSAGE_TOO_LARGE",
    message: "dead-letter",
    operator: "Send smaller messages, or use a tier that takes larger ones.",
  },
  {
    names: ["UnauthorizedError"],
    saying: /claim\(s\) are required/u,
    code: "KAFKA_NOT_AUTHORIZED",
    message: "dead-letter",
    operator: "Grant the Azure Event Hubs Data Sender role, or the Send claim, on this event hub.",
  },
  {
    names: ["UnauthorizedError"],
    code: "EVENT_HUBS_REFUSED",
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
    message: "dead-letter",
    operator:
      "See what the message has that no event may have: a long key, a partition that is not there.",
  },
  {
    names: ["MessagingEntityNotFoundError", "ResourceDeletedError"],
    code: "KAFKA_TOPIC_MISSING",
    message: "retry",
    operator: "Create the event hub, or correct its name in the manifest.",
  },
  {
    names: ["MessagingEntityDisabledError"],
    code: "EVENT_HUBS_UNAVAILABLE",
    message: "retry",
    operator: "Enable the event hub.",
  },
  {
    names: ["QuotaExceededError", "ServerBusyError", "TransferLimitExceededError"],
    code: "EVENT_HUBS_UNAVAILABLE",
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
    message: "retry",
    operator: REPORT,
  },
];
