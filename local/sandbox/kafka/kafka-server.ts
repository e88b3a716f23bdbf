import { createServer, type Server } from "node:net";
import { BridgeError } from "../../../shared/errors.ts";
import type { BrokerState } from "./broker-state.ts";
import { Connection, type ConnectionHost } from "./connection.ts";
import type { FaultHook } from "./faults.ts";

/** Listens, and can go down and come up again on the same port with the same state. */
export class KafkaServer implements ConnectionHost {
  readonly state: BrokerState;
  faults: FaultHook | undefined;
  private readonly connections = new Set<Connection>();
  private server: Server | undefined;
  private boundPort = 0;

  constructor(state: BrokerState, faults: FaultHook | undefined) {
    this.state = state;
    this.faults = faults;
  }

  get port(): number {
    return this.boundPort;
  }

  get connectionCount(): number {
    return this.connections.size;
  }

  faultHook(): FaultHook | undefined {
    return this.faults;
  }

  closed(connection: Connection): void {
    this.connections.delete(connection);
  }

  /** @throws BridgeError when the port is taken */
  listen(host: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const server = createServer((socket) => {
        this.connections.add(new Connection(socket, this));
      });
      server.once("error", (cause) => {
        const text = `Cannot start the sandbox Kafka broker on "${host}:${port}": ${cause.message}`;
        reject(new BridgeError("KAFKA_UNAVAILABLE", text, { cause }));
      });
      server.listen(port, host, () => {
        const address = server.address();
        if (typeof address === "object" && address !== null) this.boundPort = address.port;
        this.server = server;
        resolve();
      });
    });
  }

  /** Resolves when nothing listens any longer and every connection is closed. */
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
    for (const connection of [...this.connections]) connection.destroy();
  }
}
