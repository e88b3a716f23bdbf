import { mkdtempSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";
import type { Engine } from "./engine.ts";
import type { SIMULATIONS, trySeeds } from "./seeds.ts";

/** A bug, as a change of one place in one file of the engine. */
export interface Planted {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const root = resolve(import.meta.dirname, "../..");

/** The simulator, with one engine in it. */
export interface Simulator {
  readonly ENGINE: Engine;
  readonly SIMULATIONS: typeof SIMULATIONS;
  readonly trySeeds: typeof trySeeds;
}

/** The simulator around an engine with a bug in it: bundled into `folder` as one, for an error has one class only. */
export async function simulatorWith(planted: Planted, folder: string): Promise<Simulator> {
  const outfile = join(mkdtempSync(join(folder, "planted-")), "simulator.mjs");
  await build({
    stdin: {
      contents: 'export * from "./seeds.ts"; export * from "./engine.ts";',
      resolveDir: join(root, "test/simulator"),
    },
    ...{ outfile, bundle: true, platform: "node", format: "esm", logLevel: "error" },
    plugins: [plant(planted)],
  });
  return (await import(pathToFileURL(outfile).href)) as Simulator;
}

function plant({ file, from, to }: Planted): Plugin {
  return {
    name: "plant",
    setup({ onLoad }): void {
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        if (path !== join(root, file)) return undefined;
        const code = readFileSync(path, "utf8");
        const places = code.split(from).length - 1;
        if (places !== 1) throw new Error(`${file} has ${places} places like this: ${from}`);
        return { contents: code.replace(from, () => to), loader: "ts" };
      });
    },
  };
}
