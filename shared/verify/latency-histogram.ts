/** Times in milliseconds are told apart from here on; shorter ones count as this. */
const SHORTEST = 0.001;
/** More than a day. */
const LONGEST = 100_000_000;

/**
 * Counts latencies in buckets that grow by a constant factor, so that every quantile is known with the same relative error in a memory
 * that does not grow with their number.
 */
export class LatencyHistogram {
  /** Quantiles between {@link SHORTEST} and {@link LONGEST} are off by at most this part of themselves. */
  static readonly RELATIVE_ERROR: number = 0.01;
  private static readonly growth = (1 + this.RELATIVE_ERROR) / (1 - this.RELATIVE_ERROR);
  private static readonly buckets =
    Math.ceil(Math.log(LONGEST / SHORTEST) / Math.log(this.growth)) + 1;

  private readonly counts = new Float64Array(LatencyHistogram.buckets);
  private count = 0;
  private largest = 0;

  add(ms: number): void {
    const steps = Math.ceil(Math.log(ms / SHORTEST) / Math.log(LatencyHistogram.growth));
    // a time that is zero or negative has no logarithm
    const bucket = ms > SHORTEST ? Math.min(steps, this.counts.length - 1) : 0;
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
    this.count += 1;
    this.largest = Math.max(this.largest, ms);
  }

  /** Exact. */
  get max(): number {
    return this.largest;
  }

  /** The smallest latency that a share `q` of all, more than 0 and at most 1, does not exceed; 0 when there is none. */
  quantile(q: number): number {
    const rank = Math.ceil(q * this.count);
    let below = 0;
    for (let bucket = 0; bucket < this.counts.length && rank > 0; bucket += 1) {
      below += this.counts[bucket] ?? 0;
      if (below >= rank) return Math.min(middle(bucket, LatencyHistogram.growth), this.largest);
    }
    return 0;
  }
}

/** What is equally far, in proportion, from both ends of a bucket. */
function middle(bucket: number, growth: number): number {
  return (SHORTEST * 2 * growth ** bucket) / (growth + 1);
}
