import type { OutgoingRecord } from "../../model/kafka-record.ts";

/** What an idempotent producer stamps on a record batch (KIP-98). */
export interface ProducerStamp {
  readonly epoch: number;
  /** Of the batch's first record, within its partition and epoch. */
  readonly sequence: number;
}

/** A batch as it was stamped. */
interface StampedBatch extends ProducerStamp {
  readonly place: string;
  readonly records: readonly OutgoingRecord[];
}

export interface RequestStamps {
  /** Of the batch of these very records: the same as at the attempt before, until that is settled. */
  stamp(topic: string, partition: number, records: readonly OutgoingRecord[]): ProducerStamp;
  /** There is no doubt left of the batch that was stamped for this partition: Kafka has written it, or has not and never will. */
  settle(topic: string, partition: number, isWritten: boolean): void;
}

const LAST_EPOCH = 0x7fff;
const SEQUENCES = 2 ** 31;

/**
 * Keeps old copies from being written behind newer records. A batch whose end is not known may still be on its way: sent again as it was, it
 * carries the same sequence, and Kafka writes it once. When another batch is to go to its partition instead, that one begins a new epoch,
 * and Kafka refuses whatever comes of the old one after it (KIP-360).
 */
export class ProducerSequences {
  /** What goes over the wire: kafkajs takes nothing but -1 from an idempotent producer, brokers take 1 as well. */
  readonly acks: -1 | 1;
  private readonly lastEpoch: number;
  private epoch = 0;
  private readonly next = new Map<string, number>();
  private readonly unsettled = new Map<string, StampedBatch>();

  constructor(acks: -1 | 1 = -1, lastEpoch: number = LAST_EPOCH) {
    this.acks = acks;
    this.lastEpoch = lastEpoch;
  }

  /** No epoch is left after this one: another producer id should be asked for before the next send. */
  get isSpent(): boolean {
    return this.epoch >= this.lastEpoch;
  }

  /** For one request; kafkajs makes another for every attempt. */
  forRequest(): RequestStamps {
    const stamped = new Map<string, StampedBatch>();
    return {
      stamp: (topic, partition, records) => {
        const place = `${partition} ${topic}`;
        const batch = this.stamp(place, records);
        stamped.set(place, batch);
        return batch;
      },
      settle: (topic, partition, isWritten) => {
        const batch = stamped.get(`${partition} ${topic}`);
        if (batch !== undefined) this.settle(batch, isWritten);
      },
    };
  }

  private stamp(place: string, records: readonly OutgoingRecord[]): StampedBatch {
    const before = this.unsettled.get(place);
    if (before !== undefined && sameRecords(before.records, records)) return before;
    if (before !== undefined) this.beginEpoch();
    const batch = { place, records, epoch: this.epoch, sequence: this.next.get(place) ?? 0 };
    this.unsettled.set(place, batch);
    return batch;
  }

  private settle(batch: StampedBatch, isWritten: boolean): void {
    const { place, sequence, records } = batch;
    if (this.unsettled.get(place) !== batch) return;
    this.unsettled.delete(place);
    if (isWritten) this.next.set(place, (sequence + records.length) % SEQUENCES);
  }

  /** Every partition's first batch of an epoch has sequence 0. What else is unsettled is fenced off as soon as its partition is written to. */
  private beginEpoch(): void {
    this.epoch += 1;
    this.next.clear();
    this.unsettled.clear();
  }
}

function sameRecords(a: readonly OutgoingRecord[], b: readonly OutgoingRecord[]): boolean {
  return a === b || (a.length === b.length && a.every((record, at) => record === b[at]));
}
