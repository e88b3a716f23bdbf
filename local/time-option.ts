import { BridgeError } from "../shared/errors.ts";
import { timeFromTrigger } from "../shared/translate/trigger-time.ts";
import type { Arguments } from "./command.ts";

const AGO = /^(\d{1,9})([smhd])$/;
const DATE = /^\d{4}-\d\d-\d\d$/;
const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * The time after `--name` in milliseconds since the Unix epoch, or undefined when it was not given: a date, an RFC 3339 time, or how
 * long before `now` it is (`90s`, `30m`, `2h`, `7d`). @throws BridgeError USAGE.
 */
export function timeOption(args: Arguments, name: string, now: number): number | undefined {
  const text = args.value(name);
  if (text === undefined) return undefined;
  const [, count, unit] = AGO.exec(text) ?? [];
  if (count !== undefined && unit !== undefined) return now - Number(count) * (UNIT_MS[unit] ?? 0);
  const time = timeFromTrigger(DATE.test(text) ? `${text}T00:00:00Z` : text);
  if (time !== undefined) return time;
  throw new BridgeError(
    "USAGE",
    `Option --${name} must be a time such as 2026-11-21T08:30:00Z or 2026-11-21, or how long ago, such as 30m, 2h or 7d: "${text}"`,
  );
}
