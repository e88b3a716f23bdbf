import { type RecordBatch, writeBaseOffset } from "./record-batch.ts";

/** What the index of a segment takes for each batch, for the memory budget. */
export const INDEX_BYTES_PER_BATCH = 32;

export interface SegmentSlice {
  readonly bytes: Buffer;
  /** False when the size limit left something of the segment out. */
  readonly reachesEnd: boolean;
}

/** Consecutive record batches of one partition in one piece of memory, so that a fetch hands them on without a copy. */
export class Segment {
  readonly baseOffset: number;
  private readonly memory: Buffer;
  private readonly lastOffsets: number[] = [];
  /** Where each batch ends in `memory`. */
  private readonly ends: number[] = [];
  private readonly maxTimestamps: number[] = [];

  constructor(baseOffset: number, capacity: number) {
    this.baseOffset = baseOffset;
    this.memory = Buffer.allocUnsafeSlow(capacity);
  }

  get capacity(): number {
    return this.memory.length;
  }

  get nextOffset(): number {
    const last = this.lastOffsets.at(-1);
    return last === undefined ? this.baseOffset : last + 1;
  }

  /** Bytes of batches that it holds. */
  get used(): number {
    return this.ends.at(-1) ?? 0;
  }

  fits(length: number): boolean {
    return this.used + length <= this.capacity;
  }

  append(batch: RecordBatch): void {
    const start = this.used;
    const end = start + batch.bytes.length;
    const offset = this.nextOffset;
    batch.bytes.copy(this.memory, start);
    writeBaseOffset(this.memory.subarray(start, end), offset);
    this.lastOffsets.push(offset + batch.count - 1);
    this.ends.push(end);
    this.maxTimestamps.push(batch.maxTimestamp);
  }

  /** Whole batches from the one with `offset` on, up to `maxBytes`; with `atLeastOne` the first comes whatever its size. */
  read(offset: number, maxBytes: number, atLeastOne: boolean): SegmentSlice {
    const first = lowerBound(this.lastOffsets, offset);
    const start = this.ends[first - 1] ?? 0;
    let end = start;
    for (let i = first; i < this.ends.length; i += 1) {
      const next = this.ends[i] as number;
      const tooMuch = next - start > maxBytes;
      if (tooMuch && !(atLeastOne && i === first)) break;
      end = next;
    }
    return { bytes: this.memory.subarray(start, end), reachesEnd: end === this.used };
  }

  /** The first batch that holds a record of `timestamp` or later and ends at `fromOffset` or later. */
  batchSince(timestamp: number, fromOffset: number): Buffer | undefined {
    const from = lowerBound(this.lastOffsets, fromOffset);
    for (let i = from; i < this.ends.length; i += 1) {
      if ((this.maxTimestamps[i] as number) >= timestamp) {
        return this.memory.subarray(this.ends[i - 1] ?? 0, this.ends[i]);
      }
    }
    return undefined;
  }
}

/** The index of the first number that is not below `wanted`, in ascending `numbers`. */
function lowerBound(numbers: readonly number[], wanted: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((numbers[middle] as number) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
