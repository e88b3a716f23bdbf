/** The package of the Functions app: how large it is, and how long its module loads beside an empty app's. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { unzip } from "../test/support/unzip.ts";

/** Of each kind: data flows with an identity, data flows with certificates, a connector. */
const MANIFESTS = [
  "examples/event-hubs",
  "test/fixtures/infra/manifests/kafka-x509.yaml",
  "examples/factory/alerts-and-commands.yaml",
];
const ROUNDS = 25;
const MAX_BYTES = 3_000_000;
const MAX_MS = 200;
const MAX_RATIO = 2;

/** The first example of @azure/functions, with the library beside it as npm installs it. */
const EMPTY_APP = `import { app } from "@azure/functions";
app.http("hello", { methods: ["GET"], handler: async () => ({ body: "hello" }) });
`;

const LOAD = `const cpu = process.cpuUsage(), started = performance.now();
await import("./dist/functions/app.js");
const wall = performance.now() - started, { user, system } = process.cpuUsage(cpu);
console.log(JSON.stringify({ wall, cpu: (user + system) / 1000 }));
`;

/** Milliseconds until a module is loaded, and of CPU time, which other programs hardly change. */
interface LoadTime {
  readonly wall: number;
  readonly cpu: number;
}

export interface PackageLoad {
  readonly manifests: string;
  readonly bytes: number;
  readonly app: LoadTime;
  readonly empty: LoadTime;
}

function writeApp(folder: string, files: ReadonlyMap<string, Buffer | string>): void {
  for (const [name, bytes] of new Map([...files, ["load.mjs", LOAD]])) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  }
}

/** In a process of its own. What the app prints comes before the figures. */
function loadOnce(folder: string): LoadTime {
  const printed = execFileSync(process.execPath, ["load.mjs"], {
    cwd: folder,
    env: {},
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return JSON.parse(printed.trim().split("\n").at(-1) ?? "") as LoadTime;
}

/** The fastest: what is more was done by other programs. */
function fastest(times: readonly LoadTime[]): LoadTime {
  const least = (of: keyof LoadTime): number => Math.min(...times.map((time) => time[of]));
  return { wall: least("wall"), cpu: least("cpu") };
}

function measureOne(manifests: string, work: string): PackageLoad {
  const archive = join(work, "isthmus.zip");
  const folder = mkdtempSync(join(work, "app-"));
  const options = ["scripts/package.mjs", "-f", manifests, "-o", archive];
  execFileSync(process.execPath, options, { stdio: ["ignore", "ignore", "inherit"] });
  const zipped = readFileSync(archive);
  writeApp(folder, unzip(zipped));
  const rounds = Array.from({ length: ROUNDS }, () => ({
    app: loadOnce(folder),
    empty: loadOnce(join(work, "empty")),
  }));
  return {
    ...{ manifests, bytes: zipped.length },
    app: fastest(rounds.map(({ app }) => app)),
    empty: fastest(rounds.map(({ empty }) => empty)),
  };
}

/** Packages each set of manifests and loads it alone in a folder, in turns with an empty app. Needs what npm run build makes. */
export function measurePackages(): PackageLoad[] {
  const work = mkdtempSync(join(tmpdir(), "isthmus-bench-package-"));
  try {
    const empty = new Map([
      ["package.json", '{"type":"module"}'],
      ["dist/functions/app.js", EMPTY_APP],
    ]);
    writeApp(join(work, "empty"), empty);
    symlinkSync(resolve("node_modules"), join(work, "empty/node_modules"), "junction");
    return MANIFESTS.map((manifests) => measureOne(manifests, work));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Whether it is as small and as quick as it has to be. */
export function meetsTargets({ bytes, app, empty }: PackageLoad): boolean {
  return bytes < MAX_BYTES && app.wall < Math.min(MAX_MS, MAX_RATIO * empty.wall);
}

export function packageTable(loads: readonly PackageLoad[]): string {
  const ms = ({ wall, cpu }: LoadTime): string => `${wall.toFixed(0)} ms (${cpu.toFixed(0)} ms)`;
  const rows = loads.map((load) => {
    const ratio = (load.app.wall / load.empty.wall).toFixed(2);
    const times = [ms(load.app), ms(load.empty), ratio];
    const kib = `${(load.bytes / 1024).toFixed(0)} KiB`;
    return [load.manifests, kib, ...times, meetsTargets(load) ? "yes" : "no"].join(" | ");
  });
  return [
    "| manifests | zipped | loads in (CPU time) | an empty app | times | below 3 MB, 200 ms and 2 times |",
    "|---|---|---|---|---|---|",
    ...rows.map((row) => `| ${row} |`),
  ].join("\n");
}
