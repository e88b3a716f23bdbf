import * as z from "zod";
import { dataflowProfileSpec, dataflowSpec } from "./dataflow.ts";
import { dataflowEndpointSpec } from "./dataflow-endpoint.ts";
import { assetSpec, deviceSpec } from "./device.ts";
import { kafkaConnectorSpec } from "./kafka-connector.ts";
import { configMapFields, secretFields } from "./kubernetes.ts";
import { metadata } from "./metadata.ts";
import { topicMapSpec } from "./topic-map.ts";

export type Kind =
  | "KafkaConnector"
  | "KafkaConnectorTopicMap"
  | "DataflowEndpoint"
  | "Dataflow"
  | "DataflowProfile"
  | "Device"
  | "Asset"
  | "DiscoveredAsset"
  | "Secret"
  | "ConfigMap";

const mq = ["mq.iotoperations.azure.com", "az-edge.com"];
const connectivity = ["connectivity.iotoperations.azure.com"];
const registry = ["deviceregistry.microsoft.com", "namespaces.deviceregistry.microsoft.com"];
/** The core group of Kubernetes has no name: `apiVersion: v1`. */
const core = [""];

export interface KindEntry {
  readonly groups: readonly string[];
  /** The whole resource. */
  readonly schema: z.ZodType;
}

const head = { apiVersion: z.string(), kind: z.string(), metadata };

function withSpec(groups: readonly string[], spec: z.ZodType): KindEntry {
  return { groups, schema: z.object({ ...head, spec, status: z.unknown().optional() }) };
}

/** Every kind that is read, with the groups it is read from. */
export const kinds: Readonly<Record<Kind, KindEntry>> = {
  KafkaConnector: withSpec(mq, kafkaConnectorSpec),
  KafkaConnectorTopicMap: withSpec(mq, topicMapSpec),
  DataflowEndpoint: withSpec(connectivity, dataflowEndpointSpec),
  Dataflow: withSpec(connectivity, dataflowSpec),
  DataflowProfile: withSpec(connectivity, dataflowProfileSpec),
  Device: withSpec(registry, deviceSpec),
  Asset: withSpec(registry, assetSpec),
  DiscoveredAsset: withSpec(registry, assetSpec),
  Secret: { groups: core, schema: z.object({ ...head, ...secretFields }) },
  ConfigMap: { groups: core, schema: z.object({ ...head, ...configMapFields }) },
};

/** Kinds of the same groups that other products read: skipped with a note, not mistaken for misspelt. */
export const foreignKinds: ReadonlySet<string> = new Set([
  "AssetEndpointProfile",
  "Broker",
  "BrokerAuthentication",
  "BrokerAuthorization",
  "BrokerListener",
  "DataflowGraph",
  "DataLakeConnector",
  "DataLakeConnectorTopicMap",
  "DiagnosticService",
  "DiscoveredAssetEndpointProfile",
  "DiscoveredDevice",
  "IoTHubConnector",
  "IoTHubConnectorRoutesMap",
  "MqttBridgeConnector",
  "MqttBridgeTopicMap",
  "RegistryEndpoint",
  "Schema",
  "SchemaVersion",
]);
