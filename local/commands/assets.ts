import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { BridgeError } from "../../shared/errors.ts";
import { loadManifests } from "../../shared/manifests/load.ts";
import { didYouMean } from "../../shared/manifests/nearest.ts";
import type { DiscoveredAsset } from "../../shared/model/device.ts";
import { topicFilterProblem } from "../../shared/topics/topic-filter.ts";
import { assetManifest } from "../asset-manifest.ts";
import { type AssetState, assetState, assetStoreOf, importedManifests } from "../asset-state.ts";
import { type Arguments, type Command, MANIFEST_OPTIONS, STATE_OPTION } from "../command.ts";
import { complain, print, type Shell } from "../shell.ts";

/** Options that say something to one of the actions only. */
const ONLY_OF_IMPORT = ["dataset", "description", "name", "out"];

/** The names of all Asset manifests: those of the state, and those that `-f` names. */
async function importedNames(args: Arguments, state: AssetState): Promise<ReadonlySet<string>> {
  const paths = [...args.values("file"), ...(await importedManifests(state))];
  if (paths.length === 0) return new Set();
  const { assets } = await loadManifests(paths);
  return new Set(assets.flatMap(({ kind, name }) => (kind === "Asset" ? [name] : [])));
}

async function discoveredIn(state: AssetState): Promise<readonly DiscoveredAsset[]> {
  const found = await (await assetStoreOf(state)).list();
  return found.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows.reduce<number[]>(
    (widest, row) => row.map((cell, i) => Math.max(widest[i] ?? 0, cell.length)),
    [],
  );
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

async function list(args: Arguments, shell: Shell, state: AssetState): Promise<number> {
  const imported = await importedNames(args, state);
  const found = (await discoveredIn(state)).map((asset) => ({
    ...asset,
    firstSeen: new Date(asset.firstSeen).toISOString(),
    state: imported.has(asset.name) ? "imported" : "discovered",
  }));
  if (args.flag("json")) {
    print(shell, JSON.stringify(found, null, 2));
    return 0;
  }
  const head = ["NAME", "TOPIC", "DEVICE", "FIRST SEEN", "STATE"];
  const rows = found.map((asset) => [
    asset.name,
    printable(asset.topic),
    `${asset.device}/${asset.endpoint}`,
    asset.firstSeen,
    asset.state,
  ]);
  if (rows.length > 0) for (const line of table([head, ...rows])) print(shell, line);
  complain(shell, found.length === 1 ? "1 discovered asset" : `${found.length} discovered assets`);
  return 0;
}

/** A topic must not steer the terminal that it is printed on. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, "?");
}

async function importAssets(args: Arguments, shell: Shell, state: AssetState): Promise<number> {
  const found = await discoveredIn(state);
  const chosen = args.operands.map((name) => discoveredNamed(name, found, state));
  const wanted = args.value("name");
  const other = chosen.find(({ name }) => wanted !== undefined && name !== wanted);
  if (other !== undefined) {
    throw new BridgeError(
      "USAGE",
      `The name of an asset must be that of the discovered one: "${other.name}", not "${wanted}"`,
    );
  }
  const topics = args.values("dataset");
  for (const topic of topics) {
    const problem = topicFilterProblem(topic);
    if (problem !== undefined) throw new BridgeError("USAGE", problem);
  }
  const folder = args.value("out") ?? state.imported;
  for (const asset of chosen) {
    const manifest = assetManifest(asset, topics, args.value("description"));
    const path = await writeNew(folder, asset.name, stringify(manifest));
    print(shell, args.flag("json") ? JSON.stringify({ name: asset.name, path }) : path);
  }
  return 0;
}

function discoveredNamed(
  name: string,
  found: readonly DiscoveredAsset[],
  { discovered }: AssetState,
): DiscoveredAsset {
  const asset = found.find((one) => one.name === name);
  if (asset !== undefined) return asset;
  const hint = didYouMean(
    name,
    found.map((one) => one.name),
  );
  const where = found.length === 0 ? ` (there is none in "${discovered}")` : "";
  throw new BridgeError("USAGE", `No discovered asset is named "${name}"${where}${hint}`);
}

/** What people have changed is not written over. */
async function writeNew(folder: string, name: string, text: string): Promise<string> {
  const path = join(folder, `${name}.yaml`);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(path, text, { flag: "wx" });
    return path;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "EEXIST") {
      throw new BridgeError("USAGE", `The asset "${name}" is imported already: "${path}"`, {
        cause,
      });
    }
    throw new BridgeError("STATE_UNAVAILABLE", `Cannot write "${path}": ${message}`, { cause });
  }
}

async function assets(args: Arguments, shell: Shell): Promise<number> {
  const state = assetState(args);
  if (args.action === "import") return await importAssets(args, shell, state);
  for (const option of ONLY_OF_IMPORT) {
    if (args.flag(option)) {
      throw new BridgeError("USAGE", `Option --${option} is of isthmus assets import, not of list`);
    }
  }
  return await list(args, shell, state);
}

/** `isthmus assets`: what was discovered, and what of it is forwarded (S-61). */
export const assetsCommand: Command = {
  name: "assets",
  summary: "Lists the assets that were discovered, and imports them so that they are forwarded.",
  usage: "assets list|import NAME... [--state FOLDER] [options]",
  actions: [
    { name: "list", text: "show every discovered asset, and whether it is imported" },
    { name: "import", operand: "NAME...", text: "write the Asset manifest of a discovered asset" },
  ],
  options: {
    ...STATE_OPTION,
    ...MANIFEST_OPTIONS,
    dataset: {
      type: "string",
      multiple: true,
      value: "TOPIC",
      text: "import: forward this topic too, as a dataset of its own; may be repeated",
    },
    description: { type: "string", value: "TEXT", text: "import: a description of the asset" },
    name: {
      type: "string",
      value: "NAME",
      text: "import: the asset's name, which must be that of the discovered one",
    },
    out: {
      type: "string",
      value: "FOLDER",
      text: "import: write the manifest there (default: FOLDER/assets of --state)",
    },
    json: { type: "boolean", text: "print JSON for programs" },
  },
  notes: [
    "A running isthmus run with the same --state forwards imported assets within seconds.",
    "Those of an app on Azure: --state https://ACCOUNT.blob.core.windows.net/isthmus-assets",
    "Manifests of -f count as imported where they are Assets.",
    "Exit code: 0, or 1 when a name is unknown or imported already.",
  ],
  run: assets,
};
