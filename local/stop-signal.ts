import { complain, type Shell } from "./shell.ts";

/** Resolves at the first SIGINT or SIGTERM with its name; the second ends the process at once, with a message. */
export function stopSignal(shell: Shell): Promise<string> {
  return new Promise((resolve) => {
    let first: string | undefined;
    shell.onSignal((signal) => {
      if (first === undefined) {
        first = signal;
        resolve(signal);
        return;
      }
      complain(
        shell,
        "isthmus: second signal: ending without draining; what was not acknowledged is delivered again",
      );
      shell.exit(130);
    });
  });
}
