import type { KafkaConnection, MqttConnection } from "../model/connection.ts";
import type { Plan } from "../model/plan.ts";
import type { SourceLocation } from "../model/route.ts";
import type { CompiledRoute, Connected, Context } from "./context.ts";
import { compileDataflow } from "./dataflow-routes.ts";
import { type DevicePlan, planDevices } from "./device-plan.ts";
import { type AssetManifest, type DeviceManifest, readAsset } from "./devices.ts";
import { connectorKafka, endpointKafka } from "./kafka-connection.ts";
import { type KeyValueMap, keyValuesOf } from "./key-values.ts";
import { clusterBroker, connectorMqtt, endpointMqtt, parseLocalBroker } from "./mqtt-connection.ts";
import { byPlace, type Problem } from "./problem.ts";
import { quote } from "./quote.ts";
import { newReading, type Reading, readResources } from "./read-resources.ts";
import { References } from "./references.ts";
import type { Resource } from "./resource.ts";
import {
  type Connections,
  checkCycles,
  checkDeadLetters,
  checkDeadLetterWriters,
  checkSharedGroups,
  withoutDuplicates,
} from "./route-checks.ts";
import type { DataflowProfileSpec, DataflowSpec } from "./schema/dataflow.ts";
import type { DataflowEndpointSpec } from "./schema/dataflow-endpoint.ts";
import type { AssetSpec, DeviceSpec } from "./schema/device.ts";
import type { KafkaConnectorSpec } from "./schema/kafka-connector.ts";
import type { Kind } from "./schema/kinds.ts";
import type { TopicMapSpec } from "./schema/topic-map.ts";
import { type ManifestFile, parseSource } from "./source.ts";
import { compileTopicMap } from "./topic-map-routes.ts";

export interface LoadOptions {
  /**
   * The MQTT broker where no manifest says which, as `mqtt://host:port` (see parseLocalBroker). Without it, the
   * names that brokers have inside their cluster, with TLS and a service account token.
   */
  readonly localBroker?: string | undefined;
  /** Counts warnings as errors. */
  readonly strict?: boolean | undefined;
}

export interface LoadResult {
  /** Every route that could be compiled; complete only where no problem is an error. */
  readonly plan: Plan;
  /** By file, line and column. */
  readonly problems: readonly Problem[];
  readonly devices: readonly DeviceManifest[];
  readonly assets: readonly AssetManifest[];
  readonly secrets: KeyValueMap;
  readonly configMaps: KeyValueMap;
  /** Bytes, where an annotation sets them; the least of several. */
  readonly memoryBudgetBytes?: number;
}

/** Whether a host may not start with these problems. */
export function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some((problem) => problem.severity === "error");
}

/** Compiles texts of manifests to a plan. Total: whatever is wrong with them is a problem in the result. */
export function compileManifests(
  files: readonly ManifestFile[],
  options: LoadOptions = {},
): LoadResult {
  const reading = newReading();
  for (const file of files) readFile(file, reading);
  if (reading.manifests === 0 && !hasErrors(reading.problems)) {
    const location = { file: files[0]?.path ?? ".", line: 1, column: 1 };
    const message = "there is no manifest here: give files with apiVersion and kind";
    reading.problems.push({ severity: "error", location, path: "", message });
  }
  const result = compile(reading, options);
  return { ...result, problems: finished(reading.problems, options.strict ?? false) };
}

function readFile(file: ManifestFile, reading: Reading): void {
  try {
    readResources(parseSource(file, reading.problems), reading);
  } catch {
    // The parser recurses: text such as a thousand brackets exhausts its stack.
    const location = { file: file.path, line: 1, column: 1 };
    const message = "the file cannot be read as YAML: it is nested too deeply or refers to itself";
    reading.problems.push({ severity: "error", location, path: "", message });
  }
}

function finished(problems: readonly Problem[], strict: boolean): Problem[] {
  const seen = new Map<string, Problem>();
  for (const problem of problems) {
    const { file, line, column } = problem.location;
    const key = JSON.stringify([file, line, column, problem.path, problem.message]);
    const severity = strict && problem.severity === "warning" ? "error" : problem.severity;
    if (!seen.has(key)) seen.set(key, { ...problem, severity });
  }
  return [...seen.values()].sort(byPlace);
}

function compile(reading: Reading, options: LoadOptions): Omit<LoadResult, "problems"> {
  const secrets = keyValuesOf(reading, "Secret");
  const configMaps = keyValuesOf(reading, "ConfigMap");
  tellDuplicates(reading);
  const context = contextOf(reading, options, {
    secrets: new Set(secrets.keys()),
    configMaps: new Set(configMaps.keys()),
  });
  for (const resource of ofKind<TopicMapSpec>(reading, "KafkaConnectorTopicMap")) {
    compileTopicMap(context, resource);
  }
  for (const resource of ofKind<DataflowSpec>(reading, "Dataflow")) {
    compileDataflow(context, resource);
  }
  const devices = planDevices(
    context,
    {
      devices: ofKind<DeviceSpec>(reading, "Device"),
      assets: ofKind<AssetSpec>(reading, "Asset"),
    },
    options.localBroker !== undefined,
  );
  const budgets = reading.resources.flatMap(({ annotations }) => annotations.memoryBudget ?? []);
  return {
    plan: planOf(context, devices),
    devices: devices.manifests,
    assets: [
      ...ofKind<AssetSpec>(reading, "Asset"),
      ...ofKind<AssetSpec>(reading, "DiscoveredAsset"),
    ].map(readAsset),
    secrets,
    configMaps,
    ...(budgets.length === 0 ? {} : { memoryBudgetBytes: Math.min(...budgets) }),
  };
}

