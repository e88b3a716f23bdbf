import type { KafkaRecord } from "../model/kafka-record.ts";
import type { LaneEntry } from "./lane.ts";

type Place = Pick<KafkaRecord, "topic" | "partition" | "offset">;

/** Entries by the place of their record. Records of one partition come together: its entries are looked up once. */
export class RememberedEntries {
  size = 0;
  private readonly partitions = new Map<string, Map<bigint, LaneEntry>>();
  private topic: string | undefined;
  private partition = -1;
  private entries = new Map<bigint, LaneEntry>();

  get(place: Place): LaneEntry | undefined {
    return this.size === 0 ? undefined : this.entriesOf(place).get(place.offset);
  }

  set(entry: LaneEntry): void {
    const { record } = entry;
    const entries = this.entriesOf(record);
    const { size } = entries;
    entries.set(record.offset, entry);
    this.size += entries.size - size;
  }

  delete(place: Place): void {
    if (this.entriesOf(place).delete(place.offset)) this.size -= 1;
  }

  /** Forgets those that were remembered first, partition by partition, until there are no more than `most`. */
  keepAtMost(most: number): void {
    for (const entries of this.partitions.values()) {
      for (const offset of entries.keys()) {
        if (this.size <= most) return;
        entries.delete(offset);
        this.size -= 1;
      }
    }
  }

  private entriesOf({ topic, partition }: Place): Map<bigint, LaneEntry> {
    if (topic === this.topic && partition === this.partition) return this.entries;
    const key = `${partition} ${topic}`;
    const known = this.partitions.get(key);
    this.entries = known ?? new Map();
    if (known === undefined) this.partitions.set(key, this.entries);
    this.topic = topic;
    this.partition = partition;
    return this.entries;
  }
}
