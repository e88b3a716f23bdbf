import type { ReceivedEventData } from "@azure/event-hubs";

/** Where an event stands in its partition, as the service counts. */
export interface EventPlace {
  readonly sequenceNumber: number;
  readonly offset: string;
}

/** The places of a partition's events that were handed over and not committed: a checkpoint names both of its numbers. */
export class SentOffsets {
  private places: EventPlace[] = [];

  /** In the order of the partition. */
  add(events: readonly Pick<ReceivedEventData, "sequenceNumber" | "offset">[]): void {
    for (const { sequenceNumber, offset } of events) this.places.push({ sequenceNumber, offset });
  }

  /** The last place before `next`, the next to be read; forgets those before it. Undefined where there is none. */
  take(next: bigint): EventPlace | undefined {
    const after = this.places.findIndex(({ sequenceNumber }) => BigInt(sequenceNumber) >= next);
    const taken = this.places.splice(0, after === -1 ? this.places.length : after);
    return taken.at(-1);
  }

  /** What was taken and could not be written. */
  putBack(place: EventPlace): void {
    this.places.unshift(place);
  }
}
