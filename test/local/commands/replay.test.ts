import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, describe, expect, test } from "vitest";
import { replayCommand } from "../../../local/commands/replay.ts";
import { parseArguments } from "../../../local/parse-arguments.ts";
import { backFlow, flowManifests } from "../../support/cli-manifests.ts";
import { TextStream } from "../../support/text-stream.ts";

const folder = mkdtempSync(join(tmpdir(), "isthmus-replay-command-"));
const manifest = join(folder, "flow.yaml");
writeFileSync(manifest, flowManifests() + backFlow("alerts/#", "alerts"));
afterAll(() => rmSync(folder, { recursive: true }));

async function run(...words: readonly string[]): Promise<number> {
  return await replayCommand.run(parseArguments(replayCommand, words), {
    env: {},
    stdin: new PassThrough().end(),
    stdout: new TextStream(),
    stderr: new TextStream(),
    terminal: true,
    onSignal: () => undefined,
    exit: () => undefined,
  });
}

describe("isthmus replay", () => {
  test.each<[string[], string | RegExp]>([
    [["list"], "No manifests given: name a file or a folder with -f PATH"],
    [["-f", manifest], "isthmus replay needs an action: list or send"],
    [["list", "-f", manifest, "--mark"], "Option --mark is of isthmus replay send, not of list"],
    [
      ["list", "-f", manifest, "--dry-run"],
      "Option --dry-run is of isthmus replay send, not of list",
    ],
    [
      ["send", "-f", manifest, "--payload"],
      "Option --payload is of isthmus replay list, not of send",
    ],
    [["send", "-f", manifest, "--limit", "0"], /^Option --limit must be a number from 1/],
    [["list", "-f", manifest, "--since", "soon"], /^Option --since must be a time/],
    [
      ["send", "-f", manifest, "--route", "flwo"],
      'No route is named "flwo": the routes are "flow", "back"; did you mean flow?',
    ],
  ])("refuses %j before it connects to anything", async (words, message) => {
    await expect((async () => run(...words))()).rejects.toMatchObject({
      code: "USAGE",
      message: typeof message === "string" ? message : expect.stringMatching(message),
    });
  });

  test("says which Kafka is not there", async () => {
    await expect(run("list", "-f", manifest, "--start-timeout", "1")).rejects.toMatchObject({
      code: "KAFKA_UNAVAILABLE",
      message: expect.stringContaining("127.0.0.1:1"),
    });
  });
});
