import type { DiscoveredAsset } from "../../model/device.ts";

const API_VERSION = "namespaces.deviceregistry.microsoft.com/v1";

/** A discovered asset as a DiscoveredAsset manifest: JSON, which is YAML too. */
export function discoveredAssetText(asset: DiscoveredAsset): string {
  return `${JSON.stringify(
    {
      apiVersion: API_VERSION,
      kind: "DiscoveredAsset",
      metadata: { name: asset.name, creationTimestamp: new Date(asset.firstSeen).toISOString() },
      spec: {
        deviceRef: { deviceName: asset.device, endpointName: asset.endpoint },
        datasets: [{ name: asset.topic, dataSource: asset.topic }],
      },
    },
    null,
    2,
  )}\n`;
}

/** Reads what {@link discoveredAssetText} wrote; undefined for anything else. */
export function discoveredAssetFromText(text: string): DiscoveredAsset | undefined {
  let manifest: unknown;
  try {
    manifest = JSON.parse(text);
  } catch {
    return undefined;
  }
  const name = textAt(manifest, "metadata", "name");
  const topic = textAt(manifest, "spec", "datasets", "0", "dataSource");
  const device = textAt(manifest, "spec", "deviceRef", "deviceName");
  const endpoint = textAt(manifest, "spec", "deviceRef", "endpointName");
  const seen = textAt(manifest, "metadata", "creationTimestamp");
  if (name === undefined || topic === undefined) return undefined;
  if (device === undefined || endpoint === undefined) return undefined;
  return { name, topic, device, endpoint, firstSeen: Date.parse(seen ?? "") || 0 };
}

function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  let at = value;
  for (const name of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, name)) return undefined;
    at = (at as Readonly<Record<string, unknown>>)[name];
  }
  return typeof at === "string" ? at : undefined;
}
