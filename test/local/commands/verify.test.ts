import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { Kafka, logLevel } from "kafkajs";
import mqtt from "mqtt";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { verifyCommand } from "../../../local/commands/verify.ts";
import { parseArguments } from "../../../local/parse-arguments.ts";
import {
  type SandboxKafka,
  startSandboxKafka,
} from "../../../local/sandbox/kafka/sandbox-kafka.ts";
import { type SandboxMqtt, startSandboxMqtt } from "../../../local/sandbox/mqtt/sandbox-mqtt.ts";
import { type RunningBridge, startBridge } from "../../../shared/compose.ts";
import { loadManifests } from "../../../shared/manifests/load.ts";
import { secretStore } from "../../../shared/secrets/secret-store.ts";
import { backFlow, flowManifests } from "../../support/cli-manifests.ts";
import { TextStream } from "../../support/text-stream.ts";

const folder = mkdtempSync(join(tmpdir(), "isthmus-verify-"));
let kafka: SandboxKafka;
let broker: SandboxMqtt;
let bridges: RunningBridge[] = [];

beforeAll(async () => {
  kafka = await startSandboxKafka({ autoCreateTopics: false });
  broker = await startSandboxMqtt();
  for (const topic of ["machines", "again", "plant-2", "plant-1", "up", "quiet"]) {
    kafka.createTopic(topic, 3);
  }
});

afterEach(async () => {
  await Promise.all(bridges.map((bridge) => bridge.stop()));
  bridges = [];
});

afterAll(async () => {
  await broker?.stop();
  await kafka?.stop();
  rmSync(folder, { recursive: true });
});

interface Flows {
  readonly kafkaHost?: string;
  readonly mqttHost?: string;
  readonly source?: string;
  readonly destination?: string;
  readonly mqttSettings?: string;
  /** MQTT source and Kafka destination of the route named `back`. */
  readonly back?: readonly [string, string];
}

/** A manifest file with the routes `flow` and, when asked for, `back`, between the sandbox brokers. */
function manifests(name: string, { back, ...flow }: Flows = {}): string {
  const text = flowManifests({
    kafkaHost: `127.0.0.1:${kafka.port}`,
    mqttHost: `127.0.0.1:${broker.port}`,
    ...flow,
  });
  const path = join(folder, `${name}.yaml`);
  writeFileSync(path, back === undefined ? text : text + backFlow(...back));
  return path;
}

async function startRoutes(path: string): Promise<void> {
  const { plan } = await loadManifests([path]);
  const secrets = secretStore({
    manifests: { secrets: new Map(), configMaps: new Map() },
    environment: {},
  });
  bridges.push(await startBridge({ plan, secrets, log: () => undefined, drainMs: 2000 }));
}

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the command within this process; `signal` tells it to stop when something was written to stderr that matches. */
async function verify(words: readonly string[], signal?: RegExp): Promise<Ran> {
  const stdout = new TextStream();
  const stderr = new TextStream();
  let tell: (signal: string) => void = () => undefined;
  const write = stderr._write.bind(stderr);
  stderr._write = (chunk, encoding, done) => {
    write(chunk, encoding, done);
    if (signal?.test(chunk.toString())) setImmediate(() => tell("SIGINT"));
  };
  const code = await verifyCommand.run(parseArguments(verifyCommand, words), {
    env: {},
    stdin: new PassThrough().end(),
    stdout,
    stderr,
    terminal: true,
    onSignal: (fn) => {
      tell = fn;
    },
    exit: () => undefined,
  });
  return { code, out: stdout.text, err: stderr.text };
}

const reportOf = ({ out }: Ran): Record<string, unknown> =>
  JSON.parse(out) as Record<string, unknown>;

const proven = { lost: 0, duplicated: 0, reordered: 0, wrong: 0, ending: "complete", resent: 0 };

/** All that a verify leaves in the brokers besides the canaries must be nothing. */
async function groups(): Promise<readonly string[]> {
  const client = new Kafka({
    brokers: [...kafka.bootstrapServers],
    logLevel: logLevel.NOTHING,
  });
  const admin = client.admin();
  await admin.connect();
  const listed = await admin.listGroups();
  await admin.disconnect();
  return listed.groups.map(({ groupId }) => groupId);
}

