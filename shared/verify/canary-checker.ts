import { LatencyHistogram } from "./latency-histogram.ts";
import { NumberSet } from "./number-set.ts";

/** One arrival of a canary at the other end. */
export interface CanaryArrival {
  readonly number: number;
  /** What order is kept in: canaries of one lane are to arrive as they are numbered. */
  readonly lane: string;
  readonly latencyMs: number;
  /** How it differs from what it should be. */
  readonly problem?: string | undefined;
}

export interface Latencies {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** What came of the canaries, in numbers. */
export interface CanaryCounts {
  /** Canaries that the source has. */
  readonly sent: number;
  /** Different ones that arrived. */
  readonly received: number;
  /** Those that did not arrive, but are in a dead-letter topic. */
  readonly deadLettered: number;
  readonly lost: number;
  /** Arrivals of canaries that had arrived before. */
  readonly duplicated: number;
  /** First arrivals after a later one of the same lane. */
  readonly reordered: number;
  /** Arrivals that differ from what the route's translation makes of the canary. */
  readonly wrong: number;
  /** Of first arrivals, in milliseconds. */
  readonly latencyMs: Latencies;
}

const KEPT = 5;

/** Counts the arrivals of canaries numbered from 0, in a memory of three bits a canary. */
export class CanaryChecker {
  private readonly count: number;
  private readonly sent: NumberSet;
  private readonly arrived: NumberSet;
  /** Arrived or dead-lettered. */
  private readonly settled: NumberSet;
  private readonly latest = new Map<string, number>();
  private readonly latencies = new LatencyHistogram();
  private readonly examples: string[] = [];
  private readonly codes = new Map<string, number>();
  private sentAndSettled = 0;
  private duplicated = 0;
  private reordered = 0;
  private wrong = 0;

  /** For `count` canaries at the most. */
  constructor(count: number) {
    this.count = count;
    this.sent = new NumberSet(count);
    this.arrived = new NumberSet(count);
    this.settled = new NumberSet(count);
  }

  /** The source has acknowledged this canary. */
  add(number: number): void {
    if (this.sent.add(number) && this.settled.has(number)) this.sentAndSettled += 1;
  }

  /** This canary is in a dead-letter topic. Returns whether nothing was known of it before. */
  deadLetter(number: number, code: string): boolean {
    if (!(number >= 0 && number < this.count) || !this.settle(number)) return false;
    this.codes.set(code, (this.codes.get(code) ?? 0) + 1);
    return true;
  }

  /** Returns whether it is the first of its number. */
  arrive({ number, lane, latencyMs, problem }: CanaryArrival): boolean {
    if (problem !== undefined) this.note(`canary ${number}: ${problem}`);
    if (!(number >= 0 && number < this.count)) {
      if (problem === undefined) this.note(`canary ${number} was never sent`);
      return false;
    }
    if (!this.arrived.add(number)) {
      this.duplicated += 1;
      return false;
    }
    this.settle(number);
    const latest = this.latest.get(lane) ?? -1;
    if (number < latest) this.reordered += 1;
    else this.latest.set(lane, number);
    this.latencies.add(latencyMs);
    return true;
  }

  /** How many of the acknowledged canaries have neither arrived nor been dead-lettered. */
  get outstanding(): number {
    return this.sent.size - this.sentAndSettled;
  }

  /** How many different canaries have arrived. */
  get received(): number {
    return this.arrived.size;
  }

  /** How many canaries were dead-lettered, by the reason's code. */
  get deadLetterCodes(): ReadonlyMap<string, number> {
    return this.codes;
  }

  /** The first few arrivals that were wrong, in words. */
  get problems(): readonly string[] {
    return this.examples;
  }

  /** The first few canaries that were sent and of which nothing is known. */
  missing(): readonly number[] {
    const missing: number[] = [];
    for (let number = 0; number < this.count && missing.length < KEPT; number += 1) {
      if (this.sent.has(number) && !this.settled.has(number)) missing.push(number);
    }
    return missing;
  }

  counts(): CanaryCounts {
    const { latencies, duplicated, reordered, wrong } = this;
    return {
      // what is somewhere was sent, acknowledged or not
      sent: this.settled.size + this.outstanding,
      received: this.received,
      deadLettered: this.settled.size - this.received,
      lost: this.outstanding,
      duplicated,
      reordered,
      wrong,
      latencyMs: {
        p50: latencies.quantile(0.5),
        p90: latencies.quantile(0.9),
        p99: latencies.quantile(0.99),
        max: latencies.max,
      },
    };
  }

  private settle(number: number): boolean {
    const isNew = this.settled.add(number);
    if (isNew && this.sent.has(number)) this.sentAndSettled += 1;
    return isNew;
  }

  private note(text: string): void {
    this.wrong += 1;
    if (this.examples.length < KEPT) this.examples.push(text);
  }
}
