import { ENGINE } from "./engine.ts";
import { SIMULATIONS, type SimulationName, trySeeds } from "./seeds.ts";

/** `npm run simulate -- NAME SEED [COUNT]`: shows one seed step by step, or tries many. */
async function main([name = "", seed = "1", count]: readonly string[]): Promise<number> {
  if (!(name in SIMULATIONS)) {
    console.error(`Usage: npm run simulate -- ${Object.keys(SIMULATIONS).join("|")} SEED [COUNT]`);
    return 1;
  }
  const simulation = name as SimulationName;
  if (count === undefined) {
    const trace: string[] = [];
    const violations = await SIMULATIONS[simulation](ENGINE, Number(seed), trace);
    console.log([...trace, "", `${violations.length} violations`, ...violations].join("\n"));
    return violations.length === 0 ? 0 : 1;
  }
  const found = await trySeeds(simulation, ENGINE, Number(seed), Number(count));
  console.log(
    found === undefined ? `${count} seeds, nothing wrong` : JSON.stringify(found, null, 2),
  );
  return found === undefined ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
