import { randomUUID } from "node:crypto";
import { link, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AddedAsset, AssetStore } from "../../engine/ports.ts";
import { BridgeError } from "../../errors.ts";
import type { DiscoveredAsset } from "../../model/device.ts";
import { discoveredAssetFromText, discoveredAssetText } from "./discovered-asset-text.ts";

const SUFFIX = ".json";
const AT_ONCE = 32;

/** Keeps discovered assets as a folder of DiscoveredAsset manifests, one file each, which several processes may share. */
export function assetFolder(folder: string): AssetStore {
  const pathOf = (name: string): string => join(folder, `${name}${SUFFIX}`);
  return {
    list: () => listed(folder),
    async add(asset): Promise<AddedAsset> {
      const path = pathOf(asset.name);
      if (await created(folder, path, discoveredAssetText(asset))) return "added";
      const other = await read(path);
      const isSame =
        other?.topic === asset.topic &&
        other.device === asset.device &&
        other.endpoint === asset.endpoint;
      return isSame ? "known" : "nameTaken";
    },
    async remove(name): Promise<void> {
      try {
        await rm(pathOf(name), { force: true });
      } catch (cause) {
        throw unavailable(folder, cause);
      }
    },
  };
}

/** Makes a file, whole at once: a link appears only where there is none. False when there is one. */
async function created(folder: string, path: string, text: string): Promise<boolean> {
  const part = join(folder, `.${randomUUID()}.part`);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(part, text);
  } catch (cause) {
    throw unavailable(folder, cause);
  }
  try {
    await link(part, path);
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw unavailable(folder, cause);
  } finally {
    await rm(part, { force: true });
  }
}

async function listed(folder: string): Promise<readonly DiscoveredAsset[]> {
  const names = await namesIn(folder);
  const assets: DiscoveredAsset[] = [];
  for (let at = 0; at < names.length; at += AT_ONCE) {
    const some = names.slice(at, at + AT_ONCE).map((name) => read(join(folder, name)));
    for (const asset of await Promise.all(some)) if (asset !== undefined) assets.push(asset);
  }
  return assets;
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    const names = await readdir(folder);
    return names.filter((name) => name.endsWith(SUFFIX) && !name.startsWith("."));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw unavailable(folder, cause);
  }
}

/** Undefined for what went away meanwhile, and for what is no DiscoveredAsset. */
async function read(path: string): Promise<DiscoveredAsset | undefined> {
  try {
    return discoveredAssetFromText(await readFile(path, "utf8"));
  } catch {
    return undefined;
  }
}

function unavailable(folder: string, cause: unknown): BridgeError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const message = `Cannot keep discovered assets in "${folder}": ${why}`;
  return new BridgeError("STATE_UNAVAILABLE", message, { cause, retryable: true });
}
