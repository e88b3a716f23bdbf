import type { DiscoveredAsset } from "../shared/model/device.ts";

const API_VERSION = "namespaces.deviceregistry.microsoft.com/v1";

/** What an imported asset says, ready to be written as YAML: the discovered name, a dataset of its topic, and one of each topic besides. */
export function assetManifest(
  discovered: DiscoveredAsset,
  moreTopics: readonly string[],
  description?: string,
): object {
  const { name, topic, device, endpoint } = discovered;
  return {
    apiVersion: API_VERSION,
    kind: "Asset",
    metadata: { name },
    spec: {
      enabled: true,
      ...(description === undefined ? {} : { description }),
      deviceRef: { deviceName: device, endpointName: endpoint },
      discoveredAssetRefs: [name],
      datasets: [topic, ...moreTopics].map((source) => ({ name: source, dataSource: source })),
    },
  };
}
