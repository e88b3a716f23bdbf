// npm run layers: holds the imports of functions, shared and local to the rules of .dependency-cruiser.cjs.
import { existsSync } from "node:fs";
import { cruise } from "dependency-cruiser";
import extractOptions from "dependency-cruiser/config-utl/extract-depcruise-options";
import extractTsConfig from "dependency-cruiser/config-utl/extract-ts-config";

const folders = ["functions", "shared", "local"].filter((folder) => existsSync(folder));
const options = await extractOptions("./.dependency-cruiser.cjs");
const { output } = await cruise(folders, options, undefined, {
  tsConfig: extractTsConfig("./tsconfig.json"),
});
const { violations, totalCruised, totalDependenciesCruised } = output.summary;

for (const { rule, from, to } of violations) console.error(`${rule.name}: ${from} -> ${to}`);
console.log(
  `${totalCruised} modules, ${totalDependenciesCruised} imports, ${violations.length} violations`,
);
// with a TypeScript that it cannot use, dependency-cruiser sees nothing and is content
if (totalCruised === 0) console.error("Cannot check the layers: no module was cruised");
process.exitCode = violations.length > 0 || totalCruised === 0 ? 1 : 0;
