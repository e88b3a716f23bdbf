import type { SourceLocation } from "../model/route.ts";
import { explainIssue } from "./issues.ts";
import { didYouMean } from "./nearest.ts";
import type { FieldPath } from "./problem.ts";
import { quote } from "./quote.ts";
import type { Resource } from "./resource.ts";
import {
  type AssetSpec,
  type DeviceSpec,
  type InboundEndpoint,
  type MqttEndpointConfiguration,
  mqttEndpointConfiguration,
} from "./schema/device.ts";
import { type FieldTree, fieldTree } from "./schema-fields.ts";

/** One inbound endpoint of type Microsoft.Mqtt with its configuration read (S-60). */
interface DeviceEndpoint extends Omit<InboundEndpoint, "additionalConfiguration"> {
  readonly name: string;
  readonly configuration: MqttEndpointConfiguration;
}

export interface DeviceManifest {
  readonly name: string;
  readonly location: SourceLocation;
  readonly enabled: boolean;
  readonly endpoints: readonly DeviceEndpoint[];
}

export interface AssetManifest extends AssetSpec {
  readonly kind: "Asset" | "DiscoveredAsset";
  readonly name: string;
  readonly apiVersion: string;
  readonly location: SourceLocation;
}

const configurationTree = fieldTree(mqttEndpointConfiguration);

/** A Device with those of its endpoints that are served here; of others it is said that they are not. */
export function readDevice(resource: Resource<DeviceSpec>): DeviceManifest {
  const endpoints: DeviceEndpoint[] = [];
  for (const [name, endpoint] of Object.entries(resource.spec.endpoints?.inbound ?? {})) {
    const path = ["spec", "endpoints", "inbound", name];
    const { additionalConfiguration, ...rest } = endpoint;
    if (endpoint.endpointType.toLowerCase() !== "microsoft.mqtt") {
      resource.report(
        "note",
        [...path, "endpointType"],
        `endpoints of type ${quote(endpoint.endpointType)} are not served here: skipped`,
      );
      continue;
    }
    const field = [...path, "additionalConfiguration"];
    const configuration = readConfiguration(resource, field, additionalConfiguration);
    endpoints.push({ name, ...rest, configuration });
  }
  return {
    name: resource.name,
    location: resource.location,
    enabled: resource.spec.enabled ?? true,
    endpoints,
  };
}

/** An Asset or DiscoveredAsset as it was written. */
export function readAsset(resource: Resource<AssetSpec>): AssetManifest {
  const { name, location, apiVersion } = resource;
  const kind = resource.kind === "Asset" ? "Asset" : "DiscoveredAsset";
  return { ...resource.spec, kind, name, apiVersion, location };
}

function readConfiguration(
  resource: Resource,
  path: FieldPath,
  text: string = "{}",
): MqttEndpointConfiguration {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    resource.report(
      "error",
      path,
      "the text is not JSON: additionalConfiguration is JSON in quotes, for example '{\"useBuiltInMqttBroker\": true}'",
    );
    return {};
  }
  tellUnknown(resource, path, data, configurationTree);
  const result = mqttEndpointConfiguration.safeParse(data, { error: explainIssue });
  if (result.success) return result.data;
  for (const issue of result.error.issues) {
    resource.report("error", [...path, ...(issue.path as FieldPath)], issue.message);
  }
  return {};
}

function tellUnknown(resource: Resource, path: FieldPath, data: unknown, tree: FieldTree): void {
  if (tree.kind !== "fields" || typeof data !== "object" || data === null) return;
  for (const [name, value] of Object.entries(data)) {
    const field = tree.fields.get(name);
    if (field !== undefined) {
      tellUnknown(resource, [...path, name], value, field);
      continue;
    }
    const hint = didYouMean(name, tree.fields.keys());
    resource.report(
      "warning",
      [...path, name],
      `${quote(name)} is not a known field and has no effect${hint}`,
    );
  }
}
