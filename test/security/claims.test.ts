import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

/** A file of tests, and the titles or parts of titles that follow it up to the next file. */
const FILE = /`(test\/[\w/.-]+\.test\.ts)`([^`|]*)/gu;
const TITLE = /"([^"]+)"/gu;

const page = readFileSync("SECURITY.md", "utf8");
const named = [...page.matchAll(FILE)].map(([, file = "", behind = ""]): [string, string[]] => [
  file,
  [...behind.matchAll(TITLE)].map(([, title = ""]) => title.replaceAll(/\s+/gu, " ")),
]);

describe("SECURITY.md", () => {
  test.each(named)("%s has what it is said to show: %j", (file, titles) => {
    expect(existsSync(file)).toBe(true);
    const text = readFileSync(file, "utf8");
    for (const title of titles) expect(text).toContain(title);
  });

  test("names a test for every claim of its tables", () => {
    const rows = page
      .split("\n")
      .filter((line) => /^\| (?!can )/u.test(line) && !/^\|-/u.test(line));
    expect(rows.length).toBeGreaterThan(20);
    for (const row of rows) expect(row).toMatch(/`test\/[^`]+\.test\.ts`[^|]*\|$/u);
  });
});
