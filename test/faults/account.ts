/** What became of the numbered messages of one direction. */
export interface Outcome {
  readonly sent: number;
  /** Neither arrived nor excused. */
  readonly lost: number;
  /** Arrivals after the first of one copy. A copy that the source itself sent anew is another copy. */
  readonly duplicates: number;
  /** First arrivals that came after a later one of their lane, and lanes that did not end with their last message. */
  readonly reordered: number;
  /** Messages that need not arrive, by the reason. */
  readonly excused: Readonly<Record<string, number>>;
  /** The first few that were not what they should be, in words. */
  readonly wrong: readonly string[];
}

const WRONG_KEPT = 8;
const NEVER = -1;

interface Watch {
  readonly since: number;
  settle(at: number): void;
}

/** Keeps account of every message: when it was sent, in which copies it came, in which order, and what need not come. */
export class Account {
  /** How many messages there will be. */
  readonly size: number;
  readonly lanes: number;
  private sent_ = 0;
  private arrived_ = 0;
  private excusedCount = 0;
  private duplicates_ = 0;
  private reordered = 0;
  private readonly lane: Int16Array;
  private readonly copy: Uint8Array;
  private readonly sentAt: Float64Array;
  /** One bit for each copy that came. */
  private readonly came: Uint32Array;
  private readonly deadLettered = new Set<number>();
  private readonly excuse: (string | undefined)[] = [];
  private readonly lastFirst: Int32Array;
  private readonly lastOfAll: Int32Array;
  private readonly wrong: string[] = [];
  private watches: Watch[] = [];
  private waiters: { reached(): boolean; resolve(): void }[] = [];

  constructor(size: number, lanes: number) {
    this.size = size;
    this.lanes = lanes;
    this.lane = new Int16Array(size).fill(NEVER);
    this.copy = new Uint8Array(size);
    this.sentAt = new Float64Array(size);
    this.came = new Uint32Array(size);
    this.lastFirst = new Int32Array(lanes).fill(NEVER);
    this.lastOfAll = new Int32Array(lanes).fill(NEVER);
  }

  get sent(): number {
    return this.sent_;
  }

  /** How many different messages have come. */
  get arrived(): number {
    return this.arrived_;
  }

  get duplicates(): number {
    return this.duplicates_;
  }

  /** Says that the next message is about to be sent in this lane; returns its number. */
  sending(lane: number): number {
    const index = this.sent_;
    this.sent_ += 1;
    this.lane[index] = lane;
    this.sentAt[index] = performance.now();
    return index;
  }

  /** The source is not sure that it was taken and sends it anew: what comes of this copy is no duplicate of another. */
  sendingAgain(index: number): void {
    this.copy[index] = Math.min(31, (this.copy[index] ?? 0) + 1);
  }

  laneOf(index: number): number {
    return this.lane[index] ?? NEVER;
  }

  copyOf(index: number): number {
    return this.copy[index] ?? 0;
  }

  hasArrived(index: number): boolean {
    return this.came[index] !== 0;
  }

  /** One arrival; `problem` says how it differs from what it should be. */
  arrive(index: number, copy: number, problem: string | undefined): void {
    if (problem !== undefined) this.note(`message ${index}: ${problem}`);
    if (!(index >= 0 && index < this.sent_ && copy <= this.copyOf(index))) {
      this.note(`message ${index}, copy ${copy}, was never sent`);
      return;
    }
    const bits = this.came[index] as number;
    const bit = 2 ** copy;
    const lane = this.laneOf(index);
    this.lastOfAll[lane] = index;
    if (Math.floor(bits / bit) % 2 === 1 || this.deadLettered.has(index)) {
      this.duplicates_ += 1;
      return;
    }
    this.came[index] = bits + bit;
    if (bits === 0) this.first(index, lane);
  }

  private first(index: number, lane: number): void {
    const last = this.lastFirst[lane] as number;
    if (index < last) {
      this.reordered += 1;
      this.note(`message ${index} came after ${last}`);
    } else this.lastFirst[lane] = index;
    this.arrived_ += 1;
    if (this.excuse[index] !== undefined) this.excusedCount -= 1;
    this.tell(index);
  }

  private tell(index: number): void {
    if (this.watches.length > 0) {
      const at = performance.now();
      const sentAt = this.sentAt[index] as number;
      this.watches = this.watches.filter((watch) => {
        if (sentAt < watch.since) return true;
        watch.settle(at);
        return false;
      });
    }
    this.wake();
  }

  private wake(): void {
    if (this.waiters.length === 0) return;
    this.waiters = this.waiters.filter((waiter) => {
      if (!waiter.reached()) return true;
      waiter.resolve();
      return false;
    });
  }

  /** It was put aside, for this reason: that is its end, and what comes of it later is a duplicate. */
  deadLetter(index: number, reason: string): void {
    if (this.came[index] === 0) this.deadLettered.add(index);
    this.excuseIndex(index, reason);
  }

  /** It need not arrive, for this reason. */
  excuseIndex(index: number, reason: string): void {
    if (this.excuse[index] !== undefined) return;
    this.excuse[index] = reason;
    if (this.came[index] === 0) this.excusedCount += 1;
    this.wake();
  }

  /** Something that no account of single messages shows. */
  note(text: string): void {
    if (this.wrong.length < WRONG_KEPT) this.wrong.push(text);
  }

  /** Milliseconds (of `performance.now`) at which the first message arrived that was sent at or after `since`. */
  flowsSince(since: number): Promise<number> {
    return new Promise((settle) => {
      this.watches.push({ since, settle });
    });
  }

  /** Resolves when `reached` holds, which is looked at after every first arrival and every excuse. */
  until(reached: () => boolean): Promise<void> {
    if (reached()) return Promise.resolve();
    return new Promise((resolve) => {
      this.waiters.push({ reached, resolve });
    });
  }

  /** Whether each message that was sent has arrived or is excused. */
  get complete(): boolean {
    return this.arrived_ + this.excusedCount >= this.sent_;
  }

  /** The messages that are lost so far. */
  missing(): number[] {
    const list: number[] = [];
    for (let index = 0; index < this.sent_; index += 1) {
      if (this.came[index] === 0 && this.excuse[index] === undefined) list.push(index);
    }
    return list;
  }

  outcome(): Outcome {
    const excused: Record<string, number> = {};
    const missing: string[] = [];
    let lost = 0;
    const lastSent = new Int32Array(this.lanes).fill(NEVER);
    for (let index = 0; index < this.sent_; index += 1) {
      const reason = this.excuse[index];
      if (this.came[index] !== 0) lastSent[this.laneOf(index)] = index;
      else if (reason === undefined) {
        lost += 1;
        if (missing.length < WRONG_KEPT) missing.push(`message ${index} never came`);
      } else excused[reason] = (excused[reason] ?? 0) + 1;
    }
    let stale = 0;
    for (let lane = 0; lane < this.lanes; lane += 1) {
      if (lastSent[lane] === this.lastOfAll[lane]) continue;
      stale += 1;
      missing.push(`lane ${lane} ends with ${this.lastOfAll[lane]}, not with ${lastSent[lane]}`);
    }
    return {
      sent: this.sent_,
      lost,
      duplicates: this.duplicates_,
      reordered: this.reordered + stale,
      excused,
      wrong: [...this.wrong, ...missing],
    };
  }
}
