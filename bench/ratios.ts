import { readFileSync, writeFileSync } from "node:fs";
import { measureBridges } from "./bridges.ts";
import type { Outcome, Stage } from "./run.ts";
import { type Row, rowsOf } from "./table.ts";

const FILE = "bench/ratios.json";
const OTHER = "tuned";
const ROUNDS = 3;
/** A ratio may fall by so much of what it was when it was written down: machines are noisy. */
const FALL = 0.25;

/** Of our rate to that of the tuned sketch, by direction and QoS: "k2m 1". */
type Ratios = Readonly<Record<string, number>>;

/** Writes down what later runs are held to. */
export async function writeRatios(stage: Stage, say: (line: string) => void): Promise<void> {
  const ratios = ratiosOf(await outcomes(stage, say), stage.messages);
  writeFileSync(FILE, `${JSON.stringify({ messages: stage.messages, ratios }, undefined, 2)}\n`);
}

/** How many messages the ratios that were written down were measured with. */
export function messagesOfRatios(): number {
  return written().messages;
}

/** Which ratios have fallen by a quarter or more, as sentences. What has fallen once is measured again: medians of all count then. */
export async function fallenRatios(stage: Stage, say: (line: string) => void): Promise<string[]> {
  let all = await outcomes(stage, say);
  if (fallen(written().ratios, ratiosOf(all, stage.messages)).length > 0) {
    say("measured again, for it was too slow");
    all = [...all, ...(await outcomes(stage, say))];
  }
  return fallen(written().ratios, ratiosOf(all, stage.messages));
}

/** Compares ratios with those they are held to; one that is not there at all has fallen too. */
export function fallen(before: Ratios, now: Ratios): string[] {
  return Object.entries(before).flatMap(([cell, ratio]) => {
    const least = ratio * (1 - FALL);
    const found = now[cell] ?? 0;
    if (found >= least) return [];
    return [
      `${cell}: ${found.toFixed(2)} times the tuned sketch; it was ${ratio.toFixed(2)} and must be ${least.toFixed(2)}`,
    ];
  });
}

export function ratiosOf(all: readonly Outcome[], messages: number): Ratios {
  const rows = rowsOf(all, messages).filter(({ name }) => name === OTHER);
  return Object.fromEntries(
    rows.map((row: Row) => [
      `${row.direction} ${row.qos}`,
      Math.round((row.ratio ?? 0) * 100) / 100,
    ]),
  );
}

function written(): { readonly messages: number; readonly ratios: Ratios } {
  return JSON.parse(readFileSync(FILE, "utf8"));
}

function outcomes(stage: Stage, say: (line: string) => void): Promise<Outcome[]> {
  const bridges = ["isthmus", OTHER];
  return measureBridges(
    stage,
    { runs: ROUNDS, directions: ["k2m", "m2k"], qos: [1, 0], bridges },
    say,
  );
}
