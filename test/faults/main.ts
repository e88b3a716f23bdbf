import { runTable } from "./table-run.ts";

process.exitCode = await runTable(process.argv.slice(2));
