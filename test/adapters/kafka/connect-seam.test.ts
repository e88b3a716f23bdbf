import { once } from "node:events";
import { createRequire } from "node:module";
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { mendConnections } from "../../../shared/adapters/kafka/connect-seam.ts";

const load = createRequire(import.meta.url);

interface Connection {
  connect(): Promise<boolean>;
  disconnect(): Promise<boolean>;
  isConnected(): boolean;
  send(protocol: object): Promise<{ errorCode: number; apiVersions: readonly object[] }>;
}

const kafkajs = {
  Connection: load("kafkajs/src/network/connection") as new (options: object) => Connection,
  loggers: load("kafkajs/src/loggers") as { createLogger(options: object): object },
  apiVersions: {
    request: (load("kafkajs/src/protocol/requests/apiVersions/v0/request") as () => object)(),
    response: load("kafkajs/src/protocol/requests/apiVersions/v0/response") as object,
  },
};

const server = createServer();

afterEach(() => {
  server.removeAllListeners("connection");
  server.close();
});

/** An answer to request `id`: no error, and `count` APIs. */
function answer(id: number, count: number): Buffer {
  const body = Buffer.alloc(4 + 2 + 4 + count * 6);
  body.writeInt32BE(id, 0);
  body.writeInt32BE(count, 6);
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length);
  return Buffer.concat([length, body]);
}

/** Answers every request, but of the first answer it sends `kept` bytes only and then resets the connection. */
async function serve(kept: number): Promise<number> {
  let cut = false;
  server.on("connection", (socket: Socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (request: Buffer) => {
      const whole = answer(request.readInt32BE(8), 50);
      if (cut) socket.write(whole);
      else socket.write(whole.subarray(0, kept), () => socket.resetAndDestroy());
      cut = true;
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

function connectionTo(port: number, requestTimeout: number): Connection {
  return new kafkajs.Connection({
    ...{ host: "127.0.0.1", port, connectionTimeout: 5000, requestTimeout },
    enforceRequestTimeout: true,
    logger: kafkajs.loggers.createLogger({ level: 0, logCreator: () => () => undefined }),
    socketFactory: ({ onConnect }: { onConnect: () => void }) =>
      connectTcp({ host: "127.0.0.1", port }, onConnect),
  });
}

test.each([1, 4, 5, 100])(
  "reads the answers of a new connection by themselves when the one before was cut off %i bytes into an answer (S-54)",
  async (kept) => {
    mendConnections();
    const port = await serve(kept);
    const connection = connectionTo(port, 2000);
    await connection.connect();
    await expect(connection.send(kafkajs.apiVersions)).rejects.toThrow();
    await connection.connect();
    const { errorCode, apiVersions } = await connection.send(kafkajs.apiVersions);
    expect(errorCode).toBe(0);
    expect(apiVersions.length).toBe(50);
    await connection.disconnect();
  },
);

test("leaves a connection on which an answer does not come in time: the next request goes over a new one (S-54)", async () => {
  mendConnections();
  let connections = 0;
  server.on("connection", (socket: Socket) => {
    connections += 1;
    socket.on("error", () => undefined);
    // the first connection is half-open: it takes requests and answers none
    if (connections === 1) return;
    socket.on("data", (request: Buffer) => socket.write(answer(request.readInt32BE(8), 50)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const connection = connectionTo((server.address() as AddressInfo).port, 200);
  await connection.connect();
  await expect(connection.send(kafkajs.apiVersions)).rejects.toThrow("timed out");
  await vi.waitFor(() => expect(connection.isConnected()).toBe(false));
  await connection.connect();
  expect(await connection.send(kafkajs.apiVersions)).toMatchObject({ errorCode: 0 });
  expect(connections).toBe(2);
  await connection.disconnect();
});
