import type { AssetStore } from "../../shared/engine/ports.ts";
import type { DiscoveredAsset } from "../../shared/model/device.ts";

/** Discovered assets that end with the process: a sandbox leaves nothing behind. */
export function memoryAssets(): AssetStore {
  const assets = new Map<string, DiscoveredAsset>();
  return {
    list: () => Promise.resolve([...assets.values()]),
    add(asset) {
      const other = assets.get(asset.name);
      if (other === undefined) assets.set(asset.name, asset);
      else return Promise.resolve(other.topic === asset.topic ? "known" : "nameTaken");
      return Promise.resolve("added");
    },
    remove(name) {
      assets.delete(name);
      return Promise.resolve();
    },
  };
}
