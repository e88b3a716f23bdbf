/**
 * Packs the Functions app: bundled code, host.json, manifests and lock file in one reproducible zip that `az functionapp deploy`
 * takes as it is. Usage: npm run package -- [-f PATH]... [-o FILE] [--lock FILE] [--folder FOLDER]
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs, promisify } from "node:util";
import { build } from "esbuild";
import { zip } from "./zip.mjs";

const project = resolve(dirname(fileURLToPath(import.meta.url)), "..");
/** Native modules, which cannot be bundled: in the package only when a route uses their codec. */
const NATIVE = { Snappy: "snappy", Lz4: "lz4-napi" };
/** What the Functions worker provides. */
const PROVIDED = ["@azure/functions-core"];
const MAIN = "dist/functions/app.js";

const usage = `Usage: npm run package -- [options]
  -f, --file PATH   manifests: a file or folder, repeatable (default: manifests)
  -l, --lock FILE   lock file of regular expressions (default: isthmus.lock.json, if it is there)
  -o, --out FILE    the package (default: isthmus.zip)
      --folder DIR  instead of a zip its files, for tools that zip a folder themselves, as azd does
  -h, --help        this text`;

class UsageError extends Error {}

function options(args) {
  try {
    return parseArgs({
      args,
      options: {
        file: { type: "string", short: "f", multiple: true, default: ["manifests"] },
        lock: { type: "string", short: "l" },
        out: { type: "string", short: "o", default: "isthmus.zip" },
        folder: { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (cause) {
    throw new UsageError(`${cause.message}\n${usage}`);
  }
}

/** One file per chunk: what connects to brokers is loaded when the first route opens. */
async function bundle() {
  const { outputFiles, metafile } = await build({
    absWorkingDir: project,
    entryPoints: { app: "functions/app.ts" },
    outdir: dirname(MAIN),
    bundle: true,
    splitting: true,
    write: false,
    metafile: true,
    platform: "node",
    format: "esm",
    target: "node20",
    minify: true,
    keepNames: true,
    legalComments: "none",
    // names of chunks follow from paths: where node_modules really is must not matter
    preserveSymlinks: true,
    external: [...PROVIDED, ...Object.values(NATIVE)],
    logLevel: "error",
    // CommonJS dependencies ask for Node's modules with require
    banner: {
      js: 'import{createRequire as isthmusRequire}from"node:module";const require=isthmusRequire(import.meta.url);',
    },
  });
  const files = new Map(
    outputFiles.map(({ path, contents }) => [
      posix(relative(project, path)),
      Buffer.from(contents),
    ]),
  );
  return { files, bundled: bundledPackages(metafile) };
}

function bundledPackages(metafile) {
  const names = Object.keys(metafile.inputs).flatMap((path) => {
    const match = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path);
    return match === null ? [] : [match[0]];
  });
  return [...new Set(names)].sort();
}

const posix = (path) => path.split(sep).join("/");

/** The licences of what is bundled: MIT and its kin ask that they go with every copy. */
async function licences(packages) {
  const texts = [];
  for (const folder of packages) {
    const home = join(project, folder);
    const file = (await readdir(home)).find((name) => /^licen[cs]e/i.test(name));
    if (file === undefined) continue;
    const { name, version } = JSON.parse(await readFile(join(home, "package.json"), "utf8"));
    texts.push(`${name} ${version}\n\n${(await readFile(join(home, file), "utf8")).trim()}\n`);
  }
  return Buffer.from(texts.join(`\n${"-".repeat(80)}\n\n`));
}

async function filesUnder(path) {
  if (!(await stat(path)).isDirectory()) return [path];
  const entries = await readdir(path, { withFileTypes: true });
  const found = [];
  for (const { name } of entries) {
    if (name.startsWith(".") || name === "node_modules") continue;
    found.push(...(await filesUnder(join(path, name))));
  }
  return found.sort();
}

/** Manifests as manifests/…; of several folders each keeps its own name. */
async function manifestFiles(paths) {
  const files = new Map();
  for (const path of paths) {
    const isFolder = (await stat(path)).isDirectory();
    const base = isFolder ? path : dirname(path);
    const prefix = isFolder && paths.length > 1 ? `${basename(resolve(path))}/` : "";
    for (const file of await filesUnder(path)) {
      if (!/\.(ya?ml|json)$/i.test(file)) continue;
      const name = `manifests/${prefix}${posix(relative(base, file))}`;
      if (files.has(name))
        throw new UsageError(`Two manifests would both be "${name}": rename one`);
      files.set(name, await readFile(file));
    }
  }
  return files;
}

/** Native packages with the binaries of this platform. */
async function nativeFiles(name, files, into = new Set()) {
  if (into.has(name)) return;
  into.add(name);
  const home = join(project, "node_modules", name);
  for (const file of await filesUnder(home)) {
    if (/\.(d\.ts|md|map)$/i.test(file)) continue;
    files.set(`node_modules/${name}/${posix(relative(home, file))}`, await readFile(file));
  }
  const { optionalDependencies = {} } = JSON.parse(
    await readFile(join(home, "package.json"), "utf8"),
  );
  for (const optional of Object.keys(optionalDependencies)) {
    const there = await stat(join(project, "node_modules", optional)).catch(() => undefined);
    if (there !== undefined) await nativeFiles(optional, files, into);
  }
}

/** The plan of the manifests, by the code that was built from the same sources. */
async function planOf(paths, lockText) {
  const from = (path) => import(pathToFileURL(join(project, "dist/shared", path)).href);
  const { loadManifests } = await from("manifests/load.js");
  const { formatProblem } = await from("manifests/problem.js");
  const { planFunctions } = await from("plan/functions-plan.js");
  const { parseTopicLock } = await from("plan/topic-lock.js");
  const loaded = await loadManifests(paths);
  const lock = lockText === undefined ? undefined : parseTopicLock(lockText);
  const functions = planFunctions(loaded.plan, lock);
  const problems = [...loaded.problems, ...functions.problems].filter((p) => p.severity !== "note");
  for (const problem of problems) console.error(formatProblem(problem));
  if (problems.some(({ severity }) => severity === "error")) {
    throw new UsageError("The manifests have errors: nothing was packaged");
  }
  if (loaded.secrets.size > 0) {
    const names = [...loaded.secrets.keys()].map((name) => `"${name}"`).join(", ");
    console.error(
      `warning: the package holds the values of Secrets ${names}: give them as app settings instead`,
    );
  }
  return { plan: loaded.plan, functions };
}

async function packageJson(version) {
  return Buffer.from(
    `${JSON.stringify({ name: "isthmus-functions", version, private: true, type: "module", main: MAIN }, null, 2)}\n`,
  );
}

async function writeFiles(files, folder) {
  for (const [name, bytes] of files) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), bytes);
  }
}

/** What a package may hold, at its top: an older one goes, and nothing else of the folder. */
const TOP = [
  "dist",
  "manifests",
  "node_modules",
  "host.json",
  "package.json",
  "package-lock.json",
  "isthmus.lock.json",
];

async function replaceFolder(files, folder) {
  for (const name of TOP) await rm(join(folder, name), { recursive: true, force: true });
  await writeFiles(files, folder);
}

/** Unpacks to an empty folder and loads the entry point with plain Node, as the host's worker does; milliseconds. */
async function loadTime(files) {
  const folder = await mkdtemp(join(tmpdir(), "isthmus-package-"));
  try {
    await writeFiles(files, folder);
    const main = pathToFileURL(join(folder, MAIN)).href;
    const script = `const t=performance.now();await import(${JSON.stringify(main)});console.log(performance.now()-t)`;
    const node = promisify(execFile);
    const { stdout } = await node(process.execPath, ["--input-type=module", "-e", script], {
      cwd: folder,
      env: { PATH: process.env["PATH"] ?? "" },
    });
    return Number(stdout.trim().split("\n").at(-1));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function readLock(path) {
  if (path !== undefined) return readFile(path, "utf8");
  return readFile("isthmus.lock.json", "utf8").catch(() => undefined);
}

async function main() {
  const { file, lock, out, folder, help } = options(process.argv.slice(2));
  if (help) {
    console.log(usage);
    return;
  }
  const lockText = await readLock(lock);
  const { plan, functions } = await planOf(file, lockText);
  const own = JSON.parse(await readFile(join(project, "package.json"), "utf8"));
  const { files, bundled } = await bundle();
  files.set("host.json", await readFile(join(project, "host.json")));
  files.set("package.json", await packageJson(own.version));
  files.set("LICENSE", await readFile(join(project, "LICENSE")));
  files.set("THIRD-PARTY-LICENSES.txt", await licences(bundled));
  for (const [name, bytes] of await manifestFiles(file)) files.set(name, bytes);
  if (lockText !== undefined) files.set("isthmus.lock.json", Buffer.from(lockText));
  for (const route of plan.routes) {
    const native = NATIVE[route.compression];
    if (native !== undefined) await nativeFiles(native, files);
  }
  const archive = zip(files);
  if (folder === undefined) await writeFile(out, archive);
  else await replaceFolder(files, folder);
  const load = await loadTime(files);
  const count = functions.functions.length;
  console.log(
    `${folder ?? out}: ${count} functions, ${files.size} files, ${(archive.length / 1024).toFixed(0)} KiB; loads in ${load.toFixed(0)} ms`,
  );
}

main().catch((error) => {
  const text = error instanceof Error ? error.message : String(error);
  console.error(`isthmus package: ${text}`);
  process.exitCode = 1;
});
