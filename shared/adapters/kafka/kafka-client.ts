import { connect as connectTcp, isIP, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import {
  Kafka,
  type KafkaConfig,
  type LogEntry,
  logLevel,
  type Mechanism,
  type SASLOptions,
} from "kafkajs";
import type { Log } from "../../engine/ports.ts";
import { BridgeError } from "../../errors.ts";
import type { KafkaEndpoint, KafkaSasl, TlsMaterial } from "../../model/endpoint.ts";
import { beforeConnecting, mendConnections } from "./connect-seam.ts";
import { type KafkaAttempt, kafkaError } from "./kafka-errors.ts";
import { oauthBearer } from "./oauth-bearer.ts";
import { useOurCodec } from "./record-seam.ts";

export interface KafkaClientOptions {
  readonly endpoint: KafkaEndpoint;
  readonly clientId: string;
  readonly log: Log;
}

export interface KafkaClient {
  readonly kafka: Kafka;
  /** What a fault of this client means. `doing` says what failed, for people: "Cannot send to". */
  error(cause: unknown, doing: string, attempt?: KafkaAttempt): BridgeError;
  /** Cuts all connections at once. kafkajs' own disconnect waits, without end, for answers that a lost broker will never give. */
  abandon(): void;
}

/** Event Hubs asks for 60 s; a broker of one's own should be given up sooner, for then another may be asked. */
const REQUEST_TIMEOUT_MS = { eventHubs: 60_000, kafka: 15_000 };
const CONNECTION_TIMEOUT_MS = 10_000;
/** Event Hubs closes a connection that idles for 240 s without a word, many a firewall sooner: ours is closed before. */
const IDLE_TIMEOUT_MS = 180_000;
const KEEP_ALIVE_DELAY_MS = 60_000;

/** One kafkajs client. Its retries are short: the engine has the patience, and its status says what is going on. */
export function kafkaClient({ endpoint, clientId, log }: KafkaClientOptions): KafkaClient {
  useOurCodec();
  mendConnections();
  const { tls, sasl, isEventHubs } = endpoint;
  let current = endpoint;
  const sockets = new Set<Socket>();
  const tokens = new TokenProvider();
  const socketFactory = (to: SocketTarget): Socket => openSocket(to, sockets, current.tls);
  beforeConnecting(socketFactory, async () => {
    current = (await endpoint.reread?.()) ?? endpoint;
  });
  const config: KafkaConfig = {
    clientId,
    brokers: [...endpoint.bootstrapServers],
    requestTimeout: isEventHubs ? REQUEST_TIMEOUT_MS.eventHubs : REQUEST_TIMEOUT_MS.kafka,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    enforceRequestTimeout: true,
    retry: { initialRetryTime: 100, maxRetryTime: 1000, retries: 3 },
    logLevel: logLevel.INFO,
    logCreator: () => (entry) => forward(entry, log),
    socketFactory,
    ssl: tls !== undefined,
    ...(sasl === undefined ? {} : { sasl: saslOptions(() => current.sasl ?? sasl, tokens) }),
  };
  const servers = endpoint.bootstrapServers.join(", ");
  return {
    kafka: new Kafka(config),
    error(cause, doing, attempt): BridgeError {
      const error = withHint(kafkaError(cause, `${doing} Kafka at ${servers}`, attempt), endpoint);
      // a record that the broker has looked at needed no token any more
      const judged = attempt === "message" && !error.retryable;
      return judged ? error : (tokens.fault ?? error);
    },
    abandon(): void {
      // with an error, for that is what kafkajs rejects waiting requests on
      for (const socket of sockets) socket.destroy(new Error("the connection was given up"));
    },
  };
}

const HUNG_UP = /: (?:Closed connection|Connection error: Client network socket disconnected .*)$/u;

/** A broker that is spoken to in a way that its listener does not know hangs up without a word. */
function withHint(error: BridgeError, { tls, sasl }: KafkaEndpoint): BridgeError {
  if (!HUNG_UP.test(error.message)) return error;
  const ways = [
    tls === undefined ? "ask for TLS" : "not speak TLS",
    ...(sasl === undefined ? ["ask for a login"] : []),
  ];
  const { code, message, retryable } = error;
  const text = `${message} (the listener may ${ways.join(" or ")})`;
  return new BridgeError(code, text, { cause: error.cause, retryable });
}

interface SocketTarget {
  readonly host: string;
  readonly port: number;
  readonly onConnect: () => void;
}

function openSocket(
  { host, port, onConnect }: SocketTarget,
  all: Set<Socket>,
  tls: TlsMaterial | undefined,
): Socket {
  // TLS knows no server name for IP addresses; the address itself is verified then
  const name = isIP(host) === 0 ? { servername: host } : {};
  const socket =
    tls === undefined
      ? connectTcp({ host, port }, onConnect)
      : connectTls({ host, port, ...name, ...tlsOptions(tls) }, onConnect);
  socket.setKeepAlive(true, KEEP_ALIVE_DELAY_MS);
  socket.setNoDelay(true);
  socket.setTimeout(IDLE_TIMEOUT_MS);
  all.add(socket);
  socket.once("close", () => all.delete(socket));
  return socket;
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

/** kafkajs turns the fault of a token's source, which may pass, into a failed authentication, which may not. */
class TokenProvider {
  fault: BridgeError | undefined;

  async get(sasl: Extract<KafkaSasl, { mechanism: "oauthbearer" }>): Promise<string> {
    try {
      const { value } = await sasl.token();
      this.fault = undefined;
      return value;
    } catch (cause) {
      if (cause instanceof BridgeError) this.fault = cause;
      throw cause;
    }
  }
}

/** kafkajs reads user and password at every login: what it finds then are those that were read last. */
function saslOptions(sasl: () => KafkaSasl, tokens: TokenProvider): SASLOptions | Mechanism {
  const first = sasl();
  if (first.mechanism === "oauthbearer") return oauthBearer(() => tokens.get(first));
  const user = (): typeof first => {
    const last = sasl();
    return last.mechanism === "oauthbearer" ? first : last;
  };
  const login = {
    mechanism: first.mechanism,
    get username(): string {
      return user().username;
    },
    get password(): string {
      return user().password;
    },
  };
  return login as SASLOptions;
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
