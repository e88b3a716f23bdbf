import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { assetFolder } from "../shared/adapters/files/asset-folder.ts";
import type { AssetStore, Log } from "../shared/engine/ports.ts";
import type { Arguments } from "./command.ts";

const DEFAULT_STATE = ".isthmus";
const WATCH_EVERY_MS = 1000;

/** What a host keeps over restarts, in the folder that `--state` names. */
export interface AssetState {
  /** DiscoveredAsset manifests that the host writes: a folder, or a container of Azure Blob Storage. */
  readonly discovered: string;
  /** Asset manifests that `isthmus assets import` writes, and people edit. */
  readonly imported: string;
  /** How far event hubs are read by AMQP. */
  readonly checkpoints: string;
}

export function assetState(args: Arguments): AssetState {
  const state = args.value("state") ?? DEFAULT_STATE;
  // a container holds what is discovered, and nothing else
  const folder = isContainer(state) ? DEFAULT_STATE : state;
  return {
    discovered: isContainer(state) ? state : join(folder, "discovered"),
    imported: join(folder, "assets"),
    checkpoints: join(folder, "checkpoints"),
  };
}

function isContainer(state: string): boolean {
  return state.startsWith("https://");
}

/** Where the discovered assets of a state are kept. */
export async function assetStoreOf({ discovered }: AssetState): Promise<AssetStore> {
  if (!isContainer(discovered)) return assetFolder(discovered);
  const { blobAssetStore } = await import("../shared/compose.ts");
  return blobAssetStore(discovered);
}

/** The folder of imported assets where it holds any, to be read as further manifests. */
export async function importedManifests({ imported }: AssetState): Promise<readonly string[]> {
  return (await signatureOf(imported)) === "" ? [] : [imported];
}

/** Names, times and sizes of the manifests in a folder: equal while nothing changed. Empty without any. */
async function signatureOf(folder: string): Promise<string> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch {
    return "";
  }
  const manifests = names.filter((name) => /^[^.].*\.(?:ya?ml|json)$/i.test(name)).sort();
  const lines = await Promise.all(
    manifests.map(async (name) => {
      const entry = await stat(join(folder, name)).catch(() => undefined);
      return entry === undefined ? "" : `${name} ${entry.mtimeMs} ${entry.size}`;
    }),
  );
  return lines.filter((line) => line !== "").join("\n");
}

/** Calls `onChange` whenever the folder of imported assets has changed, until the returned function is called. */
export function watchImported(
  { imported }: AssetState,
  log: Log,
  onChange: () => Promise<void>,
): () => void {
  let known: string | undefined;
  let looking = false;
  const look = async (): Promise<void> => {
    if (looking) return;
    looking = true;
    try {
      const now = await signatureOf(imported);
      const before = known;
      known = now;
      if (before !== undefined && before !== now) await onChange();
    } catch (error) {
      log("warn", "Imported assets cannot be read", { error });
    } finally {
      looking = false;
    }
  };
  void look();
  const timer = setInterval(() => void look(), WATCH_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}
