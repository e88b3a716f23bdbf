import { BridgeError } from "../errors.ts";
import type { KafkaRecord } from "../model/kafka-record.ts";
import { KafkaToMqttPump, type KafkaToMqttPumpOptions } from "./kafka-to-mqtt-pump.ts";
import { Lane, type LaneEntry } from "./lane.ts";
import { RememberedEntries } from "./remembered-entries.ts";

const REMEMBERED_RECORDS = 10_000;

/** One invocation and the entries that it waits for. */
interface Wait {
  readonly left: Set<LaneEntry>;
  /** Whether an entry that was given up has ended too. */
  readonly takesAbandoned: boolean;
  end(error?: BridgeError): void;
}

/**
 * The Kafka to MQTT route for a host that hands records over and commits by itself (a Functions trigger).
 * When a delivery fails, what was already acknowledged is remembered, so that the host's repetition of the batch doubles none of it.
 */
export class BatchHandler {
  private readonly options: Omit<KafkaToMqttPumpOptions, "onDone" | "onAbandoned" | "onFailed">;
  private readonly pump: KafkaToMqttPump;
  private readonly remembered = new RememberedEntries();
  private waiting = new Set<Wait>();
  private failure: BridgeError | undefined;

  constructor(options: Omit<KafkaToMqttPumpOptions, "onDone" | "onAbandoned" | "onFailed">) {
    this.options = options;
    this.pump = new KafkaToMqttPump({
      ...options,
      onDone: (entry) => this.ended(entry, false),
      onAbandoned: (entry) => this.ended(entry, true),
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
    const until = this.options.clock.now() + timeoutMs;
    this.failure = undefined;
    this.pump.resume();
    // what an earlier attempt has published ends first: that says what is to be sent again
    const earlier = this.inFlight(records);
    if (earlier.size > 0) await this.wait(earlier, until, true);
    const entries = this.take(records);
    // one that was acknowledged may be going again, behind one that was refused
    for (let left = unfinished(entries); left.size > 0; left = unfinished(entries)) {
      try {
        await this.wait(left, until, false);
      } catch (error) {
        for (const { lane } of entries) this.pump.release(lane);
        // a batch that never comes back (its partition moved away) must not be remembered for ever
        this.remembered.keepAtMost(REMEMBERED_RECORDS);
        throw error;
      }
    }
    for (const record of records) this.remembered.delete(record);
  }

  async stop(drainMs: number): Promise<void> {
    this.pump.stop();
    await this.options.publisher.stop(drainMs);
  }

  private wait(left: Set<LaneEntry>, until: number, takesAbandoned: boolean): Promise<void> {
    const { clock } = this.options;
    return new Promise((resolve, reject) => {
      const cancel = clock.after(Math.max(0, until - clock.now()), () => {
        wait.end(this.trouble ?? this.notInTime(left.size));
      });
      const wait = {
        ...{ left, takesAbandoned },
        end: (error?: BridgeError): void => {
          cancel();
          this.waiting.delete(wait);
          if (error === undefined) resolve();
          else reject(error);
        },
      };
      this.waiting.add(wait);
    });
  }

  private inFlight(records: readonly KafkaRecord[]): Set<LaneEntry> {
    const entries = new Set<LaneEntry>();
    for (const record of records) {
      const known = this.remembered.get(record);
      if (known?.state === "published") entries.add(known);
    }
    return entries;
  }

  /**
   * The old entries of those that an earlier attempt has ended, new ones for the others. Behind a record that was refused for now
   * its successors of that partition go again too, for otherwise it would be the last word (S-50).
   */
  private take(records: readonly KafkaRecord[]): LaneEntry[] {
    const entries: LaneEntry[] = [];
    const lanes = new Map<string, { lane: Lane; fresh: KafkaRecord[]; repeats: boolean }>();
    for (const record of records) {
      const key = `${record.partition} ${record.topic}`;
      const known = this.remembered.get(record);
      let group = lanes.get(key);
      if (known?.state === "done" && !(known.counted && group?.repeats)) {
        entries.push(known);
        continue;
      }
      if (group === undefined) {
        group = { lane: new Lane(record.topic, record.partition), fresh: [], repeats: false };
        lanes.set(key, group);
      }
      group.fresh.push(record);
      group.repeats ||= known?.isUndeliverable !== true;
    }
    for (const { lane, fresh } of lanes.values()) {
      for (const entry of this.pump.push(lane, fresh)) {
        const known = this.remembered.get(entry.record);
        entry.isUndeliverable ||= known?.isUndeliverable === true;
        this.remembered.set(entry);
        entries.push(entry);
      }
    }
    return entries;
  }

  private ended(entry: LaneEntry, isAbandoned: boolean): void {
    for (const wait of this.waiting) {
      if (isAbandoned && !wait.takesAbandoned) continue;
      if (wait.left.delete(entry) && wait.left.size === 0) wait.end();
    }
  }

  private failed(error: BridgeError): void {
    this.failure = error;
    for (const wait of this.waiting) wait.end(error);
  }

  private notInTime(left: number): BridgeError {
    return new BridgeError(
      "MQTT_UNAVAILABLE",
      `Cannot deliver ${left} messages of route "${this.options.route.name}" to MQTT in the time of the invocation`,
      { retryable: true },
    );
  }
}

function unfinished(entries: readonly LaneEntry[]): Set<LaneEntry> {
  return new Set(entries.filter((entry) => entry.state !== "done"));
}
