/** Every secret of a running bridge, looked for in everything that it shows of itself. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mqtt from "mqtt";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type SandboxKafka, startSandboxKafka } from "../../local/sandbox/kafka/sandbox-kafka.ts";
import { type SandboxMqtt, startSandboxMqtt } from "../../local/sandbox/mqtt/sandbox-mqtt.ts";
import { makeCertificates } from "../support/certificates.ts";
import { type CliProcess, runCli, startCli } from "../support/cli.ts";
import { expectNoSecret, textOf } from "../support/leaks.ts";

const client = makeCertificates()?.client;

/** By Secret and key; no value is part of another, of a name or of a common word. */
const SECRETS = {
  kafka: { username: "bridge", password: "kafka-Pass/wörd+4711=" },
  mqtt: { username: "bridge", password: 'mqtt "Pass" & <wörd> 4712' },
  // Base64 of bytes, as it stands in connection strings
  hubs: {
    token:
      "Endpoint=sb://hubs.servicebus.windows.net/;SharedAccessKeyName=all;SharedAccessKey=c2hhcmVkLWtleS00NzEzLXNlY3JldA==",
  },
  certificate: { "tls.crt": client?.certificate ?? "none", "tls.key": client?.key ?? "none-4714" },
  // neither read nor right
  broken: { username: "bridge", pasword: "misspelt-4715" },
} as const;
const SHARED_KEY = "c2hhcmVkLWtleS00NzEzLXNlY3JldA==";
const WRONG = "wrong-password-4716";
const PAYLOAD = "payload-of-a-customer-4717";
/** Kafka's error for a record that is refused for good. */
const INVALID_RECORD = 87;

let kafka: SandboxKafka;
let broker: SandboxMqtt;
const folder = mkdtempSync(join(tmpdir(), "isthmus-secrets-"));
const mounted = join(folder, "secrets");
const kafkaUsers = new Map<string, string>([[SECRETS.kafka.username, SECRETS.kafka.password]]);
const mqttUsers = new Map<string, string>([
  [SECRETS.mqtt.username, SECRETS.mqtt.password],
  ["tester", "of-the-test"],
]);

function endpoints(kafkaSecret: string, mqttSecret: string): string {
  return `
apiVersion: connectivity.iotoperations.azure.com/v1
kind: DataflowEndpoint
metadata: { name: kafka }
spec:
  endpointType: Kafka
  kafkaSettings:
    host: 127.0.0.1:${kafka.port}
    consumerGroupId: secrets
    tls: { mode: Disabled }
    authentication: { method: Sasl, saslSettings: { saslType: Plain, secretRef: ${kafkaSecret} } }
---
apiVersion: connectivity.iotoperations.azure.com/v1
kind: DataflowEndpoint
metadata: { name: mqtt, annotations: { isthmus.dev/mqtt-secret: ${mqttSecret} } }
spec:
  endpointType: Mqtt
  mqttSettings: { host: "127.0.0.1:${broker.port}", tls: { mode: Disabled } }
---
apiVersion: connectivity.iotoperations.azure.com/v1
kind: Dataflow
metadata: { name: there }
spec:
  operations:
    - operationType: Source
      sourceSettings: { endpointRef: mqtt, dataSources: ["plant/#"] }
    - operationType: Destination
      destinationSettings: { endpointRef: kafka, dataDestination: plant }
`;
}

const secretManifest = (name: string, keys: Readonly<Record<string, string>>): string => `---
apiVersion: v1
kind: Secret
metadata: { name: ${name} }
stringData: ${JSON.stringify(keys)}
`;

