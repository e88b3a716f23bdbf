import type { Log, LogLevel } from "../shared/engine/ports.ts";

/** What a handler needs of an InvocationContext. */
export interface Invocation {
  readonly triggerMetadata?: Readonly<Record<string, unknown>> | undefined;
  debug(...args: unknown[]): void;
  info(...args: unknown[]): void;
  warn(...args: unknown[]): void;
  error(...args: unknown[]): void;
}

/** JSON holds no bigints, and errors hide their message from it. Stacks and payloads never reach a log. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Error) return value.message;
  return value;
}

/** One line: the message, then its fields as JSON. */
export function logLine(message: string, fields: Readonly<Record<string, unknown>> = {}): string {
  return Object.keys(fields).length === 0 ? message : `${message} ${JSON.stringify(fields, plain)}`;
}

/**
 * A log that writes to an invocation that is under way, so that the host files it there, and elsewhere between invocations:
 * the host complains about a context that is used after its function has returned.
 */
export class InvocationLog {
  private readonly open: Invocation[] = [];
  private readonly elsewhere: (level: LogLevel, line: string) => void;

  constructor(elsewhere: (level: LogLevel, line: string) => void) {
    this.elsewhere = elsewhere;
  }

  /** Runs `work` with its invocation as a place for log lines. */
  async during<T>(invocation: Invocation, work: () => Promise<T>): Promise<T> {
    this.open.push(invocation);
    try {
      return await work();
    } finally {
      this.open.splice(this.open.indexOf(invocation), 1);
    }
  }

  readonly log: Log = (level, message, fields) => {
    const line = logLine(message, fields);
    const invocation = this.open.at(-1);
    if (invocation === undefined) this.elsewhere(level, line);
    else invocation[level](line);
  };
}
