import type { Invocation } from "../../functions/invocation-log.ts";

export interface RecordedInvocation extends Invocation {
  /** `warn text` and so on, in order. */
  readonly lines: string[];
}

/** What a handler uses of an InvocationContext, writing down what is logged. */
export function invocation(triggerMetadata?: Record<string, unknown>): RecordedInvocation {
  const lines: string[] = [];
  const at =
    (level: string) =>
    (...words: unknown[]): void => {
      lines.push(`${level} ${words.join(" ")}`);
    };
  return {
    triggerMetadata,
    lines,
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
  };
}
