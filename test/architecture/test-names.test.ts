import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const folder = resolve(import.meta.dirname, "..");
const needsBrokers = /support\/real-brokers\.ts"|env\["ISTHMUS_TEST_/;
const getsBrokers = /(^e2e\/.*|\.real)\.test\.ts$/;

test("every suite against real brokers is named so that brokers are brought up for it", () => {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => file.endsWith(".test.ts"));
  const misnamed = files.filter(
    (file) =>
      needsBrokers.test(readFileSync(join(folder, file), "utf8")) && !getsBrokers.test(file),
  );
  expect(files.length).toBeGreaterThan(0);
  expect(misnamed).toEqual([]);
});
