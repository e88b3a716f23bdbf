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

/** Counts the arrivals of canaries numbered from 0, in a memory of two bits a canary. */
export class CanaryChecker {
  private readonly count: number;
  private readonly sent: NumberSet;
  private readonly arrived: NumberSet;
  private readonly latest = new Map<string, number>();
  private readonly latencies = new LatencyHistogram();
  private readonly examples: string[] = [];
  private sentAndArrived = 0;
  private duplicated = 0;
  private reordered = 0;
  private wrong = 0;

  /** For `count` canaries at the most. */
  constructor(count: number) {
    this.count = count;
    this.sent = new NumberSet(count);
    this.arrived = new NumberSet(count);
  }

  /** The source has acknowledged this canary. */
  add(number: number): void {
    if (this.sent.add(number) && this.arrived.has(number)) this.sentAndArrived += 1;
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
    if (this.sent.has(number)) this.sentAndArrived += 1;
    const latest = this.latest.get(lane) ?? -1;
    if (number < latest) this.reordered += 1;
    else this.latest.set(lane, number);
    this.latencies.add(latencyMs);
    return true;
  }

  /** How many of the acknowledged canaries have not arrived. */
  get outstanding(): number {
    return this.sent.size - this.sentAndArrived;
  }

  /** How many different canaries have arrived. */
  get received(): number {
    return this.arrived.size;
  }

  /** The first few arrivals that were wrong, in words. */
  get problems(): readonly string[] {
    return this.examples;
  }

  /** The first few canaries that were sent and have not arrived. */
  missing(): readonly number[] {
    const missing: number[] = [];
    for (let number = 0; number < this.count && missing.length < KEPT; number += 1) {
      if (this.sent.has(number) && !this.arrived.has(number)) missing.push(number);
    }
    return missing;
  }

  counts(): CanaryCounts {
    const { latencies, duplicated, reordered, wrong } = this;
    return {
      // what has arrived was sent, acknowledged or not
      sent: this.received + this.outstanding,
      received: this.received,
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

  private note(text: string): void {
    this.wrong += 1;
    if (this.examples.length < KEPT) this.examples.push(text);
  }
}
