import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { kafkaAdmin } from "../../../shared/adapters/kafka/kafka-admin.ts";
import { type CliProcess, runCli, startCli } from "../../support/cli.ts";
import { backFlow, flowManifests } from "../../support/cli-manifests.ts";
import { freePorts } from "../../support/free-ports.ts";
import { noLog, plainEndpoint, unique } from "../../support/kafka-ends.ts";
import { brokerAddress, describeReal } from "../../support/real-brokers.ts";

const MANY = 20_000;
const STREAM = 3_000;

const folder = mkdtempSync(join(tmpdir(), "isthmus-verify-"));
const machines = unique("verify-machines");
const alerts = unique("verify-alerts");
let manifests = "";
const running: CliProcess[] = [];

/** The two routes between the brokers: `flow` to MQTT and `back` to Kafka, the latter keyed by topic so that it keeps the order. */
function write(name: string, source: string): string {
  const flow = flowManifests({
    kafkaHost: brokerAddress("ISTHMUS_TEST_KAFKA"),
    mqttHost: new URL(brokerAddress("ISTHMUS_TEST_MQTT")).host,
    source,
    destination: `factory/${source}`,
  });
  const group = `consumerGroupId: ${unique("verify")}\n    partitionStrategy: Topic`;
  const path = join(folder, `${name}.yaml`);
  const text = flow.replace("consumerGroupId: group", group) + backFlow(`${alerts}/#`, alerts);
  writeFileSync(path, text);
  return path;
}

async function startBridge(http: number): Promise<CliProcess> {
  const bridge = startCli(["run", "-f", manifests, "--http", String(http)]);
  running.push(bridge);
  await bridge.line((line) => line.includes('"message":"Running"'));
  return bridge;
}

async function delivered(http: number): Promise<readonly number[]> {
  const reply = await fetch(`http://127.0.0.1:${http}/status.json`);
  const { routes } = (await reply.json()) as {
    routes: readonly { counters: { delivered: number } }[];
  };
  return routes.map(({ counters }) => counters.delivered);
}

describeReal("isthmus verify on real brokers", ["ISTHMUS_TEST_KAFKA", "ISTHMUS_TEST_MQTT"], () => {
  beforeAll(async () => {
    const admin = kafkaAdmin(plainEndpoint(brokerAddress("ISTHMUS_TEST_KAFKA")), "test", noLog);
    const topics = [machines, alerts].map((topic) => ({ topic, partitions: 4 }));
    await admin.createTopics(topics);
    manifests = write("both", machines);
  });

  afterEach(() => {
    for (const { child } of running.splice(0)) child.kill("SIGKILL");
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  test("proves that nothing is lost and nothing out of order, both ways, when the bridge is killed in the middle (S-50)", async () => {
    const [http = 0] = await freePorts(1);
    const bridge = await startBridge(http);
    const options = ["--count", String(MANY), "--rate", String(STREAM), "--timeout", "60"];
    const proofs = ["flow", "back"].map((route) =>
      runCli(["verify", "-f", manifests, "--route", route, ...options, "--json"]),
    );
    await vi.waitFor(
      async () => expect(Math.min(...(await delivered(http)))).toBeGreaterThan(STREAM / 2),
      { timeout: 30_000, interval: 50 },
    );
    bridge.child.kill("SIGKILL");
    await bridge.ended;
    await startBridge(http);
    for (const { code, stdout, stderr } of await Promise.all(proofs)) {
      expect(JSON.parse(stdout), stderr).toMatchObject({
        ...{ sent: MANY, received: MANY, lost: 0, reordered: 0, wrong: 0, orderPromised: true },
      });
      expect(code).toBe(0);
    }
  });

  test("says so when there is no bridge, and fails", async () => {
    const alone = write("alone", machines);
    const words = ["verify", "-f", alone, "--route", "flow", "--count", "100", "--timeout", "2"];
    const { code, stdout, stderr } = await runCli(words);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^sent +100\nreceived +0\ndead letters +0\nlost +100 /);
    expect(stderr).toContain("nothing arrived; the likely causes");
    expect(stderr).toContain('No bridge runs route "flow"');
  });
});
