import { describe, expect, test } from "vitest";
import { createLog, type LogFormat } from "../../local/log.ts";
import type { LogLevel } from "../../shared/engine/ports.ts";
import { TextStream } from "../support/text-stream.ts";

function logTo(stream: TextStream, format: LogFormat, level: LogLevel = "debug") {
  return createLog(stream, { format, level, now: () => Date.UTC(2026, 0, 2, 3, 4, 5, 6) });
}

describe("createLog()", () => {
  test.each([
    { name: "a plain field", fields: { route: "a/b" }, want: " route=a/b" },
    { name: "a field with spaces", fields: { why: "not now" }, want: ' why="not now"' },
    { name: "a number", fields: { count: 3 }, want: " count=3" },
    {
      name: "a bigint",
      fields: { offset: 9_007_199_254_740_993n },
      want: " offset=9007199254740993",
    },
    { name: "a list", fields: { topics: ["a"] }, want: ' topics="[\\"a\\"]"' },
    { name: "nothing for undefined", fields: { detail: undefined }, want: "" },
    {
      name: "an error's message, not its stack",
      fields: { error: new Error("no") },
      want: " error=no",
    },
    { name: "no second line for a field", fields: { x: "a\nb" }, want: ' x="a\\nb"' },
  ])("writes text with $name", ({ fields, want }) => {
    const stream = new TextStream();
    logTo(stream, "text")("info", "Running", fields);
    expect(stream.text).toBe(`03:04:05.006 INFO  Running${want}\n`);
  });

  test("writes one JSON object a line, whose head no field can change", () => {
    const stream = new TextStream();
    const fields = { level: "fatal", offset: 5n, error: new Error("no") };
    logTo(stream, "json")("warn", "line\nbreak", fields);
    expect(stream.lines()).toHaveLength(1);
    expect(JSON.parse(stream.text)).toEqual({
      time: "2026-01-02T03:04:05.006Z",
      level: "warn",
      message: "line\nbreak",
      offset: "5",
      error: "no",
    });
  });

  test.each([
    { level: "debug", want: ["DEBUG", "INFO", "WARN", "ERROR"] },
    { level: "warn", want: ["WARN", "ERROR"] },
    { level: "error", want: ["ERROR"] },
  ] as const)("writes nothing below $level", ({ level, want }) => {
    const stream = new TextStream();
    const log = logTo(stream, "text", level);
    for (const each of ["debug", "info", "warn", "error"] as const) log(each, "x");
    expect(stream.lines().map((line) => line.split(/\s+/)[1])).toEqual(want);
  });
});
