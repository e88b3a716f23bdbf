import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { trigger } from "@azure/functions";
import type { FunctionsHost } from "../../functions/register-functions.ts";

export interface Registered {
  readonly name: string;
  readonly via: "generic" | "timer" | "http";
  readonly options: Record<string, unknown> & {
    readonly handler: (input: unknown, context: unknown) => unknown;
  };
}

export interface RecordingHost extends FunctionsHost {
  readonly registered: Registered[];
  readonly setups: unknown[];
  readonly terminateHooks: ((context: unknown) => unknown)[];
}

/** Stands in for @azure/functions and writes down what is registered. */
export function recordingHost(): RecordingHost {
  const registered: Registered[] = [];
  const setups: unknown[] = [];
  const terminateHooks: ((context: unknown) => unknown)[] = [];
  const via =
    (kind: Registered["via"]) =>
    (name: string, options: unknown): void => {
      registered.push({ name, via: kind, options: options as Registered["options"] });
    };
  return {
    registered,
    setups,
    terminateHooks,
    trigger,
    app: {
      generic: via("generic"),
      timer: via("timer"),
      http: via("http"),
      setup: (options) => {
        setups.push(options);
      },
      hook: {
        appTerminate: (hook) => {
          terminateHooks.push(hook as (context: unknown) => unknown);
          return { [Symbol.dispose]: () => undefined, dispose: () => undefined } as never;
        },
      },
    },
  };
}

/** A folder with these files, as an app is unpacked into one. */
export async function appFolder(
  files: Readonly<Record<string, string>>,
): Promise<{ root: string; remove: () => Promise<void> }> {
  const root = await mkdtemp(join(tmpdir(), "isthmus-app-"));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), text);
  }
  return { root, remove: () => rm(root, { recursive: true, force: true }) };
}

/** A connector to a broker of one's own, with one route each way; `more` goes under its topic map's routes. */
export function connectorManifest(options: {
  kafka: string;
  mqtt: string;
  kafkaTopic?: string;
  more?: string;
}): string {
  return `apiVersion: mq.iotoperations.azure.com/v1beta1
kind: KafkaConnector
metadata: { name: plant }
spec:
  image: { repository: isthmus, tag: latest }
  instances: 1
  kafkaConnection:
    endpoint: ${options.kafka}
    tls: { tlsEnabled: false }
  localBrokerConnection:
    endpoint: ${options.mqtt}
    tls: { tlsEnabled: false }
---
apiVersion: mq.iotoperations.azure.com/v1beta1
kind: KafkaConnectorTopicMap
metadata: { name: plant-topics }
spec:
  kafkaConnectorRef: plant
  copyMqttProperties: true
  routes:
    - kafkaToMqtt:
        name: down
        consumerGroupId: plant
        kafkaTopic: ${options.kafkaTopic ?? "commands"}
        mqttTopic: down/commands
        qos: 1
    - mqttToKafka:
        name: up
        mqttTopic: up/#
        kafkaTopic: telemetry
        qos: 1
${options.more ?? ""}`;
}
