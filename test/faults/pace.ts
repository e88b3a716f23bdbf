import { setTimeout as pause } from "node:timers/promises";
import type { Account } from "./account.ts";

/** How fast an account's messages are sent. */
export interface Pace {
  readonly perSecond: number;
  /** How many messages may have been sent by now, whatever the time. */
  limit(): number;
  /** The lane of the next message. */
  lane(): number;
}

const TICK_MS = 10;
/** Of one burst: with more, all lanes would come in one piece. */
const BURST = 500;

/** Calls `send` with the number of messages that are due, one call after the other, until all have been sent. */
export async function paced(
  pace: Pace,
  account: Account,
  send: (count: number) => Promise<void>,
): Promise<void> {
  const started = performance.now();
  let skipped = 0;
  while (account.sent < account.size) {
    const due = Math.floor(((performance.now() - started) / 1000) * pace.perSecond) - skipped;
    // a source that was held up does not make up for it by a flood
    if (due - account.sent > pace.perSecond) skipped += due - account.sent - pace.perSecond;
    const most = Math.min(due, pace.limit(), account.size) - account.sent;
    const count = Math.min(BURST, most);
    if (count > 0) await send(count);
    if (count < BURST) await pause(TICK_MS);
  }
}
