import { complain, type Shell } from "./shell.ts";

/** Under npm one Ctrl-C comes twice: from the terminal, and forwarded by npm. */
const SAME_KEY_MS = 500;

/** Resolves at the first SIGINT or SIGTERM with its name; a second one ends the process at once, with a message. `now` in milliseconds. */
export function stopSignal(
  shell: Shell,
  now: () => number = () => performance.now(),
): Promise<string> {
  return new Promise((resolve) => {
    let firstAt: number | undefined;
    shell.onSignal((signal) => {
      if (firstAt === undefined) {
        firstAt = now();
        resolve(signal);
        return;
      }
      if (now() - firstAt < SAME_KEY_MS) return;
      complain(
        shell,
        "isthmus: second signal: ending without draining; what was not acknowledged is delivered again",
      );
      shell.exit(130);
    });
  });
}
