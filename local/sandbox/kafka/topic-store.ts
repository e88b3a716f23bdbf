import { kafkaTopicProblem } from "../../../shared/topics/kafka-topic.ts";
import { ERROR } from "./error-codes.ts";
import type { MemoryBudget } from "./memory-budget.ts";
import { PartitionLog } from "./partition-log.ts";

const LARGEST_PARTITION_COUNT = 10_000;

export interface Topic {
  readonly name: string;
  readonly partitions: PartitionLog[];
  /** As given at creation. All are shown; only `max.message.bytes` has an effect. */
  readonly configs: ReadonlyMap<string, string>;
  readonly maxMessageBytes: number;
}

export interface TopicSettings {
  /** -1 for the broker's default. */
  readonly partitions: number;
  readonly configs?: ReadonlyMap<string, string>;
}

/** The topics of the broker and their logs. Methods that can be refused return a Kafka error code, 0 for done. */
export class TopicStore {
  private readonly topics = new Map<string, Topic>();
  private readonly budget: MemoryBudget;
  private readonly defaults: { readonly partitions: number; readonly maxMessageBytes: number };

  constructor(
    budget: MemoryBudget,
    defaults: { readonly partitions: number; readonly maxMessageBytes: number },
  ) {
    this.budget = budget;
    this.defaults = defaults;
  }

  all(): Topic[] {
    return [...this.topics.values()];
  }

  get(name: string): Topic | undefined {
    return this.topics.get(name);
  }

  partition(name: string, partition: number): PartitionLog | undefined {
    return this.topics.get(name)?.partitions[partition];
  }

  /** What {@link create} would answer. */
  problem(name: string, settings: TopicSettings): number {
    if (kafkaTopicProblem(name) !== undefined) return ERROR.invalidTopic;
    if (this.topics.has(name)) return ERROR.topicAlreadyExists;
    const count = settings.partitions;
    const isLegalCount = count === -1 || (count >= 1 && count <= LARGEST_PARTITION_COUNT);
    if (!isLegalCount) return ERROR.invalidPartitions;
    const limit = settings.configs?.get("max.message.bytes");
    return limit !== undefined && !/^\d{1,9}$/.test(limit) ? ERROR.invalidConfig : ERROR.none;
  }

  create(name: string, settings: TopicSettings): number {
    const problem = this.problem(name, settings);
    if (problem !== ERROR.none) return problem;
    const configs = settings.configs ?? new Map<string, string>();
    const count = settings.partitions === -1 ? this.defaults.partitions : settings.partitions;
    this.topics.set(name, {
      name,
      partitions: Array.from({ length: count }, () => new PartitionLog(this.budget)),
      configs,
      maxMessageBytes: Number(configs.get("max.message.bytes") ?? this.defaults.maxMessageBytes),
    });
    return ERROR.none;
  }

  delete(name: string): number {
    const topic = this.topics.get(name);
    if (topic === undefined) return ERROR.unknownTopicOrPartition;
    this.topics.delete(name);
    for (const partition of topic.partitions) partition.remove();
    return ERROR.none;
  }

  /** Makes `count` the number of partitions: it can only grow. */
  grow(name: string, count: number, validateOnly: boolean): number {
    const topic = this.topics.get(name);
    if (topic === undefined) return ERROR.unknownTopicOrPartition;
    if (count <= topic.partitions.length || count > LARGEST_PARTITION_COUNT) {
      return ERROR.invalidPartitions;
    }
    if (validateOnly) return ERROR.none;
    while (topic.partitions.length < count) topic.partitions.push(new PartitionLog(this.budget));
    return ERROR.none;
  }
}
