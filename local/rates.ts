import type { RouteStatus } from "../shared/engine/status.ts";
import type { RouteRate } from "../shared/pages/status-view.ts";

const HISTORY_SECONDS = 60;
/** The shown rate is the mean over so many seconds: steady enough to read. */
const MEAN_SECONDS = 5;

interface Series {
  delivered: number;
  readonly history: number[];
}

/** Turns counters, sampled once a second, into messages per second by route. */
export class RateSampler {
  private readonly series = new Map<string, Series>();
  private lastAt: number | undefined;

  /** Call about once a second; `now` in milliseconds. */
  sample(statuses: readonly RouteStatus[], now: number): void {
    const seconds = this.lastAt === undefined ? undefined : (now - this.lastAt) / 1000;
    if (seconds !== undefined && seconds <= 0) return;
    this.lastAt = now;
    const delivered = new Map<string, number>();
    for (const { route, counters } of statuses) {
      delivered.set(route, (delivered.get(route) ?? 0) + counters.delivered);
    }
    for (const [route, total] of delivered) {
      const series = this.series.get(route);
      if (series === undefined) {
        this.series.set(route, { delivered: total, history: [] });
        continue;
      }
      if (seconds !== undefined)
        series.history.push(Math.max(0, total - series.delivered) / seconds);
      series.delivered = total;
      if (series.history.length > HISTORY_SECONDS) series.history.shift();
    }
  }

  rates(): ReadonlyMap<string, RouteRate> {
    const rates = new Map<string, RouteRate>();
    for (const [route, { history }] of this.series) {
      const last = history.slice(-MEAN_SECONDS);
      const sum = last.reduce((a, b) => a + b, 0);
      rates.set(route, {
        perSecond: last.length === 0 ? 0 : sum / last.length,
        history: [...history],
      });
    }
    return rates;
  }
}
