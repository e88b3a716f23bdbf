/** Stands before a real broker that knows no enhanced authentication, and asks for it as MQTT 5 says [MQTT 5.0, 4.12]. */
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from "node:net";
import { type AnyPacket, generatePacket, parsePackets } from "./mqtt-packet.ts";

export interface GateOptions {
  /** Of the broker behind, on 127.0.0.1. */
  readonly port: number;
  readonly method: string;
  /** When these authentication data end, in milliseconds since the Unix epoch; undefined where they are refused. */
  endOf(data: string): number | undefined;
}

export interface GateEvent {
  readonly what: "connected" | "reauthenticated" | "refused" | "ended";
  readonly client: string;
}

export interface EnhancedAuthenticationGate {
  /** `host:port`. */
  readonly address: string;
  readonly events: readonly GateEvent[];
  /** Resolves when there have been `count` events of a kind. */
  until(what: GateEvent["what"], count: number): Promise<void>;
  stop(): Promise<void>;
}

const BAD_METHOD = 0x8c;
const NOT_AUTHORIZED = 0x87;

export async function startGate(options: GateOptions): Promise<EnhancedAuthenticationGate> {
  const events: GateEvent[] = [];
  const sockets = new Set<Socket>();
  let waiting: (() => void)[] = [];
  const tell = (event: GateEvent): void => {
    events.push(event);
    for (const wake of waiting.splice(0)) wake();
  };
  const server = createServer({ noDelay: true }, (client) => {
    const broker = connectTcp({ host: "127.0.0.1", port: options.port, noDelay: true });
    for (const socket of [client, broker]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        broker.destroy();
      });
    }
    passThrough(client, broker, options, tell);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    events,
    async until(what, count): Promise<void> {
      while (events.filter((event) => event.what === what).length < count) {
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
    stop: () =>
      new Promise((resolve) => {
        waiting = [];
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

interface Properties {
  readonly authenticationMethod?: string;
  readonly authenticationData?: Buffer;
}

function passThrough(
  client: Socket,
  broker: Socket,
  options: GateOptions,
  tell: (event: GateEvent) => void,
): void {
  let name = "";
  let end: NodeJS.Timeout | undefined;
  const refuse = (packet: AnyPacket): void => {
    tell({ what: "refused", client: name });
    client.end(generatePacket(packet));
  };
  /** The Reason Code. */
  const judge = ({ authenticationMethod, authenticationData }: Properties): number => {
    const until = options.endOf(String(authenticationData));
    if (authenticationMethod !== options.method) return BAD_METHOD;
    if (until === undefined) return NOT_AUTHORIZED;
    clearTimeout(end);
    end = setTimeout(() => {
      tell({ what: "ended", client: name });
      client.end(generatePacket({ cmd: "disconnect", reasonCode: NOT_AUTHORIZED }));
    }, until - Date.now());
    return 0;
  };
  client.on("close", () => clearTimeout(end));
  const fromClient = frames((frame, type) => {
    if (type !== CONNECT && type !== AUTH) return void broker.write(frame);
    const [packet] = parsePackets(frame) as [AnyPacket];
    const { authenticationMethod, authenticationData, ...properties } = (packet["properties"] ??
      {}) as Properties;
    if (type === CONNECT) name = String(packet["clientId"]);
    const reasonCode = judge({ authenticationMethod, authenticationData } as Properties);
    if (type === CONNECT) {
      if (reasonCode !== 0) refuse({ cmd: "connack", sessionPresent: false, reasonCode });
      else broker.write(generatePacket({ ...packet, properties }));
    } else if (reasonCode !== 0) {
      refuse({ cmd: "disconnect", reasonCode });
    } else {
      tell({ what: "reauthenticated", client: name });
      client.write(
        generatePacket({ cmd: "auth", reasonCode, properties: { authenticationMethod } }),
      );
    }
  });
  const fromBroker = frames((frame, type) => {
    if (type !== CONNACK) return void client.write(frame);
    const [packet] = parsePackets(frame) as [AnyPacket];
    const properties = {
      ...(packet["properties"] as object),
      authenticationMethod: options.method,
    };
    client.write(generatePacket({ ...packet, properties }));
    tell({ what: "connected", client: name });
  });
  client.on("data", fromClient);
  broker.on("data", fromBroker);
}

const CONNECT = 1;
const CONNACK = 2;
const AUTH = 15;

/** Cuts a stream into MQTT packets. */
function frames(take: (frame: Buffer, type: number) => void): (bytes: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    for (;;) {
      const length = lengthOf(rest);
      if (length === undefined || rest.length < length) return;
      take(rest.subarray(0, length), (rest[0] as number) >> 4);
      rest = rest.subarray(length);
    }
  };
}

/** Of the first packet, with its fixed header; undefined while that is not there whole. */
function lengthOf(bytes: Buffer): number | undefined {
  let length = 0;
  for (let i = 1; i < Math.min(bytes.length, 5); i += 1) {
    const byte = bytes[i] as number;
    length += (byte & 0x7f) * 128 ** (i - 1);
    if (byte < 0x80) return 1 + i + length;
  }
  return undefined;
}
