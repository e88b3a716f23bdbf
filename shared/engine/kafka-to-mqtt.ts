import { type BridgeError, toBridgeError } from "../errors.ts";
import type { KafkaRecord } from "../model/kafka-record.ts";
import { KafkaToMqttPump, type KafkaToMqttPumpOptions } from "./kafka-to-mqtt-pump.ts";
import { Lane } from "./lane.ts";
import type { PartitionOffset, RecordConsumer, RecordSource, TopicPartition } from "./ports.ts";

export interface KafkaToMqttOptions extends Omit<KafkaToMqttPumpOptions, "onDone"> {
  readonly source: RecordSource;
  /** Milliseconds between commits. Event Hubs documents 4 commits a second and partition, and takes about 2. */
  readonly commitIntervalMs: number;
  /** Milliseconds from one commit to the next when so much is done that it need not wait for its interval. Default 0. */
  readonly commitGapMs?: number;
}

/** How long a partition that goes may wait for what was sent of it to be acknowledged: until it is gone the whole group stands. */
const GOING_MS = 1000;

/** A running Kafka to MQTT route: a source, a pump, and commits that never pass the first record that is not done. */
export class KafkaToMqtt implements RecordConsumer {
  private readonly options: KafkaToMqttOptions;
  private readonly pump: KafkaToMqttPump;
  private readonly lanes = new Map<string, Lane>();
  private readonly dirty = new Set<Lane>();
  private committing: Promise<void> | undefined;
  /** Told whenever an entry is done. */
  private readonly going = new Set<() => void>();
  private cancelCommit: (() => void) | undefined;
  private lastCommit = Number.NEGATIVE_INFINITY;
  private lastFailed = false;
  private stopping = false;
  private failure: BridgeError | undefined;

  constructor(options: KafkaToMqttOptions) {
    this.options = options;
    this.pump = new KafkaToMqttPump({
      ...options,
      onDone: (entry) => {
        if (entry.lane.open) this.dirty.add(entry.lane);
        this.commitIfDue();
        if (this.going.size > 0) for (const look of this.going) look();
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
    this.pump.fill();
  }

  async revoked(partitions: readonly TopicPartition[]): Promise<void> {
    const lanes = partitions.flatMap(
      ({ topic, partition }) => this.lanes.get(laneKey(topic, partition)) ?? [],
    );
    for (const lane of lanes) this.pump.holdBack(lane);
    await this.committable(lanes);
    await this.commit();
    for (const lane of lanes) this.close(lane);
    // what was held back behind their uncommitted records may go now
    this.pump.fill();
  }

  async records(batch: readonly KafkaRecord[]): Promise<void> {
    const [first] = batch;
    if (first === undefined || this.stopping) return;
    const lane = this.lanes.get(laneKey(first.topic, first.partition));
    if (lane === undefined || lane.isGoing) return;
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

  /** Resolves when a commit would cover all that was sent of these lanes, or it takes too long: whoever has them next doubles the rest. */
  private committable(lanes: readonly Lane[]): Promise<void> {
    const isSo = (): boolean => lanes.every(({ exposed, safe }) => exposed === safe);
    if (isSo()) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        this.going.delete(look);
        resolve();
      };
      const look = (): void => {
        if (isSo()) end();
      };
      const cancel = this.options.clock.after(GOING_MS, end);
      this.going.add(look);
    });
  }

  private scheduleCommit(): void {
    if (this.stopping) return;
    this.cancelCommit = this.options.clock.after(this.options.commitIntervalMs, () => {
      void this.commit().then(() => this.scheduleCommit());
    });
  }

  /** A commit that failed is left to the next interval. */
  private commitIfDue(): void {
    const { clock, commitGapMs = 0 } = this.options;
    if (!this.pump.exposure.isDue || this.committing !== undefined || this.stopping) return;
    if (!this.lastFailed && clock.now() - this.lastCommit >= commitGapMs) void this.commit();
  }

  /** Commits what is done. A commit that fails is only late: the next one carries the same offsets. */
  private async commit(): Promise<void> {
    while (this.committing !== undefined) await this.committing;
    const lanes = [...this.dirty];
    this.dirty.clear();
    const safe: SafePoint[] = [];
    for (const lane of lanes) {
      const { uncommitted } = lane;
      if (uncommitted !== undefined) safe.push({ lane, ...uncommitted, count: lane.safe });
    }
    if (safe.length === 0) return;
    this.lastCommit = this.options.clock.now();
    this.committing = this.options.source.commit(safe.map(partitionOffset)).then(
      () => this.committed(safe),
      (cause: unknown) => this.notCommitted(safe, cause),
    );
    await this.committing;
  }

  private committed(safe: readonly SafePoint[]): void {
    this.committing = undefined;
    this.lastFailed = false;
    for (const { lane, offset, count } of safe) {
      lane.markCommitted(offset);
      if (lane.open) this.pump.exposure.committed(lane, count);
    }
    this.pump.fill();
    this.commitIfDue();
  }

  private notCommitted(safe: readonly SafePoint[], cause: unknown): void {
    this.committing = undefined;
    this.lastFailed = true;
    const error = toBridgeError(cause, "KAFKA_UNAVAILABLE", "Cannot commit");
    this.options.log("warn", "Offsets not committed yet", {
      route: this.options.route.name,
      code: error.code,
      error: error.message,
    });
    for (const { lane } of safe) if (lane.open) this.dirty.add(lane);
  }

  private elapsed(deadline: number): Promise<void> {
    const { clock } = this.options;
    return new Promise((resolve) => {
      clock.after(Math.max(0, deadline - clock.now()), resolve);
    });
  }
}

/** How far a lane is done, and how many records that were sent out a commit of it covers. */
interface SafePoint extends PartitionOffset {
  readonly lane: Lane;
  readonly count: number;
}

function partitionOffset({ topic, partition, offset }: SafePoint): PartitionOffset {
  return { topic, partition, offset };
}

function laneKey(topic: string, partition: number): string {
  return `${partition} ${topic}`;
}
