/** One message over both directions of a bridge, from manifests as a user writes them: proves that every kind of client of a connection gets in. */
import { mkdir, mkdtemp, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mqtt from "mqtt";
import { type RunningBridge, startBridge } from "../../shared/compose.ts";
import type { LogLevel } from "../../shared/engine/ports.ts";
import { compileManifests } from "../../shared/manifests/compile.ts";
import type { AccessToken } from "../../shared/model/endpoint.ts";
import type { Plan } from "../../shared/model/plan.ts";
import { secretStore } from "../../shared/secrets/secret-store.ts";
import { unique } from "./kafka-ends.ts";

/** By the name of a Secret or ConfigMap, then by key. */
export type Mounted = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface CrossingParts {
  /** Of the manifests; by default anonymous and without TLS. */
  readonly kafka: {
    readonly host: string;
    readonly tls?: string;
    readonly authentication?: string;
    readonly annotations?: string;
    /** `host:port` that stands for the host of the manifest. */
    readonly reachedAt?: string;
  };
  readonly mqtt: {
    readonly host: string;
    readonly tls?: string;
    readonly authentication?: string;
    readonly annotations?: string;
    readonly protocol?: "Mqtt" | "WebSockets";
  };
  /** Makes the Kafka topic, where the broker does not by itself. */
  readonly createTopic?: (topic: string) => Promise<void>;
  readonly mounted?: Mounted;
  /** What the app's identity answers. */
  readonly token?: () => Promise<AccessToken>;
  readonly serviceAccountTokenFile?: string;
  readonly startTimeoutMs?: number;
}

export interface Journal {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A bridge that takes what is published below `there` to a Kafka topic, and from there to `back`. */
export interface Crossing {
  readonly plan: Plan;
  readonly topic: string;
  readonly there: string;
  readonly back: string;
  readonly journal: readonly Journal[];
  readonly bridge: RunningBridge;
  /** The folder of the mounted secrets. */
  readonly folder: string;
  stop(): Promise<void>;
}

function manifestsOf(topic: string, { kafka, mqtt: broker }: CrossingParts): string {
  const off = "{ mode: Disabled }";
  const nobody = "{ method: Anonymous }";
  return `
apiVersion: connectivity.iotoperations.azure.com/v1
kind: DataflowEndpoint
metadata: { name: kafka, annotations: { ${kafka.annotations ?? ""} } }
spec:
  endpointType: Kafka
  kafkaSettings:
    host: "${kafka.host}"
    consumerGroupId: ${topic}
    tls: ${kafka.tls ?? off}
    authentication: ${kafka.authentication ?? nobody}
---
apiVersion: connectivity.iotoperations.azure.com/v1
kind: DataflowEndpoint
metadata: { name: mqtt, annotations: { ${broker.annotations ?? ""} } }
spec:
  endpointType: Mqtt
  mqttSettings:
    host: "${broker.host}"
    tls: ${broker.tls ?? off}
    protocol: ${broker.protocol ?? "Mqtt"}
    authentication: ${broker.authentication ?? nobody}
---
apiVersion: connectivity.iotoperations.azure.com/v1
kind: Dataflow
metadata: { name: ${topic}-there }
spec:
  operations:
    - operationType: Source
      sourceSettings: { endpointRef: mqtt, dataSources: ["${topic}/there/#"] }
    - operationType: Destination
      destinationSettings: { endpointRef: kafka, dataDestination: ${topic} }
---
apiVersion: connectivity.iotoperations.azure.com/v1
kind: Dataflow
metadata: { name: ${topic}-back }
spec:
  operations:
    - operationType: Source
      sourceSettings: { endpointRef: kafka, dataSources: [${topic}] }
    - operationType: Destination
      destinationSettings: { endpointRef: mqtt, dataDestination: ${topic}/back }
`;
}

/** Mounts values as Kubernetes does: the keys are links into a folder that the link `..data` leads to, and a change leads it elsewhere. */
export async function mount(folder: string, name: string, values: Mounted[string]): Promise<void> {
  const home = join(folder, name);
  const version = unique("..version");
  await mkdir(join(home, version), { recursive: true });
  for (const [key, value] of Object.entries(values)) {
    await writeFile(join(home, version, key), value);
  }
  const old = await readlink(join(home, "..data")).catch(() => undefined);
  await symlink(version, join(home, "..data_tmp"));
  await rename(join(home, "..data_tmp"), join(home, "..data"));
  for (const key of Object.keys(values)) {
    await symlink(join("..data", key), join(home, key)).catch(() => undefined);
  }
  if (old !== undefined) await rm(join(home, old), { recursive: true });
}

/** The plan with its Kafka connections at another address, as if names were resolved to it. */
function reached(plan: Plan, address: string | undefined): Plan {
  if (address === undefined) return plan;
  const kafkaConnections = [...plan.kafkaConnections].map(
    ([id, connection]) => [id, { ...connection, bootstrapServers: [address] }] as const,
  );
  return { ...plan, kafkaConnections: new Map(kafkaConnections) };
}

/** Starts the bridge. Rejects as the start does, with everything that was begun ended again. */
export async function openCrossing(
  parts: CrossingParts,
  journal: Journal[] = [],
): Promise<Crossing> {
  const topic = unique("crossing");
  const folder = await mkdtemp(join(tmpdir(), "isthmus-crossing-"));
  const manifests = compileManifests([{ path: "crossing.yaml", text: manifestsOf(topic, parts) }]);
  const wrong = manifests.problems.filter(({ severity }) => severity === "error");
  if (wrong.length > 0) throw new Error(wrong.map(({ message }) => message).join("; "));
  const plan = reached(manifests.plan, parts.kafka.reachedAt);
  try {
    for (const [name, values] of Object.entries(parts.mounted ?? {})) {
      await mount(folder, name, values);
    }
    await parts.createTopic?.(topic);
    const { token, serviceAccountTokenFile } = parts;
    const bridge = await startBridge({
      plan,
      secrets: secretStore({ manifests, folder, environment: {} }),
      log: (level, message, fields = {}) => journal.push({ level, message, fields }),
      startTimeoutMs: parts.startTimeoutMs ?? 20_000,
      drainMs: 2000,
      checkpointFolder: join(folder, "checkpoints"),
      ...(token === undefined ? {} : { identity: { token } }),
      ...(serviceAccountTokenFile === undefined ? {} : { serviceAccountTokenFile }),
    });
    return {
      plan,
      topic,
      there: `${topic}/there/x`,
      back: `${topic}/back`,
      journal,
      bridge,
      folder,
      async stop(): Promise<void> {
        await bridge.stop();
        await rm(folder, { recursive: true, force: true });
      },
    };
  } catch (cause) {
    await rm(folder, { recursive: true, force: true });
    throw cause;
  }
}

/** Publishes numbers below `there` and resolves to what came `back`, once that are as many. `url` leads to the broker without credentials. */
export async function roundTrip(crossing: Crossing, url: string, count = 3): Promise<string[]> {
  const client = await mqtt.connectAsync(url, { protocolVersion: 5 });
  try {
    const seen: string[] = [];
    const complete = new Promise<void>((resolve) => {
      client.on("message", (_topic, payload) => {
        if (seen.push(payload.toString()) === count) resolve();
      });
    });
    await client.subscribeAsync(crossing.back, { qos: 1 });
    for (let i = 0; i < count; i += 1) {
      await client.publishAsync(crossing.there, String(i), { qos: 1 });
    }
    await complete;
    return seen.sort();
  } finally {
    await client.endAsync(true);
  }
}
