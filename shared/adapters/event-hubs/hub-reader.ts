import type {
  CheckpointStore,
  EventHubConsumerClient,
  LoadBalancingOptions,
  PartitionContext,
  ReceivedEventData,
} from "@azure/event-hubs";
import type { ConnectionStatus, Log, RecordConsumer } from "../../engine/ports.ts";
import type { BridgeError } from "../../errors.ts";
import type { KafkaEndpoint } from "../../model/endpoint.ts";
import { within } from "../../within.ts";
import { eventHubsError, isRefusedCredential } from "./event-hubs-errors.ts";
import { recordOf } from "./event-record.ts";
import { consumerClient, loginTo, namespaceOf } from "./hub-client.ts";
import { pause } from "./patience.ts";
import { SentOffsets } from "./sent-offsets.ts";

export interface HubReaderOptions {
  readonly endpoint: KafkaEndpoint;
  readonly eventHub: string;
  readonly consumerGroup: string;
  /** Of this process and thread, and of no other. */
  readonly ownerId: string;
  readonly store: CheckpointStore;
  readonly balancing: LoadBalancingOptions;
  readonly log: Log;
}

/** At a time, and as many again wait in the process for each partition. */
const LARGEST_BATCH = 100;
/** After so long without events a partition tells that it has none: a sign of life. */
const IDLE_SECONDS = 1;
/** A start does not wait longer for partitions that others may have. */
const PATIENCE_MS = 5_000;
/** For the last commits, and for the service to say goodbye. */
const CLOSE_MS = 10_000;
/** A client that lived so long was well: its next failure is a new one. */
const WELL_AFTER_MS = 30_000;

/** Another process has taken a partition, as it should: no trouble. */
const TAKEN = "ReceiverDisconnectedError";

/** Reads one event hub as one of the readers of its consumer group: client after client, until it is stopped. */
export class HubReader {
  private readonly options: HubReaderOptions;
  private readonly target: RecordConsumer;
  private readonly stopping = new AbortController();
  /** What is wrong now, by partition; under "" what is wrong with all of them. */
  private readonly troubles = new Map<string, string>();
  private readonly sent = new Map<number, SentOffsets>();
  private stood = false;
  private running: Promise<void> = Promise.resolve();

  constructor(options: HubReaderOptions, target: RecordConsumer) {
    this.options = options;
    this.target = target;
    this.troubles.set("", "Not connected yet");
  }

