import type {
  PartitionOffset,
  RecordConsumer,
  RecordSource,
  TopicPartition,
} from "../../shared/engine/ports.ts";
import type { KafkaRecord } from "../../shared/model/kafka-record.ts";
import type { Faults } from "./faults.ts";
import type { KafkaToMqttHistory } from "./kafka-to-mqtt-history.ts";
import { unavailable } from "./sim-producer.ts";
import type { Life, World } from "./world.ts";

export const TOPIC = "source";

/** One topic: its records, and who waits for more. */
export class SimTopic {
  readonly partitions: readonly KafkaRecord[][];
  /** The group's newest member: what older ones have still to say is of an older generation. */
  member: SimSource | undefined;
  private waiters: (() => void)[] = [];

  constructor(partitions: number) {
    this.partitions = Array.from({ length: partitions }, () => []);
  }

  append(record: KafkaRecord): void {
    this.partitions[record.partition]?.push(record);
    const { waiters } = this;
    this.waiters = [];
    for (const wake of waiters) wake();
  }

  /** At most `most` records of a partition from `offset` on, as soon as there is one. */
  async read(partition: number, offset: bigint, most: number): Promise<KafkaRecord[]> {
    for (;;) {
      const records = this.partitions[partition] ?? [];
      const first = records.findIndex((record) => record.offset >= offset);
      if (first >= 0) return records.slice(first, first + most);
      await new Promise<void>((resolve) => this.waiters.push(resolve));
    }
  }
}

/** A member of a consumer group: partitions come and go, commits fail or only their answers do. */
export class SimSource implements RecordSource {
  private readonly life: Life;
  private readonly topic: SimTopic;
  private readonly history: KafkaToMqttHistory;
  private readonly faults: Faults;
  private consumer: RecordConsumer | undefined;
  /** Assigned partitions and the number of their assignment. */
  private readonly assignments = new Map<number, number>();
  private count = 0;
  private stopped = false;

  constructor(life: Life, topic: SimTopic, history: KafkaToMqttHistory, faults: Faults) {
    this.life = life;
    this.topic = topic;
    this.history = history;
    this.faults = faults;
  }

  async start(consumer: RecordConsumer): Promise<void> {
    await this.world.wait(1);
    this.consumer = consumer;
    this.world.after(1, () => this.assign(this.topic.partitions.map((_, index) => index)));
    this.rebalanceLater();
  }

  commit(offsets: readonly PartitionOffset[]): Promise<void> {
    const { life, faults } = this;
    const assignments = new Map(this.assignments);
    return new Promise((resolve, reject) => {
      const text = offsets.map(({ partition, offset }) => `${partition}:${offset}`).join(" ");
      life.effect(`commits ${text}`, () => {
        this.world.after(life.random() * 6, () => {
          const isLost = this.world.fault(faults.failedCommits / 2);
          if (!isLost) this.apply(offsets, assignments);
          const isUnknown = isLost || this.world.fault(faults.failedCommits / 2);
          this.world.after(life.random() * 3, () => {
            if (!life.alive) return;
            if (isUnknown) reject(unavailable("The commit or its answer was lost"));
            else resolve();
          });
        });
      });
    });
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.assignments.clear();
  }

  private get world(): World {
    return this.life.world;
  }

  /** Of partitions that have since gone to others the group takes nothing. */
  private apply(offsets: readonly PartitionOffset[], then: ReadonlyMap<number, number>): void {
    if (this.topic.member !== this) return;
    for (const { partition, offset } of offsets) {
      const isCurrent = then.get(partition) === this.assignments.get(partition);
      if (isCurrent && then.has(partition)) this.history.commit(this.life, partition, offset);
    }
  }

  private assign(partitions: readonly number[]): void {
    if (!this.life.alive || this.stopped) return;
    this.world.note(`${this.life.name} is assigned ${partitions.join(" ")}`);
    this.count += 1;
    this.topic.member = this;
    for (const partition of partitions) {
      this.assignments.set(partition, this.count);
      this.history.assigned(partition);
    }
    this.consumer?.assigned(named(partitions));
    for (const partition of partitions) {
      void this.fetch(partition, this.count, this.history.committed(partition));
    }
  }

  private async fetch(partition: number, assignment: number, from: bigint): Promise<void> {
    let position = from;
    const isOver = (): boolean =>
      !this.life.alive || this.assignments.get(partition) !== assignment;
    while (!isOver()) {
      const batch = await this.topic.read(partition, position, this.world.random.whole(1, 8));
      await this.world.wait(this.life.random() * 5);
      const last = batch.at(-1);
      if (isOver() || last === undefined) return;
      position = last.offset + 1n;
      await this.consumer?.records(batch);
    }
  }

  private rebalanceLater(): void {
    const every = this.faults.rebalancesEveryMs;
    if (every === Number.POSITIVE_INFINITY) return;
    this.world.after(every * (0.5 + this.life.random()), () => {
      if (!this.world.hasFaults || !this.life.alive || this.stopped) return;
      void this.rebalance().then(() => this.rebalanceLater());
    });
  }

  private async rebalance(): Promise<void> {
    const leaving = [...this.assignments.keys()].filter(() => this.world.random.chance(0.6));
    if (leaving.length === 0) return;
    this.world.note(`${this.life.name} gives up ${leaving.join(" ")}`);
    for (const partition of leaving) this.history.givenUp(this.life, partition);
    const given = this.consumer?.revoked(named(leaving));
    // a member that was thrown out has no time to say goodbye
    if (this.world.random.chance(0.6)) await given;
    for (const partition of leaving) this.assignments.delete(partition);
    await this.world.wait(this.life.random() * 60);
    this.assign(leaving);
  }
}

function named(partitions: readonly number[]): TopicPartition[] {
  return partitions.map((partition) => ({ topic: TOPIC, partition }));
}
