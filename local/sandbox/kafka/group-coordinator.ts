import type { Clock } from "../../../shared/engine/ports.ts";
import { ConsumerGroup } from "./consumer-group.ts";
import { ERROR } from "./error-codes.ts";

/** The group's position in one partition. */
export interface CommittedOffset {
  readonly offset: number;
  readonly metadata: string;
}

interface PartitionPosition extends CommittedOffset {
  readonly topic: string;
  readonly partition: number;
}

interface GroupEntry {
  readonly group: ConsumerGroup;
  readonly offsets: Map<string, PartitionPosition>;
}

/** All consumer groups of the broker and their committed offsets. */
export class GroupCoordinator {
  private readonly groups = new Map<string, GroupEntry>();
  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  all(): ConsumerGroup[] {
    return [...this.groups.values()].map(({ group }) => group);
  }

  find(groupId: string): ConsumerGroup | undefined {
    return this.groups.get(groupId)?.group;
  }

  /** The group of that id; an unknown one begins to be. */
  obtain(groupId: string): ConsumerGroup {
    return this.entry(groupId).group;
  }

  commit(
    groupId: string,
    at: { readonly topic: string; readonly partition: number },
    committed: CommittedOffset,
  ): void {
    this.entry(groupId).offsets.set(offsetKey(at.topic, at.partition), { ...at, ...committed });
  }

  committed(groupId: string, topic: string, partition: number): CommittedOffset | undefined {
    return this.groups.get(groupId)?.offsets.get(offsetKey(topic, partition));
  }

  /** Every partition in which the group has a position. */
  positions(groupId: string): readonly PartitionPosition[] {
    return [...(this.groups.get(groupId)?.offsets.values() ?? [])];
  }

  delete(groupId: string): number {
    const entry = this.groups.get(groupId);
    if (entry === undefined) return ERROR.groupIdNotFound;
    if (entry.group.state !== "Empty") return ERROR.nonEmptyGroup;
    this.groups.delete(groupId);
    return ERROR.none;
  }

  /** The offsets of a topic go with it. */
  topicDeleted(topic: string): void {
    for (const { offsets } of this.groups.values()) {
      for (const [key, position] of offsets) if (position.topic === topic) offsets.delete(key);
    }
  }

  suspend(): void {
    for (const { group } of this.groups.values()) group.suspend();
  }

  resume(): void {
    for (const { group } of this.groups.values()) group.resume();
  }

  private entry(groupId: string): GroupEntry {
    let entry = this.groups.get(groupId);
    if (entry === undefined) {
      entry = { group: new ConsumerGroup(groupId, this.clock), offsets: new Map() };
      this.groups.set(groupId, entry);
    }
    return entry;
  }
}

// a topic name has no slash
function offsetKey(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}
