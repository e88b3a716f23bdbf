import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Kafka, logLevel, Partitioners } from "kafkajs";
import mqtt from "mqtt";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { type SandboxKafka, startSandboxKafka } from "../../local/sandbox/kafka/sandbox-kafka.ts";
import { type SandboxMqtt, startSandboxMqtt } from "../../local/sandbox/mqtt/sandbox-mqtt.ts";
import { type CliProcess, runCli, startCli } from "../support/cli.ts";
import { backFlow, flowManifests } from "../support/cli-manifests.ts";

const PASSWORD = "open-sesame-4711";
const RECORDS = 500;
const folder = mkdtempSync(join(tmpdir(), "isthmus-run-"));
const users = { alice: PASSWORD };
let kafka: SandboxKafka;
let broker: SandboxMqtt;
let manifests = "";

beforeAll(async () => {
  kafka = await startSandboxKafka({ users: new Map(Object.entries(users)) });
  broker = await startSandboxMqtt();
  kafka.createTopic("machines", 4);
  kafka.createTopic("alerts", 2);
  manifests = join(folder, "flow.yaml");
  const flow = flowManifests({
    kafkaHost: `127.0.0.1:${kafka.port}`,
    mqttHost: `127.0.0.1:${broker.port}`,
    kafkaAuthentication: "{ method: Sasl, saslSettings: { saslType: Plain, secretRef: login } }",
  });
  writeFileSync(
    manifests,
    `${flow.replace("spec:\n  operations", "spec:\n  profileRef: wide\n  operations")}
${backFlow("alerts/#", "alerts")}
---
apiVersion: connectivity.iotoperations.azure.com/v1
kind: DataflowProfile
metadata: { name: wide }
spec: { instanceCount: 2 }
---
apiVersion: v1
kind: Secret
metadata: { name: login }
stringData: { username: alice, password: ${PASSWORD} }
`,
  );
});

afterAll(async () => {
  await broker?.stop();
  await kafka?.stop();
  rmSync(folder, { recursive: true });
});

const running: CliProcess[] = [];
afterEach(() => {
  for (const { child } of running.splice(0)) child.kill("SIGKILL");
});

function start(...words: string[]): CliProcess {
  const started = startCli(["run", "--log", "json", ...words]);
  running.push(started);
  return started;
}

async function pageOf(run: CliProcess): Promise<string> {
  const line = await run.line((text) => text.includes('"Serving HTTP"'));
  return (JSON.parse(line) as { url: string }).url;
}

async function produce(): Promise<void> {
  const client = new Kafka({
    brokers: [`127.0.0.1:${kafka.port}`],
    logLevel: logLevel.NOTHING,
    sasl: { mechanism: "plain", username: "alice", password: PASSWORD },
  });
  const producer = client.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  const messages = Array.from({ length: RECORDS }, (_, n) => ({ value: `payload-${n}` }));
  await producer.send({ topic: "machines", messages });
  await producer.disconnect();
}

