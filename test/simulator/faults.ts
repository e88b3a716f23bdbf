import type { Random } from "../support/random.ts";

/** How often what goes wrong: probabilities per attempt, and mean times between events in ms (Infinity: never). */
export interface Faults {
  readonly killsAfterEffects: number;
  readonly stopsEveryMs: number;
  readonly rebalancesEveryMs: number;
  readonly cutsEveryMs: number;
  readonly refusals: number;
  readonly lostSends: number;
  readonly unknownSends: number;
  /** Of one partition among others. */
  readonly partlySent: number;
  readonly failedCommits: number;
  readonly poison: number;
  /** PUBACKs arrive in any order; a broker may not do that, and there are some. */
  readonly disorder: boolean;
  readonly brokenDeadLetters: boolean;
}

export const NO_FAULTS: Faults = {
  killsAfterEffects: Number.POSITIVE_INFINITY,
  stopsEveryMs: Number.POSITIVE_INFINITY,
  rebalancesEveryMs: Number.POSITIVE_INFINITY,
  cutsEveryMs: Number.POSITIVE_INFINITY,
  refusals: 0,
  lostSends: 0,
  unknownSends: 0,
  partlySent: 0,
  failedCommits: 0,
  poison: 0,
  disorder: false,
  brokenDeadLetters: false,
};

/** Each kind of fault is in about a third of all seeds, so that they are tried alone and in every company. */
export function drawFaults(random: Random): Faults {
  const often = (value: () => number): number => (random.chance(0.35) ? value() : 0);
  const every = (least: number, most: number): number =>
    random.chance(0.35) ? random.whole(least, most) : Number.POSITIVE_INFINITY;
  const cutsEveryMs = every(10, 300);
  return {
    killsAfterEffects: every(5, 120),
    stopsEveryMs: every(50, 400),
    rebalancesEveryMs: every(20, 300),
    cutsEveryMs,
    refusals: often(() => random.next() * 0.3),
    lostSends: often(() => random.next() * 0.5),
    unknownSends: often(() => random.next() * 0.5),
    partlySent: often(() => random.next() * 0.5),
    failedCommits: often(() => random.next() * 0.6),
    poison: often(() => random.next() * 0.3),
    // a broker that acknowledges in another order than [MQTT-4.6.0-2] leaves a cut client no way to keep order
    disorder: random.chance(0.5) && cutsEveryMs === Number.POSITIVE_INFINITY,
    brokenDeadLetters: random.chance(0.05),
  };
}

/** Without these nothing may be doubled: a message that cannot pass is no fault of the bridge or the network. */
export function canDouble(faults: Faults): boolean {
  return (
    faults.killsAfterEffects < Number.POSITIVE_INFINITY ||
    faults.rebalancesEveryMs < Number.POSITIVE_INFINITY ||
    faults.cutsEveryMs < Number.POSITIVE_INFINITY ||
    faults.refusals > 0 ||
    faults.unknownSends > 0 ||
    faults.failedCommits > 0 ||
    faults.brokenDeadLetters ||
    // stopped while something is on its way and late: what was done behind it is not committed
    ((faults.poison > 0 || faults.lostSends > 0 || faults.partlySent > 0) &&
      faults.stopsEveryMs < Number.POSITIVE_INFINITY)
  );
}
