import * as kafkajs from "kafkajs";
import { describe, expect, test } from "vitest";
import {
  CLIENT_ERRORS,
  type KafkaErrors,
  PROTOCOL_ERRORS,
} from "../../../shared/adapters/kafka/kafka-error-table.ts";
import { kafkaError } from "../../../shared/adapters/kafka/kafka-errors.ts";
import { BridgeError } from "../../../shared/errors.ts";
import {
  CLASSES,
  ERROR_CODES,
  EXPECTED_CLIENT,
  EXPECTED_PROTOCOL,
  protocolError,
} from "../../support/kafka-refusals.ts";

/** kafkajs' types leave the message out. */
const SaslError = kafkajs.KafkaJSSASLAuthenticationError as unknown as new (
  message: string,
) => Error;

const names = (rows: readonly KafkaErrors[]): string[] =>
  rows.flatMap((row) => row.names).toSorted();

describe("the table of Kafka's errors", () => {
  test("has every error name that kafkajs knows, once, and the one it uses for those it does not know", () => {
    expect(names(PROTOCOL_ERRORS)).toEqual(
      [...ERROR_CODES.map(({ type }) => type), "KAFKAJS_UNKNOWN_ERROR_CODE"].sort(),
    );
  });

  test("has every error class that kafkajs exports, once", () => {
    expect(names(CLIENT_ERRORS)).toEqual(CLASSES.toSorted());
  });

  test("says of every row what an operator does", () => {
    for (const { operator } of [...PROTOCOL_ERRORS, ...CLIENT_ERRORS]) {
      expect(operator).toMatch(/^[A-Z].+\.$/u);
    }
  });
});

describe("kafkaError()", () => {
  test.each(EXPECTED_PROTOCOL)(
    "$name is $code, connecting: $connection, a record: $message (S-54)",
    ({ name, code, connection, message }) => {
      const cause = protocolError(name);
      expect(kafkaError(cause, "Cannot read")).toMatchObject({
        code,
        retryable: connection === "retry",
        message: `Cannot read: said the broker (${name})`,
      });
      expect(kafkaError(cause, "Cannot send", "message")).toMatchObject({
        code,
        retryable: message === "retry",
      });
    },
  );

  test.each(EXPECTED_CLIENT)(
    "$name is $code, connecting: $connection, a record: $message (S-54)",
    ({ name, code, connection, message }) => {
      const cause = Object.assign(new Error("text\nstack"), { name });
      expect(kafkaError(cause, "Cannot read")).toMatchObject({
        code,
        retryable: connection === "retry",
        message: "Cannot read: text",
      });
      expect(kafkaError(cause, "Cannot send", "message")).toMatchObject({
        code,
        retryable: message === "retry",
      });
    },
  );

  test("what nobody knows may pass (S-54)", () => {
    for (const cause of [protocolError("A_NEW_ONE"), new TypeError("x"), "text", undefined]) {
      for (const attempt of ["connection", "message"] as const) {
        expect(kafkaError(cause, "Cannot send", attempt)).toMatchObject({
          code: "KAFKA_UNAVAILABLE",
          retryable: true,
        });
      }
    }
  });

  test("looks through the wrappers of kafkajs", () => {
    const wrapped = new kafkajs.KafkaJSNumberOfRetriesExceeded(protocolError("MESSAGE_TOO_LARGE"), {
      retryCount: 3,
      retryTime: 100,
    });
    expect(kafkaError(wrapped, "Cannot send").code).toBe("KAFKA_MESSAGE_TOO_LARGE");
  });

  test("of several failures one that is final decides", () => {
    const several = Object.assign(new Error("several"), {
      name: "KafkaJSAggregateError",
      errors: [protocolError("REQUEST_TIMED_OUT"), protocolError("INVALID_RECORD")],
    });
    expect(kafkaError(several, "Cannot send", "message")).toMatchObject({
      code: "KAFKA_REFUSED",
      retryable: false,
    });
    expect(kafkaError(several, "Cannot read")).toMatchObject({
      code: "KAFKA_UNAVAILABLE",
      retryable: true,
    });
  });

  test.each([
    ["SASL PLAIN authentication failed: Invalid credentials", "KAFKA_AUTHENTICATION_FAILED", false],
    ["SASL PLAIN authentication failed: Closed connection", "KAFKA_UNAVAILABLE", true],
    [
      "SASL SCRAM SHA 256 authentication failed: Connection error: read ECONNRESET",
      "KAFKA_UNAVAILABLE",
      true,
    ],
    [
      "SASL PLAIN authentication failed: Request SaslAuthenticate(key: 36, version: 1) timed out",
      "KAFKA_UNAVAILABLE",
      true,
    ],
  ])(
    "%s: %s, retryable %s, for kafkajs says so of a lost connection too",
    (text, code, retryable) => {
      const cause = new kafkajs.KafkaJSNonRetriableError(new SaslError(text));
      expect(kafkaError(Object.assign(cause, { cause: new SaslError(text) }), "x")).toMatchObject({
        code,
        retryable,
      });
    },
  );

  test.each([
    ["ECONNREFUSED", true],
    ["ENOTFOUND", true],
    ["CERT_HAS_EXPIRED", false],
    ["ERR_SSL_WRONG_VERSION_NUMBER", false],
  ])(
    "a connection that ends with %s may be tried again: %s; a record always",
    (code, retryable) => {
      const cause = new kafkajs.KafkaJSConnectionError(`Connection error: ${code}`, {
        broker: "127.0.0.1:9",
        code,
      });
      expect(kafkaError(cause, "Cannot connect")).toMatchObject({
        code: retryable ? "KAFKA_UNAVAILABLE" : "KAFKA_AUTHENTICATION_FAILED",
        retryable,
        message: expect.stringMatching(
          retryable ? /^Cannot connect: Connection error: E/u : /^Cannot connect: TLS failed: /u,
        ),
      });
      expect(kafkaError(cause, "Cannot send", "message").retryable).toBe(true);
    },
  );

  test("a failed token stays what it is", () => {
    const token = new BridgeError("IDENTITY_UNAVAILABLE", "no identity", { retryable: true });
    const wrapped = Object.assign(new Error("SASL OAUTHBEARER failed"), { cause: token });
    expect(kafkaError(wrapped, "Cannot connect")).toBe(token);
  });
});
