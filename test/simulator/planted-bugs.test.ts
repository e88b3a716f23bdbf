import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PlantedBug } from "../support/planted-bug.ts";
import { simulatorWith } from "./planted.ts";
import type { SimulationName } from "./seeds.ts";

const PUMP = "shared/engine/kafka-to-mqtt-pump.ts";
const LANE = "shared/engine/lane.ts";
const INTAKE = "shared/engine/mqtt-to-kafka.ts";
const HANDLER = "shared/engine/record-handler.ts";
const LETTERS = "shared/engine/dead-letters.ts";
const ENOUGH_SEEDS = 3000;

interface Bug extends PlantedBug {
  readonly bug: string;
  readonly simulation: SimulationName;
  readonly found: RegExp;
}

const bugs: readonly Bug[] = [
  {
    bug: "commits what is published and not acknowledged",
    simulation: "kafka-to-mqtt",
    file: LANE,
    from: 'while (entry !== undefined && entry.state === "done") {',
    to: 'while (entry !== undefined && entry.state !== "queued") {',
    found: /committed before it was safe/,
  },
  {
    bug: "commits past a hole",
    simulation: "kafka-to-mqtt",
    file: LANE,
    from: "    let entry = this.entries[this.head];",
    to: '    while (this.entries.slice(this.head).some((e) => e.state === "done") && this.entries[this.head]?.state !== "done") this.head += 1;\n    let entry = this.entries[this.head];',
    found: /committed before it was safe/,
  },
  {
    bug: "commits for a partition that was given up",
    simulation: "kafka-to-mqtt",
    file: PUMP,
    from: "    lane.open = false;",
    to: "",
    found: /./,
  },
  {
    bug: "ignores the window",
    simulation: "kafka-to-mqtt",
    file: PUMP,
    from: "while (!this.held && publisher.room > 0) {",
    to: "while (!this.held) {",
    found: /published without room/,
  },
  {
    bug: "publishes on without a commit",
    simulation: "kafka-to-mqtt",
    file: "shared/engine/exposure.ts",
    from: "return this.count < this.limit || entry.isExposed;",
    to: "return true;",
    found: /that are published and not committed/,
  },
  {
    bug: "takes a commit that failed for one that did not",
    simulation: "kafka-to-mqtt",
    file: "shared/engine/kafka-to-mqtt.ts",
    from: "(cause: unknown) => this.notCommitted(safe, cause),",
    to: "() => this.committed(safe),",
    found: /not everything was committed|that are published and not committed/,
  },
  {
    bug: "drops what was refused for now",
    simulation: "kafka-to-mqtt",
    file: PUMP,
    from: "else if (outcome.retryable) this.refused(entry, outcome);",
    to: "else if (outcome.retryable) this.finish(entry);",
    found: /committed before it was safe|was delivered 0 times|not counted everything/,
  },
  {
    bug: "drops what was unacknowledged when it stopped",
    simulation: "kafka-to-mqtt",
    file: PUMP,
    from: 'else if (outcome.code === "STOPPED") this.abandon(entry);',
    to: 'else if (outcome.code === "STOPPED") this.delivered(entry);',
    found: /committed before it was safe/,
  },
  {
    bug: "sends only the refused one again, behind its successors",
    simulation: "kafka-to-mqtt",
    file: LANE,
    from: 'state === "failed" || (state === "done" && counted)',
    to: 'state === "failed"',
    found: /before its predecessor/,
  },
  {
    bug: "takes a dead letter for written when it is handed over",
    simulation: "kafka-to-mqtt",
    file: PUMP,
    from: "    this.options.deadLetters\n      .write(",
    to: "    this.finish(entry);\n    this.options.deadLetters\n      .write(",
    found: /committed before it was safe|not counted everything/,
  },
  {
    bug: "translates with a time gone by",
    simulation: "kafka-to-mqtt",
    file: PUMP,
    from: "    this.context.now = clock.now();",
    to: "    this.context.now ||= clock.now();",
    found: /translated for another time/,
  },
  {
    bug: "sends what is written again, with what is not",
    simulation: "mqtt-to-kafka",
    file: INTAKE,
    from: "if (written === undefined || written.size === 0) return owners;",
    to: "if (written !== null) return owners;",
    found: /was doubled without a fault/,
  },
  {
    bug: "takes all for written where some are",
    simulation: "mqtt-to-kafka",
    file: INTAKE,
    from: "boolean => written.has(at);",
    to: "boolean => at >= 0;",
    found: /acknowledged before it was safe/,
  },
  {
    bug: "acknowledges on receipt",
    simulation: "mqtt-to-kafka",
    file: INTAKE,
    from: "    counters.received += 1;",
    to: "    counters.received += 1;\n    delivery.acknowledge();",
    found: /acknowledged before it was safe/,
  },
  {
    bug: "acknowledges what Kafka has not taken",
    simulation: "mqtt-to-kafka",
    file: INTAKE,
    from: "      if (error === undefined) {\n        this.wait.reset();",
    to: "      if (error === undefined || error.retryable) {\n        this.wait.reset();",
    found: /acknowledged before it was safe/,
  },
  {
    bug: "acknowledges before the dead letter is written",
    simulation: "mqtt-to-kafka",
    file: INTAKE,
    from: "    held.ended = true;\n    this.deadLettering += 1;",
    to: "    held.ended = true;\n    this.finish(held);\n    this.deadLettering += 1;",
    found: /acknowledged before it was safe/,
  },
  {
    bug: "sends two batches at a time",
    simulation: "mqtt-to-kafka",
    file: INTAKE,
    from: "if (this.sending || this.buffer.length === 0 || this.hasFailed) return;",
    to: "if (this.buffer.length === 0 || this.hasFailed) return;",
    found: /before its predecessor/,
  },
  {
    bug: "drops what it holds when it stops",
    simulation: "mqtt-to-kafka",
    file: INTAKE,
    from: "    for (const held of this.buffer) this.release(held);",
    to: "    for (const held of this.buffer) this.finish(held);",
    found: /acknowledged before it was safe/,
  },
  {
    bug: "tells of a dead letter as written that was not",
    simulation: "mqtt-to-kafka",
    file: LETTERS,
    from: "      if (error === undefined) {",
    to: "      if (error === undefined || error.retryable) {",
    found: /acknowledged before it was safe/,
  },
  {
    bug: "sends more at once than its Receive Maximum",
    simulation: "mqtt-to-kafka",
    file: INTAKE,
    from: "      if (isAwaited && unacknowledged === receiveMaximum) break;\n",
    to: "",
    found: /that are written and not acknowledged/,
  },
  {
    bug: "ends an invocation before its records are safe",
    simulation: "functions",
    file: HANDLER,
    from: "        await this.wait(left, until, false);",
    to: "        return;",
    found: /committed before it was safe/,
  },
  {
    bug: "forgets what was acknowledged when an invocation fails",
    simulation: "functions",
    file: HANDLER,
    from: "this.remembered.keepAtMost(REMEMBERED_RECORDS);",
    to: "this.remembered.keepAtMost(0);",
    found: /published again after its acknowledgement/,
  },
  {
    bug: "leaves successors of a refused record where they are",
    simulation: "functions",
    file: HANDLER,
    from: "(known.counted && group?.repeats)",
    to: "false",
    found: /before its predecessor/,
  },
];

describe("the simulator finds an engine that (S-50 to S-54)", () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "isthmus-planted-"));
  });

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  test.each(bugs)(
    "$bug, and the seed shows it again",
    async ({ simulation, found, ...planted }) => {
      const { ENGINE, SIMULATIONS, trySeeds } = await simulatorWith(planted, folder);
      const finding = await trySeeds(simulation, ENGINE, 1, ENOUGH_SEEDS);
      expect(finding?.violations.join("; ")).toMatch(found);
      const again = await SIMULATIONS[simulation](ENGINE, finding?.seed ?? 0);
      expect(again).toEqual(finding?.violations);
    },
  );

  test("has no bug: in that it finds none", async () => {
    const unchanged = "export class Lane {";
    const same = { file: LANE, from: unchanged, to: unchanged };
    const { ENGINE, trySeeds } = await simulatorWith(same, folder);
    for (const name of ["kafka-to-mqtt", "mqtt-to-kafka", "functions"] as const) {
      expect(await trySeeds(name, ENGINE, 1, 300)).toBeUndefined();
    }
  });
});
