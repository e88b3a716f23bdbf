import type { Clock } from "./ports.ts";

/** Waits that a stop cuts short; one at a time. */
export class Pause {
  private readonly clock: Clock;
  private cut: () => void = () => undefined;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Resolves after `ms`, or when {@link end} is called. */
  async lasting(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.clock.after(ms, resolve);
      this.cut = () => {
        cancel();
        resolve();
      };
    });
  }

  end(): void {
    this.cut();
  }
}