const UNUSED = `---
apiVersion: connectivity.iotoperations.azure.com/v1
kind: DataflowEndpoint
metadata: { name: hubs }
spec:
  endpointType: Kafka
  kafkaSettings:
    host: hubs.servicebus.windows.net:9093
    consumerGroupId: secrets
    tls: { mode: Enabled }
    authentication: { method: Sasl, saslSettings: { saslType: Plain, secretRef: hubs } }
---
apiVersion: connectivity.iotoperations.azure.com/v1
kind: DataflowEndpoint
metadata: { name: mutual }
spec:
  endpointType: Kafka
  kafkaSettings:
    host: kafka.example:9094
    consumerGroupId: secrets
    tls: { mode: Enabled }
    authentication: { method: X509Certificate, x509CertificateSettings: { secretRef: certificate } }
---
apiVersion: connectivity.iotoperations.azure.com/v1
kind: Dataflow
metadata: { name: hubs }
spec:
  operations:
    - operationType: Source
      sourceSettings: { endpointRef: hubs, dataSources: [telemetry] }
    - operationType: Destination
      destinationSettings: { endpointRef: mqtt, dataDestination: telemetry }
---
apiVersion: connectivity.iotoperations.azure.com/v1
kind: Dataflow
metadata: { name: mutual }
spec:
  operations:
    - operationType: Source
      sourceSettings: { endpointRef: mutual, dataSources: [telemetry] }
    - operationType: Destination
      destinationSettings: { endpointRef: mqtt, dataDestination: telemetry }
`;

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function expectClean(said: unknown): void {
  expect(textOf(said).length).toBeGreaterThan(0);
  expectNoSecret(said, SECRETS, SHARED_KEY, WRONG);
}

const running: CliProcess[] = [];
beforeAll(async () => {
  kafka = await startSandboxKafka({ users: kafkaUsers });
  broker = await startSandboxMqtt({ users: mqttUsers });
  kafka.createTopic("plant", 1);
  for (const [name, keys] of Object.entries(SECRETS)) {
    mkdirSync(join(mounted, name), { recursive: true });
    for (const [key, value] of Object.entries(keys)) {
      writeFileSync(join(mounted, name, key), value);
    }
  }
});
afterEach(() => {
  for (const { child } of running.splice(0)) child.kill("SIGKILL");
});
afterAll(async () => {
  await broker.stop();
  await kafka.stop();
  rmSync(folder, { recursive: true });
});

