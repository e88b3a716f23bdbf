import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { createRequire } from "node:module";
import { createServer as createTcpServer } from "node:net";
import type { Duplex } from "node:stream";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import { afterEach, describe, expect, test } from "vitest";
import { mqttPublisher } from "../../../shared/adapters/mqtt/mqtt-publisher.ts";
import type { Publisher } from "../../../shared/engine/ports.ts";
import type { MqttEndpoint } from "../../../shared/model/endpoint.ts";
import { makeCertificates } from "../../support/certificates.ts";
import { endpointAt, memoryLog, quickClock, Receipts } from "../../support/mqtt-bench.ts";
import {
  connack,
  type ScriptedConnection,
  ScriptServer,
} from "../../support/mqtt-script-server.ts";
import { publishOf } from "../../support/publishes.ts";

const certificates = makeCertificates();
if (certificates === undefined) {
  console.warn("skipped: the TLS tests of the MQTT adapters need the openssl command");
}

let server: ScriptServer | undefined;
let publisher: Publisher | undefined;

afterEach(async () => {
  await publisher?.stop(0);
  await server?.close();
  publisher = undefined;
  server = undefined;
});

function open(endpoint: MqttEndpoint): Publisher {
  publisher = mqttPublisher({
    endpoint,
    clientIdentifier: "isthmus-test",
    window: 10,
    log: memoryLog().log,
    clock: quickClock(),
  });
  return publisher;
}

/** One message over whatever transport the connection is. */
async function exchange(connection: ScriptedConnection, port: Publisher): Promise<void> {
  const receipts = new Receipts();
  port.publish(publishOf({ payload: Buffer.alloc(100_000, 7) }), receipts.for(0));
  port.flush();
  const packet = await connection.next("publish");
  expect((packet["payload"] as Buffer).equals(Buffer.alloc(100_000, 7))).toBe(true);
  connection.puback(packet["messageId"]);
  await receipts.until(1);
  expect(receipts.outcomes).toEqual(["ok"]);
}

