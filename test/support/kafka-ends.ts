import { randomUUID } from "node:crypto";
import type {
  PartitionOffset,
  RecordConsumer,
  RecordSource,
  TopicPartition,
} from "../../shared/engine/ports.ts";
import type { BridgeError } from "../../shared/errors.ts";
import type { KafkaEndpoint } from "../../shared/model/endpoint.ts";
import type { KafkaRecord, OutgoingRecord } from "../../shared/model/kafka-record.ts";

export const noLog = (): void => undefined;

export function plainEndpoint(bootstrapServers: string): KafkaEndpoint {
  return { bootstrapServers: bootstrapServers.split(","), isEventHubs: false };
}

export const unique = (name: string): string => `${name}-${randomUUID().slice(0, 8)}`;

export function outgoing(over: Partial<OutgoingRecord> & { topic: string }): OutgoingRecord {
  return {
    key: null,
    value: Buffer.from("value"),
    headers: [],
    partitioning: { by: "roundRobin" },
    ...over,
  };
}

/** Keeps what a source hands over, commits when it is told to, and lets tests wait for a count. */
export class Collector implements RecordConsumer {
  readonly received: KafkaRecord[] = [];
  readonly assignments: (readonly TopicPartition[])[] = [];
  readonly revocations: (readonly TopicPartition[])[] = [];
  readonly failures: BridgeError[] = [];
  /** While set, nothing more is taken: back-pressure. */
  gate: Promise<void> | undefined;
  commitOnRevoke = true;
  private readonly source: RecordSource;
  private wakers: (() => void)[] = [];

  constructor(source: RecordSource) {
    this.source = source;
  }

  assigned(partitions: readonly TopicPartition[]): void {
    this.assignments.push(partitions);
    this.wake();
  }

  async revoked(partitions: readonly TopicPartition[]): Promise<void> {
    this.revocations.push(partitions);
    if (this.commitOnRevoke) await this.commit().catch(() => undefined);
    this.wake();
  }

  async records(batch: readonly KafkaRecord[]): Promise<void> {
    this.received.push(...batch);
    this.wake();
    await this.gate;
  }

  failed(error: BridgeError): void {
    this.failures.push(error);
    this.wake();
  }

  /** Commits everything that was received. */
  async commit(): Promise<void> {
    const next = new Map<string, PartitionOffset>();
    for (const { topic, partition, offset } of this.received) {
      next.set(`${partition} ${topic}`, { topic, partition, offset: offset + 1n });
    }
    await this.source.commit([...next.values()]);
  }

  async until(reached: () => boolean): Promise<void> {
    while (!reached()) {
      await new Promise<void>((resolve) => {
        this.wakers.push(resolve);
      });
    }
  }

  private wake(): void {
    const wakers = this.wakers;
    this.wakers = [];
    for (const wake of wakers) wake();
  }
}
