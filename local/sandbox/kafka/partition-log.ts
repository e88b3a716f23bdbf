import type { MemoryBudget } from "./memory-budget.ts";
import { ProducerStates } from "./producer-states.ts";
import type { RecordBatch } from "./record-batch.ts";
import { INDEX_BYTES_PER_BATCH, Segment } from "./segment.ts";

const SMALLEST_SEGMENT = 16 * 1024;
const LARGEST_SEGMENT = 1024 * 1024;
/** A budget holds at least so many segments of the largest size, or else a drop would take too much at once. */
const SEGMENTS_IN_BUDGET = 16;

export type AppendResult = { readonly offset: number } | { readonly errorCode: number };

/** The log of one partition: record batches as they came, but for their base offset. */
export class PartitionLog {
  private readonly budget: MemoryBudget;
  private readonly producers = new ProducerStates();
  private readonly listeners = new Set<(bytes: number) => void>();
  private segments: Segment[] = [];
  private start = 0;
  private end = 0;
  private removed = false;

  constructor(budget: MemoryBudget) {
    this.budget = budget;
  }

  /** The first offset that can still be read. */
  get startOffset(): number {
    return this.start;
  }

  /** One past the last record. With one broker this is the high watermark too. */
  get endOffset(): number {
    return this.end;
  }

  /** True once its topic was deleted. */
  get isRemoved(): boolean {
    return this.removed;
  }

  append(batch: RecordBatch): AppendResult {
    const admission = this.producers.admit(batch);
    if (admission.kind === "refuse") return { errorCode: admission.errorCode };
    if (admission.kind === "duplicate") return { offset: admission.offset };
    const segment = this.segmentFor(batch.bytes.length);
    const offset = this.end;
    segment.append(batch);
    this.budget.grow(segment, INDEX_BYTES_PER_BATCH);
    this.end = segment.nextOffset;
    this.producers.written(batch, offset);
    this.tell(batch.bytes.length);
    return { offset };
  }

  /** Whole batches from the one that holds `offset`, up to `maxBytes`; with `atLeastOne` the first comes whatever its size. */
  read(offset: number, maxBytes: number, atLeastOne: boolean): Uint8Array[] {
    const pieces: Uint8Array[] = [];
    let room = maxBytes;
    for (const segment of this.segments) {
      if (segment.nextOffset <= offset) continue;
      const slice = segment.read(offset, room, atLeastOne && pieces.length === 0);
      if (slice.bytes.length > 0) pieces.push(slice.bytes);
      room -= slice.bytes.length;
      if (!slice.reachesEnd) break;
    }
    return pieces;
  }

  /** The first batch with a record of `timestamp` or later that can still be read. */
  batchSince(timestamp: number): Buffer | undefined {
    for (const segment of this.segments) {
      const batch = segment.batchSince(timestamp, this.start);
      if (batch !== undefined) return batch;
    }
    return undefined;
  }

  /** Moves the log's start to `offset`; segments wholly before it go. */
  deleteBefore(offset: number): void {
    this.start = Math.max(this.start, Math.min(offset, this.end));
    while (this.segments[0] !== undefined && this.segments[0].nextOffset <= this.start) {
      this.budget.remove(this.segments[0]);
      this.segments.shift();
    }
  }

  /** For the budget: it asks for the oldest segment, which is the first. */
  dropOldest(segment: Segment): void {
    this.segments = this.segments.filter((kept) => kept !== segment);
    this.start = Math.max(this.start, this.segments[0]?.baseOffset ?? this.end);
  }

  /** Frees everything, and wakes who waits. */
  remove(): void {
    this.removed = true;
    for (const segment of this.segments) this.budget.remove(segment);
    this.segments = [];
    this.tell(Number.POSITIVE_INFINITY);
  }

  /** Calls `listener` with the bytes of each batch appended from now on; the returned function ends that. */
  onAppend(listener: (bytes: number) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private tell(bytes: number): void {
    for (const listener of this.listeners) listener(bytes);
  }

  private segmentFor(length: number): Segment {
    const last = this.segments.at(-1);
    if (last?.fits(length)) return last;
    const largest = Math.min(LARGEST_SEGMENT, this.budget.maxBytes / SEGMENTS_IN_BUDGET);
    const wanted = Math.min(largest, (last?.capacity ?? SMALLEST_SEGMENT / 2) * 2);
    const segment = new Segment(this.end, Math.max(length, Math.floor(wanted)));
    this.budget.add(segment, this);
    this.segments.push(segment);
    return segment;
  }
}
