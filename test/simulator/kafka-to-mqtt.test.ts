import { expect, test } from "vitest";
import { ENGINE } from "./engine.ts";
import { trySeeds } from "./seeds.ts";

test("a Kafka to MQTT route loses, reorders and hides nothing, whatever 10,000 seeds do to it (S-50 to S-55)", async () => {
  expect(await trySeeds("kafka-to-mqtt", ENGINE, 1, 10_000)).toBeUndefined();
}, 180_000);
