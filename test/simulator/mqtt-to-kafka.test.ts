import { expect, test } from "vitest";
import { ENGINE } from "./engine.ts";
import { trySeeds } from "./seeds.ts";

test("an MQTT to Kafka route loses, reorders and hides nothing, whatever 10,000 seeds do to it (S-50 to S-55)", async () => {
  expect(await trySeeds("mqtt-to-kafka", ENGINE, 1, 10_000)).toBeUndefined();
}, 180_000);
