import type { Lane, LaneEntry } from "./lane.ts";

/** So much of the limit done makes a commit due: the rest must last until it is taken. A small rest is gone sooner, and commits cost time. */
const DUE = { small: 0.25, large: 0.5 };
const LARGE = 200;

/**
 * What a crash at this moment would send again: records that were sent out, to the destination or to the dead letters, and whose commit
 * is not known. It has a limit, and so have the duplicates after a crash (S-50).
 */
export class Exposure {
  private readonly limit: number;
  private readonly dueAt: number;
  private count = 0;
  /** Of these, how many a commit would cover now. */
  private done = 0;

  constructor(limit: number) {
    this.limit = limit;
    this.dueAt = limit * (limit > LARGE ? DUE.large : DUE.small);
  }

  /** Whether the entry may be sent. Sending again what was sent before exposes nothing more. */
  takes(entry: LaneEntry): boolean {
    return this.count < this.limit || entry.isExposed;
  }

  /** Whether so much is done that a commit should not wait. */
  get isDue(): boolean {
    return this.done >= this.dueAt;
  }

  sent(entry: LaneEntry): void {
    if (entry.isExposed) return;
    entry.isExposed = true;
    entry.lane.exposed += 1;
    this.count += 1;
  }

  /** After an entry of the lane is done. */
  advanced(lane: Lane): void {
    const before = lane.safe;
    lane.advance();
    this.done += lane.safe - before;
  }

  /** The first `safe` of an open lane are committed. */
  committed(lane: Lane, safe: number): void {
    lane.safe -= safe;
    lane.exposed -= safe;
    this.done -= safe;
    this.count -= safe;
  }

  /** The lane is somebody else's now, and so is what was not committed. */
  gone(lane: Lane): void {
    this.done -= lane.safe;
    this.count -= lane.exposed;
    lane.safe = 0;
    lane.exposed = 0;
  }
}