describe("isthmus verify beside a running bridge", () => {
  test("proves a route from Kafka to MQTT over all partitions, with no group of its own", async () => {
    const path = manifests("down");
    await startRoutes(path);
    const ran = await verify(["-f", path, "--route", "flow", "--json"]);
    expect(reportOf(ran)).toMatchObject({
      ...proven,
      sent: 1000,
      received: 1000,
      route: "flow",
      from: "machines",
      to: "factory/machines",
      orderPromised: true,
    });
    expect(ran.code).toBe(0);
    const ends = kafka.endOffsets("machines").map(Number);
    expect(Math.max(...ends) - Math.min(...ends)).toBeLessThanOrEqual(1);
    expect(await groups()).toEqual(["group"]);
  });

  test("leaves no session behind in the MQTT broker", async () => {
    const path = manifests("session");
    await startRoutes(path);
    const ran = await verify(["-f", path, "--route", "flow", "--count", "10", "--json"]);
    const client = mqtt.connect(broker.url, {
      protocolVersion: 5,
      clientId: `isthmus-verify-${reportOf(ran)["run"]}`,
      clean: false,
    });
    const sessionPresent = await new Promise((resolve) => {
      client.once("connect", (connack) => resolve(connack.sessionPresent));
    });
    client.end(true);
    expect(sessionPresent).toBe(false);
  });

  test("proves a route from MQTT to Kafka, reading from the end of the topic", async () => {
    const path = manifests("up", { source: "quiet", back: ["alerts/+/high", "up"] });
    await startRoutes(path);
    const words = ["-f", path, "--route", "back", "--count", "300", "--json"];
    for (const _ of [1, 2]) {
      const ran = await verify(words);
      expect(reportOf(ran)).toMatchObject({
        ...{ lost: 0, duplicated: 0, wrong: 0, sent: 300, received: 300 },
        ...{ from: "alerts/isthmus-canary/high", to: "up", orderPromised: false },
      });
      expect(ran.code).toBe(0);
    }
  });

  test("proves two routes that lead back", async () => {
    const path = manifests("both", { back: ["factory/#", "again"] });
    await startRoutes(path);
    const words = ["-f", path, "--route", "flow", "--back", "back", "--rate", "500"];
    const { code, out, err } = await verify([...words, "--count", "200"]);
    expect(code).toBe(0);
    expect(err).toContain(
      '200 canaries from Kafka topic "machines" through "flow" and back through "back" to Kafka topic "again"',
    );
    expect(out).toMatch(
      /^sent +200\nreceived +200\ndead letters +0\nlost +0\nduplicated +0\nreordered +\d/,
    );
    expect(out).toContain("Every canary arrived once, as it should be.\n");
  });

  test("takes the first topic that a regular expression matches (S-30), and tells what retains", async () => {
    const path = manifests("pattern", {
      source: "^plant-.*",
      destination: "factory/$" + "{inputTopic}",
      mqttSettings: "retain: Keep",
    });
    await startRoutes(path);
    const ran = await verify(["-f", path, "--route", "flow", "--count", "10", "--json"]);
    expect(reportOf(ran)).toMatchObject({ ...proven, from: "plant-1", to: "factory/plant-1" });
    expect(ran.err).toContain('stays as the retained message of MQTT topic "factory/plant-1"');
  });

  test("tells what arrives otherwise than the manifests say, and fails", async () => {
    await startRoutes(manifests("bare", { mqttSettings: "cloudEventAttributes: CreateOrRemap" }));
    const path = manifests("rich");
    const ran = await verify(["-f", path, "--route", "flow", "--count", "20", "--json"]);
    expect(reportOf(ran)).toMatchObject({ received: 20, lost: 0, wrong: 20 });
    expect(String(reportOf(ran)["problems"])).toContain(
      'User Property "specversion" should not be there',
    );
    expect(ran.code).toBe(1);
  });

  test("loses nothing when the connections of both brokers are cut in the middle (S-50)", async () => {
    const path = manifests("cut");
    await startRoutes(path);
    const cutting = setInterval(() => {
      broker.dropConnections();
      kafka.dropConnections();
    }, 700);
    const words = ["-f", path, "--route", "flow", "--count", "2000", "--rate", "1000", "--json"];
    const ran = await verify(words).finally(() => clearInterval(cutting));
    expect(reportOf(ran)).toMatchObject({ sent: 2000, received: 2000, lost: 0, wrong: 0 });
  }, 60_000);
});

