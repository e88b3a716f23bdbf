import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem, type } from "node:os";
import type { KeptResult } from "./results.ts";
import type { Row } from "./row.ts";

const TABLE = [
  "<!-- table of faults: npm run faults writes it -->",
  "<!-- end of the table of faults -->",
] as const;
const ROWS = ["<!-- rows: npm run faults writes them -->", "<!-- end of the rows -->"] as const;
const HEAD = [
  "| fault | runs | messages | lost | reordered | duplicates (most in a run) | bound | seconds to recover (median, most) |",
  "|---|---|---|---|---|---|---|---|",
];

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}

function latest(row: Row, results: readonly KeptResult[]): KeptResult[] {
  const bySeed = new Map<string, KeptResult>();
  for (const result of results) {
    if (result.row === row.name) bySeed.set(`${result.seed} ${result.asked}`, result);
  }
  return [...bySeed.values()];
}

function count(result: KeptResult, of: "lost" | "reordered" | "duplicates"): number {
  return sum(Object.values(result.outcomes).map((outcome) => outcome[of]));
}

function excuses(runs: readonly KeptResult[]): string {
  const total = new Map<string, number>();
  for (const { outcomes } of runs) {
    for (const { excused } of Object.values(outcomes)) {
      for (const [reason, n] of Object.entries(excused)) {
        total.set(reason, (total.get(reason) ?? 0) + n);
      }
    }
  }
  return [...total].map(([reason, n]) => `; ${n.toLocaleString("en")} ${reason}`).join("");
}

function lineOf(row: Row, runs: readonly KeptResult[]): string {
  const recoveries = runs.flatMap(({ recoverySeconds }) => recoverySeconds);
  const messages = sum(runs.map((run) => run.messages)).toLocaleString("en");
  const recovery =
    recoveries.length === 0
      ? "none"
      : `${median(recoveries).toFixed(1)}, ${Math.max(...recoveries).toFixed(1)}`;
  const cells = [
    row.name,
    runs.length,
    `${messages}${excuses(runs)}`,
    sum(runs.map((run) => count(run, "lost"))),
    sum(runs.map((run) => count(run, "reordered"))),
    Math.max(0, ...runs.map((run) => count(run, "duplicates"))),
    row.boundInWords,
    recovery,
  ];
  return `| ${cells.join(" | ")} |`;
}

/** The table of all rows that have results, and where they were made. */
export function tableOf(rows: readonly Row[], results: readonly KeptResult[]): string {
  const lines = rows.flatMap((row) => {
    const runs = latest(row, results);
    return runs.length === 0 ? [] : [lineOf(row, runs)];
  });
  const [cpu] = cpus();
  const machine = `${cpus().length} × ${cpu?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB, ${type()}, Node ${process.versions.node}`;
  return [...HEAD, ...lines, "", `Machine: ${machine}.`].join("\n");
}

/** Puts `text` between two marks; a page without them is left as it is. */
function between(page: string, [begin, end]: readonly [string, string], text: string): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) return page;
  return `${page.slice(0, from)}${begin}\n${text}\n${page.slice(to)}`;
}

/** Writes the table and the list of the rows into a page. */
export function writeTable(
  file: string,
  rows: readonly Row[],
  results: readonly KeptResult[],
): void {
  if (!existsSync(file)) return;
  const list = rows.map(({ name, does }) => `- **${name}**: ${does}`).join("\n");
  const page = between(readFileSync(file, "utf8"), TABLE, tableOf(rows, results));
  writeFileSync(file, between(page, ROWS, list));
}
