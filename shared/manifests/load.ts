import { readdir, readFile, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { compileManifests, type LoadOptions, type LoadResult } from "./compile.ts";
import { byPlace, type Problem } from "./problem.ts";
import type { ManifestFile } from "./source.ts";

const extensions: ReadonlySet<string> = new Set([".yaml", ".yml", ".json"]);

interface Found {
  readonly files: ManifestFile[];
  readonly problems: Problem[];
}

/**
 * Reads manifests from files and, recursively, from the `*.yaml`, `*.yml` and `*.json` of folders, in the order of their names.
 * What cannot be read is a problem of the result, never an exception.
 */
export async function loadManifests(
  paths: readonly string[],
  options: LoadOptions = {},
): Promise<LoadResult> {
  const found: Found = { files: [], problems: [] };
  for (const path of new Set(paths)) await collect(path, found);
  if (found.files.length === 0 && found.problems.length > 0) {
    return { ...compileManifests([], options), problems: found.problems };
  }
  const result = compileManifests(found.files, options);
  return { ...result, problems: [...found.problems, ...result.problems].sort(byPlace) };
}

async function collect(path: string, found: Found): Promise<void> {
  try {
    const entry = await stat(path);
    if (!entry.isDirectory()) {
      await collectFile(path, found);
      return;
    }
    const before = found.files.length + found.problems.length;
    await collectFolder(path, found);
    if (found.files.length + found.problems.length === before) {
      tell(found, path, "there is no manifest in this folder: it needs *.yaml, *.yml or *.json");
    }
  } catch (cause) {
    tell(found, path, `cannot be read: ${reasonOf(cause)}`);
  }
}

async function collectFolder(folder: string, found: Found): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.map((entry) => entry.name).sort();
  for (const name of names) {
    const path = join(folder, name);
    // Kubernetes mounts ConfigMaps as links to `..data`, and editors leave files that begin with a dot.
    if (name.startsWith(".") || name === "node_modules") continue;
    try {
      const entry = await stat(path);
      if (entry.isDirectory()) await collectFolder(path, found);
      else if (extensions.has(extname(name).toLowerCase())) await collectFile(path, found);
    } catch (cause) {
      tell(found, path, `cannot be read: ${reasonOf(cause)}`);
    }
  }
}

async function collectFile(path: string, found: Found): Promise<void> {
  const bytes = await readFile(path);
  try {
    found.files.push({ path, text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) });
  } catch {
    tell(found, path, "cannot be read: it is not UTF-8 text");
  }
}

function tell(found: Found, path: string, message: string): void {
  const location = { file: path, line: 1, column: 1 };
  found.problems.push({ severity: "error", location, path: "", message });
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: "permission is denied",
  EISDIR: "it is a folder",
  ELOOP: "its links go in a circle",
  ENOENT: "there is no such file or folder",
  ENOTDIR: "a part of its path is not a folder",
  EPERM: "permission is denied",
};

function reasonOf(cause: unknown): string {
  const { code = "", message } = cause as NodeJS.ErrnoException;
  return reasons[code] ?? message;
}
