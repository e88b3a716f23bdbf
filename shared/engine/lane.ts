import type { KafkaRecord } from "../model/kafka-record.ts";
import type { PartitionOffset, PublishOutcome, PublishReceipt } from "./ports.ts";

/** Where one record stands between its source and its commit. */
export type EntryState = "queued" | "published" | "failed" | "done";

/** What a lane's entries report to: the pump that publishes them. */
export interface EntryOwner {
  settled(entry: LaneEntry, outcome: PublishOutcome): void;
}

/** One record on its way. It is its own receipt, so that a publish allocates no closure. */
export class LaneEntry implements PublishReceipt {
  readonly lane: Lane;
  readonly record: KafkaRecord;
  readonly bytes: number;
  state: EntryState = "queued";
  /** Counted as delivered already: a repetition after a rewind is not counted again. */
  counted = false;
  /** Refused for good: its end is a dead letter. */
  isUndeliverable = false;
  /** Was sent out at least once. */
  isExposed = false;
  /** Kept over repetitions, so that a created CloudEvent keeps its id. */
  id: string | undefined;
  private readonly owner: EntryOwner;

  constructor(lane: Lane, record: KafkaRecord, bytes: number, owner: EntryOwner) {
    this.lane = lane;
    this.record = record;
    this.bytes = bytes;
    this.owner = owner;
  }

  settle(outcome: PublishOutcome): void {
    this.owner.settled(this, outcome);
  }
}

/**
 * The records of one assigned partition that are not yet committed, in offset order.
 * It knows how far everything is done without a hole: that far a commit is safe (S-25).
 */
export class Lane {
  readonly topic: string;
  readonly partition: number;
  /** False after the partition was revoked: what is left is somebody else's. */
  open = true;
  /** True once it is about to be revoked: it takes nothing more. */
  isGoing = false;
  /** Entries that were sent out and are not known to be committed; `safe` of them a commit would cover now. Kept by Exposure. */
  exposed = 0;
  safe = 0;
  /** Before `head` there are none: what is done may be collected. */
  private entries: (LaneEntry | undefined)[] = [];
  private head = 0;
  private done: bigint | undefined;
  private committed: bigint | undefined;

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }

  add(entry: LaneEntry): void {
    this.entries.push(entry);
  }

  /** Moves the safe offset over every entry at the front that is done. */
  advance(): void {
    let entry = this.entries[this.head];
    while (entry !== undefined && entry.state === "done") {
      this.done = entry.record.offset + 1n;
      if (entry.isExposed) this.safe += 1;
      this.entries[this.head] = undefined;
      this.head += 1;
      entry = this.entries[this.head];
    }
    if (this.head === this.entries.length) {
      this.entries.length = 0;
      this.head = 0;
    } else if (this.head > 1024 && this.head * 2 > this.entries.length) {
      this.entries = this.entries.slice(this.head);
      this.head = 0;
    }
  }

  /** The offset that may be committed and was not yet, or undefined. */
  get uncommitted(): PartitionOffset | undefined {
    if (this.done === undefined || this.done === this.committed) return undefined;
    return { topic: this.topic, partition: this.partition, offset: this.done };
  }

  markCommitted(offset: bigint): void {
    if (this.committed === undefined || offset > this.committed) this.committed = offset;
  }

  /** Entries neither done nor given up, oldest first. */
  pending(): LaneEntry[] {
    return this.rest().filter((entry) => entry.state !== "done");
  }

  /**
   * After a transient refusal: every entry from the first failed one on that was sent already, oldest first.
   * They are sent again together, for sending the failed one alone would leave it behind its successors (S-50).
   */
  rewind(): LaneEntry[] {
    const rest = this.rest();
    const failedAt = rest.findIndex(({ state }) => state === "failed");
    if (failedAt < 0) return [];
    const again = rest
      .slice(failedAt)
      .filter(({ state, counted }) => state === "failed" || (state === "done" && counted));
    for (const entry of again) entry.state = "queued";
    return again;
  }

  private rest(): LaneEntry[] {
    return this.entries.slice(this.head) as LaneEntry[];
  }
}
