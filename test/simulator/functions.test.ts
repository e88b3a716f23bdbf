import { expect, test } from "vitest";
import { ENGINE } from "./engine.ts";
import { trySeeds } from "./seeds.ts";

test("a route behind a trigger loses, reorders and hides nothing, whatever 10,000 seeds do to it (S-50 to S-55)", async () => {
  expect(await trySeeds("functions", ENGINE, 1, 10_000)).toBeUndefined();
}, 180_000);
