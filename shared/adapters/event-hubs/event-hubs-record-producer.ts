import type { EventData } from "@azure/event-hubs";
import type { ConnectionStatus, Log, RecordProducer } from "../../engine/ports.ts";
import { BridgeError } from "../../errors.ts";
import type { KafkaEndpoint } from "../../model/endpoint.ts";
import type { OutgoingRecord } from "../../model/kafka-record.ts";
import { type Destination, destinationOf, eventOf } from "./event-data.ts";
import {
  connectError,
  eventHubsError,
  isMissingClaim,
  isRefusedCredential,
} from "./event-hubs-errors.ts";
import { type HubClient, loginTo, namespaceOf, producerClient } from "./hub-client.ts";
import { pause } from "./patience.ts";

export interface EventHubsRecordProducerOptions {
  readonly endpoint: KafkaEndpoint;
  readonly log: Log;
  /** Event hubs that are known to be written to: `start` tries the credential on them. */
  readonly eventHubs?: readonly string[];
  /** Makes the client of one event hub. Default: the SDK's, by the endpoint's connection string or identity. */
  readonly connect?: (eventHub: string) => Promise<HubClient>;
}

interface Group {
  readonly destination: Destination;
  readonly records: OutgoingRecord[];
}

/**
 * A RecordProducer that writes to Event Hubs by AMQP; a record's topic is its event hub. Links open at the first record; `start` ends for a
 * credential that is refused, and waits for a namespace that cannot be reached.
 */
export function eventHubsRecordProducer(options: EventHubsRecordProducerOptions): RecordProducer {
  return new EventHubsRecordProducer(options);
}

class EventHubsRecordProducer implements RecordProducer {
  private readonly options: EventHubsRecordProducerOptions;
  private readonly host: string;
  private readonly connect: (eventHub: string) => Promise<HubClient>;
  private readonly clients = new Map<string, Promise<HubClient>>();
  private readonly partitionIds = new Map<string, Promise<string[]>>();
  private readonly stopping = new AbortController();
  private condition: ConnectionStatus = { connected: true };

  constructor(options: EventHubsRecordProducerOptions) {
    this.options = options;
    this.host = namespaceOf(options.endpoint);
    this.connect = options.connect ?? ((eventHub) => this.connectTo(eventHub));
  }

  async start(): Promise<void> {
    const { eventHubs = [], endpoint } = this.options;
    if (eventHubs.length === 0) loginTo({ endpoint });
    else this.condition = { connected: false };
    for (const eventHub of eventHubs) await this.untilAnswered(eventHub);
    this.condition = { connected: true };
  }

  /** An event hub that is not there, or may be written to only, is no matter of the start: records will tell. */
  private async untilAnswered(eventHub: string): Promise<void> {
    const { endpoint, log } = this.options;
    loginTo({ endpoint, eventHub });
    for (let attempt = 0; !this.stopping.signal.aborted; attempt += 1) {
      try {
        await this.partitions(await this.client(eventHub), eventHub);
        return;
      } catch (cause) {
        if (isMissingClaim(cause)) return;
        const error = eventHubsError(cause, `Cannot open ${this.named(eventHub)}`, "start");
        this.condition = { connected: false, detail: error.message };
        this.forget(eventHub);
        if (!error.retryable) throw error;
        if (error.code === "KAFKA_TOPIC_MISSING") return;
        log("warn", "Event Hubs cannot be reached yet, trying again", {
          code: error.code,
          error: error.message,
        });
      }
      await pause(attempt, this.stopping.signal);
    }
    throw new BridgeError("STOPPED", "Cannot connect to Event Hubs: it was stopped", {
      retryable: true,
    });
  }

