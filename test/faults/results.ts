import { appendFileSync, existsSync, readFileSync } from "node:fs";
import type { RunResult } from "./run.ts";

/** A line of the file of results. */
export interface KeptResult extends RunResult {
  /** Of the run within its row, from 1. */
  readonly number: number;
  /** Messages that were asked for; a row may need more. */
  readonly asked: number;
  readonly commit: string;
  /** RFC 3339. */
  readonly at: string;
}

export function readResults(file: string): KeptResult[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as KeptResult);
}

/** In one write, so that several processes may share the file. */
export function appendResult(file: string, result: KeptResult): void {
  appendFileSync(file, `${JSON.stringify(result)}\n`);
}
