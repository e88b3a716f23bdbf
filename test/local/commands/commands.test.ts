import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { afterAll, describe, expect, test } from "vitest";
import type { Command } from "../../../local/command.ts";
import { planCommand } from "../../../local/commands/plan.ts";
import { translateCommand } from "../../../local/commands/translate.ts";
import { validateCommand } from "../../../local/commands/validate.ts";
import { parseArguments } from "../../../local/parse-arguments.ts";
import { flowManifests } from "../../support/cli-manifests.ts";
import { TextStream } from "../../support/text-stream.ts";

const folder = mkdtempSync(join(tmpdir(), "isthmus-commands-"));
afterAll(() => rmSync(folder, { recursive: true }));

const b64 = (text: string): string => Buffer.from(text).toString("base64");

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** Runs a command within this process. */
async function run(command: Command, words: readonly string[], input = "") {
  const stdout = new TextStream();
  const stderr = new TextStream();
  const code = await command.run(parseArguments(command, words), {
    env: {},
    stdin: input === "" ? new PassThrough().end() : Readable.from([input]),
    stdout,
    stderr,
    terminal: true,
    onSignal: () => undefined,
    exit: () => undefined,
  });
  return { code, out: stdout.lines(), err: stderr.lines() };
}

describe("isthmus validate", () => {
  const good = write("good.yaml", flowManifests());
  const warned = write(
    "warned.yaml",
    flowManifests().replace("consumerGroupId", "typo: 1\n    consumerGroupId"),
  );
  const bad = write("bad.yaml", flowManifests({ mqttSettings: "qos: 2" }));

  test.each([
    {
      name: "good manifests",
      words: ["-f", good],
      code: 0,
      out: [],
      err: ["1 route, 0 errors, 0 warnings"],
    },
    {
      name: "an unknown field, which is a warning (S-1)",
      words: ["-f", warned],
      code: 0,
      out: [expect.stringMatching(/warned\.yaml:9:5: warning: .*typo/)],
      err: ["1 route, 0 errors, 1 warning"],
    },
    {
      name: "the same with --strict",
      words: ["-f", warned, "--strict"],
      code: 1,
      out: [expect.stringMatching(/warned\.yaml:9:5: error: .*typo/)],
      err: ["1 route, 1 error, 0 warnings"],
    },
  ])("tells of $name", async ({ words, code, out, err }) => {
    expect(await run(validateCommand, words)).toEqual({ code, out, err });
  });

  test("--json prints an array of problems of all files", async () => {
    const { code, out } = await run(validateCommand, ["-f", bad, "-f", warned, "--json"]);
    const problems = JSON.parse(out.join("\n")) as object[];
    expect(code).toBe(1);
    expect(problems).toContainEqual({
      severity: "error",
      file: bad,
      line: 22,
      column: 10,
      path: "spec.mqttSettings.qos",
      message: "QoS 2 is not supported: use 0 or 1",
    });
    expect(problems).toContainEqual(expect.objectContaining({ severity: "warning", file: warned }));
  });

  test("--json prints an empty array for good manifests", async () => {
    const { out } = await run(validateCommand, ["-f", good, "--json"]);
    expect(out).toEqual(["[]"]);
  });
});

describe("isthmus plan", () => {
  const named = write("named.yaml", flowManifests());
  const pattern = write("pattern.yaml", flowManifests({ source: "^machines-.*" }));

  test("prints functions, settings and roles", async () => {
    const { code, out, err } = await run(planCommand, ["-f", named]);
    expect({ code, err }).toEqual({ code: 0, err: [] });
    expect(out).toContainEqual(expect.stringMatching(/^Functions \(\d+\)$/));
    expect(out).toContainEqual(expect.stringMatching(/^App settings \(\d+\)$/));
    expect(out).toContainEqual(expect.stringMatching(/^Roles/));
  });

  test("--json prints the same for programs", async () => {
    const { out } = await run(planCommand, ["-f", named, "--json"]);
    const plan = JSON.parse(out.join("\n")) as { functions: { route?: string; topic?: string }[] };
    expect(plan.functions).toContainEqual(
      expect.objectContaining({ kind: "kafkaTrigger", route: "flow", topic: "machines" }),
    );
  });

  test("needs the lock file for a regular expression (S-30)", async () => {
    const { code, err } = await run(planCommand, ["-f", pattern]);
    expect(code).toBe(1);
    expect(err).toEqual([
      expect.stringMatching(/: error: Cannot plan route "flow": .*isthmus plan --resolve/),
    ]);
  });

  test("--lock FILE gives a function for each topic of the lock file", async () => {
    const lock = {
      version: 1,
      routes: { flow: { pattern: "^machines-.*", topics: ["machines-1", "machines-2"] } },
    };
    const path = write("lock.json", JSON.stringify(lock));
    const { code, out } = await run(planCommand, ["-f", pattern, "--lock", path, "--json"]);
    const plan = JSON.parse(out.join("\n")) as { functions: { topic?: string }[] };
    expect(code).toBe(0);
    expect(plan.functions.flatMap(({ topic }) => topic ?? [])).toEqual([
      "machines-1",
      "machines-2",
    ]);
  });

  test.each([
    { name: "is not there", path: () => join(folder, "absent.json"), code: "MANIFEST_UNREADABLE" },
    { name: "is no lock", path: () => write("no.json", "[]"), code: "MANIFEST_INVALID" },
  ])("refuses a lock file that $name", async ({ path, code }) => {
    await expect(run(planCommand, ["-f", pattern, "--lock", path()])).rejects.toMatchObject({
      code,
    });
  });
});

