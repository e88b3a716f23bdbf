import type { LaneEntry } from "./lane.ts";

const COMPACT_AT = 4096;

/** The entries of a pump that wait to be sent, first come first. */
export class EntryQueue {
  /** Memory that the waiting take. */
  bytes = 0;
  /** Before `head` there are none: what was taken may be collected. */
  private entries: (LaneEntry | undefined)[] = [];
  private head = 0;

  get isEmpty(): boolean {
    return this.head === this.entries.length;
  }

  get first(): LaneEntry | undefined {
    return this.entries[this.head];
  }

  push(entry: LaneEntry): void {
    this.entries.push(entry);
    this.bytes += entry.bytes;
  }

  /** Takes the first, which must be there. */
  shift({ bytes }: LaneEntry): void {
    this.entries[this.head] = undefined;
    this.head += 1;
    this.bytes -= bytes;
    if (this.isEmpty) this.become([]);
    else if (this.head > COMPACT_AT && this.head * 2 > this.entries.length)
      this.become(this.waiting());
  }

  waiting(): LaneEntry[] {
    return this.entries.slice(this.head) as LaneEntry[];
  }

  become(entries: LaneEntry[]): void {
    this.entries = entries;
    this.head = 0;
    this.bytes = 0;
    for (const { bytes } of entries) this.bytes += bytes;
  }
}
