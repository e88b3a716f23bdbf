import { BridgeError } from "../../errors.ts";
import { EVENT_HUBS_ERRORS, type EventHubsErrors } from "./event-hubs-error-table.ts";

interface VendorError {
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
  readonly errors?: readonly unknown[];
}

/** Whatever nobody knows is taken for passing (S-54). */
const PASSING: Pick<EventHubsErrors, "code" | "message"> = {
  code: "EVENT_HUBS_UNAVAILABLE",
  message: "retry",
};

/**
 * What a fault of @azure/event-hubs means to the records that were being sent: not retryable means that one of them can never be. `doing`
 * says what failed, for people.
 */
export function eventHubsError(cause: unknown, doing: string): BridgeError {
  const causes = rootsOf(cause).map((root) => errorOf(root, cause, doing));
  return causes.find((error) => !error.retryable) ?? (causes[0] as BridgeError);
}

/** What a fault means that came before there was anything to send: no record is to blame for it. */
export function connectError(cause: unknown, doing: string): BridgeError {
  if (cause instanceof BridgeError && cause.retryable) return cause;
  return new BridgeError("EVENT_HUBS_REFUSED", `${doing}: ${textOf(cause as VendorError)}`, {
    cause,
    retryable: true,
  });
}

function errorOf(root: unknown, cause: unknown, doing: string): BridgeError {
  if (root instanceof BridgeError) return root;
  const error = root as VendorError;
  const key = error.code ?? error.name ?? "";
  const row = EVENT_HUBS_ERRORS.find(
    ({ names, saying }) =>
      names.includes(key) && (saying === undefined || saying.test(error.message ?? "")),
  );
  const { code, message } = row ?? PASSING;
  return new BridgeError(code, `${doing}: ${textOf(error)}`, {
    cause,
    retryable: message === "retry",
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
