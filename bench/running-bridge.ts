import { spawn } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RunningContender } from "./contender.ts";

export interface BridgeTask {
  readonly brokers: string;
  /** `host:port` */
  readonly mqtt: string;
  readonly qos: 0 | 1;
  /** Each is a route: what it reads and what it writes to. Kafka sources that begin with `^` are regular expressions. */
  readonly routes: readonly { readonly source: string; readonly destination: string }[];
  readonly direction: "k2m" | "m2k";
  readonly instances?: number;
}

/** The built runner with manifests made for the task. */
export function startBridge(task: BridgeTask): RunningContender {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-bench-"));
  const file = join(folder, "bench.yaml");
  writeFileSync(file, manifests(task));
  const args = [
    "dist/local/cli.js",
    "run",
    "-f",
    file,
    "--log-level",
    "warn",
    "--start-timeout=90",
  ];
  return new RunningContender(spawn("node", args, { stdio: ["ignore", "inherit", "inherit"] }));
}

function manifests({ brokers, mqtt, qos, routes, direction, instances = 1 }: BridgeTask): string {
  const [from, to] = direction === "k2m" ? ["kafka", "mqtt"] : ["mqtt", "kafka"];
  const api = "apiVersion: connectivity.iotoperations.azure.com/v1";
  const anonymous = "authentication: { method: Anonymous, anonymousSettings: {} }";
  const documents = [
    `${api}
kind: DataflowEndpoint
metadata: { name: kafka }
spec:
  endpointType: Kafka
  kafkaSettings:
    host: ${brokers}
    consumerGroupId: bench-${process.pid}-${performance.now().toFixed(0)}
    ${anonymous}
    tls: { mode: Disabled }`,
    `${api}
kind: DataflowEndpoint
metadata: { name: mqtt }
spec:
  endpointType: Mqtt
  mqttSettings:
    host: ${mqtt}
    qos: ${qos}
    maxInflightMessages: 1000
    ${anonymous}
    tls: { mode: Disabled }`,
    `${api}
kind: DataflowProfile
metadata: { name: bench }
spec: { instanceCount: ${instances} }`,
    ...routes.map(
      ({ source, destination }, index) => `${api}
kind: Dataflow
metadata: { name: bench-${index} }
spec:
  profileRef: bench
  operations:
    - operationType: Source
      sourceSettings: { endpointRef: ${from}, dataSources: ['${source}'] }
    - operationType: Destination
      destinationSettings: { endpointRef: ${to}, dataDestination: '${destination}' }`,
    ),
  ];
  return documents.join("\n---\n");
}