describe("no secret shows", () => {
  test("in logs at debug level, pages, metrics and dead letters of a bridge whose messages, logins and brokers fail", async () => {
    const flow = file("flow.yaml", endpoints("kafka", "mqtt"));
    const words = ["run", "-f", flow, "--secrets", mounted, "--http", "127.0.0.1:0"];
    const run = startCli([
      ...words,
      "--state",
      folder,
      "--log",
      "json",
      "--log-level",
      "debug",
      "--debug",
    ]);
    running.push(run);
    const served = await run.line((text) => text.includes('"Serving HTTP"'));
    const { url } = JSON.parse(served) as { url: string };
    await run.line((text) => text.includes('"MQTT connected"'));
    const publisher = await mqtt.connectAsync(broker.url, {
      protocolVersion: 5,
      username: "tester",
      password: "of-the-test",
    });
    const pages: string[] = [];
    const look = async (): Promise<void> => {
      for (const path of [
        "",
        "status.json",
        "assets.json",
        "metrics",
        "healthz",
        "readyz",
        "nothing",
      ]) {
        const answer = await fetch(`${url}${path}`);
        pages.push(JSON.stringify([...answer.headers]), await answer.text());
      }
    };

    // a message that Kafka refuses for good
    kafka.fault(({ apiName, topic }) =>
      apiName === "Produce" && topic === "plant" ? { errorCode: INVALID_RECORD } : undefined,
    );
    await publisher.publishAsync("plant/oven", PAYLOAD, { qos: 1 });
    await expect.poll(() => deadLetters().length, { timeout: 10_000 }).toBe(1);
    kafka.fault(undefined);
    await look();

    // logins that are refused from now on, at both brokers
    kafkaUsers.set(SECRETS.kafka.username, "another");
    mqttUsers.set(SECRETS.mqtt.username, "another");
    kafka.dropConnections();
    broker.dropConnections();
    await run.line((text) => text.includes("MQTT_") && text.includes('"error"'));
    await look();
    await publisher.endAsync(true);
    run.child.kill("SIGTERM");
    const { stdout, stderr } = await run.ended;

    const letters = deadLetters();
    expect(textOf(letters)).toContain("isthmus-reason");
    expect(pages.join("")).toContain("there");
    expectClean([stdout, stderr, pages, letters]);
    // nor what customers send, but in the letter
    expect(textOf([stdout, stderr, pages])).not.toContain(PAYLOAD);
    expect(letters.map(({ value }) => String(Buffer.from(value ?? [])))).toEqual([PAYLOAD]);
  });

  test("in the error of a start with a wrong credential, with its stack", async () => {
    const wrong = { username: "bridge", password: WRONG };
    const flow = file(
      "wrong.yaml",
      `${endpoints("wrong", "wrong")}${secretManifest("wrong", wrong)}`,
    );
    const words = ["run", "-f", flow, "--log-level", "debug", "--debug", "--start-timeout", "3"];
    const { code, stdout, stderr } = await runCli([...words, "--state", folder]);
    expect(code).toBe(2);
    expect(stderr).toContain("KAFKA_AUTHENTICATION_FAILED");
    expectClean([stdout, stderr]);
  });

  test.each([
    ["mounted", ["--secrets", mounted], {}],
    ["in the environment", [], { ISTHMUS_SECRET_BROKEN_PASWORD: SECRETS.broken.pasword }],
  ])("in the error about a Secret that cannot be used, %s", async (_name, words, env) => {
    const flow = file("broken.yaml", endpoints("broken", "broken"));
    const args = [
      "run",
      "-f",
      flow,
      ...words,
      "--debug",
      "--log-level",
      "debug",
      "--state",
      folder,
    ];
    const { code, stdout, stderr } = await runCli(args, { env });
    expect(code).toBe(2);
    expect(stderr).toContain("SECRET_INVALID");
    expectClean([stdout, stderr]);
  });

  test.each([
    ["plan", ["plan"]],
    ["plan for programs", ["plan", "--json"]],
    ["validation", ["validate"]],
  ])("in the %s, where the Secrets are in the manifests", async (_name, words) => {
    const secrets = Object.entries(SECRETS).map(([name, keys]) => secretManifest(name, keys));
    const flow = file("all.yaml", `${endpoints("kafka", "mqtt")}${UNUSED}${secrets.join("")}`);
    const { stdout, stderr } = await runCli([...words, "-f", flow]);
    expectClean([stdout, stderr]);
  });

  test("in what validation says of Secrets that are no good manifests", async () => {
    const lines = [
      "data: { password: 'Läuft nicht 4715 misspelt-4715' }",
      "stringData: { password: { misspelt-4715: misspelt-4715 } }",
      "stringData: { password: 'misspelt-4715",
      "stringData:\n\tpassword: misspelt-4715",
      "stringData: { password: misspelt-4715, password: misspelt-4715 }",
      "stringData: { password: *misspelt-4715 }",
      "stringDat: { password: misspelt-4715 }",
    ];
    const files = lines.map((line, number) =>
      file(`bad-${number}.yaml`, `apiVersion: v1\nkind: Secret\nmetadata: { name: s }\n${line}\n`),
    );
    const args = files.flatMap((path) => ["-f", path]);
    const { stdout, stderr } = await runCli(["validate", ...args, "--debug"]);
    for (const path of files) expect(stdout + stderr).toContain(path);
    expectClean([stdout, stderr]);
  });
});

function deadLetters(): ReturnType<SandboxKafka["records"]> {
  const topics = kafka.topics().filter((name) => name.includes("dead"));
  return topics.flatMap((topic) => kafka.records(topic));
}
