import type { Random } from "../support/random.ts";
import type { Faults } from "./faults.ts";

/** What becomes of a message, if all is well. */
export type FateKind = "delivered" | "rejected" | "filtered" | "expiring" | "forbidden";

export interface Fate {
  readonly kind: FateKind;
  /** Milliseconds since the Unix epoch. */
  readonly expiresAt: number;
}

export function drawFate(random: Random, faults: Faults, now: number): Fate {
  const kind: FateKind = random.chance(faults.poison)
    ? random.pick(["rejected", "forbidden", "filtered", "expiring"])
    : "delivered";
  const expiresAt = kind === "expiring" ? now + random.next() * 200 : Number.POSITIVE_INFINITY;
  return { kind, expiresAt };
}
