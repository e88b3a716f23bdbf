import type { Segment } from "./segment.ts";

/** Told when a segment must go because memory is short. */
export interface SegmentOwner {
  dropOldest(segment: Segment): void;
}

/** Holds all logs of a broker below one number of bytes: when it is reached, the oldest segments of all are dropped. */
export class MemoryBudget {
  readonly maxBytes: number;
  private readonly onFirstDrop: () => void;
  /** In the order in which they were made. */
  private readonly owners = new Map<Segment, { readonly owner: SegmentOwner; bytes: number }>();
  private usedBytes = 0;
  private droppedSegments = 0;

  constructor(maxBytes: number, onFirstDrop: () => void) {
    this.maxBytes = maxBytes;
    this.onFirstDrop = onFirstDrop;
  }

  get used(): number {
    return this.usedBytes;
  }

  /** How many segments went because memory was short. */
  get dropped(): number {
    return this.droppedSegments;
  }

  /** A single batch may be larger than the whole budget: it is kept until the next one comes. */
  add(segment: Segment, owner: SegmentOwner): void {
    while (this.usedBytes + segment.capacity > this.maxBytes && this.owners.size > 0) {
      this.dropOne();
    }
    this.owners.set(segment, { owner, bytes: segment.capacity });
    this.usedBytes += segment.capacity;
  }

  grow(segment: Segment, bytes: number): void {
    const entry = this.owners.get(segment);
    if (entry === undefined) return;
    entry.bytes += bytes;
    this.usedBytes += bytes;
  }

  remove(segment: Segment): void {
    const entry = this.owners.get(segment);
    if (entry === undefined) return;
    this.owners.delete(segment);
    this.usedBytes -= entry.bytes;
  }

  private dropOne(): void {
    for (const [segment, { owner }] of this.owners) {
      this.remove(segment);
      this.droppedSegments += 1;
      if (this.droppedSegments === 1) this.onFirstDrop();
      owner.dropOldest(segment);
      return;
    }
  }
}
