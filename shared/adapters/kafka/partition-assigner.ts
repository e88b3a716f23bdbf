import { AssignerProtocol, type PartitionAssigner } from "kafkajs";

/** What one member of a group asks for. */
export interface Subscription {
  readonly memberId: string;
  readonly topics: readonly string[];
}

/** Partitions by topic, as the consumer protocol carries them. */
export type Assignment = Record<string, number[]>;

/**
 * Shares the partitions out among the members that subscribed to their topic, evenly and always alike.
 * kafkajs' own assigner hands every topic to every member: two flows of one group would read each other's topics (S-26).
 */
export function assignPartitions(
  members: readonly Subscription[],
  partitionsOf: ReadonlyMap<string, readonly number[]>,
): Map<string, Assignment> {
  const sorted = members.toSorted((a, b) => (a.memberId < b.memberId ? -1 : 1));
  const result = new Map<string, Assignment>();
  const load = new Map<string, number>();
  for (const { memberId } of sorted) {
    result.set(memberId, Object.create(null) as Assignment);
    load.set(memberId, 0);
  }
  for (const topic of [...partitionsOf.keys()].sort()) {
    const takers = sorted.filter((member) => member.topics.includes(topic));
    for (const partition of (partitionsOf.get(topic) ?? []).toSorted((a, b) => a - b)) {
      const taker = leastLoaded(takers, load);
      if (taker === undefined) break;
      load.set(taker, (load.get(taker) ?? 0) + 1);
      const assignment = result.get(taker) as Assignment;
      assignment[topic] = [...(assignment[topic] ?? []), partition];
    }
  }
  return result;
}

function leastLoaded(
  takers: readonly Subscription[],
  load: ReadonlyMap<string, number>,
): string | undefined {
  let best: string | undefined;
  for (const { memberId } of takers) {
    if (best === undefined || (load.get(memberId) ?? 0) < (load.get(best) ?? 0)) best = memberId;
  }
  return best;
}

/** The part of kafkajs' cluster that an assigner is handed; its types leave it out. */
interface Cluster {
  addMultipleTargetTopics(topics: string[]): Promise<void>;
  findTopicPartitionMetadata(topic: string): { partitionId: number }[];
}

/** "range" is the name that every client offers, so that members of other makes may share the group. */
const NAME = "range";

export const partitionAssigner: PartitionAssigner = ({ cluster }) => ({
  name: NAME,
  version: 1,
  async assign({ members }) {
    const subscriptions = members.map(({ memberId, memberMetadata }) => ({
      memberId,
      topics: AssignerProtocol.MemberMetadata.decode(memberMetadata)?.topics ?? [],
    }));
    const topics = [...new Set(subscriptions.flatMap((member) => member.topics))];
    const known = cluster as unknown as Cluster;
    await known.addMultipleTargetTopics(topics);
    const partitionsOf = new Map(
      topics.map((topic) => [
        topic,
        known.findTopicPartitionMetadata(topic).map((partition) => partition.partitionId),
      ]),
    );
    const assignments = assignPartitions(subscriptions, partitionsOf);
    return [...assignments].map(([memberId, assignment]) => ({
      memberId,
      memberAssignment: AssignerProtocol.MemberAssignment.encode({
        version: 0,
        assignment,
        userData: Buffer.alloc(0),
      }),
    }));
  },
  protocol: ({ topics }) => ({
    name: NAME,
    metadata: AssignerProtocol.MemberMetadata.encode({
      version: 0,
      topics,
      userData: Buffer.alloc(0),
    }),
  }),
});
