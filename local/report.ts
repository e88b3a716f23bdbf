import { BridgeError } from "../shared/errors.ts";
import { ADVICE } from "./advice.ts";
import { complain, type Shell } from "./shell.ts";

/** The innermost reason that the message itself does not already tell. */
function reason(error: BridgeError): string {
  const { cause } = error;
  if (!(cause instanceof Error) || cause.message === "") return "";
  return error.message.includes(cause.message) ? "" : ` (${oneLine(cause.message)})`;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*[\r\n]+\s*/g, " ");
}

/** One error as the one message a person reads: what failed, its code, what to do. Never a stack. */
export function errorText(error: unknown): string {
  if (error instanceof BridgeError) {
    if (error.code === "USAGE") return `isthmus: ${oneLine(error.message)}`;
    const advice = ADVICE[error.code];
    const first = `isthmus: ${oneLine(error.message)}${reason(error)} [${error.code}]`;
    return advice === undefined ? first : `${first}\n  ${advice}`;
  }
  const text = error instanceof Error ? error.message : String(error);
  return `isthmus: unexpected error: ${oneLine(text)} (run again with --debug to see where)`;
}

/** Prints one error on stderr; with `debug` also the stacks of it and its causes. */
export function report(shell: Shell, error: unknown, debug: boolean): void {
  complain(shell, errorText(error));
  if (!debug) return;
  for (let at = error; at instanceof Error; at = at.cause) complain(shell, at.stack ?? at.message);
}
