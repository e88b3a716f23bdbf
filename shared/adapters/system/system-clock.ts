import { randomUUID } from "node:crypto";
import type { Clock } from "../../engine/ports.ts";

/** The machine's clock and chance. Timers never keep a process alive by themselves. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, fn): () => void {
    const timer = setTimeout(fn, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
  newId: () => randomUUID(),
};
