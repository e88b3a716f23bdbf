// npm run brokers: brings up the brokers that the tests use, for a developer, until Ctrl-C.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { buildSync } from "esbuild";

// Node 20 reads no TypeScript
const folder = mkdtempSync(join(tmpdir(), "isthmus-brokers-"));
const outfile = join(folder, "brokers.mjs");
buildSync({
  entryPoints: ["test/support/test-brokers.ts"],
  bundle: true,
  platform: "node",
  format: "esm",
  outfile,
});
const { startTestBrokers } = await import(pathToFileURL(outfile).href);
rmSync(folder, { recursive: true });

const brokers = await startTestBrokers({});
for (const [broker, why] of Object.entries(brokers.missing)) {
  console.error(`No ${broker}: ${why}`);
}
for (const [name, value] of Object.entries(brokers.variables)) {
  console.log(`export ${name}=${value}`);
}
if (Object.keys(brokers.missing).length < 2) {
  console.error("The brokers are up. Ctrl-C ends them and removes their data.");
  await new Promise((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
    setInterval(() => {}, 60_000);
  });
}
await brokers.dispose();
process.exit(Object.keys(brokers.missing).length === 0 ? 0 : 1);
