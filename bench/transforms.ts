import { cpus } from "node:os";
import { compileTransform } from "../shared/expressions/transform.ts";
import type { Transform } from "../shared/model/transform.ts";

const SECONDS = 3;
const MESSAGES = 1000;

const fiveFields: Transform = {
  datasets: [],
  datasetsConfigMap: "datasets",
  filter: [],
  filterDrops: true,
  map: [
    { inputs: ["deviceId"], output: "device.id" },
    { inputs: ["temperature"], output: "device.temperatureF", expression: "cToF($1)" },
    { inputs: ["pressure", "offset"], output: "pressure", expression: "($1 + $2) * 1.5" },
    { inputs: ["status"], output: "running", expression: '$1 == "running"' },
    { inputs: ["line"], output: "line", expression: "str::to_uppercase($1)" },
  ],
};
const filtered: Transform = {
  ...fiveFields,
  filter: [{ inputs: ["temperature"], expression: "$1 < 0" }],
};
const wildcard: Transform = {
  ...fiveFields,
  map: [
    { inputs: ["*"], output: "*" },
    { inputs: ["temperature"], output: "temperatureF", expression: "cToF($1)" },
  ],
};

/** Payloads of a kind and not of one text, so that nothing is read from a memory of the engine. */
function payloads(): Uint8Array[] {
  const encoder = new TextEncoder();
  return Array.from({ length: MESSAGES }, (_, i) =>
    encoder.encode(
      JSON.stringify({
        deviceId: `machine-${i % 97}`,
        temperature: 20 + (i % 400) / 16,
        pressure: 1000 + (i % 13),
        offset: 0.25,
        status: i % 2 === 0 ? "running" : "idle",
        line: `line-${i % 7}`,
      }),
    ),
  );
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Messages a second of one core: read as JSON, transformed, written as JSON. CPU time counts, for others may use the machine too. */
function rateOf(transform: Transform, messages: readonly Uint8Array[], seconds: number): number {
  const run = compileTransform(transform, new Map());
  let count = 0;
  const begun = cpuSeconds();
  while (cpuSeconds() - begun < seconds) {
    for (const payload of messages) {
      const view = { payload, topic: "t", contentType: undefined, property: () => undefined };
      if (run(view).kind !== "passed") throw new Error("A message did not pass");
      count += 1;
    }
  }
  return count / (cpuSeconds() - begun);
}

const messages = payloads();
const rows: [name: string, transform: Transform][] = [
  ["a map of five fields", fiveFields],
  ["a filter, then a map of five fields", filtered],
  ["everything copied, one field more", wildcard],
];
say(`Node.js ${process.version}, ${cpus()[0]?.model}, one core, ${messages[0]?.length} bytes`);
say("| transform | messages/s | rules/s |\n|---|---|---|");
for (const [name, transform] of rows) {
  rateOf(transform, messages, 1);
  const rate = rateOf(transform, messages, SECONDS);
  const rules = rate * ((transform.map?.length ?? 0) + transform.filter.length);
  say(`| ${name} | ${thousands(rate)} | ${thousands(rules)} |`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function thousands(rate: number): string {
  return `${(Math.floor(rate / 1000) * 1000).toLocaleString("en-US")}`;
}
