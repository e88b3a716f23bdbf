import type { ConnectionOptions } from "node:tls";
import { Kafka, type KafkaConfig, type LogEntry, logLevel, type SASLOptions } from "kafkajs";
import type { Log } from "../../engine/ports.ts";
import type { KafkaEndpoint, KafkaSasl, TlsMaterial } from "../../model/endpoint.ts";
import { useOurCodec } from "./record-seam.ts";

export interface KafkaClientOptions {
  readonly endpoint: KafkaEndpoint;
  readonly clientId: string;
  readonly log: Log;
}

/** Event Hubs asks for 60 s; a broker of one's own should be given up sooner, for then another may be asked. */
const REQUEST_TIMEOUT_MS = { eventHubs: 60_000, kafka: 30_000 };
const CONNECTION_TIMEOUT_MS = 10_000;
/** An Event Hubs connection that idles for 240 s is closed without a word: metadata is asked for sooner. */
export const METADATA_MAX_AGE_MS = 60_000;

/** One kafkajs client. Its retries are short: the engine has the patience, and its status says what is going on. */
export function kafkaClient({ endpoint, clientId, log }: KafkaClientOptions): Kafka {
  useOurCodec();
  const { tls, sasl, isEventHubs } = endpoint;
  const config: KafkaConfig = {
    clientId,
    brokers: [...endpoint.bootstrapServers],
    requestTimeout: isEventHubs ? REQUEST_TIMEOUT_MS.eventHubs : REQUEST_TIMEOUT_MS.kafka,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    enforceRequestTimeout: true,
    retry: { initialRetryTime: 100, maxRetryTime: 1000, retries: 3 },
    logLevel: logLevel.INFO,
    logCreator: () => (entry) => forward(entry, log),
    ...(tls === undefined ? {} : { ssl: tlsOptions(tls) }),
    ...(sasl === undefined ? {} : { sasl: saslOptions(sasl) }),
  };
  return new Kafka(config);
}

/** Certificates and host names are always verified; TLS 1.2 at least. */
function tlsOptions(tls: TlsMaterial): ConnectionOptions {
  return {
    minVersion: "TLSv1.2",
    rejectUnauthorized: true,
    ...(tls.ca === undefined ? {} : { ca: [...tls.ca] }),
    ...(tls.certificate === undefined ? {} : { cert: tls.certificate }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
  };
}

function saslOptions(sasl: KafkaSasl): SASLOptions {
  if (sasl.mechanism !== "oauthbearer") {
    const { mechanism, username, password } = sasl;
    return { mechanism, username, password };
  }
  return {
    mechanism: "oauthbearer",
    oauthBearerProvider: async () => ({ value: (await sasl.token()).value }),
  };
}

/** kafkajs calls every hiccup an error; what an operator has to act on, the adapters say themselves. */
function forward({ namespace, log: line }: LogEntry, log: Log): void {
  log("debug", line.message, {
    component: `kafkajs ${namespace}`,
    ...(typeof line["broker"] === "string" ? { broker: line["broker"] } : {}),
    ...(typeof line["groupId"] === "string" ? { groupId: line["groupId"] } : {}),
    ...(typeof line["error"] === "string" ? { error: line["error"] } : {}),
  });
}
