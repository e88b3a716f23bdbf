/** `npm run fuzz -- [COUNT [SEED [NAME [FIRST]]]]`: hands every decoder so many hostile inputs, a million by default. */
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { DECODERS } from "./decoders.ts";
import { type FuzzResult, fuzz } from "./fuzz.ts";

interface Job {
  readonly name: string;
  readonly count: number;
  readonly seed: number;
  readonly first: number;
}

type Answer = { readonly done: number } | { readonly result: FuzzResult; readonly heapMb: number };

/** What a decoder may keep and use at a time: beyond it the thread is ended. */
const HEAP_MB = 192;
/** Nothing is to take as long as 2,000 inputs and this. */
const HANGS_MS = 30_000;

async function work({ name, count, seed, first }: Job): Promise<void> {
  const decoder = DECODERS.find((each) => each.name === name);
  if (decoder === undefined) throw new RangeError(`There is no decoder "${name}"`);
  const tell = (answer: Answer): void => parentPort?.postMessage(answer);
  const result = await fuzz({ decoder, seed, first, count, progress: (done) => tell({ done }) });
  tell({ result, heapMb: Math.round(process.memoryUsage().heapUsed / 1_048_576) });
}

function inThread(job: Job): Promise<string> {
  return new Promise((resolve, reject) => {
    const begun = Date.now();
    const worker = new Worker(new URL(import.meta.url), {
      workerData: job,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    });
    let done = 0;
    const hangs = (): void => {
      void worker.terminate();
      reject(new Error(`${job.name}: hangs behind input ${job.first + done}, seed ${job.seed}`));
    };
    let watch = setTimeout(hangs, HANGS_MS);
    worker.on("message", (answer: Answer) => {
      clearTimeout(watch);
      if ("done" in answer) {
        done = answer.done;
        watch = setTimeout(hangs, HANGS_MS);
        return;
      }
      const { slowestMs, slowest } = answer.result;
      const seconds = ((Date.now() - begun) / 1000).toFixed(0);
      resolve(
        `${job.name}: ${job.count} inputs in ${seconds} s, slowest ${slowestMs.toFixed(1)} ms (input ${slowest}), heap ${answer.heapMb} MB`,
      );
    });
    worker.on("error", (error) => {
      clearTimeout(watch);
      reject(new Error(`${job.name}: ${error.message}`, { cause: error }));
    });
  });
}

async function main([
  count = "1000000",
  seed = "1",
  name = "",
  first = "0",
]: readonly string[]): Promise<number> {
  let failed = 0;
  for (const decoder of DECODERS.filter((each) => each.name.includes(name))) {
    const job = {
      name: decoder.name,
      count: Number(count),
      seed: Number(seed),
      first: Number(first),
    };
    try {
      console.log(await inThread(job));
    } catch (error) {
      failed += 1;
      console.error(
        `FAILED ${(error as Error).message}\n${((error as Error).cause as Error)?.stack ?? ""}`,
      );
    }
  }
  return failed === 0 ? 0 : 1;
}

if (isMainThread) process.exitCode = await main(process.argv.slice(2));
else await work(workerData as Job);
