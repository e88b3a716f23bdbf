import type {
  Delivery,
  PartitionOffset,
  Publisher,
  PublishOutcome,
  PublishReceipt,
  RecordConsumer,
  RecordProducer,
  RecordSource,
  Subscriber,
  SubscriptionRequest,
} from "../../shared/engine/ports.ts";
import { BridgeError } from "../../shared/errors.ts";
import type { KafkaRecord, OutgoingRecord } from "../../shared/model/kafka-record.ts";
import type { Publish } from "../../shared/model/publish.ts";

const text = new TextEncoder();
export const bytes = (value: string): Uint8Array => text.encode(value);

export function record(over: Partial<KafkaRecord> = {}): KafkaRecord {
  return {
    topic: "source",
    partition: 0,
    offset: 0n,
    timestamp: 1_700_000_000_000,
    key: null,
    value: bytes("payload"),
    headers: [],
    ...over,
  };
}

export function publish(over: Partial<Publish> = {}): Publish {
  return {
    topicName: "factory/line",
    payload: bytes("payload"),
    qos: 1,
    retain: false,
    properties: { userProperties: [] },
    ...over,
  };
}

/** A source that hands out what a test gives it and notes every commit. */
export class MemorySource implements RecordSource {
  consumer: RecordConsumer | undefined;
  readonly commits: PartitionOffset[] = [];
  commitFault: BridgeError | undefined;
  stopped = false;

  async start(consumer: RecordConsumer): Promise<void> {
    this.consumer = consumer;
  }

  async commit(offsets: readonly PartitionOffset[]): Promise<void> {
    if (this.commitFault !== undefined) throw this.commitFault;
    this.commits.push(...offsets);
  }

  async stop(): Promise<void> {
    this.stopped = true;
  }

  committed(topic: string, partition: number): bigint | undefined {
    return this.commits.findLast((o) => o.topic === topic && o.partition === partition)?.offset;
  }
}

/** A publisher whose acknowledgements a test decides. */
export class MemoryPublisher implements Publisher {
  readonly sent: Publish[] = [];
  window: number;
  online = true;
  mostUnsettled = 0;
  private waiting: { message: Publish; receipt: PublishReceipt }[] = [];
  private onRoom: () => void = () => undefined;

  constructor(window = 1000) {
    this.window = window;
  }

  async start(onRoom: () => void): Promise<void> {
    this.onRoom = onRoom;
  }

  get room(): number {
    return this.online ? this.window - this.waiting.length : 0;
  }

  get unsettled(): number {
    return this.waiting.length;
  }

  publish(message: Publish, receipt: PublishReceipt): void {
    if (this.room <= 0) throw new RangeError("Published without room");
    this.sent.push(message);
    this.waiting.push({ message, receipt });
    this.mostUnsettled = Math.max(this.mostUnsettled, this.waiting.length);
  }

  flush(): void {}

  /** Settles the n-th unsettled publish, the oldest by default. */
  settle(outcome?: PublishOutcome, n = 0): void {
    const [entry] = this.waiting.splice(n, 1);
    const hadNoRoom = this.room === 1;
    entry?.receipt.settle(outcome);
    if (hadNoRoom || this.room > 0) this.onRoom();
  }

  settleAll(): void {
    while (this.waiting.length > 0) this.settle();
  }

  goOnline(): void {
    this.online = true;
    this.onRoom();
  }

  async stop(): Promise<void> {
    const stopped = new BridgeError("STOPPED", "stopped", { retryable: true });
    for (const { receipt } of this.waiting.splice(0)) receipt.settle(stopped);
  }
}

/** A producer that keeps what was sent, or fails as a test says. */
export class MemoryProducer implements RecordProducer {
  readonly sent: OutgoingRecord[] = [];
  readonly batches: number[] = [];
  /** Decides about a batch: an error to throw, or undefined to take it. */
  verdict: (records: readonly OutgoingRecord[]) => BridgeError | undefined = () => undefined;
  /** While set, sends wait for it. */
  gate: Promise<void> | undefined;
  attempts = 0;

  async start(): Promise<void> {}

  async send(records: readonly OutgoingRecord[]): Promise<void> {
    this.attempts += 1;
    await this.gate;
    const error = this.verdict(records);
    if (error !== undefined) throw error;
    this.sent.push(...records);
    this.batches.push(records.length);
  }

  async stop(): Promise<void> {}
}

/** A subscriber a test feeds; it notes the order of acknowledgements. */
export class MemorySubscriber implements Subscriber {
  readonly acknowledged: number[] = [];
  request: SubscriptionRequest | undefined;
  paused = false;
  stopped = false;
  private onDelivery: (delivery: Delivery) => void = () => undefined;
  private onAcknowledged: () => void = () => undefined;
  private count = 0;

  async start(
    request: SubscriptionRequest,
    onDelivery: (delivery: Delivery) => void,
  ): Promise<void> {
    this.request = request;
    this.onDelivery = onDelivery;
  }

  /** Delivers a message and returns its number, counting from 0. */
  deliver(message: Publish, receivedAt: number): number {
    const number = this.count;
    this.count += 1;
    this.onDelivery({
      publish: message,
      receivedAt,
      bytes: message.payload.length + message.topicName.length + 10,
      acknowledge: () => {
        this.acknowledged.push(number);
        this.onAcknowledged();
      },
    });
    return number;
  }

  /** Resolves when so many deliveries are acknowledged. One caller at a time. */
  async untilAcknowledged(count: number): Promise<void> {
    while (this.acknowledged.length < count) {
      await new Promise<void>((resolve) => {
        this.onAcknowledged = resolve;
      });
    }
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  async stop(): Promise<void> {
    this.stopped = true;
  }
}