function ofKind<Spec>(reading: Reading, kind: Kind): Resource<Spec>[] {
  return reading.resources.filter((resource) => resource.kind === kind) as Resource<Spec>[];
}

function tellDuplicates(reading: Reading): void {
  const first = new Map<string, Resource>();
  for (const resource of reading.resources) {
    const key = `${resource.kind}/${resource.name}`;
    const other = first.get(key);
    if (other === undefined) {
      first.set(key, resource);
      continue;
    }
    const { file, line, column } = other.location;
    const what = `the ${resource.kind} ${quote(resource.name)} is defined twice`;
    resource.report(
      "error",
      ["metadata", "name"],
      `${what}: the other one is at ${file}:${line}:${column}`,
    );
  }
}

interface Names {
  readonly secrets: ReadonlySet<string>;
  readonly configMaps: ReadonlySet<string>;
}

function contextOf(reading: Reading, options: LoadOptions, names: Names): Context {
  const references = new References({ Secret: names.secrets, ConfigMap: names.configMaps });
  const localBroker = localBrokerOf(reading, options);
  const connectors = new Map<string, Connected<KafkaConnectorSpec>>();
  for (const resource of ofKind<KafkaConnectorSpec>(reading, "KafkaConnector")) {
    const local = resource.spec.localBrokerConnection;
    connectors.set(resource.name, {
      resource,
      kafka: connectorKafka(resource, references),
      mqtt:
        local === undefined && resource.annotations.mqttSecret === undefined
          ? localBroker("connector", resource.location)
          : connectorMqtt(resource, local ?? {}, references),
    });
  }
  const endpoints = new Map<string, Connected<DataflowEndpointSpec>>();
  for (const resource of ofKind<DataflowEndpointSpec>(reading, "DataflowEndpoint")) {
    endpoints.set(resource.name, connectEndpoint(resource, localBroker, references));
  }
  const profiles = ofKind<DataflowProfileSpec>(reading, "DataflowProfile");
  return {
    connectors,
    endpoints,
    profiles: new Map(profiles.map((profile) => [profile.name, profile])),
    broken: reading.broken,
    references,
    localBroker,
    routes: [],
  };
}

function connectEndpoint(
  resource: Resource<DataflowEndpointSpec>,
  localBroker: Context["localBroker"],
  references: References,
): Connected<DataflowEndpointSpec> {
  const type = resource.spec.endpointType;
  if (type === "Kafka") return { resource, kafka: endpointKafka(resource, references) };
  if (type === "Mqtt") {
    const local = localBroker("dataflow", resource.location);
    return { resource, mqtt: endpointMqtt(resource, local, references) };
  }
  resource.report(
    "warning",
    ["spec", "endpointType"],
    `endpoints of type ${type} are not supported: flows that use this one are not run`,
  );
  return { resource };
}

function localBrokerOf(reading: Reading, options: LoadOptions): Context["localBroker"] {
  if (options.localBroker === undefined) return clusterBroker;
  const url = options.localBroker;
  const nowhere: SourceLocation = { file: "(local broker)", line: 1, column: 1 };
  const checked = parseLocalBroker(url, nowhere);
  if (typeof checked === "string") {
    reading.problems.push({ severity: "error", location: nowhere, path: "", message: checked });
    return clusterBroker;
  }
  return (_of, location) => ({ ...checked, location });
}

function planOf(context: Context, { devices, assets, forwards, ...of }: DevicePlan): Plan {
  const connections = connectionsOf(context, of.connections);
  const routes = withoutDuplicates(context.routes);
  checkCycles([...routes, ...forwards], connections);
  checkSharedGroups(routes, connections);
  checkDeadLetters(routes);
  checkDeadLetterWriters(routes, connections);
  return {
    routes: routes.map(({ route }) => route),
    kafkaConnections: connections.kafka,
    mqttConnections: connections.mqtt,
    ...(devices.length === 0 ? {} : { devices, assets }),
  };
}

/** The connections that routes use; of the broker in the cluster there is one for all. */
function connectionsOf(context: Context, ofDevices: readonly MqttConnection[]): Connections {
  const used = new Set(context.routes.flatMap(connectionIds));
  const kafka = new Map<string, KafkaConnection>();
  const mqtt = new Map<string, MqttConnection>();
  const nowhere: SourceLocation = { file: "", line: 1, column: 1 };
  const all = [...context.connectors.values(), ...context.endpoints.values()];
  for (const connection of all.flatMap((connected) => connected.kafka ?? [])) {
    if (used.has(connection.id)) kafka.set(connection.id, connection);
  }
  for (const connection of ofDevices) mqtt.set(connection.id, connection);
  const local = context.routes[0]?.resource.location ?? nowhere;
  for (const connection of [
    ...all.flatMap((connected) => connected.mqtt ?? []),
    context.localBroker("connector", local),
    context.localBroker("dataflow", local),
  ]) {
    if (used.has(connection.id) && !mqtt.has(connection.id)) mqtt.set(connection.id, connection);
  }
  return { kafka, mqtt };
}

function connectionIds({ route }: CompiledRoute): string[] {
  return [route.kafkaConnection, route.mqttConnection];
}
