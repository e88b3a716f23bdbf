import { createServer, type Server, type Socket } from "node:net";
import { Aedes } from "aedes";
import type { Log } from "../../../shared/engine/ports.ts";
import { BridgeError } from "../../../shared/errors.ts";
import { brokerHooks, type MqttFaultHook } from "./mqtt-faults.ts";

/** Messages under way at once. A client that does not read holds one slot for each message to it, and no more than those. */
const CONCURRENCY = 1000;
/** Packets that a client may send before its session stands. */
const QUEUE_BEFORE_SESSION = 1000;
const SESSIONS_KEPT = 10_000;
const TOPIC_ALIAS_MAXIMUM = 10;
const MEBIBYTE = 1024 * 1024;

export interface SandboxMqttOptions {
  /** Default "127.0.0.1". */
  readonly host?: string;
  /** Default 0: any free one. */
  readonly port?: number;
  /** Name to password, looked at when they log in. When given, clients must show one of them in CONNECT. */
  readonly users?: ReadonlyMap<string, string>;
  /** Receive Maximum that CONNACK names; not enforced. Default: none named. */
  readonly receiveMaximum?: number;
  /** Bytes of the largest packet that is taken. Default 16 MiB. */
  readonly maximumPacketSize?: number;
  /** How long a client may read nothing of what waits for it before it is disconnected. Default 20,000. */
  readonly drainTimeoutMs?: number;
  readonly faults?: MqttFaultHook;
  readonly log?: Log;
}

/**
 * An MQTT 5 broker within this process: aedes over TCP. Everything is in memory: a sandbox, and no place for data of worth.
 * It has no Shared Subscriptions (SUBACK 0x9E), and looks neither at a client's Receive Maximum nor at its Maximum Packet Size.
 */
export interface SandboxMqtt {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  counters(): SandboxMqttCounters;
  /** From now on this hook decides what goes wrong; undefined ends all faults. */
  fault(hook: MqttFaultHook | undefined): void;
  /** Closes every connection; clients may come back at once, to the sessions that they had. */
  dropConnections(): void;
  /** Goes down: nothing listens, nobody is connected, and sessions and retained messages stay. */
  goDown(): Promise<void>;
  /** Comes up again on the same port. */
  comeUp(): Promise<void>;
  /** {@link goDown} and {@link comeUp}. */
  restart(): Promise<void>;
  /** Goes down for good and forgets everything. */
  stop(): Promise<void>;
  /** The same as {@link stop}. */
  close(): Promise<void>;
}

export interface SandboxMqttCounters {
  readonly connectedClients: number;
  /** Messages that clients published. */
  readonly received: number;
  /** Acknowledgements by subscribers of messages at QoS 1 and 2. */
  readonly acknowledged: number;
}

/** Starts a broker and resolves when it can be connected to. @throws BridgeError when the port is taken */
export async function startSandboxMqtt(options: SandboxMqttOptions = {}): Promise<SandboxMqtt> {
  const { host = "127.0.0.1" } = options;
  let faults = options.faults;
  const users = options.users;
  const aedes = await Aedes.createBroker({
    concurrency: CONCURRENCY,
    drainTimeout: options.drainTimeoutMs ?? 20_000,
    queueLimit: QUEUE_BEFORE_SESSION,
    pendingSessionsLimit: SESSIONS_KEPT,
    topicAliasMaximum: TOPIC_ALIAS_MAXIMUM,
    receiveMaximum: options.receiveMaximum ?? 0,
    maximumPacketSize: options.maximumPacketSize ?? 16 * MEBIBYTE,
    ...brokerHooks(users, () => faults),
  });
  const count = { received: 0, acknowledged: 0 };
  countAndLog(aedes, count, options.log);
  const listener = new Listener(aedes);
  const closeAedes = (): Promise<void> => new Promise((resolve) => aedes.close(resolve));
  try {
    await listener.listen(host, options.port ?? 0);
  } catch (cause) {
    await closeAedes();
    throw cause;
  }
  const { port } = listener;
  const goDown = (): Promise<void> => listener.close();
  const comeUp = (): Promise<void> => listener.listen(host, port);
  const stop = async (): Promise<void> => {
    await goDown();
    await closeAedes();
  };
  return {
    host,
    port,
    url: `mqtt://${host}:${port}`,
    counters: () => ({ connectedClients: aedes.connectedClients, ...count }),
    fault: (hook) => {
      faults = hook;
    },
    dropConnections: () => listener.dropConnections(),
    goDown,
    comeUp,
    restart: async () => {
      await goDown();
      await comeUp();
    },
    stop,
    close: stop,
  };
}

function countAndLog(
  aedes: Aedes,
  count: { received: number; acknowledged: number },
  log: Log = () => {},
): void {
  aedes.on("publish", (_packet, client) => {
    if (client !== null) count.received += 1;
  });
  aedes.on("ack", () => {
    count.acknowledged += 1;
  });
  const report = (client: { readonly id: string }, error: Error): void => {
    const fields = { clientIdentifier: client.id, reason: error.message };
    log("debug", "The sandbox MQTT broker and a client disagree", fields);
  };
  aedes.on("clientError", report);
  aedes.on("connectionError", report);
}

/** Hands connections to aedes, and can go down and come up again on the same port. */
class Listener {
  private readonly aedes: Aedes;
  private readonly sockets = new Set<Socket>();
  private server: Server | undefined;
  private boundPort = 0;

  constructor(aedes: Aedes) {
    this.aedes = aedes;
  }

  get port(): number {
    return this.boundPort;
  }

  listen(host: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const server = createServer((socket) => this.accept(socket));
      server.once("error", (cause) => {
        const text = `Cannot start the sandbox MQTT broker on "${host}:${port}": ${cause.message}`;
        reject(new BridgeError("MQTT_UNAVAILABLE", text, { cause }));
      });
      server.listen(port, host, () => {
        const address = server.address();
        if (typeof address === "object" && address !== null) this.boundPort = address.port;
        this.server = server;
        resolve();
      });
    });
  }

  close(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (server === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      server.close(() => resolve());
      this.dropConnections();
    });
  }

  dropConnections(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  private accept(socket: Socket): void {
    socket.setNoDelay(true);
    this.sockets.add(socket);
    socket.once("close", () => this.sockets.delete(socket));
    this.aedes.handle(socket);
  }
}
