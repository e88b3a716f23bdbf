import { readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { startKafka } from "../test/support/kafka-broker.ts";
import { startMosquitto } from "../test/support/mosquitto-broker.ts";
import { CONTENDERS, type Direction } from "./contender.ts";
import { KafkaSide } from "./kafka-side.ts";
import { buildNativeLoad } from "./native-load.ts";
import { measurePackages, packageTable } from "./package-load.ts";
import { type Outcome, runTrial, type Stage, type Trial } from "./run.ts";
import { markdown, rowsOf } from "./table.ts";

const USAGE = `npm run bench -- package [--write]     the size of the Functions app and how long it loads, nothing else
npm run bench -- [--runs 3] [--messages 200000] [--size 200] [--directions k2m,m2k] [--qos 1,0]
  [--bridges isthmus,tuned,naive,native] [--write]     --write puts the tables into docs/performance.md`;
const PAGE = "docs/performance.md";

interface Options {
  readonly runs: number;
  readonly messages: number;
  readonly size: number;
  readonly directions: readonly Direction[];
  readonly qos: readonly (0 | 1)[];
  readonly bridges: readonly string[];
  readonly write: boolean;
  readonly packageOnly: boolean;
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
      write: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    say(USAGE);
    process.exit(0);
  }
  if (positionals.some((word) => word !== "package")) throw new Error(USAGE);
  return {
    ...{ runs: Number(values.runs), messages: Number(values.messages), size: Number(values.size) },
    directions: values.directions.split(",") as Direction[],
    qos: values.qos.split(",").map(Number) as (0 | 1)[],
    bridges: values.bridges.split(","),
    write: values.write,
    packageOnly: positionals.length > 0,
  };
}

async function setStage(messages: number, size: number): Promise<[Stage, () => Promise<void>]> {
  const load = buildNativeLoad();
  const broker = await startKafka();
  if ("missing" in broker) throw new Error(broker.missing);
  const mosquitto = await startMosquitto();
  if ("missing" in mosquitto) throw new Error(mosquitto.missing);
  const kafka = new KafkaSide(broker.addresses.plain);
  await kafka.open();
  const filled = "filled";
  await kafka.createTopic(filled);
  await kafka.fill(filled, 0, messages, size);
  const close = async (): Promise<void> => {
    await kafka.close();
    await Promise.all([broker.dispose(), mosquitto.dispose()]);
  };
  return [{ kafka, url: mosquitto.addresses.plain, load, messages, size, filled }, close];
}

/** Every bridge once a round, one after the other, so that a round's ratios were measured side by side. */
function trials({ runs, directions, qos, bridges }: Options): Trial[] {
  const rounds = Array.from({ length: runs }, (_, index) => index + 1);
  return rounds
    .flatMap((run) =>
      directions.flatMap((direction) => qos.map((q) => ({ run, direction, qos: q }))),
    )
    .flatMap((cell) =>
      bridges.map((name) => ({
        ...cell,
        contender: CONTENDERS.find((one) => one.name === name) ?? ("native" as const),
      })),
    )
    .filter(({ contender, direction }) => contender !== "native" || direction === "k2m");
}

async function measure(stage: Stage, given: Options): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const trial of trials(given)) {
    const outcome = await runTrial(stage, trial);
    outcomes.push(outcome);
    const { name, rate, cpuMicros, residentMb, unique, doubled, reordered } = outcome;
    say(
      `${trial.run} ${trial.direction} QoS ${trial.qos} ${name.padEnd(8)} ${Math.round(rate)}/s ${cpuMicros.toFixed(1)} us ${residentMb.toFixed(0)} MB, ${unique} came, ${doubled} twice, ${reordered} out of order`,
    );
  }
  return outcomes;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function machine(): string {
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} cores (${cpu?.model.trim()}), ${memory} GB, Node.js ${process.version}`;
}

/** Puts `text` between the marks of that name. */
function write(mark: string, text: string): void {
  const page = readFileSync(PAGE, "utf8");
  const [before] = page.split(`<!-- ${mark} -->`);
  const [, after] = page.split(`<!-- /${mark} -->`);
  writeFileSync(PAGE, `${before}<!-- ${mark} -->\n\n${text}\n\n<!-- /${mark} -->${after}`);
}

function benchPackages(given: Options): void {
  const table = packageTable(measurePackages());
  say(`\n${machine()}\n\n${table}`);
  if (given.write)
    write("package", `${machine()}. \`npm run bench -- package --write\`\n\n${table}`);
}

async function benchBridges(given: Options): Promise<void> {
  const [stage, close] = await setStage(given.messages, given.size);
  try {
    const table = markdown(rowsOf(await measure(stage, given), given.messages));
    say(`\n${machine()}\n\n${table}`);
    const { runs, messages, size } = given;
    const command = `npm run bench -- --runs ${runs} --messages ${messages} --size ${size} --write`;
    const about = `${machine()}. Medians of ${runs} runs of ${messages.toLocaleString("en")} messages of ${size} bytes with three headers. \`${command}\``;
    if (given.write) write("table", `${about}\n\n${table}`);
  } finally {
    await close();
  }
}

const given = options();
if (!given.packageOnly) await benchBridges(given);
benchPackages(given);