describe("isthmus verify of a route that cannot deliver", () => {
  test("finds the canaries among the dead letters, whether or not the topic was there before (S-54)", async () => {
    const small = await startSandboxMqtt({ maximumPacketSize: 1000 });
    const open = await startSandboxKafka();
    try {
      open.createTopic("machines");
      const path = manifests("large", {
        kafkaHost: `127.0.0.1:${open.port}`,
        mqttHost: `127.0.0.1:${small.port}`,
      });
      await startRoutes(path);
      const words = ["-f", path, "--route", "flow", "--size", "2000", "--count", "7", "--json"];
      for (const _ of ["missing", "there"]) {
        const ran = await verify(words);
        expect(reportOf(ran)).toMatchObject({
          ...{ sent: 7, received: 0, deadLettered: 7, lost: 0, ending: "complete" },
          deadLetterCodes: { MQTT_PACKET_TOO_LARGE: 7 },
        });
        expect(ran.err).not.toContain("nothing arrived");
        expect(ran.code).toBe(1);
      }
    } finally {
      await Promise.all(bridges.splice(0).map((bridge) => bridge.stop()));
      await Promise.all([small.stop(), open.stop()]);
    }
  }, 60_000);
});

describe("isthmus verify without a bridge", () => {
  test("says that nothing arrived, and why that may be, and fails", async () => {
    const path = manifests("alone", { source: "quiet" });
    const { code, out, err } = await verify(["-f", path, "--route", "flow", "--timeout", "1"]);
    expect(code).toBe(1);
    expect(out).toMatch(
      /^sent +1,000\nreceived +0\ndead letters +0\nlost +1,000 {2}number 0, 1, 2, 3, 4, …\n/,
    );
    expect(out).toContain("Nothing arrived.\n");
    expect(out).not.toContain("latency");
    expect(err).toContain("the likely causes, the likeliest first:\n  1. No bridge runs");
    expect(err).toContain('backlog of consumer group "group"');
    expect(err).toContain('"isthmus.dead-letter"');
  });

  test("ends at Ctrl-C with what has come by then", async () => {
    const path = manifests("interrupted", { source: "quiet" });
    const ran = await verify(["-f", path, "--route", "flow", "--json"], /canaries from/);
    expect(reportOf(ran)).toMatchObject({ received: 0, ending: "interrupted" });
    expect(ran.code).toBe(1);
  });

  test.each([
    {
      name: "Kafka cannot be reached",
      flow: { kafkaHost: "127.0.0.1:1" },
      words: ["--route", "flow"],
      want: "[KAFKA_UNAVAILABLE]",
    },
    {
      name: "MQTT cannot be reached",
      flow: { mqttHost: "127.0.0.1:1" },
      words: ["--route", "flow", "--start-timeout", "1"],
      want: "[MQTT_UNAVAILABLE]",
    },
    {
      name: "the topic to send to is not there",
      flow: { source: "nowhere" },
      words: ["--route", "flow"],
      want: "[KAFKA_TOPIC_MISSING]",
    },
    {
      name: "the topic to arrive in is not there, for the route would stand still",
      flow: { back: ["alerts/#", "nowhere"] as const },
      words: ["--route", "back"],
      want: "[KAFKA_TOPIC_MISSING]",
    },
  ])("exits with 2 when $name, and sends nothing", async ({ flow, words, want }) => {
    const before = kafka.endOffsets("machines");
    const path = manifests("unreachable", flow);
    const { code, out, err } = await verify(["-f", path, ...words]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(want);
    expect(kafka.endOffsets("machines")).toEqual(before);
  });

  test.each([
    { words: [], want: "name it with --route NAME" },
    { words: ["--route", "flaw"], want: "did you mean flow" },
    { words: ["--route", "flow", "--back", "flow"], want: "does not lead back" },
    { words: ["--route", "flow", "--mqtt-topic", "a"], want: "--kafka-topic" },
    { words: ["--route", "back", "--kafka-topic", "a"], want: "--mqtt-topic" },
    {
      words: ["--route", "flow", "--kafka-topic", "other"],
      want: 'does not read Kafka topic "other"',
    },
    { words: ["--route", "flow", "--count", "1.5"], want: "whole number" },
    { words: ["--route", "flow", "--count", "0"], want: "from 1 to" },
  ])("refuses $words", async ({ words, want }) => {
    const path = manifests("usage", { back: ["alerts/#", "up"] });
    await expect(verify(["-f", path, ...words])).rejects.toThrow(want);
  });
});
