/** Times that follow from how long the host lets one invocation last. All in milliseconds. */
export interface HostTiming {
  /** How long one invocation holds a pump open. */
  readonly holdMs: number;
  /** How long what is under way may take to end when a pump is let go. */
  readonly drainMs: number;
  /** How long a batch may take before it fails and comes again. */
  readonly deliverMs: number;
}

const DEFAULT_TIMEOUT_MS = 30 * 60_000;
const UNBOUNDED_HOLD_MS = 24 * 60 * 60_000;
const MARGIN_MS = 60_000;
const DRAIN_MS = 10_000;
const DELIVER_MS = 60_000;

/** A .NET time span (`[d.]hh:mm:ss`) in milliseconds, Infinity for `-1`; undefined for anything else. */
export function timeSpan(text: unknown): number | undefined {
  if (text === "-1" || text === -1) return Number.POSITIVE_INFINITY;
  if (typeof text !== "string") return undefined;
  const match = /^(?:(\d+)\.)?(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?$/.exec(text.trim());
  if (match === null) return undefined;
  const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  const total = (((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0);
  return total * 1000;
}

/**
 * Reads the host's functionTimeout, which an app setting may override, and ISTHMUS_PUMP_SECONDS.
 * A pump lets go early enough to drain and to be opened before the host would end it.
 */
export function hostTiming(
  hostJson: unknown,
  env: Readonly<Record<string, string | undefined>>,
): HostTiming {
  const fromFile =
    typeof hostJson === "object" && hostJson !== null && "functionTimeout" in hostJson
      ? timeSpan(hostJson.functionTimeout)
      : undefined;
  const timeout =
    timeSpan(env["AzureFunctionsJobHost__functionTimeout"]) ?? fromFile ?? DEFAULT_TIMEOUT_MS;
  const longest = Number.isFinite(timeout)
    ? Math.max(timeout - MARGIN_MS, timeout / 2)
    : UNBOUNDED_HOLD_MS;
  const asked = Number(env["ISTHMUS_PUMP_SECONDS"]) * 1000;
  return {
    holdMs: asked > 0 ? Math.min(asked, longest) : longest,
    drainMs: Math.min(DRAIN_MS, timeout / 4),
    deliverMs: Math.min(DELIVER_MS, timeout / 2),
  };
}
