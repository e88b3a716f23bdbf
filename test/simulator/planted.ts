import { mkdtempSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";
import { isPlantedIn, type PlantedBug, plant } from "../support/planted-bug.ts";
import type { Engine } from "./engine.ts";
import type { SIMULATIONS, trySeeds } from "./seeds.ts";

const root = resolve(import.meta.dirname, "../..");

/** The simulator, with one engine in it. */
export interface Simulator {
  readonly ENGINE: Engine;
  readonly SIMULATIONS: typeof SIMULATIONS;
  readonly trySeeds: typeof trySeeds;
}

/** The simulator around an engine with a bug in it: bundled into `folder` as one, for an error has one class only. */
export async function simulatorWith(bug: PlantedBug, folder: string): Promise<Simulator> {
  const outfile = join(mkdtempSync(join(folder, "planted-")), "simulator.mjs");
  await build({
    stdin: {
      contents: 'export * from "./seeds.ts"; export * from "./engine.ts";',
      resolveDir: join(root, "test/simulator"),
    },
    ...{ outfile, bundle: true, platform: "node", format: "esm", logLevel: "error" },
    plugins: [plugin(bug)],
  });
  return (await import(pathToFileURL(outfile).href)) as Simulator;
}

function plugin(bug: PlantedBug): Plugin {
  return {
    name: "planted-bug",
    setup({ onLoad }): void {
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        if (!isPlantedIn(bug, path)) return undefined;
        return { contents: plant(bug, readFileSync(path, "utf8")), loader: "ts" };
      });
    },
  };
}
