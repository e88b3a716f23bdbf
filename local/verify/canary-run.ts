import type { ArrivedCanary, CanarySender } from "../../shared/compose.ts";
import type { Clock } from "../../shared/engine/ports.ts";
import type { CanaryMark } from "../../shared/verify/canary.ts";
import type { CanaryChecker } from "../../shared/verify/canary-checker.ts";
import type { CanaryPath } from "../../shared/verify/canary-path.ts";

/** How a run ended: it is known of all canaries where they are, nothing arrived any more, or it was told to stop. */
export type CanaryEnding = "complete" | "timeout" | "interrupted";

export interface CanaryRunOptions {
  readonly path: CanaryPath;
  readonly checker: CanaryChecker;
  readonly count: number;
  /** Canaries a second; without it as fast as they arrive. */
  readonly perSecond?: number | undefined;
  /** After so long without an arrival what is missing counts as lost. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Ends the run early. */
  readonly stopped: Promise<unknown>;
}

/** No more than these are under way, lest a bridge that is not running finds a flood, and a broker's queue overflows. */
export const MOST_UNDER_WAY = 1000;
const MOST_AT_ONCE = 500;
const TICK_MS = 100;
/** Duplicates come a moment later. */
const LINGER_MS = 500;

/** Sends canaries and sees what comes of them. */
export class CanaryRun {
  private readonly options: CanaryRunOptions;
  private ending: CanaryEnding | undefined;
  /** The time of the last sign that the way is open. */
  private lastProgress = 0;
  private startedAt = 0;
  private endedAt: number | undefined;
  private wake: () => void = () => undefined;
  private whenEnded: () => void = () => undefined;
  private readonly ended: Promise<void>;

  constructor(options: CanaryRunOptions) {
    this.options = options;
    this.ended = new Promise((resolve) => {
      this.whenEnded = resolve;
    });
  }

  /** One canary has come out; `at` in milliseconds since the Unix epoch, with fractions. */
  arrived({ mark, shape, partition }: ArrivedCanary, at: number): void {
    const { path, checker } = this.options;
    const first = checker.arrive({
      number: mark.number,
      lane: `${path.lane(mark.number)} ${partition}`,
      latencyMs: at - mark.sentAt,
      problem: path.problem(mark, shape),
    });
    if (first) this.progress();
  }

  /** A canary is in a dead-letter topic. */
  deadLettered({ number }: CanaryMark, code: string): void {
    if (this.options.checker.deadLetter(number, code)) this.progress();
  }

  private progress(): void {
    this.lastProgress = this.options.clock.now();
    this.wake();
  }

  /** From the first canary until it was known what came of them. */
  get seconds(): number {
    const { clock } = this.options;
    return ((this.endedAt ?? clock.now()) - this.startedAt) / 1000;
  }

  /** Resolves when all have arrived, or will not. @throws BridgeError when the source refuses canaries */
  async run(sender: Pick<CanarySender, "send">): Promise<CanaryEnding> {
    const { checker, clock, stopped } = this.options;
    void stopped.then(() => this.end("interrupted"));
    this.startedAt = clock.now();
    this.lastProgress = this.startedAt;
    const stopWatch = this.watch();
    try {
      await this.sendAll(sender);
      while (this.ending === undefined && checker.outstanding > 0) await this.nap(TICK_MS);
      this.endedAt = clock.now();
      if (this.ending !== undefined) return this.ending;
      await this.nap(LINGER_MS);
      return "complete";
    } finally {
      stopWatch();
    }
  }

  private async sendAll(sender: Pick<CanarySender, "send">): Promise<void> {
    const { checker, count, clock } = this.options;
    let next = 0;
    while (next < count && this.ending === undefined) {
      const some = Math.min(count - next, this.room(), this.due(next));
      if (some <= 0) {
        await this.nap(this.pauseMs());
        continue;
      }
      const idle = checker.outstanding === 0;
      const sending = sender.send(next, next + some);
      // when the run ends first, what becomes of the rest is no longer asked
      sending.catch(() => undefined);
      await Promise.race([sending, this.ended]);
      if (this.ending !== undefined) return;
      for (const end = next + some; next < end; next += 1) checker.add(next);
      if (idle) this.lastProgress = clock.now();
    }
  }

  private room(): number {
    return Math.min(MOST_AT_ONCE, MOST_UNDER_WAY - this.options.checker.outstanding);
  }

  private due(next: number): number {
    const { perSecond, clock } = this.options;
    if (perSecond === undefined) return Number.POSITIVE_INFINITY;
    return Math.floor(((clock.now() - this.startedAt) * perSecond) / 1000) + 1 - next;
  }

  /** Between two canaries. */
  private get intervalMs(): number {
    const { perSecond } = this.options;
    return perSecond === undefined ? 0 : 1000 / perSecond;
  }

  private pauseMs(): number {
    return this.intervalMs === 0 ? TICK_MS : Math.max(1, Math.min(TICK_MS, this.intervalMs));
  }

  private watch(): () => void {
    const { clock, timeoutMs } = this.options;
    let cancel: () => void = () => undefined;
    const look = (): void => {
      if (clock.now() - this.lastProgress > timeoutMs + this.intervalMs) this.end("timeout");
      else cancel = clock.after(TICK_MS, look);
    };
    look();
    return () => cancel();
  }

  private end(ending: CanaryEnding): void {
    this.ending ??= ending;
    this.whenEnded();
    this.wake();
  }

  /** Until something arrives, the run ends, or `ms` have passed. */
  private nap(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.options.clock.after(ms, resolve);
      this.wake = (): void => {
        cancel();
        resolve();
      };
    });
  }
}
