/** Secrets and certificates change while messages flow: the next connection uses the new ones, and nothing is lost. */
import { createServer, type Server, type TLSSocket } from "node:tls";
import mqtt from "mqtt";
import { afterEach, describe, expect, test } from "vitest";
import { startSandboxKafka } from "../../local/sandbox/kafka/sandbox-kafka.ts";
import { startSandboxMqtt } from "../../local/sandbox/mqtt/sandbox-mqtt.ts";
import { kafkaAdmin } from "../../shared/adapters/kafka/kafka-admin.ts";
import { BridgeError } from "../../shared/errors.ts";
import type { KafkaEndpoint } from "../../shared/model/endpoint.ts";
import { rereading } from "../../shared/secrets/rereading.ts";
import { makeCertificates } from "../support/certificates.ts";
import { type Crossing, mount, openCrossing } from "../support/crossing.ts";
import { forwardTo } from "../support/forwarder.ts";
import { noLog, plainEndpoint } from "../support/kafka-ends.ts";
import { expectNoSecret } from "../support/leaks.ts";

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const CHANGED = "Secrets have changed, the next connection uses the new ones";

/** Publishes numbers below `there` and takes what comes `back` until all are there; `halfway` happens in between. */
async function flow(
  crossing: Crossing,
  url: string,
  halfway: () => Promise<void>,
): Promise<Set<number>> {
  const count = 300;
  const client = await mqtt.connectAsync(url, { ...TESTER, ...OWN_SESSION });
  ends.push(() => client.endAsync(true));
  const seen = new Set<number>();
  const complete = new Promise<void>((resolve) => {
    client.on("message", (_topic, payload) => {
      if (seen.add(Number(payload.toString())).size === count) resolve();
    });
  });
  await client.subscribeAsync(crossing.back, { qos: 1 });
  for (let i = 0; i < count; i += 1) {
    if (i === count / 2) await halfway();
    await client.publishAsync(crossing.there, String(i), { qos: 1 });
  }
  await complete;
  return seen;
}

/** The test's own connections are dropped as well. */
const OWN_SESSION = {
  protocolVersion: 5,
  clientId: "tester",
  clean: false,
  reconnectPeriod: 50,
  properties: { sessionExpiryInterval: 300 },
} as const;
const TESTER = { username: "tester", password: "of the test" };

test("passwords of both brokers are changed while messages flow: all arrive", async () => {
  const old = { username: "bridge", password: "the-old-password-1" };
  const next = { username: "bridge", password: "the-new-password-2" };
  const users = new Map([[old.username, old.password]]);
  const kafka = await startSandboxKafka({ users });
  ends.push(() => kafka.stop());
  const others = new Map([...users, [TESTER.username, TESTER.password]]);
  const broker = await startSandboxMqtt({ users: others });
  ends.push(() => broker.stop());
  const crossing = await openCrossing({
    kafka: {
      host: kafka.bootstrapServers.join(","),
      authentication: "{ method: Sasl, saslSettings: { saslType: Plain, secretRef: login } }",
    },
    mqtt: { host: `127.0.0.1:${broker.port}`, annotations: "isthmus.dev/mqtt-secret: login" },
    mounted: { login: old },
    createTopic: async (topic) => kafka.createTopic(topic, 1),
  });
  ends.push(() => crossing.stop());
  // one that has just been read is not read again
  const readable = new Promise((resolve) => setTimeout(resolve, 1000));

  const seen = await flow(crossing, broker.url, async () => {
    await readable;
    await mount(crossing.folder, "login", next);
    users.set(next.username, next.password);
    others.set(next.username, next.password);
    kafka.dropConnections();
    broker.dropConnections();
  });
  expect(seen.size).toBe(300);
  expect(crossing.journal.map(({ message }) => message)).toContain(CHANGED);
  expectNoSecret(crossing.journal, { old, next });
});

const certificates = makeCertificates();
const others = makeCertificates();

