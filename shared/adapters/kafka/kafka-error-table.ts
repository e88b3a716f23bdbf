import type { ErrorCode } from "../../errors.ts";

/** What some errors of Kafka, or of kafkajs, mean to this product. */
export interface KafkaErrors {
  readonly names: readonly string[];
  readonly code: ErrorCode;
  /** When a route connects or reads: `stop` ends a start; a running route goes on trying. */
  readonly connection: "retry" | "stop";
  /** When a record is sent. */
  readonly message: "retry" | "dead-letter";
  /** What somebody does about it, as a sentence. */
  readonly operator: string;
}

const WAIT = "Wait; see the broker's log when it lasts.";
const CREDENTIALS =
  "Correct user name, password or identity, or enable the SASL mechanism on this listener.";
const VERSION = "Use a broker of Kafka 0.11 or later, with the requests that the message names.";
const REPORT = "Report it: no request of Isthmus is meant to be answered so.";

/** The error names of the Kafka protocol as kafkajs spells them. docs/operations.md shows this table. */
export const PROTOCOL_ERRORS: readonly KafkaErrors[] = [
  {
    code: "KAFKA_MESSAGE_TOO_LARGE",
    connection: "retry",
    message: "dead-letter",
    operator:
      "Raise `max.message.bytes` (or `segment.bytes`) of the topic, or send smaller messages.",
    names: ["MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE"],
  },
  {
    code: "KAFKA_REFUSED",
    connection: "retry",
    message: "dead-letter",
    operator: "See what the topic asks of its records: a key where it is compacted, a schema.",
    names: ["INVALID_RECORD", "CORRUPT_MESSAGE"],
  },
  {
    // our clock makes the timestamps, anew at each attempt
    code: "KAFKA_UNAVAILABLE",
    connection: "retry",
    message: "retry",
    operator:
      "Set the clock of this machine: by the topic's bounds (`message.timestamp.after.max.ms`) it is too far from the broker's.",
    names: ["INVALID_TIMESTAMP"],
  },
  {
    code: "KAFKA_REFUSED",
    connection: "stop",
    message: "dead-letter",
    operator: "Correct the topic's name in the manifest, or the topic's own settings.",
    names: [
      "INVALID_TOPIC_EXCEPTION",
      "POLICY_VIOLATION",
      "UNSUPPORTED_FOR_MESSAGE_FORMAT",
      "UNSUPPORTED_COMPRESSION_TYPE",
    ],
  },
  {
    code: "KAFKA_NOT_AUTHORIZED",
    connection: "stop",
    message: "dead-letter",
    operator:
      "Grant Read on the source topic, Write on the destination and on the dead-letter topic.",
    names: ["TOPIC_AUTHORIZATION_FAILED"],
  },
  {
    code: "KAFKA_NOT_AUTHORIZED",
    connection: "stop",
    message: "retry",
    operator: "Grant Read on the consumer group, or what else the message names.",
    names: [
      "GROUP_AUTHORIZATION_FAILED",
      "CLUSTER_AUTHORIZATION_FAILED",
      "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
      "DELEGATION_TOKEN_AUTHORIZATION_FAILED",
    ],
  },
  {
    code: "KAFKA_AUTHENTICATION_FAILED",
    connection: "stop",
    message: "retry",
    operator: CREDENTIALS,
    names: [
      "SASL_AUTHENTICATION_FAILED",
      "UNSUPPORTED_SASL_MECHANISM",
      "ILLEGAL_SASL_STATE",
      "SECURITY_DISABLED",
      "DELEGATION_TOKEN_AUTH_DISABLED",
      "DELEGATION_TOKEN_NOT_FOUND",
      "DELEGATION_TOKEN_OWNER_MISMATCH",
      "DELEGATION_TOKEN_REQUEST_NOT_ALLOWED",
      "DELEGATION_TOKEN_EXPIRED",
      "INVALID_PRINCIPAL_TYPE",
    ],
  },
  {
    code: "KAFKA_REFUSED",
    connection: "stop",
    message: "retry",
    operator: "Correct consumerGroupId.",
    names: ["INVALID_GROUP_ID"],
  },
  {
    code: "KAFKA_REFUSED",
    connection: "stop",
    message: "retry",
    operator:
      "Let `group.min.session.timeout.ms` and `group.max.session.timeout.ms` of the broker admit 7 s (Event Hubs: 30 s).",
    names: ["INVALID_SESSION_TIMEOUT"],
  },
  {
    code: "KAFKA_REFUSED",
    connection: "stop",
    message: "retry",
    operator: "Use a consumer group that no other program is in.",
    names: ["INCONSISTENT_GROUP_PROTOCOL"],
  },
  {
    code: "KAFKA_UNAVAILABLE",
    connection: "retry",
    message: "retry",
    operator: "Raise `group.max.size` of the broker, or run fewer instances.",
    names: ["GROUP_MAX_SIZE_REACHED"],
  },
  {
    code: "KAFKA_REFUSED",
    connection: "stop",
    message: "retry",
    operator: VERSION,
    names: ["UNSUPPORTED_VERSION"],
  },
  {
    code: "KAFKA_TOPIC_MISSING",
    connection: "retry",
    message: "retry",
    operator: "Create the topic, or correct its name in the manifest.",
    names: ["UNKNOWN_TOPIC_OR_PARTITION"],
  },
  {
    code: "KAFKA_TOPIC_MISSING",
    connection: "retry",
    message: "retry",
    operator:
      "Create the topic yourself: the broker cannot make it with its defaults, for lack of brokers perhaps.",
    names: [
      "INVALID_REPLICATION_FACTOR",
      "INVALID_PARTITIONS",
      "INVALID_REPLICA_ASSIGNMENT",
      "INVALID_CONFIG",
    ],
  },
  {
    code: "KAFKA_UNAVAILABLE",
    connection: "retry",
    message: "retry",
    operator: "Wait; bring missing brokers back when it lasts.",
    names: [
      "LEADER_NOT_AVAILABLE",
      "NOT_LEADER_FOR_PARTITION",
      "REPLICA_NOT_AVAILABLE",
      "BROKER_NOT_AVAILABLE",
      "PREFERRED_LEADER_NOT_AVAILABLE",
      "ELIGIBLE_LEADERS_NOT_AVAILABLE",
      "FENCED_LEADER_EPOCH",
      "UNKNOWN_LEADER_EPOCH",
      "OFFSET_NOT_AVAILABLE",
      "LISTENER_NOT_FOUND",
      "NOT_CONTROLLER",
      "STALE_CONTROLLER_EPOCH",
      "STALE_BROKER_EPOCH",
      "REASSIGNMENT_IN_PROGRESS",
    ],
  },
  {
    code: "KAFKA_UNAVAILABLE",
    connection: "retry",
    message: "retry",
    operator: "Bring replicas back: fewer are in sync than `min.insync.replicas` asks for.",
    names: ["NOT_ENOUGH_REPLICAS", "NOT_ENOUGH_REPLICAS_AFTER_APPEND"],
  },
  {
    code: "KAFKA_UNAVAILABLE",
    connection: "retry",
    message: "retry",
    operator: "Look at the broker's disks: one is full or has failed.",
    names: ["KAFKA_STORAGE_ERROR", "LOG_DIR_NOT_FOUND"],
  },
  {
    code: "KAFKA_UNAVAILABLE",
    connection: "retry",
    message: "retry",
    operator: WAIT,
    names: [
      "UNKNOWN",
      "KAFKAJS_UNKNOWN_ERROR_CODE",
      "REQUEST_TIMED_OUT",
      "NETWORK_EXCEPTION",
      "GROUP_LOAD_IN_PROGRESS",
      "GROUP_COORDINATOR_NOT_AVAILABLE",
      "NOT_COORDINATOR_FOR_GROUP",
      "REBALANCE_IN_PROGRESS",
      "ILLEGAL_GENERATION",
      "UNKNOWN_MEMBER_ID",
      "MEMBER_ID_REQUIRED",
      "UNSTABLE_OFFSET_COMMIT",
      "FETCH_SESSION_ID_NOT_FOUND",
      "INVALID_FETCH_SESSION_EPOCH",
      "OPERATION_NOT_ATTEMPTED",
      "TOPIC_ALREADY_EXISTS",
    ],
  },
  {
    code: "KAFKA_UNAVAILABLE",
    connection: "retry",
    message: "retry",
    operator:
      "Lengthen the topic's retention: records went before they were read. Reading goes on with the earliest that is left.",
    names: ["OFFSET_OUT_OF_RANGE"],
  },
  {
    code: "KAFKA_UNAVAILABLE",
    connection: "retry",
    message: "retry",
    operator: "Stop the other process that runs the same instance of this route.",
    names: ["FENCED_INSTANCE_ID"],
  },
  {
    code: "KAFKA_REFUSED",
    connection: "retry",
    message: "dead-letter",
    operator: REPORT,
    names: ["INVALID_REQUEST"],
  },
  {
    // the next attempt begins a new epoch
    code: "KAFKA_UNAVAILABLE",
    connection: "retry",
    message: "retry",
    operator: "Nothing: the broker has lost sight of what came before, and the records go again.",
    names: [
      "OUT_OF_ORDER_SEQUENCE_NUMBER",
      "DUPLICATE_SEQUENCE_NUMBER",
      "UNKNOWN_PRODUCER_ID",
      "INVALID_PRODUCER_EPOCH",
    ],
  },
  {
    code: "KAFKA_REFUSED",
    connection: "retry",
    message: "retry",
    operator: REPORT,
    names: [
      "INVALID_REQUIRED_ACKS",
      "INVALID_FETCH_SIZE",
      "OFFSET_METADATA_TOO_LARGE",
      "INVALID_COMMIT_OFFSET_SIZE",
      "INVALID_PRODUCER_ID_MAPPING",
      "INVALID_TXN_STATE",
      "INVALID_TRANSACTION_TIMEOUT",
      "CONCURRENT_TRANSACTIONS",
      "TRANSACTION_COORDINATOR_FENCED",
      "NON_EMPTY_GROUP",
      "GROUP_ID_NOT_FOUND",
      "GROUP_SUBSCRIBED_TO_TOPIC",
      "TOPIC_DELETION_DISABLED",
      "ELECTION_NOT_NEEDED",
      "NO_REASSIGNMENT_IN_PROGRESS",
    ],
  },
];

