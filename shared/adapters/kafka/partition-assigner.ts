import { AssignerProtocol, type PartitionAssigner } from "kafkajs";
import { type Assignment, assignPartitions } from "./assign-partitions.ts";
import type { JoinHook } from "./join-hook.ts";

/** The part of kafkajs' cluster that an assigner is handed; its types leave it out. */
interface Cluster {
  metadata(): Promise<{ topicMetadata: TopicMetadata[] } | null>;
  findTopicPartitionMetadata(topic: string): { partitionId: number }[];
}

interface TopicMetadata {
  readonly topic: string;
  readonly partitionMetadata: readonly { readonly partitionId: number }[];
}

/** "range" is the name that every client offers, so that members of other makes may share the group. */
const NAME = "range";
const NEWCOMER = Buffer.from("new");

/** An assigner that respects what each member subscribed to (S-26), and what of its member the requests must know. */
export function partitionAssigner({
  beforeJoin,
  groupInstanceId,
}: Pick<JoinHook, "beforeJoin" | "groupInstanceId">): PartitionAssigner {
  return ({ cluster }) => ({
    name: NAME,
    version: 1,
    async assign({ members }) {
      const subscriptions = members.map(({ memberId, memberMetadata }) => ({
        memberId,
        topics: AssignerProtocol.MemberMetadata.decode(memberMetadata)?.topics ?? [],
      }));
      const topics = [...new Set(subscriptions.flatMap((member) => member.topics))];
      const partitionsOf = await partitions(cluster as unknown as Cluster, topics);
      return [...assignPartitions(subscriptions, partitionsOf)].map(([memberId, assignment]) => ({
        memberId,
        memberAssignment: encode(assignment),
      }));
    },
    protocol({ topics }) {
      const metadata = (userData: Buffer): Buffer =>
        AssignerProtocol.MemberMetadata.encode({ version: 0, topics, userData });
      const hook: JoinHook = {
        ...(beforeJoin === undefined ? {} : { beforeJoin }),
        groupInstanceId,
        metadataOfNewcomer: metadata(NEWCOMER),
      };
      return { name: NAME, metadata: metadata(Buffer.alloc(0)), ...hook };
    },
  });
}

function encode(assignment: Assignment): Buffer {
  return AssignerProtocol.MemberAssignment.encode({
    version: 0,
    assignment,
    userData: Buffer.alloc(0),
  });
}

/**
 * Of our own topics kafkajs has just asked. Those of others are looked up among all: made targets of our own, one of them gone would
 * stop us too.
 */
async function partitions(
  cluster: Cluster,
  topics: readonly string[],
): Promise<Map<string, readonly number[]>> {
  const known = new Map<string, readonly number[]>();
  for (const topic of topics) {
    const ids = cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId);
    if (ids.length > 0) known.set(topic, ids);
  }
  const foreign = new Set(topics.filter((topic) => !known.has(topic)));
  if (foreign.size === 0) return known;
  const { topicMetadata } = (await cluster.metadata()) ?? { topicMetadata: [] };
  for (const { topic, partitionMetadata } of topicMetadata) {
    if (!foreign.has(topic)) continue;
    known.set(
      topic,
      partitionMetadata.map(({ partitionId }) => partitionId),
    );
  }
  return known;
}