describe.skipIf(certificates === undefined)("MQTT over TLS", () => {
  const { ca = "", server: own, elsewhere, client } = certificates ?? {};

  async function listen(options: TlsOptions): Promise<ScriptServer> {
    const tls = createTlsServer(options);
    tls.on("tlsClientError", () => undefined);
    server = await ScriptServer.open(tls, "secureConnection");
    return server;
  }

  test.each(["localhost", "127.0.0.1"])(
    "trusts a custom authority, by the name %s",
    async (host) => {
      const { port } = await listen({ cert: own?.certificate, key: own?.key });
      const opened = open(endpointAt(port, { host, tls: { ca: [ca] } }));
      const started = opened.start(() => undefined);
      const connection = await (server as ScriptServer).accept();
      await connection.welcome();
      await started;
      await exchange(connection, opened);
    },
  );

  test("shows its certificate to a broker that asks for one", async () => {
    const { port } = await listen({
      cert: own?.certificate,
      key: own?.key,
      ca,
      requestCert: true,
      rejectUnauthorized: true,
    });
    const opened = open(endpointAt(port, { tls: { ca: [ca], ...client } }));
    const started = opened.start(() => undefined);
    await (await (server as ScriptServer).accept()).welcome();
    await started;
  });

  const refused = [
    {
      name: "a certificate for another host",
      identity: elsewhere,
      tls: { ca: [ca] },
      says: "altnames",
    },
    { name: "an authority nobody named", identity: own, tls: {}, says: "TLS failed" },
  ];
  test.each(refused)("refuses $name, not retryable", async ({ identity, tls, says }) => {
    const { port } = await listen({ cert: identity?.certificate, key: identity?.key });
    await expect(open(endpointAt(port, { tls })).start(() => undefined)).rejects.toMatchObject({
      code: "MQTT_AUTHENTICATION_FAILED",
      retryable: false,
      message: expect.stringContaining(says),
    });
  });

  test("is refused, not retryable, by a broker that wants a certificate and gets none", async () => {
    const { port } = await listen({
      cert: own?.certificate,
      key: own?.key,
      ca,
      requestCert: true,
      rejectUnauthorized: true,
    });
    await expect(
      open(endpointAt(port, { tls: { ca: [ca] } })).start(() => undefined),
    ).rejects.toMatchObject({ code: "MQTT_AUTHENTICATION_FAILED", retryable: false });
  });

  test("says that TLS was spoken to a port without it", async () => {
    const plain = createTcpServer((socket) => {
      socket.on("error", () => undefined).resume();
      socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    server = await ScriptServer.open(plain, "never");
    const endpoint = endpointAt(server.port, { tls: { ca: [ca] } });
    await expect(open(endpoint).start(() => undefined)).rejects.toMatchObject({
      code: "MQTT_AUTHENTICATION_FAILED",
      retryable: false,
    });
  });

  test("a key that cannot be read is an error of the secret, without showing it", async () => {
    server = await ScriptServer.open();
    const tls = { ca: [ca], certificate: client?.certificate ?? "", key: "not a key" };
    const started = open(endpointAt(server.port, { tls })).start(() => undefined);
    await expect(started).rejects.toMatchObject({ code: "SECRET_INVALID", retryable: false });
    await expect(started).rejects.not.toThrow("not a key");
  });
});

describe("MQTT over WebSockets", () => {
  interface WebSocketServerClass {
    new (options: {
      server: HttpServer;
      path: string;
      handleProtocols(names: Set<string>): string;
    }): {
      on(event: "connection", take: (socket: unknown) => void): void;
    };
  }
  interface Ws {
    readonly WebSocketServer: WebSocketServerClass;
    createWebSocketStream(socket: unknown): Duplex;
  }
  const ws = createRequire(createRequire(import.meta.url).resolve("mqtt"))("ws") as Ws;

  test("carries packets of any size, at the path and subprotocol brokers agree on [MQTT-6.0.0-3]", async () => {
    const http = createHttpServer();
    const scripted = await ScriptServer.open(http, "never");
    server = scripted;
    const offered: string[][] = [];
    const sockets = new ws.WebSocketServer({
      server: http,
      path: "/mqtt",
      handleProtocols: (names) => {
        offered.push([...names]);
        return "mqtt";
      },
    });
    sockets.on("connection", (socket) => scripted.join(ws.createWebSocketStream(socket)));
    const opened = open(endpointAt(scripted.port, { protocol: "WebSockets" }));
    const started = opened.start(() => undefined);
    const connection = await scripted.accept();
    await connection.welcome();
    await started;
    await exchange(connection, opened);
    expect(offered).toEqual([["mqtt"]]);
    connection.stream.destroy();
    await (await scripted.accept()).welcome({}, true);
  });

  test.each([
    { status: 401, code: "MQTT_AUTHENTICATION_FAILED" },
    { status: 404, code: "MQTT_UNAVAILABLE" },
  ])("an answer of HTTP $status is $code, not retryable", async ({ status, code }) => {
    const http = createHttpServer();
    http.on("upgrade", (_request, socket) => {
      socket.end(`HTTP/1.1 ${status} No\r\nConnection: close\r\n\r\n`);
    });
    server = await ScriptServer.open(http, "never");
    const started = open(endpointAt(server.port, { protocol: "WebSockets" })).start(
      () => undefined,
    );
    await expect(started).rejects.toMatchObject({ code, retryable: false });
  });
});

describe("MQTT credentials", () => {
  async function connecting(over: Partial<MqttEndpoint>): Promise<ScriptedConnection> {
    server = await ScriptServer.open();
    // what start() comes to is asserted where it matters; here the server's side is
    open(endpointAt(server.port, over))
      .start(() => undefined)
      .catch(() => undefined);
    return server.accept();
  }

  test("user name and password go into CONNECT", async () => {
    const connection = await connecting({
      credential: { kind: "usernamePassword", username: "bridge", password: "pässword" },
    });
    const connect = await connection.next("connect");
    expect(connect["username"]).toBe("bridge");
    expect(String(connect["password"])).toBe("pässword");
    connection.send(connack());
  });

  test("enhanced authentication sends method and data, answers AUTH 0x18, and renews with AUTH 0x19 before the end", async () => {
    let asked = 0;
    const clockStart = Date.now();
    const connection = await connecting({
      credential: {
        kind: "enhanced",
        method: "K8S-SAT",
        data: () => {
          asked += 1;
          return Promise.resolve({
            data: Buffer.from(`token-${asked}`),
            // the first two serve CONNECT and its continuation; quickClock passes 50 times faster
            expiresAt: clockStart + 20_000,
          });
        },
      },
    });
    const connect = await connection.next("connect");
    expect(connect["properties"]).toMatchObject({
      authenticationMethod: "K8S-SAT",
      authenticationData: Buffer.from("token-1"),
    });
    const properties = { authenticationMethod: "K8S-SAT" };
    connection.send({ cmd: "auth", reasonCode: 0x18, properties });
    expect(await connection.next("auth")).toMatchObject({
      reasonCode: 0x18,
      properties: { authenticationData: Buffer.from("token-2") },
    });
    connection.send(connack({ properties }));
    expect(await connection.next("auth")).toMatchObject({
      reasonCode: 0x19,
      properties: { authenticationMethod: "K8S-SAT", authenticationData: Buffer.from("token-3") },
    });
    connection.send({ cmd: "auth", reasonCode: 0, properties });
    // a broker that refuses the renewal disconnects: the next CONNECT asks for data anew
    connection.send({ cmd: "disconnect", reasonCode: 0x87 });
    const next = await (await (server as ScriptServer).accept()).next("connect");
    const data = String((next["properties"] as Record<string, unknown>)["authenticationData"]);
    expect(Number(data.slice("token-".length))).toBeGreaterThan(3);
  });

  test("a token that cannot be had is tried for again, and says why meanwhile (S-54)", async () => {
    let asked = 0;
    const connection = await connecting({
      credential: {
        kind: "enhanced",
        method: "OAUTH2-JWT",
        data: () => {
          asked += 1;
          if (asked < 3) return Promise.reject(new Error("identity endpoint is down"));
          return Promise.resolve({ data: Buffer.from("late") });
        },
      },
    });
    expect((await connection.next("connect"))["properties"]).toMatchObject({
      authenticationData: Buffer.from("late"),
    });
    expect(asked).toBe(3);
  });
});
