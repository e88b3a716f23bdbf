import type {
  CheckpointStore,
  EventDataBatch,
  EventHubClientOptions,
  EventHubConsumerClient,
  EventHubProducerClient,
  LoadBalancingOptions,
} from "@azure/event-hubs";
import { BridgeError } from "../../errors.ts";
import type { KafkaEndpoint } from "../../model/endpoint.ts";
import { isSameName, parseConnectionString } from "../../wire/connection-string.ts";
import type { Destination } from "./event-data.ts";
import { boundCredit, onEveryConnection, trust } from "./sdk-seam.ts";

/** Which event hub to connect to, and how. */
export interface HubAddress {
  readonly endpoint: KafkaEndpoint;
  readonly eventHub: string;
}

/** The namespace that an endpoint names, without its port. */
export function namespaceOf({ bootstrapServers }: KafkaEndpoint): string {
  return (bootstrapServers[0] ?? "").replace(/:\d+$/, "");
}

/** What manifests name, for want of a port of AMQP: then that is the usual one. Any other is meant. */
const KAFKA_PORT = "9093";

/** Short: the callers have the patience, and their status says what is going on. The SDK's own would be silent for minutes. */
const RETRIES = { maxRetries: 2, retryDelayInMs: 500, maxRetryDelayInMs: 5000 };
/** Of one attempt; the service ends requests after 60 s by itself. */
const TIMEOUT_MS = 30_000;

/** The part of EventHubProducerClient that is used: tests put their own in its place. */
export interface HubClient {
  getPartitionIds(): Promise<string[]>;
  createBatch(options: Destination): Promise<EventDataBatch>;
  sendBatch(batch: EventDataBatch): Promise<void>;
  close(): Promise<void>;
}

/** The SDK is loaded at the first connection: a bridge to Kafka should not pay for it at start. @throws BridgeError */
export async function producerClient(address: HubAddress): Promise<HubClient> {
  const { target, eventHub, credential } = loginTo(address);
  const { EventHubProducerClient: Client } = await import("@azure/event-hubs");
  const options = clientOptions(address);
  const client =
    credential === undefined
      ? new Client(target, eventHub, options)
      : new Client(target, eventHub, credential, options);
  return failingFast(prepared(client, address));
}

/**
 * A send whose connection is lost fails at once. The SDK would wait for an acknowledgement that can no longer come, and then send the batch
 * again by itself, behind others perhaps that were sent since.
 */
function failingFast(client: EventHubProducerClient): HubClient {
  let lost = new AbortController();
  onEveryConnection(client, (connection) => {
    connection.on("disconnected", () => {
      lost.abort();
      lost = new AbortController();
    });
  });
  return {
    getPartitionIds: () => client.getPartitionIds(),
    createBatch: (destination) => client.createBatch(destination),
    async sendBatch(batch) {
      const { signal } = lost;
      try {
        await client.sendBatch(batch, { abortSignal: signal });
      } catch (cause) {
        if (!signal.aborted) throw cause;
        const error = new Error("the connection was lost before the events were acknowledged");
        throw Object.assign(error, { code: "ConnectionLostError", cause });
      }
    },
    close: () => client.close(),
  };
}

export interface ConsumerSettings {
  readonly consumerGroup: string;
  readonly ownerId: string;
  readonly store: CheckpointStore;
  readonly balancing: LoadBalancingOptions;
}

/** The same for reading. @throws BridgeError */
export async function consumerClient(
  address: HubAddress,
  { consumerGroup, ownerId, store, balancing }: ConsumerSettings,
): Promise<EventHubConsumerClient> {
  const { target, eventHub, credential } = loginTo(address);
  const { EventHubConsumerClient: Client } = await import("@azure/event-hubs");
  const options = {
    ...clientOptions(address),
    identifier: ownerId,
    loadBalancingOptions: balancing,
  };
  const client =
    credential === undefined
      ? new Client(consumerGroup, target, eventHub, store, options)
      : new Client(consumerGroup, target, eventHub, credential, store, options);
  onEveryConnection(client, boundCredit);
  return prepared(client, address);
}

function prepared<C extends object>(client: C, { endpoint: { tls } }: HubAddress): C {
  if (tls !== undefined) onEveryConnection(client, trust(tls));
  return client;
}

function clientOptions({ endpoint }: HubAddress): EventHubClientOptions {
  const port = /:(\d+)$/u.exec(endpoint.bootstrapServers[0] ?? "")?.[1] ?? KAFKA_PORT;
  const address = `sb://${namespaceOf(endpoint)}:${port}`;
  return {
    retryOptions: { ...RETRIES, timeoutInMs: TIMEOUT_MS },
    ...(port === KAFKA_PORT ? {} : { customEndpointAddress: address }),
  };
}

interface TokenCredential {
  getToken(): Promise<{ token: string; expiresOnTimestamp: number }>;
}

interface Login {
  /** A namespace, or a connection string, which holds its own credential. */
  readonly target: string;
  /** As the connection string spells it: the SDK takes no other case. */
  readonly eventHub: string;
  readonly credential?: TokenCredential;
}

/**
 * Checked here, for the errors of the SDK quote connection strings with their keys. Without an event hub only what holds for any is checked.
 * @throws BridgeError SECRET_INVALID, EVENT_HUBS_REFUSED
 */
export function loginTo({
  endpoint,
  eventHub = "",
}: Pick<HubAddress, "endpoint"> & Partial<HubAddress>): Login {
  const { sasl } = endpoint;
  const namespace = namespaceOf(endpoint);
  if (sasl?.mechanism === "oauthbearer") {
    return {
      target: namespace,
      eventHub,
      credential: {
        async getToken() {
          const { value, expiresAt } = await sasl.token("Amqp");
          return { token: value, expiresOnTimestamp: expiresAt };
        },
      },
    };
  }
  if (sasl?.username !== "$ConnectionString") {
    throw new BridgeError(
      "EVENT_HUBS_REFUSED",
      `Cannot sign in to Event Hubs at ${namespace}: it takes a managed identity or a connection string`,
    );
  }
  const said = parseConnectionString(sasl.password);
  if (typeof said === "string") {
    throw invalid(`the connection string of Event Hubs at ${namespace}`, said);
  }
  if (!isSameName(said.host, namespace)) {
    throw invalid(
      `the connection string of Event Hubs at ${namespace}`,
      `it is for the namespace ${said.host}`,
    );
  }
  if (said.entityPath !== undefined && eventHub !== "" && !isSameName(said.entityPath, eventHub)) {
    throw invalid(
      `the connection string for event hub "${eventHub}" of ${namespace}`,
      `its EntityPath says that it is for "${said.entityPath}" alone`,
    );
  }
  return { target: sasl.password, eventHub: said.entityPath ?? eventHub };
}

function invalid(what: string, why: string): BridgeError {
  return new BridgeError("SECRET_INVALID", `Cannot use ${what}: ${why}`);
}
