import { setTimeout as wait } from "node:timers/promises";
import type { Log } from "../../engine/ports.ts";
import { BridgeError } from "../../errors.ts";

export interface ConnectLoop {
  connect(): Promise<void>;
  error(cause: unknown): BridgeError;
  readonly log: Log;
  stopped(): boolean;
  failed(error: BridgeError): void;
}

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 15_000;
/** A stop is seen this soon. */
const STEP_MS = 100;

/** Tries until it is connected. @throws BridgeError when it never can be, or when it was stopped meanwhile */
export async function untilConnected(loop: ConnectLoop): Promise<void> {
  for (let attempt = 0; !loop.stopped(); attempt += 1) {
    try {
      await loop.connect();
      return;
    } catch (cause) {
      const error = loop.error(cause);
      loop.failed(error);
      if (!error.retryable) throw error;
      loop.log("warn", "Kafka cannot be reached yet, trying again", {
        code: error.code,
        error: error.message,
      });
    }
    await pause(attempt, loop.stopped);
  }
  throw new BridgeError("STOPPED", "Cannot connect to Kafka: it was stopped", { retryable: true });
}

/** Waits longer from attempt to attempt, with jitter, unless it is stopped. */
export async function pause(attempt: number, stopped: () => boolean): Promise<void> {
  const ceiling = Math.min(FIRST_WAIT_MS * 2 ** attempt, LONGEST_WAIT_MS);
  const until = Date.now() + ceiling / 2 + (Math.random() * ceiling) / 2;
  while (!stopped() && Date.now() < until) await wait(STEP_MS, undefined, { ref: false });
}
