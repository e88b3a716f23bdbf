import { CONTENDERS, type Direction } from "./contender.ts";
import { type Outcome, runTrial, type Stage, type Trial } from "./run.ts";

export interface Rounds {
  readonly runs: number;
  readonly directions: readonly Direction[];
  readonly qos: readonly (0 | 1)[];
  /** Names of contenders, and "native". */
  readonly bridges: readonly string[];
}

/** Times them side by side, and says what each run gave. */
export async function measureBridges(
  stage: Stage,
  rounds: Rounds,
  say: (line: string) => void,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const trial of trials(rounds)) {
    const outcome = await runTrial(stage, trial);
    outcomes.push(outcome);
    const { name, rate, cpuMicros, residentMb, unique, doubled, reordered } = outcome;
    say(
      `${trial.run} ${trial.direction} QoS ${trial.qos} ${name.padEnd(8)} ${Math.round(rate)}/s ${cpuMicros.toFixed(1)} us ${residentMb.toFixed(0)} MB, ${unique} came, ${doubled} twice, ${reordered} out of order`,
    );
  }
  return outcomes;
}

/** Every bridge once a round, one after the other, so that a round's ratios were measured side by side. */
function trials({ runs, directions, qos, bridges }: Rounds): Trial[] {
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
