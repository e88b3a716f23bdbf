import { BridgeError } from "../shared/errors.ts";

/** Why the messages that a command was to take could not be read; `path` is undefined for stdin. */
export function unreadableInput(path: string | undefined, cause: unknown): BridgeError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new BridgeError("USAGE", `Cannot read "${path ?? "stdin"}": ${why}`, { cause });
}
