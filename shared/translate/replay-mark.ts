import type { KafkaRecord, OutgoingRecord } from "../model/kafka-record.ts";
import { amqpBytes } from "./amqp-value.ts";
import { DEAD_LETTER_PREFIX } from "./dead-letter.ts";

/** Offsets from the first to the last, both included. */
export interface OffsetRange {
  readonly first: bigint;
  readonly last: bigint;
}

/** Header of a mark; and, where it is asked for, of a message that was sent again. */
export const REPLAYED: string = `${DEAD_LETTER_PREFIX}replayed`;

/** A header's value stays below 64 KiB whatever the offsets are. */
const MOST_RANGES = 1_000;
const RANGE = /^(\d{1,19})(?:-(\d{1,19}))?$/;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Records that say: the dead letters of these offsets were sent again. They lie behind the letters in the same partition, so that
 * retention never takes them first. Offsets may come in any order.
 */
export function replayMarks(
  topic: string,
  partition: number,
  offsets: readonly bigint[],
): OutgoingRecord[] {
  const ranges = rangesOf(offsets);
  const marks: OutgoingRecord[] = [];
  for (let at = 0; at < ranges.length; at += MOST_RANGES) {
    const text = ranges
      .slice(at, at + MOST_RANGES)
      .map(({ first, last }) => (first === last ? String(first) : `${first}-${last}`))
      .join(",");
    marks.push({
      topic,
      key: null,
      value: null,
      headers: [[REPLAYED, encoder.encode(text)]],
      partitioning: { by: "partition", partition },
    });
  }
  return marks;
}

/** What a mark names; undefined for a record that is none. What cannot be read in it is passed over: that letter is sent again. */
export function readReplayMark(record: KafkaRecord): readonly OffsetRange[] | undefined {
  const header = record.headers.find(([name]) => name === REPLAYED);
  // a letter never has it: a header of that name is escaped there
  const value = header?.[1];
  if (value === undefined || value === null) return undefined;
  return decoder
    .decode(amqpBytes(value) ?? value)
    .split(",")
    .flatMap((text): OffsetRange[] => {
      const [, first, last = first] = RANGE.exec(text) ?? [];
      if (first === undefined || last === undefined) return [];
      return [{ first: BigInt(first), last: BigInt(last) }];
    });
}

function rangesOf(offsets: readonly bigint[]): OffsetRange[] {
  const ranges: { first: bigint; last: bigint }[] = [];
  for (const offset of offsets.toSorted(compare)) {
    const open = ranges.at(-1);
    if (open !== undefined && offset <= open.last + 1n) open.last = offset;
    else ranges.push({ first: offset, last: offset });
  }
  return ranges;
}

/** Many ranges, and whether an offset is in one of them. */
export class OffsetSet {
  private ranges: OffsetRange[] = [];
  private sorted = true;

  add(ranges: readonly OffsetRange[]): void {
    for (const range of ranges) this.ranges.push(range);
    this.sorted = false;
  }

  has(offset: bigint): boolean {
    if (!this.sorted) this.merge();
    let low = 0;
    let high = this.ranges.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const range = this.ranges[middle] as OffsetRange;
      if (offset < range.first) high = middle - 1;
      else if (offset > range.last) low = middle + 1;
      else return true;
    }
    return false;
  }

  private merge(): void {
    const merged: { first: bigint; last: bigint }[] = [];
    for (const { first, last } of this.ranges.toSorted((a, b) => compare(a.first, b.first))) {
      const open = merged.at(-1);
      if (open === undefined || first > open.last + 1n) merged.push({ first, last });
      else if (last > open.last) open.last = last;
    }
    this.ranges = merged;
    this.sorted = true;
  }
}

function compare(a: bigint, b: bigint): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
