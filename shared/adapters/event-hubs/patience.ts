import { setTimeout as wait } from "node:timers/promises";

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 15_000;

/** Waits longer from attempt to attempt, with jitter, unless it is stopped. */
export async function pause(attempt: number, stopped: AbortSignal): Promise<void> {
  const ceiling = Math.min(FIRST_WAIT_MS * 2 ** attempt, LONGEST_WAIT_MS);
  await wait(ceiling / 2 + (Math.random() * ceiling) / 2, undefined, {
    ref: false,
    signal: stopped,
  }).catch(() => undefined);
}
