import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { PLANTED_BUG, type PlantedBug } from "../support/planted-bug.ts";

const PUBLISHER = "shared/adapters/mqtt/mqtt-publisher.ts";
const ORDER = "shared/adapters/mqtt/receipt-order.ts";
const root = resolve(import.meta.dirname, "../..");

interface Bug extends PlantedBug {
  readonly bug: string;
  readonly tests: string;
}

const bugs: readonly Bug[] = [
  {
    bug: "takes a message for delivered when it is written",
    tests: "test/adapters/mqtt/mqtt-publisher.test.ts",
    file: PUBLISHER,
    from: "      outgoing.packetIdentifier = this.identifiers.allocate(outgoing);",
    to: "      { outgoing.packetIdentifier = this.identifiers.allocate(outgoing); outgoing.receipt.settle(undefined); }",
  },
  {
    bug: "drops on a reconnect what was unacknowledged",
    tests: "test/adapters/mqtt/mqtt-publisher.test.ts",
    file: PUBLISHER,
    from: "    this.again = this.takeAll();",
    to: "    this.takeAll();",
  },
  {
    bug: "sends again in another order",
    tests: "test/adapters/mqtt/mqtt-publisher.test.ts",
    file: PUBLISHER,
    from: "all.sort((a, b) => a.order - b.order)",
    to: "all.sort((a, b) => b.order - a.order)",
  },
  {
    bug: "ignores the Receive Maximum",
    tests: "test/adapters/mqtt/mqtt-publisher.test.ts",
    file: PUBLISHER,
    from: "Math.min(window, connack.receiveMaximum);",
    to: "window;",
  },
  {
    bug: "acknowledges on receipt",
    tests: "test/adapters/mqtt/mqtt-subscriber.test.ts",
    file: ORDER,
    from: "if (message.packetIdentifier !== 0) this.append(message);",
    to: "if (message.packetIdentifier !== 0) this.append(message);\n    message.acknowledge();",
  },
  {
    bug: "acknowledges past a message that is not safe",
    tests: "test/adapters/mqtt/mqtt-subscriber.test.ts",
    file: ORDER,
    from: "while (message?.acknowledged === true) {",
    to: "while (message !== undefined) {",
  },
];

/** Runs a test file with the bug in the code; true when a test failed. */
async function turnsRed({ file, from, to, tests }: Bug): Promise<boolean> {
  const args = ["run", "--project", "unit", "--bail", "1", "--testTimeout", "3000", tests];
  const child = spawn("node", ["node_modules/vitest/vitest.mjs", ...args], {
    cwd: root,
    env: {
      ...process.env,
      [PLANTED_BUG]: JSON.stringify({ file, from, to }),
      // that of the run that this is a part of
      ISTHMUS_TEST_REPORT: undefined,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const [code] = (await once(child, "close")) as [number | null];
  if (code === 0) return false;
  // nothing but a failed test is what was asked for
  expect(output).toMatch(/AssertionError|Test timed out/);
  return true;
}

describe("the adapters' tests fail for one that (S-51, S-52)", () => {
  test.each(bugs)(
    "$bug",
    async (bug) => {
      expect(await turnsRed(bug)).toBe(true);
    },
    120_000,
  );
});
