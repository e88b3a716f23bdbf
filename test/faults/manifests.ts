import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { consumerGroup, deadLetterTopic, lanesToKafka, lanesToMqtt } from "./names.ts";

export interface ManifestOptions {
  readonly run: string;
  readonly toMqtt: boolean;
  readonly toKafka: boolean;
  /** `host:port` of the proxies. */
  readonly kafka: string;
  readonly mqtt: string;
  /** Unacknowledged messages of each route. */
  readonly window: number;
  readonly instances: number;
  readonly keepAliveSeconds: number;
}

const API = "apiVersion: connectivity.iotoperations.azure.com/v1";

function endpoints(options: ManifestOptions): string {
  return `
${API}
kind: DataflowEndpoint
metadata:
  name: kafka
  annotations:
    isthmus.dev/dead-letter-topic: ${deadLetterTopic(options.run)}
    isthmus.dev/max-inflight-messages: "${options.window}"
spec:
  endpointType: Kafka
  kafkaSettings:
    host: ${options.kafka}
    authentication: { method: Anonymous, anonymousSettings: {} }
    tls: { mode: Disabled }
    consumerGroupId: ${consumerGroup(options.run)}
    partitionStrategy: Topic
    kafkaAcks: All
---
${API}
kind: DataflowEndpoint
metadata:
  name: mqtt
  annotations:
    isthmus.dev/max-inflight-messages: "${options.window}"
spec:
  endpointType: Mqtt
  mqttSettings:
    host: ${options.mqtt}
    authentication: { method: Anonymous, anonymousSettings: {} }
    tls: { mode: Disabled }
    keepAliveSeconds: ${options.keepAliveSeconds}
---
${API}
kind: DataflowProfile
metadata:
  name: default
spec:
  instanceCount: ${options.instances}
`;
}

function dataflow(name: string, from: string, sources: readonly string[], to: string): string {
  const [source, destination] = from === "kafka" ? ["kafka", "mqtt"] : ["mqtt", "kafka"];
  return `---
${API}
kind: Dataflow
metadata:
  name: ${name}
spec:
  profileRef: default
  mode: Enabled
  operations:
    - operationType: Source
      sourceSettings: { endpointRef: ${source}, dataSources: ${JSON.stringify(sources)} }
    - operationType: Destination
      destinationSettings: { endpointRef: ${destination}, dataDestination: "${to}" }
`;
}

/** Writes what the bridge runs: a dataflow of each direction that the run has. */
export function writeRunManifests(folder: string, options: ManifestOptions): void {
  const { run } = options;
  const sources = [...new Set(lanesToMqtt(run).kafkaTopics)];
  const sink = `${lanesToKafka(run).kafkaTopics[0]?.slice(0, -1)}`;
  const text = [
    endpoints(options),
    options.toMqtt ? dataflow(`${run}-out`, "kafka", sources, `out/${run}/\${inputTopic}`) : "",
    options.toKafka
      ? dataflow(`${run}-in`, "mqtt", [`in/${run}/#`], `${sink}\${inputTopic.3}`)
      : "",
  ];
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "run.yaml"), text.join(""));
}
