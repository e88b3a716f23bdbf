import type { RunningPump } from "../shared/compose.ts";
import type { Clock } from "../shared/engine/ports.ts";
import type { RouteStatus } from "../shared/engine/status.ts";
import { BridgeError } from "../shared/errors.ts";
import { failure } from "./failure.ts";

export interface PumpHolderOptions {
  readonly name: string;
  open(): Promise<RunningPump>;
  /** How long one invocation holds the pump open, from its start. */
  readonly holdMs: number;
  /** How long what is under way may take to end. */
  readonly drainMs: number;
  readonly clock: Pick<Clock, "now" | "after">;
}

/** How often a held pump is asked whether it has failed for good. */
const WATCH_MS = 1000;

/** Why a pump was let go. */
export type HoldEnd = "renewed" | "stopped" | "busy";

/**
 * Holds an MQTT to Kafka pump open for as long as an invocation may last. Between two holds the messages wait in the broker,
 * in the persistent session (S-51).
 */
export class PumpHolder {
  private readonly options: PumpHolderOptions;
  private running: RunningPump | undefined;
  private holding: Promise<HoldEnd> | undefined;
  private wake: () => void = () => undefined;
  private stopRequest: { readonly drainMs: number } | undefined;

  constructor(options: PumpHolderOptions) {
    this.options = options;
  }

  status(): RouteStatus | undefined {
    return this.running?.status();
  }

  /**
   * Opens the pump, waits and lets it go. At once `busy` while another invocation of this process holds it already.
   * @throws Error when the pump cannot be opened or has failed for good.
   */
  async hold(): Promise<HoldEnd> {
    if (this.stopRequest !== undefined) return "stopped";
    if (this.holding !== undefined) return "busy";
    this.holding = this.holdOnce();
    try {
      return await this.holding;
    } finally {
      this.holding = undefined;
    }
  }

  /** Drains and closes the pump, and opens none again; resolves when that is done. */
  async stop(drainMs: number): Promise<void> {
    this.stopRequest = { drainMs };
    this.wake();
    // how the hold ended is for the invocation that holds
    await this.holding?.catch(() => undefined);
  }

  private async holdOnce(): Promise<HoldEnd> {
    const { open, clock, holdMs, name } = this.options;
    const until = clock.now() + holdMs;
    try {
      this.running = await open();
    } catch (thrown) {
      throw failure(thrown, `Cannot open "${name}"`);
    }
    const pump = this.running;
    try {
      const end = await this.letGo(pump, until);
      await pump.stop(this.stopRequest?.drainMs ?? this.options.drainMs);
      if (end === "failed") throw failedError(pump.status(), name);
      return end;
    } catch (thrown) {
      throw failure(thrown, `Cannot hold "${name}"`);
    } finally {
      this.running = undefined;
    }
  }

  /** Waits until the time is over, a stop is asked for, or the pump has failed. */
  private async letGo(pump: RunningPump, until: number): Promise<"renewed" | "stopped" | "failed"> {
    const { clock } = this.options;
    for (;;) {
      if (this.stopRequest !== undefined) return "stopped";
      if (pump.status().state === "failed") return "failed";
      const left = until - clock.now();
      if (left <= 0) return "renewed";
      await new Promise<void>((resolve) => {
        const cancel = clock.after(Math.min(WATCH_MS, left), resolve);
        this.wake = (): void => {
          cancel();
          resolve();
        };
      });
    }
  }
}

function failedError(status: RouteStatus, name: string): Error {
  const detail = status.detail ?? "it gave no reason";
  return failure(new BridgeError("STOPPED", `"${name}" has failed: ${detail}`), "");
}
