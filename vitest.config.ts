import { defineConfig } from "vitest/config";
import { LeftOutReporter } from "./test/support/left-out-reporter.ts";
import { plantedBugPlugin } from "./test/support/planted-bug.ts";

/** Suites against real brokers, which are brought up for them. */
const REAL = ["test/**/*.real.test.ts", "test/e2e/**/*.test.ts"];

const report = process.env["ISTHMUS_TEST_REPORT"];

export default defineConfig({
  plugins: plantedBugPlugin(),
  test: {
    pool: "forks",
    maxWorkers: 2,
    // of tests that say so: they wait for brokers' back-off more than they work
    maxConcurrency: 16,
    reporters: [
      "default",
      new LeftOutReporter(),
      ...(report === undefined ? [] : [["json", { outputFile: report }] as ["json", object]]),
    ],
    coverage: {
      provider: "v8",
      include: ["shared/**/*.ts"],
      exclude: ["shared/model/**"],
      thresholds: {
        // tables reach all of it: what a property draws is no part of this
        "shared/translate/**": { lines: 100, functions: 100, branches: 100, statements: 100 },
        "shared/topics/**": { lines: 100, functions: 100, branches: 100, statements: 100 },
      },
    },
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: REAL,
          testTimeout: 20_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: "real",
          include: REAL,
          globalSetup: ["test/global-setup.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // one at a time: they share the brokers and measure time
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