  async send(records: readonly OutgoingRecord[]): Promise<void> {
    const hubs = new Map<string, OutgoingRecord[]>();
    for (const record of records) {
      const same = hubs.get(record.topic);
      if (same === undefined) hubs.set(record.topic, [record]);
      else same.push(record);
    }
    const outcomes = await Promise.allSettled(
      [...hubs].map(([eventHub, ofHub]) => this.sendToHub(eventHub, ofHub)),
    );
    const failed = outcomes.find((outcome) => outcome.status === "rejected");
    if (failed === undefined) {
      this.condition = { connected: true };
      return;
    }
    const error = failed.reason as BridgeError;
    if (error.retryable) this.condition = { connected: false, detail: error.message };
    throw error;
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    const clients = await Promise.allSettled(this.clients.values());
    this.clients.clear();
    await Promise.allSettled(
      clients.map((client) => (client.status === "fulfilled" ? client.value.close() : undefined)),
    );
    this.condition = { connected: false };
  }

  status(): ConnectionStatus {
    return this.condition;
  }

  private async sendToHub(eventHub: string, records: readonly OutgoingRecord[]): Promise<void> {
    const client = await this.client(eventHub);
    try {
      for (const group of await this.groups(client, eventHub, records)) {
        await sendGroup(client, group);
      }
    } catch (cause) {
      // the next attempt reads the credential anew: it may have been exchanged
      if (isRefusedCredential(cause)) this.forget(eventHub);
      throw eventHubsError(cause, `Cannot send to ${this.named(eventHub)}`);
    }
  }

  private async connectTo(eventHub: string): Promise<HubClient> {
    const { endpoint } = this.options;
    const fresh = (await endpoint.reread?.()) ?? endpoint;
    return await producerClient({ endpoint: fresh, eventHub });
  }

  private forget(eventHub: string): void {
    const client = this.clients.get(eventHub);
    this.clients.delete(eventHub);
    client?.then((opened) => opened.close()).catch(() => undefined);
  }

  private named(eventHub: string): string {
    return `event hub "${eventHub}" of ${this.host}`;
  }

  private client(eventHub: string): Promise<HubClient> {
    let client = this.clients.get(eventHub);
    if (client === undefined) {
      client = this.connect(eventHub).catch((cause: unknown) => {
        throw connectError(cause, `Cannot open ${this.named(eventHub)}`);
      });
      this.clients.set(eventHub, client);
      client.catch(() => this.clients.delete(eventHub));
    }
    return client;
  }

  private async groups(
    client: HubClient,
    eventHub: string,
    records: readonly OutgoingRecord[],
  ): Promise<Iterable<Group>> {
    const byNumber = records.some(
      ({ partitioning: { by } }) => by === "instance" || by === "partition",
    );
    const ids = byNumber ? await this.partitions(client, eventHub) : [];
    const groups = new Map<string, Group>();
    for (const record of records) {
      const destination = destinationOf(record, ids);
      const key = JSON.stringify([
        destination.partitionId ?? null,
        destination.partitionKey ?? null,
      ]);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { destination, records: [record] });
      else group.records.push(record);
    }
    return groups.values();
  }

  private partitions(client: HubClient, eventHub: string): Promise<string[]> {
    let ids = this.partitionIds.get(eventHub);
    if (ids === undefined) {
      ids = client.getPartitionIds();
      this.partitionIds.set(eventHub, ids);
      ids.catch(() => this.partitionIds.delete(eventHub));
    }
    return ids;
  }
}

/** Batches as large as the hub takes them, one after the other: the order of a group is kept. */
async function sendGroup(client: HubClient, { destination, records }: Group): Promise<void> {
  let batch = await client.createBatch(destination);
  for (const record of records) {
    const event: EventData = eventOf(record);
    if (batch.tryAdd(event)) continue;
    if (batch.count > 0) {
      await client.sendBatch(batch);
      batch = await client.createBatch(destination);
      if (batch.tryAdd(event)) continue;
    }
    throw new BridgeError(
      "KAFKA_MESSAGE_TOO_LARGE",
      `Cannot send to event hub "${record.topic}": the event is larger than the ${batch.maxSizeInBytes} bytes that it takes`,
    );
  }
  if (batch.count > 0) await client.sendBatch(batch);
}
