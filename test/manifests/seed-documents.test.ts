import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { compileManifests } from "../../shared/manifests/compile.ts";
import { formatProblem } from "../../shared/manifests/problem.ts";

const folder = process.env["ISTHMUS_SEED_DOCS"];

interface Block {
  readonly name: string;
  readonly text: string;
}

/** Every fenced block of YAML that is a whole resource, its own indentation taken away. */
function blocksOf(file: string): Block[] {
  const text = readFileSync(join(folder ?? "", file), "utf8").replaceAll("\r\n", "\n");
  const blocks: Block[] = [];
  for (const match of text.matchAll(/^( *)```ya?ml\n([\s\S]*?)^\1```/gm)) {
    const indent = match[1] ?? "";
    const lines = (match[2] ?? "")
      .split("\n")
      .map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line));
    const block = lines.join("\n");
    if (!/^apiVersion:/m.test(block) || !/^kind:/m.test(block)) continue;
    const line = text.slice(0, match.index).split("\n").length;
    blocks.push({ name: `${file}:${line}`, text: block });
  }
  return blocks;
}

/** The documents' own mistakes in YAML, each explained instead of read (S-8). */
const documented = [
  'error: "*" must be in quotes, and MQTT has no wildcard "*": write dataSources: ["#"] for every topic',
  /error: "\{\{% version %\}\}" must be in quotes: YAML reads \{\{ as the start of fields/,
];

/** One block says nothing of what the other blocks define. */
const unresolved = /there is no (KafkaConnector|DataflowEndpoint) named/;

if (folder === undefined) {
  console.log("seed documents: skipped, for ISTHMUS_SEED_DOCS names no folder of them");
}

describe.skipIf(folder === undefined)("every whole resource of the seed documents", () => {
  const files =
    folder === undefined
      ? []
      : readdirSync(folder)
          .filter((name) => name.endsWith(".txt"))
          .sort();
  const blocks = files.flatMap(blocksOf);

  test("is found", () => {
    expect(blocks.length).toBeGreaterThanOrEqual(12);
  });

  test.each(blocks)("$name is read, or its documented mistake is explained", ({ text }) => {
    const { problems } = compileManifests([{ path: "block.yaml", text }]);
    const unexplained = problems
      .filter(({ severity }) => severity === "error")
      .map(formatProblem)
      .filter((line) => !unresolved.test(line))
      .filter(
        (line) =>
          !documented.some((known) =>
            typeof known === "string" ? line.includes(known) : known.test(line),
          ),
      );
    expect(unexplained).toEqual([]);
    const unknown = problems.filter(({ message }) => message.includes("is not a known field"));
    expect(unknown.map(formatProblem)).toEqual([]);
  });
});
