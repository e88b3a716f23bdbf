import { type BridgeError, toBridgeError } from "../errors.ts";
import type { KafkaRecord } from "../model/kafka-record.ts";
import { KafkaToMqttPump, type KafkaToMqttPumpOptions } from "./kafka-to-mqtt-pump.ts";
import { Lane } from "./lane.ts";
import type { PartitionOffset, RecordConsumer, RecordSource, TopicPartition } from "./ports.ts";

export interface KafkaToMqttOptions extends Omit<KafkaToMqttPumpOptions, "onDone"> {
  readonly source: RecordSource;
  /** Milliseconds between commits. Event Hubs documents 4 commits a second and partition, and takes about 2. */
  readonly commitIntervalMs: number;
}

/** A running Kafka to MQTT route: a source, a pump, and commits that never pass the first record that is not done. */
export class KafkaToMqtt implements RecordConsumer {
  private readonly options: KafkaToMqttOptions;
  private readonly pump: KafkaToMqttPump;
  private readonly lanes = new Map<string, Lane>();
  private readonly dirty = new Set<Lane>();
  private committing: Promise<void> | undefined;
  private cancelCommit: (() => void) | undefined;
  private stopping = false;
  private failure: BridgeError | undefined;

  constructor(options: KafkaToMqttOptions) {
    this.options = options;
    this.pump = new KafkaToMqttPump({
      ...options,
      onDone: (entry) => {
        if (entry.lane.open) this.dirty.add(entry.lane);
      },
      onFailed: (error) => this.failed(error),
    });
  }

  /** Connects the destination first, so that no record is taken before it can go on. @throws BridgeError */
  async start(): Promise<void> {
    await this.options.publisher.start(() => this.pump.fill());
    await this.options.source.start(this);
    this.scheduleCommit();
  }

  /** Why the route waits or has failed, if it does. */
  get trouble(): BridgeError | undefined {
    return this.failure ?? this.pump.waitingFor;
  }

  get hasFailed(): boolean {
    return this.failure !== undefined;
  }

  assigned(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) {
      const old = this.lanes.get(laneKey(topic, partition));
      if (old !== undefined) this.close(old);
      this.lanes.set(laneKey(topic, partition), new Lane(topic, partition));
    }
  }

  async revoked(partitions: readonly TopicPartition[]): Promise<void> {
    const lanes = partitions.map(({ topic, partition }) =>
      this.lanes.get(laneKey(topic, partition)),
    );
    await this.commit();
    for (const lane of lanes) if (lane !== undefined) this.close(lane);
  }

  async records(batch: readonly KafkaRecord[]): Promise<void> {
    const [first] = batch;
    if (first === undefined || this.stopping) return;
    const lane = this.lanes.get(laneKey(first.topic, first.partition));
    if (lane === undefined) return;
    this.pump.push(lane, batch);
    await this.pump.whenRoom();
  }

  failed(error: BridgeError): void {
    this.failure = error;
    this.options.log("error", "The route has stopped: an operator must act", {
      route: this.options.route.name,
      code: error.code,
      error: error.message,
    });
    this.options.onFailed(error);
  }

  /** Takes nothing more, lets what was published end, commits it, leaves (S-55). */
  async stop(drainMs: number): Promise<void> {
    this.stopping = true;
    this.cancelCommit?.();
    const deadline = this.options.clock.now() + drainMs;
    this.pump.stop();
    await this.options.publisher.stop(drainMs);
    await Promise.race([this.pump.whenIdle(), this.elapsed(deadline)]);
    await this.commit();
    await this.options.source.stop();
  }

  /** A partition may have come back, as a new lane, while the old one was being given up. */
  private close(lane: Lane): void {
    const key = laneKey(lane.topic, lane.partition);
    if (this.lanes.get(key) === lane) this.lanes.delete(key);
    this.dirty.delete(lane);
    this.pump.release(lane);
  }

  private scheduleCommit(): void {
    if (this.stopping) return;
    this.cancelCommit = this.options.clock.after(this.options.commitIntervalMs, () => {
      void this.commit().then(() => this.scheduleCommit());
    });
  }

  /** Commits what is done. A commit that fails is only late: the next one carries the same offsets. */
  private async commit(): Promise<void> {
    await this.committing;
    const lanes = [...this.dirty];
    this.dirty.clear();
    const offsets: PartitionOffset[] = [];
    for (const lane of lanes) {
      const offset = lane.uncommitted;
      if (offset !== undefined) offsets.push(offset);
    }
    if (offsets.length === 0) return;
    this.committing = this.options.source.commit(offsets).then(
      () => {
        for (const lane of lanes) {
          const at = offsets.find((o) => o.topic === lane.topic && o.partition === lane.partition);
          if (at !== undefined) lane.markCommitted(at.offset);
        }
      },
      (cause: unknown) => {
        const error = toBridgeError(cause, "KAFKA_UNAVAILABLE", "Cannot commit");
        this.options.log("warn", "Offsets not committed yet", {
          route: this.options.route.name,
          code: error.code,
          error: error.message,
        });
        for (const lane of lanes) if (lane.open) this.dirty.add(lane);
      },
    );
    await this.committing;
    this.committing = undefined;
  }

  private elapsed(deadline: number): Promise<void> {
    const { clock } = this.options;
    return new Promise((resolve) => {
      clock.after(Math.max(0, deadline - clock.now()), resolve);
    });
  }
}

function laneKey(topic: string, partition: number): string {
  return `${partition} ${topic}`;
}
