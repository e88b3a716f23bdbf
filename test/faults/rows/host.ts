import { BOTH, type Row, WITHIN_WINDOW } from "../row.ts";

const KILLS = 3;

export const killOfTheHost: Row = {
  name: "kill -9 of the host",
  does: `\`isthmus run\` is killed ${KILLS} times, each time at random, and started again at once.`,
  directions: BOTH,
  ...WITHIN_WINDOW,
  recoversWithin: 10,
  async play(run) {
    for await (const _ of run.moments(KILLS)) {
      const since = performance.now();
      await run.killBridge();
      await run.startBridge();
      await run.recovered(since);
    }
  },
};
