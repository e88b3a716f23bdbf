// node scripts/run.mjs ENTRY [ARGUMENT...]: runs a TypeScript file of this repository, which Node.js 20 cannot by itself.
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

const [entry, ...rest] = process.argv.slice(2);
// two folders deep, as the sources are: they look for their neighbours
const outfile = resolve(".isthmus/run", `${entry.replaceAll(/\W/g, "-")}.mjs`);
await build({
  entryPoints: [entry],
  ...{ outfile, bundle: true, packages: "external", platform: "node", format: "esm" },
});
process.argv = [process.argv[0], outfile, ...rest];
await import(pathToFileURL(outfile).href);
