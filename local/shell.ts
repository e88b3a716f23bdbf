import type { Readable, Writable } from "node:stream";

/** What a command may know of the process it runs in: passed in, so that commands can be run by tests. */
export interface Shell {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Whether stderr is a terminal: then logs are text, otherwise JSON. */
  readonly terminal: boolean;
  /** Calls `fn` at each SIGINT or SIGTERM, with its name. */
  onSignal(fn: (signal: string) => void): void;
  /** Ends the process at once, open connections or not. */
  exit(code: number): void;
}

/** One line to stdout. */
export function print(shell: Shell, line: string): void {
  shell.stdout.write(`${line}\n`);
}

/** One line to stderr. */
export function complain(shell: Shell, line: string): void {
  shell.stderr.write(`${line}\n`);
}
