import { BridgeError } from "../errors.ts";
import type { KafkaRecord } from "../model/kafka-record.ts";
import { KafkaToMqttPump, type KafkaToMqttPumpOptions } from "./kafka-to-mqtt-pump.ts";
import { Lane, type LaneEntry } from "./lane.ts";

const REMEMBERED_RECORDS = 10_000;

/**
 * The Kafka to MQTT route for a host that hands records over and commits by itself (a Functions trigger).
 * When a delivery fails, what was already acknowledged is remembered, so that the host's repetition of the batch doubles none of it.
 */
export class BatchHandler {
  private readonly options: Omit<KafkaToMqttPumpOptions, "onDone" | "onFailed">;
  private readonly pump: KafkaToMqttPump;
  private readonly remembered = new Map<string, LaneEntry>();
  private waiting = new Set<{ left: Set<LaneEntry>; done(error?: BridgeError): void }>();
  private failure: BridgeError | undefined;

  constructor(options: Omit<KafkaToMqttPumpOptions, "onDone" | "onFailed">) {
    this.options = options;
    this.pump = new KafkaToMqttPump({
      ...options,
      onDone: (entry) => this.done(entry),
      onFailed: (error) => this.failed(error),
    });
  }

  async start(): Promise<void> {
    await this.options.publisher.start(() => this.pump.fill());
  }

  get trouble(): BridgeError | undefined {
    return this.failure ?? this.pump.waitingFor;
  }

  /** @throws BridgeError when not all records are safe after `timeoutMs`, or one never can be. */
  async deliver(records: readonly KafkaRecord[], timeoutMs: number): Promise<void> {
    this.failure = undefined;
    this.pump.resume();
    const left = new Set<LaneEntry>();
    for (const entry of this.take(records)) if (entry.state !== "done") left.add(entry);
    if (left.size === 0) {
      this.forget(records);
      return;
    }
    await this.settle(records, left, timeoutMs);
  }

  async stop(drainMs: number): Promise<void> {
    this.pump.stop();
    await this.options.publisher.stop(drainMs);
  }

  private settle(
    records: readonly KafkaRecord[],
    left: Set<LaneEntry>,
    timeoutMs: number,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = this.options.clock.after(timeoutMs, () => {
        wait.done(this.trouble ?? this.notInTime(timeoutMs, left.size));
      });
      const wait = {
        left,
        done: (error?: BridgeError): void => {
          cancel();
          this.waiting.delete(wait);
          if (error === undefined) {
            this.forget(records);
            resolve();
            return;
          }
          for (const entry of left) this.pump.release(entry.lane);
          this.boundMemory();
          reject(error);
        },
      };
      this.waiting.add(wait);
    });
  }

  /** New entries for new records; the old ones for those that an earlier, failed delivery had already handed over. */
  private take(records: readonly KafkaRecord[]): LaneEntry[] {
    const entries: LaneEntry[] = [];
    const lanes = new Map<string, { lane: Lane; fresh: KafkaRecord[] }>();
    for (const record of records) {
      const known = this.remembered.get(recordKey(record));
      if (known !== undefined && known.state !== "queued" && known.state !== "failed") {
        entries.push(known);
        continue;
      }
      const key = `${record.partition} ${record.topic}`;
      let group = lanes.get(key);
      if (group === undefined) {
        group = { lane: new Lane(record.topic, record.partition), fresh: [] };
        lanes.set(key, group);
      }
      group.fresh.push(record);
    }
    for (const { lane, fresh } of lanes.values()) {
      for (const entry of this.pump.push(lane, fresh)) {
        this.remembered.set(recordKey(entry.record), entry);
        entries.push(entry);
      }
    }
    return entries;
  }

  private forget(records: readonly KafkaRecord[]): void {
    for (const record of records) this.remembered.delete(recordKey(record));
  }

  /** A batch that never comes back (its partition moved away) must not be remembered for ever. */
  private boundMemory(): void {
    for (const key of this.remembered.keys()) {
      if (this.remembered.size <= REMEMBERED_RECORDS) return;
      this.remembered.delete(key);
    }
  }

  private done(entry: LaneEntry): void {
    for (const wait of this.waiting) {
      if (wait.left.delete(entry) && wait.left.size === 0) wait.done();
    }
  }

  private failed(error: BridgeError): void {
    this.failure = error;
    for (const wait of this.waiting) wait.done(error);
  }

  private notInTime(timeoutMs: number, left: number): BridgeError {
    return new BridgeError(
      "MQTT_UNAVAILABLE",
      `Cannot deliver ${left} messages of route "${this.options.route.name}" to MQTT within ${timeoutMs} ms`,
      { retryable: true },
    );
  }
}

function recordKey(record: KafkaRecord): string {
  return `${record.offset} ${record.partition} ${record.topic}`;
}
