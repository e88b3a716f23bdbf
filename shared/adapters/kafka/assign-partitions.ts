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
  const takers = takersByTopic(sorted);
  const result = new Map<string, Assignment>();
  const load = new Map<string, number>();
  for (const { memberId } of sorted) {
    result.set(memberId, Object.create(null) as Assignment);
    load.set(memberId, 0);
  }
  // topics with few takers first: what is left evens the loads out
  const topics = [...partitionsOf.keys()]
    .filter((topic) => takers.has(topic))
    .sort()
    .sort((a, b) => (takers.get(a)?.length ?? 0) - (takers.get(b)?.length ?? 0));
  for (const topic of topics) {
    for (const partition of (partitionsOf.get(topic) ?? []).toSorted((a, b) => a - b)) {
      const taker = leastLoaded(takers.get(topic) ?? [], load);
      load.set(taker, (load.get(taker) ?? 0) + 1);
      const assignment = result.get(taker) ?? {};
      assignment[topic] ??= [];
      assignment[topic].push(partition);
    }
  }
  return result;
}

function takersByTopic(members: readonly Subscription[]): Map<string, string[]> {
  const takers = new Map<string, string[]>();
  for (const { memberId, topics } of members) {
    for (const topic of new Set(topics)) {
      const ofTopic = takers.get(topic);
      if (ofTopic === undefined) takers.set(topic, [memberId]);
      else ofTopic.push(memberId);
    }
  }
  return takers;
}

function leastLoaded(takers: readonly string[], load: ReadonlyMap<string, number>): string {
  let best = takers[0] ?? "";
  for (const memberId of takers) {
    if ((load.get(memberId) ?? 0) < (load.get(best) ?? 0)) best = memberId;
  }
  return best;
}
