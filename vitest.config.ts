import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    pool: "forks",
    maxWorkers: 2,
    coverage: {
      provider: "v8",
      include: ["shared/**/*.ts"],
      exclude: ["shared/model/**"],
      thresholds: {
        "shared/translate/**": { lines: 100, functions: 100 },
        "shared/topics/**": { lines: 100, functions: 100 },
      },
    },
  },
});
