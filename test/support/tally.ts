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

/** Counts arrivals of the messages that were sent, numbered from 0, and tells when each has come once. */
export class Tally {
  private sent = 0;
  private readonly seen: number[] = [];
  private readonly last = new Map<string, number>();
  private readonly wrong: string[] = [];
  private arrived = 0;
  private duplicates = 0;
  private reordered = 0;
  private whenComplete: () => void = () => undefined;

  /** Says that message `index` is about to be sent; to be told of each, in order. */
  sending(index: number): void {
    this.sent = index + 1;
  }

  /** One arrival. `lane` is what order is kept in; `problem` says how it differs from what it should be. */
  add(index: number, lane: string, problem: string | undefined): void {
    if (problem !== undefined) this.note(`message ${index}: ${problem}`);
    if (!(index >= 0 && index < this.sent)) {
      this.note(`message ${index} was never sent`);
      return;
    }
    const times = this.seen[index] ?? 0;
    this.seen[index] = times + 1;
    if (times > 0) {
      this.duplicates++;
      return;
    }
    const last = this.last.get(lane) ?? -1;
    if (index < last) this.reordered++;
    else this.last.set(lane, index);
    this.arrived++;
    if (this.arrived === this.sent) this.whenComplete();
  }

  /** How many different messages have come. */
  get different(): number {
    return this.arrived;
  }

  /** Once all are sent: waits until all have come, or `timeoutMs` has passed without that. */
  async settled(timeoutMs: number): Promise<Result> {
    let timer: NodeJS.Timeout | undefined;
    if (this.arrived < this.sent) {
      await new Promise<void>((resolve) => {
        this.whenComplete = resolve;
        timer = setTimeout(resolve, timeoutMs);
      });
      clearTimeout(timer);
    }
    return this.result();
  }

  result(): Result {
    const { sent, arrived, duplicates, reordered } = this;
    const missing: string[] = [];
    for (let index = 0; index < sent && missing.length < WRONG_KEPT; index++) {
      if (this.seen[index] === undefined) missing.push(`message ${index} never came`);
    }
    const wrong = [...this.wrong, ...missing];
    return { sent, lost: sent - arrived, duplicates, reordered, wrong };
  }

  private note(text: string): void {
    if (this.wrong.length < WRONG_KEPT) this.wrong.push(text);
  }
}