describe("isthmus run", () => {
  test("carries messages over two threads both ways, shows it, tells no secret or payload, and SIGTERM ends it with 0", async () => {
    const client = await mqtt.connectAsync(broker.url, { protocolVersion: 5 });
    const received = new Set<string>();
    client.on("message", (_topic, payload) => received.add(payload.toString()));
    await client.subscribeAsync("factory/#", { qos: 1 });
    const run = start("-f", manifests, "--http", "127.0.0.1:0");
    const page = await pageOf(run);
    await run.line((text) => text.includes('"Running"'));
    expect((await fetch(`${page}readyz`)).status).toBe(200);

    await produce();
    await client.publishAsync("alerts/a", "payload-up", { qos: 1 });
    await vi.waitFor(() => expect(received.size).toBe(RECORDS), { timeout: 30_000 });
    await vi.waitFor(() => expect(kafka.records("alerts")).toHaveLength(1), { timeout: 30_000 });

    const shown: string[] = [];
    for (const path of ["", "status.json", "metrics"]) {
      shown.push(await (await fetch(`${page}${path}`)).text());
    }
    const delivered = await vi.waitFor(async () => {
      const metrics = await (await fetch(`${page}metrics`)).text();
      const counts = [
        ...metrics.matchAll(/delivered_total\{route="flow",.*instance="(\d)"\} (\d+)/g),
      ];
      expect(counts.reduce((sum, [, , count]) => sum + Number(count), 0)).toBe(RECORDS);
      return counts;
    });
    expect(delivered.map(([, instance]) => instance)).toEqual(["0", "1"]);
    for (const [, , count] of delivered) expect(Number(count)).toBeGreaterThan(0);

    run.child.kill("SIGTERM");
    const { code, stdout, stderr } = await run.ended;
    await client.endAsync(true);
    expect(code).toBe(0);
    expect(stdout).toBe("");
    for (const line of stderr.trimEnd().split("\n")) {
      expect(JSON.parse(line)).toMatchObject({
        time: expect.any(String),
        level: expect.any(String),
      });
    }
    const all = [stderr, ...shown].join("\n");
    expect(all).not.toContain(PASSWORD);
    expect(all).not.toContain(Buffer.from(PASSWORD).toString("base64"));
    expect(all).not.toContain("payload-");
    expect(stderr).toContain('"leftToSource":0');
    for (let partition = 0; partition < 4; partition++) {
      expect(kafka.committed("group", "machines", partition)).toBe(
        kafka.endOffsets("machines")[partition],
      );
    }
  });

  test("as two processes, each one instance of the routes, carries every message once (S-33)", async () => {
    const client = await mqtt.connectAsync(broker.url, { protocolVersion: 5 });
    const received: string[] = [];
    client.on("message", (_topic, payload) => received.push(payload.toString()));
    await client.subscribeAsync("factory/#", { qos: 1 });
    const runs = [0, 1].map((n) =>
      start("-f", manifests, "--http", "127.0.0.1:0", "--instance", String(n)),
    );
    const pages = await Promise.all(runs.map(pageOf));
    await Promise.all(runs.map((run) => run.line((text) => text.includes('"Running"'))));
    const statuses = await Promise.all(
      pages.map(async (page): Promise<{ routes: unknown[] }> => {
        return (await (await fetch(`${page}status.json`)).json()) as { routes: unknown[] };
      }),
    );
    // only one of the flows has two instances
    expect(statuses.map(({ routes }) => routes.length)).toEqual([2, 1]);

    await produce();
    await vi.waitFor(() => expect(new Set(received).size).toBe(RECORDS), { timeout: 30_000 });
    const delivered = await vi.waitFor(async () => {
      const metrics = await Promise.all(
        pages.map(async (page) => await (await fetch(`${page}metrics`)).text()),
      );
      const counts = metrics.map((text, n) => {
        const count = new RegExp(`delivered_total\\{route="flow",.*instance="${n}"\\} (\\d+)`).exec(
          text,
        );
        return Number(count?.[1]);
      });
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(RECORDS);
      return counts;
    });
    for (const count of delivered) expect(count).toBeGreaterThan(0);
    expect(received).toHaveLength(RECORDS);

    for (const { child } of runs) child.kill("SIGTERM");
    expect((await Promise.all(runs.map(({ ended }) => ended))).map(({ code }) => code)).toEqual([
      0, 0,
    ]);
    await client.endAsync(true);
  });

  test("an instance that no route has is refused, with how many there are", async () => {
    const { code, stderr } = await runCli(["run", "-f", manifests, "--instance", "2"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/No route has instance 2: the manifests ask for 2/);
  });

  test("alive but not ready while a broker is not there, and SIGTERM ends it with 0 all the same", async () => {
    const path = join(folder, "absent.yaml");
    writeFileSync(path, flowManifests());
    const run = start("-f", path, "--http", "127.0.0.1:0", "--start-timeout", "0");
    const page = await pageOf(run);
    await vi.waitFor(async () => {
      const reply = await fetch(`${page}readyz`);
      expect(reply.status).toBe(503);
      expect(await reply.text()).toContain("ECONNREFUSED");
    });
    expect((await fetch(`${page}healthz`)).status).toBe(200);
    run.child.kill("SIGTERM");
    expect((await run.ended).code).toBe(0);
  });

  test("a wrong password is told in one message, without the password, with exit code 2", async () => {
    const env = { ISTHMUS_SECRET_LOGIN_PASSWORD: "wrong-sesame" };
    const path = join(folder, "wrong.yaml");
    writeFileSync(
      path,
      flowManifests({
        kafkaHost: `127.0.0.1:${kafka.port}`,
        mqttHost: `127.0.0.1:${broker.port}`,
        kafkaAuthentication:
          "{ method: Sasl, saslSettings: { saslType: Plain, secretRef: login } }",
      }),
    );
    const words = ["run", "-f", path, "--log-level", "error"];
    const { code, stderr } = await runCli(words, {
      env: { ...env, ISTHMUS_SECRET_LOGIN_USERNAME: "alice" },
    });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^isthmus: .*\[KAFKA_AUTHENTICATION_FAILED\]$/m);
    expect(stderr).not.toMatch(/wrong-sesame|^\s+at /m);
  });

  test("isthmus plan --resolve asks the broker and writes the lock file (S-30)", async () => {
    const path = join(folder, "pattern.yaml");
    const open = await startSandboxKafka();
    for (const topic of ["machines-2", "machines-1", "other"]) open.createTopic(topic);
    writeFileSync(
      path,
      flowManifests({ kafkaHost: `127.0.0.1:${open.port}`, source: "^machines-.*" }),
    );
    const lock = join(folder, "isthmus.lock.json");
    const words = ["plan", "-f", path, "--resolve", "--lock", lock, "--json"];
    const { code, stdout, stderr } = await runCli(words);
    await open.stop();
    expect({ code, stderr }).toEqual({ code: 0, stderr: `isthmus: wrote ${lock}\n` });
    const { functions } = JSON.parse(stdout) as { functions: { topic?: string }[] };
    expect(functions.flatMap(({ topic }) => topic ?? [])).toEqual(["machines-1", "machines-2"]);
    const again = await runCli(["plan", "-f", path, "--lock", lock, "--json"]);
    expect(again.stdout).toBe(stdout);
  });
});
