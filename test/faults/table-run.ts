import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { seedOf } from "../support/random.ts";
import { appendResult, type KeptResult, readResults } from "./results.ts";
import type { Row } from "./row.ts";
import { ROWS } from "./rows/all.ts";
import { Run, type RunResult } from "./run.ts";
import { writeTable } from "./table.ts";
import { World } from "./world.ts";

const USAGE = `Usage: npm run faults -- [options]
      --rows NAME,NAME   which rows, by the beginning of their names (default: all)
      --runs N           runs of each row (default 20)
      --messages N       messages of each run, in both directions together (default 100000)
      --seed N           where all chance comes from (default 1)
      --results FILE     JSON lines, one for each run; runs that are in it are not made again (default docs/reliability.jsonl)
      --out FILE         page whose table is written anew (default docs/reliability.md)
      --again            makes runs again that have failed
      --list             shows the rows`;

const PROBLEMS_SHOWN = 6;

interface Settings {
  readonly rows: readonly Row[];
  readonly runs: number;
  readonly messages: number;
  readonly seed: number;
  readonly results: string;
  readonly out: string;
  readonly again: boolean;
}

function settingsOf(args: readonly string[]): Settings | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rows: { type: "string" },
      runs: { type: "string", default: "20" },
      messages: { type: "string", default: "100000" },
      seed: { type: "string", default: "1" },
      results: { type: "string", default: "docs/reliability.jsonl" },
      out: { type: "string", default: "docs/reliability.md" },
      again: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help || values.list) {
    console.log(values.help ? USAGE : ROWS.map(({ name, does }) => `${name}: ${does}`).join("\n"));
    return undefined;
  }
  return {
    rows: values.rows === undefined ? ROWS : values.rows.split(",").map(rowNamed),
    runs: Number(values.runs),
    messages: Number(values.messages),
    seed: Number(values.seed),
    results: values.results,
    out: values.out,
    again: values.again,
  };
}

function rowNamed(name: string): Row {
  const wanted = name.trim().toLowerCase();
  const row = ROWS.find((candidate) => candidate.name.toLowerCase().startsWith(wanted));
  if (row === undefined) {
    throw new RangeError(`No row "${name}": ${ROWS.map((other) => `"${other.name}"`).join(", ")}`);
  }
  return row;
}

/** Where the log of a run that failed was written. */
function keepLog(seed: number, lines: readonly string[]): string {
  const folder = join(tmpdir(), "isthmus-faults");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${seed}.log`);
  writeFileSync(file, lines.join("\n"));
  return file;
}

function commit(): string {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  } catch {
    return "unknown";
  }
}

function lineOf(number: number, result: RunResult): string {
  const { row, seed, messages, outcomes, recoverySeconds, seconds, problems } = result;
  const sum = (of: "lost" | "duplicates" | "reordered"): number =>
    Object.values(outcomes).reduce((total, outcome) => total + outcome[of], 0);
  const counts = `${messages} messages, ${sum("lost")} lost, ${sum("reordered")} reordered, ${sum("duplicates")} duplicates`;
  const excused = Object.values(outcomes).flatMap(({ excused: all }) =>
    Object.entries(all).map(([reason, count]) => `, ${count} ${reason}`),
  );
  const recovery = recoverySeconds.map((value) => value.toFixed(2)).join(" ");
  const verdict = problems.length === 0 ? "ok" : "FAILED";
  return `${verdict} ${row} #${number} seed ${seed}: ${counts}${excused.join("")}; recovered in ${recovery} s; took ${seconds} s`;
}

async function runRow(row: Row, settings: Settings, shared: () => Promise<World>): Promise<number> {
  const { runs, messages, results, again } = settings;
  const kept = readResults(results).filter((result) => result.row === row.name);
  const special = row.world?.();
  let own: World | undefined;
  let failed = 0;
  for (let number = 1; number <= runs; number += 1) {
    const seed = seedOf(settings.seed, row.name, number);
    const before = kept.findLast((result) => result.seed === seed && result.asked === messages);
    if (before !== undefined && (before.problems.length === 0 || !again)) {
      if (before.problems.length > 0) failed += 1;
      continue;
    }
    if (special !== undefined) own ??= await World.open(special);
    const run = new Run({ world: own ?? (await shared()), row, seed, messages });
    const result = await run.play();
    const keep: KeptResult = {
      ...result,
      number,
      asked: messages,
      commit: commit(),
      at: new Date().toISOString(),
    };
    appendResult(results, keep);
    console.log(lineOf(number, result));
    if (result.problems.length === 0) continue;
    failed += 1;
    console.log(result.problems.slice(0, PROBLEMS_SHOWN).join("\n"));
    console.log(`The log of the bridge: ${keepLog(seed, [...result.problems, run.log()])}`);
  }
  await own?.close();
  special?.close?.();
  return failed;
}

/** Makes the runs that are not made yet, writes the table, and returns the exit code. */
export async function runTable(args: readonly string[]): Promise<number> {
  const settings = settingsOf(args);
  if (settings === undefined) return 0;
  let world: World | undefined;
  let failed = 0;
  try {
    for (const row of settings.rows) {
      failed += await runRow(row, settings, async () => {
        world ??= await World.open();
        return world;
      });
    }
  } finally {
    await world?.close();
  }
  writeTable(settings.out, ROWS, readResults(settings.results));
  return failed === 0 ? 0 : 1;
}
