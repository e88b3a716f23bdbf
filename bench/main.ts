import { readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { startKafka } from "../test/support/kafka-broker.ts";
import { startMosquitto } from "../test/support/mosquitto-broker.ts";
import { measureBridges, type Rounds } from "./bridges.ts";
import type { Direction } from "./contender.ts";
import { sharesTable } from "./cpu-shares.ts";
import { KafkaSide } from "./kafka-side.ts";
import { measureLatency } from "./latency.ts";
import { buildNativeLoad } from "./native-load.ts";
import { measurePackages, packageTable } from "./package-load.ts";
import { PROFILED, profileBridge } from "./profile.ts";
import { fallenRatios, messagesOfRatios, writeRatios } from "./ratios.ts";
import type { Stage } from "./run.ts";
import { measureScaling } from "./scaling.ts";
import { markdown, rowsOf } from "./table.ts";

const USAGE = `npm run bench -- [WORD...] [--runs 3] [--messages 200000] [--size 200] [--write]
  bridges   messages a second, CPU and memory, beside the sketches and the native tool [--directions k2m,m2k] [--qos 1,0]
            [--bridges isthmus,tuned,naive,native]
  latency   at 5,000 messages a second
  scaling   what becomes of the rate as partitions, sizes, headers, instances, topics, routes and backlog grow [--only WORD,...]
  package   the size of the Functions app and how long it loads; needs no broker
  handlers  what the Functions handlers add to the engine; needs no Kafka
  profile   where the CPU time of the runner goes, as flame graphs, which --write puts into docs
  ratios    fails when a ratio has fallen by a quarter since bench/ratios.json was written (--write)
Without a word: bridges, latency and package. --write puts the tables into docs/performance.md.`;
const PAGE = "docs/performance.md";
const FIGURES = "docs";
/** Where flame graphs are left that nobody asked to keep. */
const UNKEPT = ".isthmus/bench";

interface Options extends Rounds {
  readonly words: readonly string[];
  readonly messages: number;
  readonly size: number;
  readonly only: readonly string[];
  readonly write: boolean;
}

function options(): Options {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      runs: { type: "string", default: "3" },
      messages: { type: "string", default: "200000" },
      size: { type: "string", default: "200" },
      directions: { type: "string", default: "k2m,m2k" },
      qos: { type: "string", default: "1,0" },
      bridges: { type: "string", default: "isthmus,tuned,naive,native" },
      only: { type: "string", default: "" },
      write: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help || positionals.some((word) => !(word in WORDS))) {
    say(USAGE);
    process.exit(values.help ? 0 : 1);
  }
  return {
    ...{ runs: Number(values.runs), messages: Number(values.messages), size: Number(values.size) },
    words: positionals.length === 0 ? ["bridges", "latency", "package"] : positionals,
    directions: values.directions.split(",") as Direction[],
    qos: values.qos.split(",").map(Number) as (0 | 1)[],
    bridges: values.bridges.split(","),
    only: values.only.split(","),
    write: values.write,
  };
}

/** Runs `work` with real brokers and a topic of `messages` numbered messages. */
async function onStage(
  { size }: Options,
  messages: number,
  work: (stage: Stage) => Promise<void>,
): Promise<void> {
  const load = buildNativeLoad();
  const broker = await startKafka();
  if ("missing" in broker) throw new Error(broker.missing);
  const mosquitto = await startMosquitto();
  if ("missing" in mosquitto) throw new Error(mosquitto.missing);
  const kafka = new KafkaSide(broker.addresses.plain);
  try {
    await kafka.open();
    const filled = "filled";
    await kafka.createTopic(filled);
    await kafka.fill(filled, messages, size);
    await work({ kafka, url: mosquitto.addresses.plain, load, messages, size, filled });
  } finally {
    await kafka.close();
    await Promise.all([broker.dispose(), mosquitto.dispose()]);
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function machine(): string {
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} cores (${cpu?.model.trim()}), ${memory} GB, Node.js ${process.version}`;
}

/** Prints a table and, where it is asked for, puts it between the marks of that name. */
function show({ write }: Options, mark: string, about: string, table: string): void {
  say(`\n${machine()}. ${about}\n\n${table}\n`);
  if (!write) return;
  const page = readFileSync(PAGE, "utf8");
  const [before] = page.split(`<!-- ${mark} -->`);
  const [, after] = page.split(`<!-- /${mark} -->`);
  const text = `${machine()}. ${about}\n\n${table}`;
  writeFileSync(PAGE, `${before}<!-- ${mark} -->\n\n${text}\n\n<!-- /${mark} -->${after}`);
}

/** What a word on the command line measures. */
const WORDS: Readonly<Record<string, (given: Options) => Promise<void>>> = {
  bridges: (given) =>
    onStage(given, given.messages, async (stage) => {
      const { runs, messages, size } = given;
      const table = markdown(rowsOf(await measureBridges(stage, given, say), messages));
      const command = `npm run bench -- bridges --runs ${runs} --messages ${messages} --size ${size} --write`;
      const about = `Medians of ${runs} runs of ${messages.toLocaleString("en")} messages of ${size} bytes with three headers. \`${command}\``;
      show(given, "table", about, table);
    }),
  latency: (given) =>
    onStage(given, 0, async (stage) => {
      const table = await measureLatency(stage, given.runs);
      const about = `Medians of ${given.runs} runs of 50,000 messages. \`npm run bench -- latency --runs ${given.runs} --write\``;
      show(given, "latency", about, table);
    }),
  scaling: (given) =>
    onStage(given, 0, async (stage) => {
      const table = await measureScaling(stage, given.only, say);
      show(given, "scaling", "`npm run bench -- scaling --write`", table);
    }),
  package: async (given) => {
    const table = packageTable(measurePackages());
    show(given, "package", "`npm run bench -- package --write`", table);
  },
  handlers: async (given) => {
    // loads @azure/functions, which nothing else here does
    const { handlersTable, measureHandlers } = await import("./handlers.ts");
    const { runs, size } = given;
    const table = handlersTable(await measureHandlers(runs, size));
    const command = `npm run bench -- handlers --runs ${runs} --size ${size} --write`;
    const about = `Medians of ${runs} rounds, messages of ${size} bytes with three headers. \`${command}\``;
    show(given, "handlers", about, table);
  },
  profile: (given) =>
    onStage(given, given.messages, async (stage) => {
      const { messages, size } = given;
      const folder = given.write ? FIGURES : UNKEPT;
      const table = sharesTable(await profileBridge(stage, folder));
      const figures = PROFILED.map(({ name, file }) => `![${name}](${file})`).join("\n\n");
      const command = `npm run bench -- profile --messages ${messages} --size ${size} --write`;
      const about = `${messages.toLocaleString("en")} messages of ${size} bytes with three headers at QoS 1. \`${command}\``;
      show(given, "profile", about, `${table}\n\n${figures}`);
      say(`The flame graphs are in ${folder}`);
    }),
  ratios: (given) =>
    onStage(given, given.write ? given.messages : messagesOfRatios(), async (stage) => {
      if (given.write) return writeRatios(stage, say);
      const problems = await fallenRatios(stage, say);
      for (const problem of problems) say(`Too slow: ${problem}`);
      if (problems.length > 0) process.exitCode = 1;
    }),
};

const given = options();
for (const word of given.words) await WORDS[word]?.(given);
