import { BridgeError } from "../../errors.ts";
import { networkVerdict, tlsProblem } from "../../network-errors.ts";
import { CLIENT_ERRORS, type KafkaErrors, PROTOCOL_ERRORS } from "./kafka-error-table.ts";

/** What went wrong: connecting and reading, or sending a record. The same refusal may be final of one and not of the other. */
export type KafkaAttempt = "connection" | "message";

type Judgement = Pick<KafkaErrors, "code" | "connection" | "message">;

/** Whatever nobody knows is taken for passing (S-54). */
const PASSING: Judgement = { code: "KAFKA_UNAVAILABLE", connection: "retry", message: "retry" };
const UNTRUSTED: Judgement = {
  code: "KAFKA_AUTHENTICATION_FAILED",
  connection: "stop",
  message: "retry",
};

const BY_TYPE = byName(PROTOCOL_ERRORS);
const BY_CLASS = byName(CLIENT_ERRORS);

/** kafkajs makes a failed authentication of everything that ends one, a broker that goes down included, and keeps only its words. */
const LOST_MEANWHILE =
  /closed connection|connection (?:error|timeout|closed)|not connected|timed out/iu;

interface VendorError {
  readonly name?: string;
  readonly type?: string;
  readonly code?: unknown;
  readonly message?: string;
  readonly cause?: unknown;
  readonly errors?: readonly unknown[];
}

/**
 * What a fault of kafkajs means: its code, and whether to try again. `doing` says what failed, for people. Of a message, not retryable
 * means that it can never be sent; of a connection, that somebody must act.
 */
export function kafkaError(
  cause: unknown,
  doing: string,
  attempt: KafkaAttempt = "connection",
): BridgeError {
  const causes = rootsOf(cause).map((root) => errorOf(root, cause, doing, attempt));
  return causes.find((error) => !error.retryable) ?? (causes[0] as BridgeError);
}

function errorOf(root: unknown, cause: unknown, doing: string, attempt: KafkaAttempt): BridgeError {
  if (root instanceof BridgeError) return root;
  const judgement = judge(root as VendorError);
  return new BridgeError(judgement.code, `${doing}: ${textOf(root)}`, {
    cause,
    retryable: judgement[attempt] === "retry",
  });
}

function judge({ type, name = "", code, message = "" }: VendorError): Judgement {
  const byType = BY_TYPE.get(type ?? "");
  if (byType !== undefined) return byType;
  if (isRefusedByTls(code)) return UNTRUSTED;
  if (name === "KafkaJSSASLAuthenticationError" && LOST_MEANWHILE.test(message)) return PASSING;
  return BY_CLASS.get(name) ?? PASSING;
}

/** kafkajs wraps: retries in "number of retries exceeded", several failures in one with `errors`. At least one root. */
export function rootsOf(cause: unknown, depth = 0): unknown[] {
  if (typeof cause !== "object" || cause === null) return [{ message: String(cause) }];
  if (cause instanceof BridgeError || depth > 8) return [cause];
  const { type, cause: inner, errors } = cause as VendorError;
  if (type !== undefined && BY_TYPE.has(type)) return [cause];
  if (errors !== undefined && errors.length > 0) {
    return errors.flatMap((error) => rootsOf(error, depth + 1));
  }
  return inner === undefined || inner === null ? [cause] : rootsOf(inner, depth + 1);
}

function isRefusedByTls(code: unknown): code is string {
  return typeof code === "string" && networkVerdict(code) === "stop";
}

function textOf(root: unknown): string {
  const { message, name, type, code } = root as VendorError;
  const text = (message ?? name ?? "unknown reason").split("\n", 1)[0] ?? "";
  if (isRefusedByTls(code)) return tlsProblem(code, text.replace(/^Connection error: /u, ""));
  return type === undefined ? text : `${text} (${type})`;
}

function byName(rows: readonly KafkaErrors[]): ReadonlyMap<string, KafkaErrors> {
  return new Map(rows.flatMap((row) => row.names.map((name) => [name, row] as const)));
}
