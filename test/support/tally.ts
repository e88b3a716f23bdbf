/** What arrived of a numbered series of messages. */
export interface Result {
  readonly sent: number;
  readonly lost: number;
  readonly duplicates: number;
  /** First arrivals that came after a later one of their lane. */
  readonly reordered: number;
  /** The first few that were not what they should be, in words. */
  readonly wrong: readonly string[];
}

const WRONG_KEPT = 5;

/** Counts arrivals of messages 0 to count - 1 and tells when each has come once. */
export class Tally {
  private readonly count: number;
  private readonly seen: Uint16Array;
  private readonly last = new Map<string, number>();
  private readonly wrong: string[] = [];
  private arrived = 0;
  private duplicates = 0;
  private reordered = 0;
  private readonly complete: Promise<void>;
  private finish: () => void = () => undefined;

  constructor(count: number) {
    this.count = count;
    this.seen = new Uint16Array(count);
    this.complete = new Promise((resolve) => {
      this.finish = resolve;
    });
  }

  /** One arrival. `lane` is what order is kept in; `problem` says how it differs from what it should be. */
  add(index: number, lane: string, problem: string | undefined): void {
    if (problem !== undefined) this.note(`message ${index}: ${problem}`);
    const times = this.seen[index];
    if (times === undefined) {
      this.note(`message ${index} was never sent`);
      return;
    }
    this.seen[index] = times + 1;
    if (times > 0) {
      this.duplicates++;
      return;
    }
    const last = this.last.get(lane) ?? -1;
    if (index < last) this.reordered++;
    else this.last.set(lane, index);
    this.arrived++;
    if (this.arrived === this.count) this.finish();
  }

  /** How many different messages have come. */
  get different(): number {
    return this.arrived;
  }

  /** Waits until all have come, or `timeoutMs` has passed without that. */
  async settled(timeoutMs: number): Promise<Result> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    await Promise.race([this.complete, late]);
    clearTimeout(timer);
    return this.result();
  }

  result(): Result {
    const { count, arrived, duplicates, reordered, wrong } = this;
    return { sent: count, lost: count - arrived, duplicates, reordered, wrong };
  }

  private note(text: string): void {
    if (this.wrong.length < WRONG_KEPT) this.wrong.push(text);
  }
}
