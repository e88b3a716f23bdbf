import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { translateCommand } from "../../local/commands/translate.ts";
import { parseArguments } from "../../local/parse-arguments.ts";
import { TextStream } from "../support/text-stream.ts";

const page = readFileSync("docs/mapping.md", "utf8");

/** Every text that `pattern` finds in a source of the translation: what the page must not leave out. */
function found(path: string, pattern: RegExp): string[] {
  const source = readFileSync(`shared/${path}`, "utf8");
  const names = [...source.matchAll(pattern)].flatMap(([, name]) => name ?? []);
  if (names.length === 0) throw new Error(`${path} has nothing like ${pattern}`);
  return [...new Set(names)];
}

const headerNames = found("translate/header-names.ts", /= "(.*)"/g);
const deadLetterNames = [
  ...found("translate/dead-letter.ts", /header\("([a-z-]+)"/g),
  ...found("translate/dead-letter.ts", /^ {4}\["([a-z-]+)", properties/gm),
  ...found("translate/dead-letter.ts", /DEAD_LETTER_PREFIX\}([a-z-]+)`/g),
].map((name) => `isthmus-${name}`);
const codes = [
  ...found("translate/destination.ts", /"([A-Z_]+)"/g),
  ...found("translate/record-to-publish.ts", /code: "([A-Z_]+)"/g),
];
const reasons = found("translate/user-property-list.ts", /"([a-z0-9]+_[a-z0-9]+)"/g);
const attributes = found("translate/cloud-event.ts", /^ {2}"([a-z]+)",$/gm);

/** One command of the page, what goes in and what comes out, line by line. */
interface Example {
  readonly words: readonly string[];
  readonly input: string[];
  readonly output: string[];
}

function examplesOf(text: string): Example[] {
  const examples: Example[] = [];
  for (const [, block = ""] of text.matchAll(/^```console\n(.*?)^```$/gms)) {
    for (const line of block.trimEnd().split("\n")) {
      const [mark, rest] = [line.slice(0, 2), line.slice(2)];
      const example = examples.at(-1);
      if (mark === "$ ") examples.push({ words: rest.split(" "), input: [], output: [] });
      else if (mark === "< ") example?.input.push(rest);
      else if (mark === "> ") example?.output.push(rest);
      else throw new Error(`Not $, < or >: ${line}`);
    }
  }
  return examples;
}

/** What differs at every run: the UUID and the time of a created CloudEvent. */
function timeless(line: string): string {
  return line
    .replace(/\["id","[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"\]/, '["id","a UUID"]')
    .replace(/\["time","\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"\]/, '["time","now"]');
}

/** Runs `isthmus translate` within this process. */
async function translate(words: readonly string[], lines: readonly string[]) {
  const stdout = new TextStream();
  const stderr = new TextStream();
  const code = await translateCommand.run(parseArguments(translateCommand, words), {
    env: {},
    stdin: Readable.from([`${lines.join("\n")}\n`]),
    stdout,
    stderr,
    terminal: false,
    onSignal: () => undefined,
    exit: () => undefined,
  });
  return { code, output: stdout.lines(), errors: stderr.lines() };
}

describe("docs/mapping.md", () => {
  const examples = examplesOf(page);

  test.each(examples.map((example, index) => ({ name: `${index + 1}`, ...example })))(
    "example $name comes out as the page says",
    async ({ words: [program, command, ...words], input, output }) => {
      expect([program, command]).toEqual(["isthmus", "translate"]);
      const result = await translate(words, input);
      expect({ code: result.code, errors: result.errors }).toEqual({ code: 0, errors: [] });
      expect(result.output.map(timeless)).toEqual(output.map(timeless));
      expect(output.length).toBeGreaterThan(0);
    },
  );

  test("has an example through every route of the manifest that is there for them", () => {
    const manifest = readFileSync("examples/mapping/routes.yaml", "utf8");
    const routes = [...manifest.matchAll(/^ {8}name: (.*)$/gm)].map(([, name]) => `map/${name}`);
    expect(new Set(examples.map(({ words }) => words.at(-1)))).toEqual(new Set(routes));
  });

  test.each([...headerNames, ...deadLetterNames, ...codes, ...reasons, ...attributes])(
    "says of `%s` what it is",
    (name) => {
      expect(page).toContain(`\`${name}\``);
    },
  );
});
