import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Command } from "../../local/command.ts";
import { assetsCommand } from "../../local/commands/assets.ts";
import { devCommand } from "../../local/commands/dev.ts";
import { explainCommand } from "../../local/commands/explain.ts";
import { planCommand } from "../../local/commands/plan.ts";
import { replayCommand } from "../../local/commands/replay.ts";
import { runCommand } from "../../local/commands/run.ts";
import { translateCommand } from "../../local/commands/translate.ts";
import { validateCommand } from "../../local/commands/validate.ts";
import { verifyCommand } from "../../local/commands/verify.ts";
import { commandHelp, generalHelp } from "../../local/help.ts";
import { runCli } from "../support/cli.ts";

const commands: readonly Command[] = [
  runCommand,
  devCommand,
  validateCommand,
  planCommand,
  translateCommand,
  explainCommand,
  assetsCommand,
  replayCommand,
  verifyCommand,
];
const docs = readFileSync("docs/cli.md", "utf8");
const readme = readFileSync("README.md", "utf8");

describe("docs/cli.md", () => {
  test.each(commands.map((command) => ({ name: command.name, command })))(
    "has the help of isthmus $name as it is printed",
    ({ command }) => {
      expect(docs).toContain(`\`\`\`text\n${commandHelp(command)}\n\`\`\``);
    },
  );

  test("has the list of commands as it is printed", () => {
    expect(docs).toContain(`\`\`\`text\n${generalHelp(commands)}\n\`\`\``);
  });

  test("shows a translation as it comes out", async () => {
    const [, input, output] = /echo '(.*)' \|\n.*translate.*\n(.*)\n```/.exec(docs) ?? [];
    const args = ["translate", "-f", "examples/factory", "--route", "factory-to-mqtt"];
    const { stdout } = await runCli(args, { input: input ?? "" });
    expect(stdout).toBe(`${output}\n`);
  });

  test("shows an explanation as it comes out", async () => {
    const [, command, output] = /\n\$ isthmus (explain .*)\n((?:.*\n)*?)```/.exec(docs) ?? [];
    const { stdout } = await runCli(wordsOf(command));
    expect(timeless(stdout)).toBe(timeless(output ?? ""));
  });
});

/** A command line as a shell splits it. */
function wordsOf(command = ""): string[] {
  return [...command.matchAll(/'([^']*)'|(\S+)/g)].map(
    ([, quoted, plain]) => quoted ?? plain ?? "",
  );
}

function timeless(text: string): string {
  return text.replace(/Timestamp: \d{13}/, "Timestamp: now");
}

describe("README.md", () => {
  test("begins with the two commands that a newcomer needs", () => {
    const firstScreen = readme.split("\n").slice(0, 25).join("\n");
    expect(firstScreen).toContain("npm ci && npm start");
    expect(firstScreen).toContain("npm ci && npm test");
  });

  test("shows an explanation as it comes out", async () => {
    const [, command, output] = /\n\$ isthmus (explain .*)\n((?:.*\n)*?)```/.exec(readme) ?? [];
    const { stdout } = await runCli(wordsOf(command));
    expect(timeless(stdout)).toBe(output);
  });

  test("names every command and leads to pages that are there", () => {
    for (const { name } of commands) expect(readme).toContain(`isthmus ${name}`);
    const links = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].flatMap(
      ([, path]) => path ?? [],
    );
    expect(links.length).toBeGreaterThan(5);
    for (const path of links) expect(() => readFileSync(path)).not.toThrow(/ENOENT/);
  });
});
