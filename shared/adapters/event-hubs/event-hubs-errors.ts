import { BridgeError } from "../../errors.ts";
import { networkVerdict, tlsProblem } from "../../network-errors.ts";
import {
  EVENT_HUBS_ERRORS,
  type EventHubsErrors,
  MISSING_CLAIM,
} from "./event-hubs-error-table.ts";

interface VendorError {
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
  readonly errors?: readonly unknown[];
}

/** What was attempted when the fault came: a start, or the sending of records. */
export type Attempt = "start" | "message";

/** Whatever nobody knows is taken for passing (S-54). */
const PASSING: Pick<EventHubsErrors, "code" | "start" | "message"> = {
  code: "EVENT_HUBS_UNAVAILABLE",
  start: "retry",
  message: "retry",
};

/** A certificate that is not trusted, or of another host: a start ends, and no record is to blame. */
const UNTRUSTED: typeof PASSING = { code: "EVENT_HUBS_REFUSED", start: "stop", message: "retry" };

/**
 * What a fault of @azure/event-hubs means: not retryable means that one of the records can never be sent, or that a start is over. `doing`
 * says what failed, for people.
 */
export function eventHubsError(
  cause: unknown,
  doing: string,
  attempt: Attempt = "message",
): BridgeError {
  const causes = rootsOf(cause).map((root) => errorOf(root, { cause, doing, attempt }));
  return causes.find((error) => !error.retryable) ?? (causes[0] as BridgeError);
}

/** What a fault means that came before there was anything to send: no record is to blame for it. */
export function connectError(cause: unknown, doing: string): BridgeError {
  if (cause instanceof BridgeError && cause.retryable) return cause;
  const code = cause instanceof BridgeError ? cause.code : "EVENT_HUBS_REFUSED";
  return new BridgeError(code, `${doing}: ${textOf(cause as VendorError)}`, {
    cause,
    retryable: true,
  });
}

/** Whether an identity or a key is refused as such, and not only for what it was to do. */
export function isRefusedCredential(cause: unknown): boolean {
  return rootsOf(cause).some((root) => {
    const { code, message = "" } = root as VendorError;
    return code === "UnauthorizedError" && !MISSING_CLAIM.test(message);
  });
}

/** Whether the credential is known and lacks the right to do what it was to do. */
export function isMissingClaim(cause: unknown): boolean {
  return rootsOf(cause).some((root) => MISSING_CLAIM.test((root as VendorError).message ?? ""));
}

interface Fault {
  readonly cause: unknown;
  readonly doing: string;
  readonly attempt: Attempt;
}

function errorOf(root: unknown, { cause, doing, attempt }: Fault): BridgeError {
  if (root instanceof BridgeError) return root;
  const error = root as VendorError;
  const key = error.code ?? error.name ?? "";
  const row = EVENT_HUBS_ERRORS.find(
    ({ names, saying }) =>
      names.includes(key) && (saying === undefined || saying.test(error.message ?? "")),
  );
  const isTls = networkVerdict(key) === "stop";
  const { code, [attempt]: verdict } = row ?? (isTls ? UNTRUSTED : PASSING);
  const text = isTls ? tlsProblem(key, textOf(error)) : textOf(error);
  return new BridgeError(code, `${doing}: ${text}`, {
    cause,
    retryable: verdict === "retry",
  });
}

/** The SDK gathers the failures of its own retries, and of the addresses of a host, in an AggregateError without words. */
function rootsOf(cause: unknown, depth = 0): unknown[] {
  if (typeof cause !== "object" || cause === null) return [{ message: String(cause) }];
  const { errors } = cause as VendorError;
  if (errors === undefined || errors.length === 0 || depth > 8) return [cause];
  return errors.flatMap((error) => rootsOf(error, depth + 1));
}

function textOf({ message, code, name }: VendorError): string {
  return (message || code || name || "unknown reason").split("\n", 1)[0] ?? "";
}
