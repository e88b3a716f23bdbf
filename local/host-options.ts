import type { Log } from "../shared/engine/ports.ts";
import type { Arguments, OptionSpecs } from "./command.ts";
import { createLog, LOG_FORMATS, LOG_LEVELS } from "./log.ts";
import { choiceOption, numberOption } from "./parse-arguments.ts";
import type { Shell } from "./shell.ts";

/** The options that run and dev share. */
export const HOST_OPTIONS: OptionSpecs = {
  log: {
    type: "string",
    value: "json|text",
    text: "form of the log lines on stderr (default: text on a terminal, else json)",
  },
  "log-level": { type: "string", value: "LEVEL", text: "debug, info, warn or error" },
  drain: {
    type: "string",
    value: "SECONDS",
    text: "how long stopping may take (default 10)",
  },
  memory: {
    type: "string",
    value: "MB",
    text: "messages held in memory by all routes together (default 256, or as the manifests say)",
  },
};

export interface HostSettings {
  readonly log: Log;
  readonly drainMs: number;
  /** Undefined when it was not given. */
  readonly memoryBudgetBytes: number | undefined;
}

/** Reads {@link HOST_OPTIONS}. @throws BridgeError USAGE. */
export function hostSettings(
  args: Arguments,
  shell: Shell,
  defaultLevel: "info" | "warn",
): HostSettings {
  const json = args.flag("json") || !shell.terminal;
  const format = choiceOption(args, "log", LOG_FORMATS) ?? (json ? "json" : "text");
  const level = choiceOption(args, "log-level", LOG_LEVELS) ?? defaultLevel;
  const drain = numberOption(args, "drain", { min: 0, max: 3600 }) ?? 10;
  const memory = numberOption(args, "memory", { min: 1, max: 1_000_000 });
  return {
    log: createLog(shell.stderr, { format, level, now: Date.now }),
    drainMs: drain * 1000,
    memoryBudgetBytes: memory === undefined ? undefined : memory * 1024 * 1024,
  };
}
