import { Random } from "../support/random.ts";
import type { FuzzedDecoder } from "./decoders.ts";
import { hostileBytes } from "./mutate.ts";

export interface FuzzRun {
  readonly decoder: FuzzedDecoder;
  /** Every input follows from the seed and its number alone. */
  readonly seed: number;
  readonly first: number;
  readonly count: number;
  /** Called every so many inputs. */
  readonly progress?: (done: number) => void;
}

export interface FuzzResult {
  /** The input that took longest, in milliseconds. */
  readonly slowestMs: number;
  readonly slowest: number;
}

const PROGRESS_EVERY = 2000;

/** Hands hostile bytes to a decoder. @throws Error that names seed, number and bytes of the input that it threw at, with its error as cause */
export async function fuzz(run: FuzzRun): Promise<FuzzResult> {
  const { decoder, seed, first, count, progress } = run;
  const scraps = decoder.scraps.map((text) => Buffer.from(text));
  let slowestMs = 0;
  let slowest = first;
  for (let index = first; index < first + count; index += 1) {
    const random = new Random(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index, 0x85ebca6b));
    const bytes = hostileBytes(random, decoder.examples, scraps);
    const begun = performance.now();
    try {
      const pending = decoder.decode(Buffer.from(bytes));
      if (pending !== undefined) await pending;
    } catch (cause) {
      const what = `${decoder.name}, seed ${seed}, input ${index}`;
      throw new Error(`${what}: ${cause}\n${bytes.toString("hex")}`, { cause });
    }
    const ms = performance.now() - begun;
    if (ms > slowestMs) {
      slowestMs = ms;
      slowest = index;
    }
    if ((index - first) % PROGRESS_EVERY === 0) progress?.(index - first);
  }
  return { slowestMs, slowest };
}
