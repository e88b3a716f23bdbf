import type { EventData, EventDataBatch } from "@azure/event-hubs";
import type { ConnectionStatus, RecordProducer } from "../../engine/ports.ts";
import { BridgeError } from "../../errors.ts";
import type { KafkaEndpoint } from "../../model/endpoint.ts";
import type { OutgoingRecord } from "../../model/kafka-record.ts";
import { type Destination, destinationOf, eventOf } from "./event-data.ts";
import { connectError, eventHubsError } from "./event-hubs-errors.ts";

/** The part of EventHubProducerClient that is used: tests put their own in its place. */
export interface HubClient {
  getPartitionIds(): Promise<string[]>;
  createBatch(options: Destination): Promise<EventDataBatch>;
  sendBatch(batch: EventDataBatch): Promise<void>;
  close(): Promise<void>;
}

export interface EventHubsRecordProducerOptions {
  readonly endpoint: KafkaEndpoint;
  /** Makes the client of one event hub. Default: the SDK's, by the endpoint's connection string or identity. */
  readonly connect?: (eventHub: string) => Promise<HubClient>;
}

interface Group {
  readonly destination: Destination;
  readonly records: OutgoingRecord[];
}

/**
 * A RecordProducer that writes to Event Hubs by AMQP; a record's topic is its event hub. Links open at the first record, so that `start`
 * fails for a credential of the wrong kind only.
 */
export function eventHubsRecordProducer(options: EventHubsRecordProducerOptions): RecordProducer {
  return new EventHubsRecordProducer(options);
}

class EventHubsRecordProducer implements RecordProducer {
  private readonly endpoint: KafkaEndpoint;
  private readonly host: string;
  private readonly connect: (eventHub: string) => Promise<HubClient>;
  private readonly clients = new Map<string, Promise<HubClient>>();
  private readonly partitionIds = new Map<string, Promise<string[]>>();
  private condition: ConnectionStatus = { connected: true };

  constructor({ endpoint, connect }: EventHubsRecordProducerOptions) {
    this.endpoint = endpoint;
    this.host = (endpoint.bootstrapServers[0] ?? "").replace(/:\d+$/, "");
    this.connect = connect ?? ((eventHub) => connectHub(endpoint, this.host, eventHub));
  }

  async start(): Promise<void> {
    const { sasl } = this.endpoint;
    if (sasl?.mechanism === "oauthbearer" || sasl?.username === "$ConnectionString") return;
    throw new BridgeError(
      "EVENT_HUBS_REFUSED",
      `Cannot write to Event Hubs at ${this.host}: it takes a managed identity or a connection string`,
    );
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
      throw eventHubsError(cause, `Cannot send to event hub "${eventHub}" of ${this.host}`);
    }
  }

  private client(eventHub: string): Promise<HubClient> {
    let client = this.clients.get(eventHub);
    if (client === undefined) {
      client = this.connect(eventHub).catch((cause: unknown) => {
        throw connectError(cause, `Cannot open event hub "${eventHub}" of ${this.host}`);
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

/** The SDK is loaded at the first connection: a bridge to Kafka should not pay for it at start. */
async function connectHub(
  { sasl }: KafkaEndpoint,
  host: string,
  eventHub: string,
): Promise<HubClient> {
  const { EventHubProducerClient } = await import("@azure/event-hubs");
  if (sasl?.mechanism === "oauthbearer") {
    const credential = {
      async getToken(): Promise<{ token: string; expiresOnTimestamp: number }> {
        const { value, expiresAt } = await sasl.token();
        return { token: value, expiresOnTimestamp: expiresAt };
      },
    };
    return new EventHubProducerClient(host, eventHub, credential);
  }
  const connectionString = sasl?.password ?? "";
  return connectionString.includes("EntityPath=")
    ? new EventHubProducerClient(connectionString)
    : new EventHubProducerClient(connectionString, eventHub);
}
