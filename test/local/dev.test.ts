import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { type CliProcess, startCli } from "../support/cli.ts";

interface Started {
  readonly event: "started";
  readonly page: string;
  readonly routes: readonly string[];
  readonly kafka: readonly { readonly port: number }[];
}

interface Status {
  readonly ready: boolean;
  readonly routes: readonly {
    readonly route: string;
    readonly direction: string;
    readonly counters: Readonly<Record<string, number>>;
  }[];
  readonly recent: readonly { readonly to: string; readonly preview: string }[];
}

const folder = mkdtempSync(join(tmpdir(), "isthmus-dev-"));
afterAll(() => rmSync(folder, { recursive: true }));

const running: CliProcess[] = [];
afterEach(() => {
  for (const { child } of running.splice(0)) child.kill("SIGKILL");
});

/** Starts isthmus dev on free ports and waits until it says that it runs. */
async function startDev(...words: string[]): Promise<{ dev: CliProcess; started: Started }> {
  const dev = startCli(["dev", "--json", "--http", "127.0.0.1:0", ...words]);
  running.push(dev);
  const line = await dev.line((text) => text.startsWith('{"event":"started"'));
  return { dev, started: JSON.parse(line) as Started };
}

async function statusOf({ page }: Started): Promise<Status> {
  const reply = await fetch(`${page}status.json`);
  return (await reply.json()) as Status;
}

const within = { timeout: 60_000, interval: 200 };

describe("isthmus dev", () => {
  test("carries sample messages both ways within a minute, and SIGINT ends it cleanly (S-55)", async () => {
    const { dev, started } = await startDev();
    expect(started.routes).toEqual(["plant/alerts", "plant/commands", "factory-to-mqtt"]);

    const status = await vi.waitFor(async () => {
      const now = await statusOf(started);
      for (const { counters } of now.routes) expect(counters["delivered"]).toBeGreaterThan(2);
      return now;
    }, within);

    expect(status.ready).toBe(true);
    for (const { counters: c } of status.routes) {
      const sum = ["delivered", "expired", "filtered", "deadLettered", "released", "inFlight"]
        .map((name) => c[name] ?? Number.NaN)
        .reduce((a, b) => a + b);
      expect(c["received"]).toBe(sum);
    }
    const destinations = new Set(status.recent.map(({ to }) => to));
    expect(destinations).toContain("plant-alerts");
    expect(destinations).toContain("factory/factory-f1-robot-r1");
    expect(status.recent[0]?.preview).toMatch(/^\{"/);
    const page = await (await fetch(started.page)).text();
    expect(page).toContain("All routes running");

    const before = performance.now();
    dev.child.kill("SIGINT");
    const { code, stdout, stderr } = await dev.ended;
    expect(code).toBe(0);
    expect(performance.now() - before).toBeLessThan(5000);
    expect(stdout.trimEnd().split("\n").at(-1)).toMatch(/^\{"event":"stopped"/);
    expect(stderr).toBe("");
  }, 90_000);

  test("runs a person's own manifests without their brokers and secrets, each broker in a place of its own", async () => {
    const path = join(folder, "mine.yaml");
    writeFileSync(
      path,
      `
apiVersion: mq.iotoperations.azure.com/v1beta1
kind: KafkaConnector
metadata: { name: mine }
spec:
  image: { repository: none, tag: none }
  instances: 2
  kafkaConnection:
    endpoint: contoso.servicebus.windows.net:9093
    tls: { tlsEnabled: true }
    authentication:
      enabled: true
      authType: { sasl: { saslType: plain, secretName: cs-secret } }
---
apiVersion: mq.iotoperations.azure.com/v1beta1
kind: KafkaConnectorTopicMap
metadata: { name: mine }
spec:
  kafkaConnectorRef: mine
  routes:
    - mqttToKafka:
        name: up
        mqttTopic: temperature-alerts/#
        kafkaTopic: receiving
        kafkaAcks: one
        qos: 1
        sharedSubscription: { groupName: group1, groupMinimumShareNumber: 3 }
    - kafkaToMqtt: { name: down, kafkaTopic: sending, mqttTopic: commands, qos: 0 }
`,
    );
    const { dev, started } = await startDev("-f", path);
    expect(started.kafka).toHaveLength(1);
    await vi.waitFor(async () => {
      for (const { counters } of (await statusOf(started)).routes) {
        expect(counters["delivered"]).toBeGreaterThan(0);
      }
    }, within);
    dev.child.kill("SIGTERM");
    expect((await dev.ended).code).toBe(0);
  }, 90_000);
});
