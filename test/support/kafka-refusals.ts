import { createRequire } from "node:module";
import { KafkaJSProtocolError } from "kafkajs";
import type { ErrorCode } from "../../shared/errors.ts";

export interface KafkaRefusal {
  readonly name: string;
  readonly code: ErrorCode;
  readonly connection: "retry" | "stop";
  readonly message: "retry" | "dead-letter";
}

/** What a record can never get past, as S-54 has it. */
const DEAD_LETTER = [
  "MESSAGE_TOO_LARGE",
  "RECORD_LIST_TOO_LARGE",
  "INVALID_RECORD",
  "CORRUPT_MESSAGE",
  "INVALID_TOPIC_EXCEPTION",
  "POLICY_VIOLATION",
  "UNSUPPORTED_FOR_MESSAGE_FORMAT",
  "UNSUPPORTED_COMPRESSION_TYPE",
  "TOPIC_AUTHORIZATION_FAILED",
  "INVALID_REQUEST",
];

/** What no start should wait for. */
const STOP = [
  "INVALID_TOPIC_EXCEPTION",
  "POLICY_VIOLATION",
  "UNSUPPORTED_FOR_MESSAGE_FORMAT",
  "UNSUPPORTED_COMPRESSION_TYPE",
  "TOPIC_AUTHORIZATION_FAILED",
  "GROUP_AUTHORIZATION_FAILED",
  "CLUSTER_AUTHORIZATION_FAILED",
  "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
  "DELEGATION_TOKEN_AUTHORIZATION_FAILED",
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
  "INVALID_GROUP_ID",
  "INVALID_SESSION_TIMEOUT",
  "INCONSISTENT_GROUP_PROTOCOL",
  "UNSUPPORTED_VERSION",
  "KafkaJSSASLAuthenticationError",
  "KafkaJSServerDoesNotSupportApiKey",
  "KafkaJSNotImplemented",
  "KafkaJSUnsupportedMagicByteInMessageSet",
];

/** Where the code is another than KAFKA_UNAVAILABLE. */
const CODES: Partial<Record<ErrorCode, readonly string[]>> = {
  KAFKA_MESSAGE_TOO_LARGE: ["MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE"],
  KAFKA_NOT_AUTHORIZED: [
    "TOPIC_AUTHORIZATION_FAILED",
    "GROUP_AUTHORIZATION_FAILED",
    "CLUSTER_AUTHORIZATION_FAILED",
    "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
    "DELEGATION_TOKEN_AUTHORIZATION_FAILED",
  ],
  KAFKA_AUTHENTICATION_FAILED: [
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
    "KafkaJSSASLAuthenticationError",
  ],
  KAFKA_TOPIC_MISSING: [
    "UNKNOWN_TOPIC_OR_PARTITION",
    "INVALID_REPLICATION_FACTOR",
    "INVALID_PARTITIONS",
    "INVALID_REPLICA_ASSIGNMENT",
    "INVALID_CONFIG",
  ],
  KAFKA_REFUSED: [
    "INVALID_RECORD",
    "CORRUPT_MESSAGE",
    "INVALID_TOPIC_EXCEPTION",
    "POLICY_VIOLATION",
    "UNSUPPORTED_FOR_MESSAGE_FORMAT",
    "UNSUPPORTED_COMPRESSION_TYPE",
    "INVALID_GROUP_ID",
    "INVALID_SESSION_TIMEOUT",
    "INCONSISTENT_GROUP_PROTOCOL",
    "UNSUPPORTED_VERSION",
    "INVALID_REQUEST",
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
    "KafkaJSServerDoesNotSupportApiKey",
    "KafkaJSNotImplemented",
    "KafkaJSUnsupportedMagicByteInMessageSet",
  ],
};

const require = createRequire(import.meta.url);

interface ProtocolModule {
  readonly errorCodes: readonly { readonly type: string; readonly code: number }[];
}

/** The error names of the protocol that kafkajs knows, with their numbers. */
export const ERROR_CODES: ProtocolModule["errorCodes"] = (
  require("kafkajs/src/protocol/error.js") as ProtocolModule
).errorCodes;

/** The names of the error classes that kafkajs exports. */
export const CLASSES: readonly string[] = Object.keys(require("kafkajs") as object).filter((name) =>
  name.startsWith("KafkaJS"),
);

function expected(name: string): KafkaRefusal {
  const other = Object.entries(CODES).find(([, names]) => names.includes(name));
  return {
    name,
    code: (other?.[0] as ErrorCode | undefined) ?? "KAFKA_UNAVAILABLE",
    connection: STOP.includes(name) ? "stop" : "retry",
    message: DEAD_LETTER.includes(name) ? "dead-letter" : "retry",
  };
}

/** Every error name of the protocol that kafkajs knows, with its number and what it has to become. */
export const EXPECTED_PROTOCOL: readonly (KafkaRefusal & { readonly number: number })[] =
  ERROR_CODES.map(({ type, code }) => ({ ...expected(type), number: code }));

/** Every error class of kafkajs. */
export const EXPECTED_CLIENT: readonly KafkaRefusal[] = CLASSES.map(expected);

/** An error as kafkajs makes it of a broker's answer. */
export function protocolError(type: string): Error {
  const answer = Object.assign(new Error("said the broker"), { type, code: 1, retriable: true });
  return new KafkaJSProtocolError(answer as never);
}
