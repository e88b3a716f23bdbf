import { runTable } from "./table-run.ts";

// whatever a broken run has left behind ends with it
process.exit(await runTable(process.argv.slice(2)));