/** The error classes of kafkajs that no error name of the protocol stands behind. docs/operations.md shows this table. */
export const CLIENT_ERRORS: readonly KafkaErrors[] = [
  {
    code: "KAFKA_AUTHENTICATION_FAILED",
    connection: "stop",
    message: "retry",
    operator: CREDENTIALS,
    names: ["KafkaJSSASLAuthenticationError"],
  },
  {
    code: "KAFKA_REFUSED",
    connection: "stop",
    message: "retry",
    operator: VERSION,
    names: [
      "KafkaJSServerDoesNotSupportApiKey",
      "KafkaJSNotImplemented",
      "KafkaJSUnsupportedMagicByteInMessageSet",
    ],
  },
  {
    code: "KAFKA_UNAVAILABLE",
    connection: "retry",
    message: "retry",
    operator: "Check host, port, DNS, firewall and TLS; the code of the network error says more.",
    names: [
      "KafkaJSConnectionError",
      "KafkaJSConnectionClosedError",
      "KafkaJSRequestTimeoutError",
      "KafkaJSBrokerNotFound",
      "KafkaJSNoBrokerAvailableError",
    ],
  },
  {
    code: "KAFKA_UNAVAILABLE",
    connection: "retry",
    message: "retry",
    operator: WAIT,
    names: [
      "KafkaJSMetadataNotLoaded",
      "KafkaJSTopicMetadataNotLoaded",
      "KafkaJSStaleTopicMetadataAssignment",
      "KafkaJSGroupCoordinatorNotFound",
      "KafkaJSFetcherRebalanceError",
      "KafkaJSTimeout",
      "KafkaJSLockTimeout",
      "KafkaJSPartialMessageError",
    ],
  },
  {
    code: "KAFKA_UNAVAILABLE",
    connection: "retry",
    message: "retry",
    operator: "Look for the error within it, which decides; without one, report it.",
    names: [
      "KafkaJSError",
      "KafkaJSNonRetriableError",
      "KafkaJSNumberOfRetriesExceeded",
      "KafkaJSAggregateError",
      "KafkaJSProtocolError",
      "KafkaJSOffsetOutOfRange",
      "KafkaJSMemberIdRequired",
      "KafkaJSCreateTopicError",
      "KafkaJSAlterPartitionReassignmentsError",
      "KafkaJSDeleteGroupsError",
      "KafkaJSDeleteTopicRecordsError",
      "KafkaJSInvariantViolation",
      "KafkaJSInvalidVarIntError",
      "KafkaJSInvalidLongError",
    ],
  },
];
