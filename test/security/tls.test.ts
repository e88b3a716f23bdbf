/** What TLS refuses, whatever a manifest, an environment or a server would like. */
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { createServer, type Server, type TlsOptions } from "node:tls";
import { afterEach, describe, expect, test } from "vitest";
import { kafkaAdmin } from "../../shared/adapters/kafka/kafka-admin.ts";
import { mqttPublisher } from "../../shared/adapters/mqtt/mqtt-publisher.ts";
import { compileManifests } from "../../shared/manifests/compile.ts";
import type { TlsMaterial } from "../../shared/model/endpoint.ts";
import { makeCertificates } from "../support/certificates.ts";
import { failureOf } from "../support/connection-rows.ts";
import { noLog, plainEndpoint } from "../support/kafka-ends.ts";
import { endpointAt, quickClock } from "../support/mqtt-bench.ts";

const certificates = makeCertificates();
const NOBODY = { certificate: "", key: "" };
const NONE = { ca: "", server: NOBODY, elsewhere: NOBODY };

let server: Server | undefined;
afterEach(async () => {
  delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
  await new Promise<void>((resolve) => {
    if (server === undefined) resolve();
    else server.close(() => resolve());
  });
  server = undefined;
});

/** How far a client came: whether the server saw a connection whose TLS it had accepted. */
interface Listening {
  readonly port: number;
  readonly versions: (string | null)[];
}

async function listen(options: TlsOptions, kind: "tls" | "https"): Promise<Listening> {
  const versions: (string | null)[] = [];
  const made = kind === "tls" ? createServer(options) : createHttpsServer(options);
  server = made;
  made.on("tlsClientError", () => undefined);
  made.on("secureConnection", (socket) => {
    versions.push(socket.getProtocol());
    socket.on("error", () => undefined);
    socket.destroy();
  });
  await new Promise<void>((resolve) => made.listen(0, "127.0.0.1", resolve));
  return { port: (made.address() as AddressInfo).port, versions };
}

type Connect = (port: number, tls: TlsMaterial) => Promise<unknown>;

function mqtt(port: number, tls: TlsMaterial, protocol: "Mqtt" | "WebSockets"): Promise<unknown> {
  const publisher = mqttPublisher({
    endpoint: endpointAt(port, { tls, protocol }),
    clientIdentifier: "isthmus-test",
    window: 1,
    log: noLog,
    clock: quickClock(),
  });
  // one that hangs up may be back later; only a refusal by TLS ends the start
  const late = new Promise((resolve) => setTimeout(resolve, 300)).then(() => publisher.stop(0));
  return Promise.all([publisher.start(() => undefined), late]);
}

const CLIENTS: readonly (readonly [string, "tls" | "https", Connect])[] = [
  [
    "Kafka",
    "tls",
    (port, tls) =>
      kafkaAdmin({ ...plainEndpoint(`127.0.0.1:${port}`), tls }, "test", noLog).listTopics(),
  ],
  ["MQTT", "tls", (port, tls) => mqtt(port, tls, "Mqtt")],
  ["MQTT over WebSocket", "https", (port, tls) => mqtt(port, tls, "WebSockets")],
];

describe.skipIf(certificates === undefined)("TLS", () => {
  const { ca, server: own, elsewhere } = certificates ?? NONE;
  const of = (identity: typeof own): TlsOptions => ({
    cert: identity.certificate,
    key: identity.key,
  });

  test.each(CLIENTS)("%s: a server of TLS 1.1 is refused", async (_name, kind, connect) => {
    const old = {
      minVersion: "TLSv1",
      maxVersion: "TLSv1.1",
      ciphers: "DEFAULT@SECLEVEL=0",
    } as const;
    const { port, versions } = await listen({ ...of(own), ...old }, kind);
    const failure = await failureOf(connect(port, { ca: [ca] }));
    expect(failure?.code).toMatch(/_AUTHENTICATION_FAILED$/u);
    expect(failure?.message).toContain("the broker offers no TLS of version 1.2 or newer");
    expect(versions).toEqual([]);
  });

  test.each(CLIENTS)("%s: TLS 1.2 is spoken", async (_name, kind, connect) => {
    const { port, versions } = await listen({ ...of(own), maxVersion: "TLSv1.2" }, kind);
    await failureOf(connect(port, { ca: [ca] }));
    expect(versions).toContain("TLSv1.2");
  });

  test.each(CLIENTS)(
    "%s: NODE_TLS_REJECT_UNAUTHORIZED does not turn off who is verified",
    async (_name, kind, connect) => {
      process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
      for (const [identity, tls, says] of [
        [own, {}, "Give the endpoint the CA certificate"],
        [elsewhere, { ca: [ca] }, "Use the host name that is in the broker's certificate"],
      ] as const) {
        const { port } = await listen(of(identity), kind);
        const failure = await failureOf(connect(port, tls));
        expect(failure?.code).toMatch(/_AUTHENTICATION_FAILED$/u);
        expect(failure?.message).toContain(says);
        server?.close();
      }
    },
  );

  test("no field of a manifest turns it off: what tries to is told of", () => {
    const text = `
apiVersion: connectivity.iotoperations.azure.com/v1
kind: DataflowEndpoint
metadata: { name: kafka }
spec:
  endpointType: Kafka
  kafkaSettings:
    host: kafka:9093
    consumerGroupId: g
    tls: { mode: Enabled, insecureSkipVerify: true }
    authentication: { method: Anonymous }
`;
    const { problems, plan } = compileManifests([{ path: "m.yaml", text }]);
    expect(problems.map(({ message }) => message).join()).toContain("insecureSkipVerify");
    expect(JSON.stringify([...plan.kafkaConnections.values()])).not.toContain("insecure");
  });
});