  /** Resolves when it reads, or waits for what others will give. @throws BridgeError when the credential is refused */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.running = this.run(() => {
        this.stood = true;
        resolve();
      }).catch(reject);
    });
  }

  /** Commits of partitions that are not read here are ignored. @throws BridgeError */
  async commit(partition: number, offset: bigint): Promise<void> {
    const place = this.sent.get(partition)?.take(offset);
    if (place === undefined) return;
    const { endpoint, eventHub, consumerGroup, store } = this.options;
    try {
      await store.updateCheckpoint({
        fullyQualifiedNamespace: namespaceOf(endpoint),
        eventHubName: eventHub,
        consumerGroup,
        partitionId: String(partition),
        ...place,
      });
    } catch (cause) {
      this.sent.get(partition)?.putBack(place);
      throw eventHubsError(cause, `Cannot write the checkpoint of ${this.named}`);
    }
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  status(): ConnectionStatus {
    const [detail] = this.troubles.values();
    return detail === undefined ? { connected: true } : { connected: false, detail };
  }

  private get named(): string {
    return `event hub "${this.options.eventHub}" of ${namespaceOf(this.options.endpoint)}`;
  }

  private async run(stands: () => void): Promise<void> {
    const { signal } = this.stopping;
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      const since = Date.now();
      const error = await this.readOnce(stands);
      if (error === undefined || signal.aborted) break;
      this.troubles.set("", error.message);
      if (!this.stood && !error.retryable) throw error;
      if (error.code === "KAFKA_TOPIC_MISSING") stands();
      this.tell(error);
      if (Date.now() - since > WELL_AFTER_MS) attempt = 0;
      await pause(attempt, signal);
    }
    this.troubles.set("", "Stopped");
    stands();
  }

  /** Reads until it is stopped, or until this client is of no more use: then says why. */
  private async readOnce(stands: () => void): Promise<BridgeError | undefined> {
    let client: EventHubConsumerClient | undefined;
    try {
      client = await this.connect();
      await client.getPartitionIds({ abortSignal: this.stopping.signal });
      return await this.subscribe(client, stands);
    } catch (cause) {
      return this.errorOf(cause);
    } finally {
      if (client !== undefined) await within(CLOSE_MS, client.close());
      this.troubles.clear();
    }
  }

  private async connect(): Promise<EventHubConsumerClient> {
    const { endpoint, eventHub } = this.options;
    const fresh = (await endpoint.reread?.()) ?? endpoint;
    loginTo({ endpoint: fresh, eventHub });
    return await consumerClient({ endpoint: fresh, eventHub }, this.options);
  }

  private async subscribe(
    client: EventHubConsumerClient,
    stands: () => void,
  ): Promise<BridgeError | undefined> {
    const { signal } = this.stopping;
    this.troubles.clear();
    let end: (error?: BridgeError) => void = () => undefined;
    const ended = new Promise<BridgeError | undefined>((resolve) => {
      end = resolve;
    });
    signal.addEventListener("abort", () => end(), { once: true });
    const patience = setTimeout(stands, PATIENCE_MS);
    const subscription = client.subscribe(
      {
        processInitialize: async (context) => this.begin(context),
        processEvents: async (events, context) => {
          this.troubles.delete("");
          this.troubles.delete(context.partitionId);
          stands();
          if (events.length > 0) await this.handOver(events, context);
        },
        processClose: (_reason, context) => this.giveUp(context),
        processError: async (cause, { partitionId }) => {
          const error = this.trouble(cause, partitionId);
          if (error === undefined) return;
          if (isRefusedCredential(cause) || (!this.stood && !error.retryable)) end(error);
        },
      },
      {
        startPosition: { offset: "-1" },
        maxBatchSize: LARGEST_BATCH,
        maxWaitTimeInSeconds: IDLE_SECONDS,
        prefetchCount: LARGEST_BATCH,
        skipParsingBodyAsJson: true,
        ownerLevel: 0,
      },
    );
    try {
      if (signal.aborted) end();
      return await ended;
    } finally {
      clearTimeout(patience);
      await within(CLOSE_MS, subscription.close());
    }
  }

  private begin({ partitionId }: PartitionContext): void {
    const partition = Number(partitionId);
    this.sent.set(partition, new SentOffsets());
    this.target.assigned([{ topic: this.options.eventHub, partition }]);
  }

  private async handOver(
    events: readonly ReceivedEventData[],
    { partitionId }: PartitionContext,
  ): Promise<void> {
    const from = { topic: this.options.eventHub, partition: Number(partitionId) };
    this.sent.get(from.partition)?.add(events);
    await this.target.records(events.map((event) => recordOf(event, from)));
  }

  private async giveUp({ partitionId }: PartitionContext): Promise<void> {
    const partition = Number(partitionId);
    await this.target.revoked([{ topic: this.options.eventHub, partition }]);
    this.sent.delete(partition);
    this.troubles.delete(partitionId);
  }

  private trouble(cause: unknown, partitionId: string): BridgeError | undefined {
    if ((cause as { code?: unknown }).code === TAKEN) return undefined;
    const error = this.errorOf(cause);
    this.troubles.set(partitionId, error.message);
    this.tell(error);
    return error;
  }

  private errorOf(cause: unknown): BridgeError {
    return eventHubsError(cause, `Cannot read ${this.named}`, "start");
  }

  private tell({ code, message }: BridgeError): void {
    const { log, eventHub, consumerGroup } = this.options;
    const fields = { eventHub, consumerGroup, code, error: message };
    log("warn", "Event Hubs cannot be read, trying again", fields);
  }
}
