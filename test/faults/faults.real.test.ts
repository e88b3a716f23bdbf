import { afterAll, beforeAll, expect, test } from "vitest";
import { seedOf } from "../support/random.ts";
import { describeReal } from "../support/real-brokers.ts";
import type { Row } from "./row.ts";
import { ROWS } from "./rows/all.ts";
import { diskFull } from "./rows/disk.ts";
import { halfOpen, latency } from "./rows/network.ts";
import { identifiersWrap } from "./rows/session.ts";
import { Run } from "./run.ts";
import { World } from "./world.ts";

/** The table of docs/reliability.md has many runs of a hundred thousand each. */
const MESSAGES = 6_000;
const PER_SECOND = 2_000;
const SEED = Number(process.env["ISTHMUS_FAULTS_SEED"] ?? 1);
/** These take half a minute or a mounted disk, whatever the number of messages: `npm run faults` has them. */
const TOO_LONG: ReadonlySet<Row> = new Set([halfOpen, latency, identifiersWrap, diskFull]);

describeReal("S-50 under every fault, with real brokers", ["java", "mosquitto"], () => {
  let world: World;
  beforeAll(async () => {
    world = await World.open();
  }, 120_000);
  afterAll(() => world.close());

  test.each(
    ROWS.filter((row) => !TOO_LONG.has(row)).map((row) => {
      const seed = seedOf(SEED, row.name);
      return { name: row.name, seed, row: { ...row, perSecond: PER_SECOND } };
    }),
  )(
    "$name: nothing lost, nothing reordered, duplicates within the bound, counters that add up (seed $seed)",
    async ({ row, seed }) => {
      const { problems, outcomes } = await new Run({ world, row, seed, messages: MESSAGES }).play();
      expect(problems).toEqual([]);
      for (const { sent, lost, reordered } of Object.values(outcomes)) {
        expect({ lost, reordered }).toEqual({ lost: 0, reordered: 0 });
        expect(sent).toBe(MESSAGES / row.directions.length);
      }
    },
    120_000,
  );
});