describe("isthmus translate", () => {
  const factory = "examples/factory";

  const cases = [
    {
      name: "a record to a message, with what was removed and why (S-20, S-21)",
      route: "factory-to-mqtt",
      line: {
        topic: "warehouse-w1-machine-m1",
        timestamp: 1700000000000,
        key: b64("m1"),
        value: b64("hi"),
        headers: [
          ["site", b64("berlin")],
          ["raw", "/w=="],
        ],
      },
      want: {
        result: "message",
        message: {
          topic: "factory/warehouse-w1-machine-m1",
          payload: b64("hi"),
          qos: 1,
          retain: false,
          properties: {
            userProperties: [
              ["Key", "m1"],
              ["Timestamp", "1700000000000"],
              ["site", "berlin"],
            ],
          },
        },
        removed: [{ header: "raw", reason: "not_utf8" }],
      },
    },
    {
      name: "a message to a record (S-10, S-11, S-13)",
      route: "plant/alerts",
      line: {
        topic: "temperature-alerts/line-1",
        payload: b64("hot"),
        properties: {
          messageExpiryInterval: 60,
          contentType: "text/plain",
          userProperties: [["device-id", "d1"]],
        },
        ageMs: 10_500,
      },
      want: {
        result: "record",
        record: {
          topic: "plant-alerts",
          key: b64("d1"),
          value: b64("hot"),
          headers: [
            ["Message Expiry Interval", b64("50")],
            ["Content Type", b64("text/plain")],
            ["MQTT Topic", b64("temperature-alerts/line-1")],
            ["device-id", b64("d1")],
          ],
        },
        removed: [],
      },
    },
    {
      name: "a message that has expired (S-12)",
      route: "plant/alerts",
      line: {
        topic: "temperature-alerts/a",
        properties: { messageExpiryInterval: 5 },
        ageMs: 5000,
      },
      want: { result: "expired" },
    },
  ];

  test.each(cases)("turns $name", async ({ route, line, want }) => {
    const words = ["-f", factory, "--route", route];
    const { code, out, err } = await run(translateCommand, words, `${JSON.stringify(line)}\n`);
    expect({ code, err }).toEqual({ code: 0, err: [] });
    expect(out.map((text) => JSON.parse(text) as unknown)).toEqual([want]);
  });

  test("says why a message is rejected (S-31)", async () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the template of a manifest
    const path = write("segment.yaml", flowManifests({ destination: "a/${inputTopic.2}" }));
    const words = ["-f", path, "--route", "flow"];
    const { code, out } = await run(translateCommand, words, '{"topic":"machines"}');
    expect(code).toBe(0);
    expect(JSON.parse(out[0] ?? "")).toEqual({
      result: "rejected",
      reason: expect.stringMatching(/^TOPIC_SEGMENT_MISSING: /),
    });
  });

  test("goes on after a line that cannot be read, says which, and ends with 1", async () => {
    const input =
      '{"topic":"machines"}\nnonsense\n\n{"topic":"machines","x":1}\r\n{"topic":"machines"}';
    const path = write("flow.yaml", flowManifests());
    const words = ["-f", path, "--route", "flow"];
    const { code, out, err } = await run(translateCommand, words, input);
    expect(code).toBe(1);
    expect(out).toHaveLength(2);
    expect(err).toEqual([
      "isthmus: line 2: not JSON",
      expect.stringMatching(/^isthmus: line 4: .*x/),
    ]);
  });

  test("reads a file with --input", async () => {
    const input = write("in.jsonl", '{"topic":"warehouse-w1-machine-m1"}\n');
    const words = ["-f", factory, "--route", "factory-to-mqtt", "--input", input];
    expect((await run(translateCommand, words)).out).toHaveLength(1);
  });

  test("says so when that file is not there", async () => {
    const words = ["-f", factory, "--route", "factory-to-mqtt", "--input", join(folder, "absent")];
    await expect(run(translateCommand, words)).rejects.toThrow(/^Cannot read ".*absent": ENOENT/);
  });

  test("names the routes when there is none of that name", async () => {
    await expect(run(translateCommand, ["-f", factory, "--route", "plant/alert"])).rejects.toThrow(
      'No route is named "plant/alert": the routes are "plant/alerts", "plant/commands", "factory-to-mqtt"; did you mean plant/alerts?',
    );
  });
});

test("every example validates without a warning", async () => {
  const { code, out } = await run(validateCommand, ["-f", "examples", "--strict"]);
  const worse = out.filter((line) => !/: note: /.test(line));
  expect({ code, worse }).toEqual({ code: 0, worse: [] });
  expect(readFileSync("examples/factory/factory-to-mqtt.yaml", "utf8")).toContain("Dataflow");
});
