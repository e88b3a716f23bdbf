import { describe, expect, test } from "vitest";
import type { Command } from "../../local/command.ts";
import { choiceOption, numberOption, parseArguments } from "../../local/parse-arguments.ts";

const command: Command = {
  name: "sample",
  summary: "Does nothing.",
  usage: "sample",
  options: {
    file: { type: "string", short: "f", multiple: true, value: "PATH", text: "files" },
    http: { type: "string", value: "HOST:PORT", text: "address" },
    json: { type: "boolean", text: "for programs" },
  },
  notes: [],
  run: () => Promise.resolve(0),
};
const parse = (...words: string[]) => parseArguments(command, words);

describe("parseArguments()", () => {
  test.each([
    { words: ["-f", "a", "--file", "b", "--file=c", "-fd"], want: ["a", "b", "c", "d"] },
    { words: [], want: [] },
  ])("keeps every value in order: $words", ({ words, want }) => {
    expect(parse(...words).values("file")).toEqual(want);
  });

  test("gives flags, and the last of several values", () => {
    const args = parse("--json", "--http", "1", "--http", "2", "-h");
    expect(args.flag("json")).toBe(true);
    expect(args.flag("help")).toBe(true);
    expect(args.flag("debug")).toBe(false);
    expect(args.value("http")).toBe("2");
    expect(args.value("file")).toBeUndefined();
  });

  test.each([
    {
      words: ["--jsn"],
      want: 'Unknown option "--jsn" of isthmus sample: did you mean --json?',
    },
    {
      words: ["--zzzzzzzz"],
      want: 'Unknown option "--zzzzzzzz" of isthmus sample: see isthmus sample --help',
    },
    { words: ["-x"], want: /^Unknown option "-x" of isthmus sample/ },
    { words: ["--http"], want: "Option --http needs a value: --http HOST:PORT" },
    { words: ["--http", "--json"], want: "Option --http needs a value: --http HOST:PORT" },
    { words: ["--json=yes"], want: 'Option --json takes no value: "yes" was given' },
    {
      words: ["manifests"],
      want: 'Unexpected argument "manifests" of isthmus sample: manifests are given as -f manifests',
    },
  ])("refuses $words", ({ words, want }) => {
    expect(() => parse(...words)).toThrow(
      expect.objectContaining({
        code: "USAGE",
        message: typeof want === "string" ? want : expect.stringMatching(want),
      }),
    );
  });

  describe("of a command with actions", () => {
    const actions = [
      { name: "list", text: "lists" },
      { name: "send", text: "sends" },
    ];
    const act = (...words: string[]) => parseArguments({ ...command, actions }, words);

    test.each([
      { words: ["list"], want: "list" },
      { words: ["-f", "list", "send", "--json"], want: "send" },
      { words: ["--help"], want: undefined },
    ])("finds it among the options: $words", ({ words, want }) => {
      expect(act(...words).action).toBe(want);
    });

    test.each([
      { words: ["-f", "a"], want: "isthmus sample needs an action: list or send" },
      { words: ["lsit"], want: 'Unknown action "lsit" of isthmus sample: did you mean list?' },
      {
        words: ["everything"],
        want: 'Unknown action "everything" of isthmus sample: it is list or send',
      },
      {
        words: ["list", "a"],
        want: 'Unexpected argument "a" of isthmus sample: manifests are given as -f a',
      },
    ])("refuses $words", ({ words, want }) => {
      expect(() => act(...words)).toThrow(
        expect.objectContaining({ code: "USAGE", message: want }),
      );
    });
  });
});

describe("numberOption()", () => {
  const range = { min: 1, max: 10 };
  test.each([
    { text: "1", want: 1 },
    { text: "2.5", want: 2.5 },
    { text: "10", want: 10 },
  ])("reads $text", ({ text, want }) => {
    expect(numberOption(parse("--http", text), "http", range)).toBe(want);
  });
  test.each(["0", "11", "ten", "", " ", "Infinity", "1s"])('refuses "%s"', (text) => {
    expect(() => numberOption(parse(`--http=${text}`), "http", range)).toThrow(
      `Option --http must be a number from 1 to 10: "${text}"`,
    );
  });
  test("is undefined when it was not given", () => {
    expect(numberOption(parse(), "http", range)).toBeUndefined();
  });
});

describe("choiceOption()", () => {
  test("gives the choice, or refuses another", () => {
    expect(choiceOption(parse("--http", "text"), "http", ["json", "text"])).toBe("text");
    expect(() => choiceOption(parse("--http", "xml"), "http", ["json", "text"])).toThrow(
      'Option --http must be one of json, text: "xml"',
    );
  });
});
