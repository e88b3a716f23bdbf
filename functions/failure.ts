import { BridgeError } from "../shared/errors.ts";

/**
 * The error to throw for the host to see a failure: it takes a thrown undefined for success, and shows neither code nor cause
 * of an error, so both go into the message.
 */
export function failure(thrown: unknown, doing: string): Error {
  if (thrown instanceof BridgeError) {
    return new Error(`${thrown.message}${reason(thrown)} [${thrown.code}]`, { cause: thrown });
  }
  if (thrown instanceof Error) return thrown;
  return new Error(`${doing}: ${String(thrown)}`);
}

function reason({ message, cause }: BridgeError): string {
  if (!(cause instanceof Error) || message.includes(cause.message)) return "";
  return ` (${cause.message})`;
}
