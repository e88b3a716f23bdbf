import type { Log } from "../shared/engine/ports.ts";
import type { Runner } from "./runner.ts";

/** How one life of a runner ended. */
export type Ending = { readonly signal: string } | { readonly error: unknown };

/** Starts a runner and keeps it until it is told to stop, also when that happens while it still starts. */
export async function runUntilStopped(
  runner: Runner,
  stopped: Promise<string>,
  log: Log,
  onStarted: () => void,
): Promise<Ending> {
  const starting = runner.start().then(
    (): undefined => onStarted() as undefined,
    (error: unknown) => ({ error }),
  );
  const early = await Promise.race([starting, stopped.then((signal) => ({ signal }))]);
  if (early !== undefined && "error" in early) return early;
  const signal = await stopped;
  log("info", "Stopping: intake ends, what is in flight is delivered", { signal });
  await runner.stop();
  const inFlight = runner.status().reduce((sum, { counters }) => sum + counters.inFlight, 0);
  log("info", "Stopped", { leftToSource: inFlight });
  return { signal };
}
