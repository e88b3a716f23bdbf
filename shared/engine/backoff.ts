import type { Clock } from "./ports.ts";

export interface Backoff {
  /** Milliseconds to wait before the next attempt: doubling with full jitter, never more than the cap (S-54). */
  next(retryAfterMs?: number): number;
  /** After a success the next wait is the shortest again. */
  reset(): void;
}

export interface BackoffOptions {
  /** @default 100 */
  readonly firstMs?: number;
  /** @default 30_000 */
  readonly maximumMs?: number;
}

export function backoff(clock: Clock, options: BackoffOptions = {}): Backoff {
  const first = options.firstMs ?? 100;
  const maximum = options.maximumMs ?? 30_000;
  let ceiling = first;
  return {
    next(retryAfterMs = 0): number {
      const wait = ceiling / 2 + (clock.random() * ceiling) / 2;
      ceiling = Math.min(ceiling * 2, maximum);
      return Math.max(wait, retryAfterMs);
    },
    reset(): void {
      ceiling = first;
    },
  };
}
