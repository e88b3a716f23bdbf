import {
  KafkaJSConnectionError,
  KafkaJSNumberOfRetriesExceeded,
  KafkaJSProtocolError,
  KafkaJSSASLAuthenticationError,
} from "kafkajs";
import { describe, expect, test } from "vitest";
import { kafkaError } from "../../../shared/adapters/kafka/kafka-errors.ts";
import { BridgeError } from "../../../shared/errors.ts";

/** kafkajs' types leave the message out. */
const SaslError = KafkaJSSASLAuthenticationError as unknown as new (message: string) => Error;

const protocol = (type: string): Error =>
  new KafkaJSProtocolError(
    Object.assign(new Error("said the broker"), { type, code: 1, retriable: true }) as never,
  );

describe("kafkaError()", () => {
  test.each([
    ["MESSAGE_TOO_LARGE", "KAFKA_MESSAGE_TOO_LARGE", false],
    ["RECORD_LIST_TOO_LARGE", "KAFKA_MESSAGE_TOO_LARGE", false],
    ["INVALID_RECORD", "KAFKA_REFUSED", false],
    ["INVALID_TIMESTAMP", "KAFKA_REFUSED", false],
    ["INVALID_TOPIC_EXCEPTION", "KAFKA_REFUSED", false],
    ["UNSUPPORTED_FOR_MESSAGE_FORMAT", "KAFKA_REFUSED", false],
    ["UNSUPPORTED_COMPRESSION_TYPE", "KAFKA_REFUSED", false],
    ["INVALID_REQUIRED_ACKS", "KAFKA_REFUSED", false],
    ["POLICY_VIOLATION", "KAFKA_REFUSED", false],
    ["TOPIC_AUTHORIZATION_FAILED", "KAFKA_NOT_AUTHORIZED", false],
    ["GROUP_AUTHORIZATION_FAILED", "KAFKA_NOT_AUTHORIZED", false],
    ["CLUSTER_AUTHORIZATION_FAILED", "KAFKA_NOT_AUTHORIZED", false],
    ["SASL_AUTHENTICATION_FAILED", "KAFKA_AUTHENTICATION_FAILED", false],
    ["UNSUPPORTED_SASL_MECHANISM", "KAFKA_AUTHENTICATION_FAILED", false],
    ["ILLEGAL_SASL_STATE", "KAFKA_AUTHENTICATION_FAILED", false],
    ["INVALID_GROUP_ID", "KAFKA_REFUSED", false],
    ["INVALID_SESSION_TIMEOUT", "KAFKA_REFUSED", false],
    ["INCONSISTENT_GROUP_PROTOCOL", "KAFKA_REFUSED", false],
    ["UNKNOWN_TOPIC_OR_PARTITION", "KAFKA_TOPIC_MISSING", true],
    ["NOT_LEADER_FOR_PARTITION", "KAFKA_UNAVAILABLE", true],
    ["REQUEST_TIMED_OUT", "KAFKA_UNAVAILABLE", true],
    ["KAFKA_STORAGE_ERROR", "KAFKA_UNAVAILABLE", true],
    ["A_NEW_ONE", "KAFKA_UNAVAILABLE", true],
  ])("%s is %s, retryable %s [S-54]", (type, code, retryable) => {
    const error = kafkaError(protocol(type), "Cannot send");
    expect(error).toMatchObject({ code, retryable });
    expect(error.message).toBe(`Cannot send: said the broker (${type})`);
  });

  test("looks through the wrappers of kafkajs", () => {
    const wrapped = new KafkaJSNumberOfRetriesExceeded(protocol("MESSAGE_TOO_LARGE"), {
      retryCount: 3,
      retryTime: 100,
    });
    expect(kafkaError(wrapped, "Cannot send").code).toBe("KAFKA_MESSAGE_TOO_LARGE");
  });

  test("a refused password is final, a refused connection is not", () => {
    const sasl = new SaslError("SASL PLAIN authentication failed");
    expect(kafkaError(sasl, "Cannot connect")).toMatchObject({
      code: "KAFKA_AUTHENTICATION_FAILED",
      retryable: false,
    });
    const refused = new KafkaJSConnectionError("connect ECONNREFUSED 127.0.0.1:9", {
      broker: "127.0.0.1:9",
      code: "ECONNREFUSED",
    });
    expect(kafkaError(refused, "Cannot connect")).toMatchObject({
      code: "KAFKA_UNAVAILABLE",
      retryable: true,
      message: "Cannot connect: connect ECONNREFUSED 127.0.0.1:9",
    });
  });

  test("a failed token stays what it is", () => {
    const token = new BridgeError("IDENTITY_UNAVAILABLE", "no identity", { retryable: true });
    const wrapped = Object.assign(new Error("SASL OAUTHBEARER failed"), { cause: token });
    expect(kafkaError(wrapped, "Cannot connect")).toBe(token);
  });
});
