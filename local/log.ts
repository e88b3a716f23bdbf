import type { Writable } from "node:stream";
import type { Log, LogLevel } from "../shared/engine/ports.ts";

export const LOG_LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];
export const LOG_FORMATS: readonly ["text", "json"] = ["text", "json"];
export type LogFormat = (typeof LOG_FORMATS)[number];

export interface LogOptions {
  readonly format: LogFormat;
  /** Nothing below this is written. */
  readonly level: LogLevel;
  /** Milliseconds since the Unix epoch. */
  now(): number;
}

/** A JSON replacer: JSON cannot hold bigints, and errors hide their message from it. Stacks never reach a log. */
export function plain(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Error) return value.message;
  return value;
}

function fieldText(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value, plain) ?? "");
  // a line break in a field must not begin a line of its own
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text);
}

/** Writes one line per entry: `12:00:00.000 INFO  text key=value` or one JSON object. */
export function createLog(stream: Writable, options: LogOptions): Log {
  const floor = LOG_LEVELS.indexOf(options.level);
  return (level, message, fields = {}) => {
    if (LOG_LEVELS.indexOf(level) < floor) return;
    const time = new Date(options.now()).toISOString();
    if (options.format === "json") {
      const head = { time, level, message };
      // the second head wins over fields of the same name, the first keeps the order
      stream.write(`${JSON.stringify({ ...head, ...fields, ...head }, plain)}\n`);
      return;
    }
    const tail = Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => ` ${name}=${fieldText(plain(name, value))}`)
      .join("");
    const text = message.replaceAll(/[\r\n]+/g, " ");
    stream.write(`${time.slice(11, 23)} ${level.toUpperCase().padEnd(5)} ${text}${tail}\n`);
  };
}
