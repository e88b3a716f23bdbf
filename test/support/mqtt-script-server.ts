/** An MQTT 5 server that does exactly what a test says, for what no real broker does on demand. */
import { createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type AnyPacket, generatePacket, packetParser } from "./mqtt-packet.ts";

/** The server's side of one connection. */
export class ScriptedConnection {
  readonly stream: Duplex;
  /** Everything the client sent, in order. */
  readonly packets: AnyPacket[] = [];
  /** How many reads of the network it took. */
  reads = 0;
  closed = false;
  private taken = 0;
  private waiting: (() => void)[] = [];

  constructor(stream: Duplex) {
    this.stream = stream;
    const parse = packetParser((packet) => this.packets.push(packet));
    stream.on("data", (bytes: Buffer) => {
      this.reads += 1;
      parse(bytes);
      this.wake();
    });
    stream.on("error", () => undefined);
    stream.on("close", () => {
      this.closed = true;
      this.wake();
    });
  }

  /** The next packet of that command which was not returned before; packets before it are passed over. */
  async next(cmd: string): Promise<AnyPacket> {
    for (;;) {
      while (this.taken < this.packets.length) {
        const packet = this.packets[this.taken++] as AnyPacket;
        if (packet.cmd === cmd) return packet;
      }
      if (this.closed) throw new Error(`The client left before sending ${cmd}`);
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  /** Resolves when `condition` holds; looked at after every read. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.closed) throw new Error("The client left before the condition held");
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  async untilClosed(): Promise<void> {
    while (!this.closed) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  of(cmd: string): AnyPacket[] {
    return this.packets.filter((packet) => packet.cmd === cmd);
  }

  /** All packets in one write. */
  send(...packets: AnyPacket[]): void {
    this.stream.write(Buffer.concat(packets.map(generatePacket)));
  }

  raw(bytes: Uint8Array): void {
    this.stream.write(bytes);
  }

  /** Waits for CONNECT and answers it. */
  async welcome(
    properties: Record<string, unknown> = {},
    sessionPresent = false,
  ): Promise<AnyPacket> {
    const connect = await this.next("connect");
    this.send(connack({ sessionPresent, properties }));
    return connect;
  }

  /** Waits for SUBSCRIBE and grants it. */
  async grant(...granted: number[]): Promise<AnyPacket> {
    const subscribe = await this.next("subscribe");
    const subscriptions = subscribe["subscriptions"] as readonly { readonly qos: number }[];
    this.send({
      cmd: "suback",
      messageId: subscribe["messageId"],
      granted: granted.length > 0 ? granted : subscriptions.map(({ qos }) => qos),
    });
    return subscribe;
  }

  puback(messageId: unknown, reasonCode = 0): void {
    this.send({ cmd: "puback", messageId, reasonCode });
  }

  reset(): void {
    const socket = this.stream as Socket;
    if (typeof socket.resetAndDestroy === "function") socket.resetAndDestroy();
    else socket.destroy();
  }

  private wake(): void {
    const { waiting } = this;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }
}

export function connack(fields: Record<string, unknown> = {}): AnyPacket {
  return { cmd: "connack", sessionPresent: false, reasonCode: 0, ...fields };
}

export class ScriptServer {
  readonly connections: ScriptedConnection[] = [];
  private readonly server: Server;
  private accepted = 0;
  private waiting: (() => void)[] = [];

  private constructor(server: Server) {
    this.server = server;
  }

  /** Listens on a free port of 127.0.0.1; `server` may be another kind whose `event` hands over a stream. */
  static async open(
    server: Server = createServer({ noDelay: true }),
    event = "connection",
  ): Promise<ScriptServer> {
    const scripted = new ScriptServer(server);
    server.on(event, (stream: Duplex) => scripted.join(stream));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return scripted;
  }

  get port(): number {
    return (this.server.address() as { port: number }).port;
  }

  join(stream: Duplex): void {
    this.connections.push(new ScriptedConnection(stream));
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  /** The next connection that was not returned before. */
  async accept(): Promise<ScriptedConnection> {
    while (this.accepted >= this.connections.length) {
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
    return this.connections[this.accepted++] as ScriptedConnection;
  }

  async close(): Promise<void> {
    for (const { stream } of this.connections) stream.destroy();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}
