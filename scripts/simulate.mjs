// npm run simulate -- NAME SEED [COUNT]: the simulator of the engine (test/simulator), outside the test runner.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

const folder = mkdtempSync(join(tmpdir(), "isthmus-simulate-"));
const outfile = join(folder, "simulate.mjs");
try {
  await build({
    entryPoints: [resolve(import.meta.dirname, "../test/simulator/cli.ts")],
    ...{ outfile, bundle: true, platform: "node", format: "esm", logLevel: "error" },
  });
  await import(pathToFileURL(outfile).href);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