describe.skipIf(certificates === undefined || others === undefined)("certificates", () => {
  const old = certificates as NonNullable<typeof certificates>;
  const next = others as NonNullable<typeof others>;
  const server = (of: typeof old) => ({
    cert: of.server.certificate,
    key: of.server.key,
    ca: of.ca,
  });
  const mounted = (of: typeof old) => ({
    certificate: { "tls.crt": of.client.certificate, "tls.key": of.client.key },
    authority: { "ca.crt": of.ca },
  });

  test("the client's certificate and the CA are replaced while messages flow: all arrive, and the new one is shown", async () => {
    const kafka = await startSandboxKafka();
    ends.push(() => kafka.stop());
    const broker = await startSandboxMqtt();
    ends.push(() => broker.stop());
    const front = await forwardTo(broker.port, { host: "127.0.0.1", tls: server(old) });
    ends.push(() => front.stop());
    const crossing = await openCrossing({
      kafka: { host: kafka.bootstrapServers.join(",") },
      mqtt: {
        host: front.address,
        tls: "{ mode: Enabled, trustedCaCertificateConfigMapRef: authority }",
        authentication:
          "{ method: X509Certificate, x509CertificateSettings: { secretRef: certificate } }",
      },
      mounted: mounted(old),
      createTopic: async (topic) => kafka.createTopic(topic, 1),
    });
    ends.push(() => crossing.stop());
    const readable = new Promise((resolve) => setTimeout(resolve, 1000));
    expect(front.shown).toEqual([old.client.certificate, old.client.certificate]);

    const seen = await flow(crossing, broker.url, async () => {
      await readable;
      const { certificate, authority } = mounted(next);
      await mount(crossing.folder, "certificate", certificate);
      await mount(crossing.folder, "authority", authority);
      front.change(server(next));
    });
    expect(seen.size).toBe(300);
    expect(new Set(front.shown.slice(2))).toEqual(new Set([next.client.certificate]));
    expect(crossing.journal.map(({ message }) => message)).toContain(CHANGED);
    expectNoSecret(crossing.journal, mounted(old));
    expectNoSecret(crossing.journal, mounted(next));
  });

  test("Kafka is shown the certificate that was read last", async () => {
    const shown: string[] = [];
    const kafka: Server = createServer(
      { ...server(old), ca: [old.ca, next.ca], requestCert: true },
      (socket: TLSSocket) => {
        shown.push(String(socket.getPeerX509Certificate()));
        socket.destroy();
      },
    );
    await new Promise<void>((resolve) => kafka.listen(0, "127.0.0.1", resolve));
    ends.push(async () => kafka.close());
    const { port } = kafka.address() as { port: number };
    const endpointOf = (of: typeof old): KafkaEndpoint => ({
      ...plainEndpoint(`127.0.0.1:${port}`),
      tls: { ca: [old.ca], certificate: of.client.certificate, key: of.client.key },
    });
    const readings = [endpointOf(old), endpointOf(next)];
    const reread = async (): Promise<KafkaEndpoint> => readings.shift() ?? endpointOf(next);
    const admin = kafkaAdmin({ ...endpointOf(old), reread }, "test", noLog);
    await expect(admin.createTopics([{ topic: "a" }])).rejects.toBeInstanceOf(BridgeError);
    expect(shown.slice(0, 2)).toEqual([old.client.certificate, next.client.certificate]);
  });
});

describe("rereading()", () => {
  interface Desk {
    now: number;
    reads: number;
    answer: () => Promise<KafkaEndpoint>;
    readonly told: string[];
  }

  function desk(): Desk {
    return { now: 0, reads: 0, told: [], answer: async () => plainEndpoint("a:1") };
  }

  const open = (at: Desk): Promise<KafkaEndpoint> =>
    rereading({
      read: () => {
        at.reads += 1;
        return at.answer();
      },
      now: () => at.now,
      changed: () => at.told.push("changed"),
      failed: ({ code }) => at.told.push(code),
    });

  test("reads once for all who ask within a second, and says only of a change that there was one", async () => {
    const at = desk();
    const endpoint = await open(at);
    at.now = 999;
    expect(await endpoint.reread?.()).toBe(endpoint);
    expect(at.reads).toBe(1);
    at.now = 1000;
    await Promise.all([endpoint.reread?.(), endpoint.reread?.()]);
    expect(at).toMatchObject({ reads: 2, told: [] });
    at.now = 2000;
    at.answer = async () => plainEndpoint("b:1");
    expect((await endpoint.reread?.())?.bootstrapServers).toEqual(["b:1"]);
    expect(at).toMatchObject({ reads: 3, told: ["changed"] });
  });

  test("keeps what was read last while it cannot be read, and never rejects", async () => {
    const at = desk();
    const endpoint = await open(at);
    at.answer = () => Promise.reject(new BridgeError("SECRET_INVALID", "half a file"));
    for (const now of [1000, 2000]) {
      at.now = now;
      expect((await endpoint.reread?.())?.bootstrapServers).toEqual(["a:1"]);
    }
    at.now = 3000;
    at.answer = async () => plainEndpoint("b:1");
    expect((await endpoint.reread?.())?.bootstrapServers).toEqual(["b:1"]);
    expect(at.told).toEqual(["SECRET_INVALID", "SECRET_INVALID", "changed"]);
  });

  test("what cannot be read at the first time is an error", async () => {
    const at = desk();
    at.answer = () => Promise.reject(new BridgeError("SECRET_MISSING", "no such Secret"));
    await expect(open(at)).rejects.toMatchObject({ code: "SECRET_MISSING" });
  });
});
