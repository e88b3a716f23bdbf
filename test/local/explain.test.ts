import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { explainCommand } from "../../local/commands/explain.ts";
import { parseArguments } from "../../local/parse-arguments.ts";
import { TextStream } from "../support/text-stream.ts";

/** The lines of an explanation of one message through a route of an example, within this process. */
async function explained(words: readonly string[], input = ""): Promise<string[]> {
  const stdout = new TextStream();
  await explainCommand.run(parseArguments(explainCommand, words), {
    env: {},
    stdin: Readable.from([input]),
    stdout,
    stderr: new TextStream(),
    terminal: false,
    onSignal: () => undefined,
    exit: () => undefined,
  });
  return stdout.lines();
}

const OVENS = ["-f", "examples/transforms", "--route", "ovens", "--topic", "ovens"];
const UP = ["-f", "examples/mapping", "--route", "map/to-kafka"];
const DOWN = ["-f", "examples/mapping", "--route", "map/to-mqtt"];

const rows: { name: string; words: string[]; input?: string; has: string[] }[] = [
  {
    name: "a filter that drops, with its values",
    words: [...OVENS, "--payload", '{"temperature":19}'],
    has: [
      "filter[0]   $1 < 20  [temperature = 19]  -> true: the message is dropped",
      "result      filtered: it is acknowledged and goes nowhere",
    ],
  },
  {
    name: "every match of a wildcard, numbers digit by digit, and what is found nowhere",
    words: [...OVENS, "--payload", '{"temperature":20.0,"id":9007199254740993}'],
    has: [
      "filter[0]   $1 < 20  [temperature = 20.0]  -> false: the message passes",
      "map[0]      [id = 9007199254740993]  -> id = 9007199254740993",
      "map[1]      cToF($1)  [temperature = 20.0]  -> temperatureF = 68.0",
      "datasets[0] $1 == $2  -> no record",
      "map[2]      [line = ()]  -> line = ()",
      'payload     {"id":9007199254740993,"temperatureF":68.0}',
    ],
  },
  {
    name: "a rule that fails: the expression, the field and the type",
    words: [...OVENS, "--payload", '{"temperature":"hot"}'],
    has: [
      'result      rejected, to the dead-letter topic: EXPRESSION_FAILED: filter[0] "$1 < 20": "<" needs two of one kind to compare: $1 (temperature) is a string, "20" is an int',
    ],
  },
  {
    name: "headers that are added, written anew and removed, with the reason",
    words: [
      ...OVENS,
      "--payload",
      '{"temperature":21}',
      "--header",
      "site=b",
      "--header",
      "trace=1",
    ],
    has: [
      "kept        site: b",
      "added       location: B",
      "removed     trace: 1 (headers[] of the destination removes it)",
      "topic       plant/ovens",
    ],
  },
  {
    name: "headers that MQTT cannot carry, and those that become text (S-21, S-22)",
    words: DOWN,
    input: '{"topic":"line.7","headers":[["amqp","oQNiYXI="],["raw","/w=="],["","dg=="]]}',
    has: [
      'route       map/to-mqtt: "line.7" matches "^line\\..*"',
      "changed     amqp: bar (it was (5 bytes that are no text))",
      "removed     raw: (1 bytes that are no text) (not_utf8: MQTT carries text only)",
      "removed     : v (empty_name: it has no name)",
      "QoS         1",
    ],
  },
  {
    name: "the key and how the partition is chosen (S-13)",
    words: [...UP, "--topic", "plant/7/temperature", "--payload", "hi", "--header", "device-id=x"],
    has: [
      'route       map/to-kafka: "plant/7/temperature" matches "plant/#"',
      "topic       plant.7.temperature",
      "key         x",
      "partition   by the key",
      "payload     hi",
    ],
  },
  {
    name: "a topic that is not the route's",
    words: [...UP, "--topic", "elsewhere"],
    has: ['route       map/to-kafka: "elsewhere" is not a topic of this route'],
  },
  {
    name: "control characters, which must not steer the terminal",
    words: [...UP, "--topic", "plant/7/temperature", "--payload", "a\u001b[2Jb\nc"],
    has: ["partition   one after another", "payload     a?[2Jb?c"],
  },
];

test.each(rows)("isthmus explain tells $name", async ({ words, input, has }) => {
  const lines = await explained(words, input);
  for (const line of has) expect(lines).toContain(line);
});

test("isthmus explain --json has the same for programs", async () => {
  const [line = ""] = await explained([...OVENS, "--payload", '{"temperature":19}', "--json"]);
  expect(JSON.parse(line)).toEqual({
    route: "ovens",
    direction: "kafkaToMqtt",
    topic: "ovens",
    matchedBy: "ovens",
    alsoMatchedBy: [],
    steps: [
      {
        stage: "filter",
        index: 0,
        expression: "$1 < 20",
        inputs: [{ name: "temperature", value: "19" }],
        result: "true",
      },
    ],
    filterDrops: true,
    result: "filtered",
  });
});

test.each([
  { name: "no route", words: ["-f", "examples/mapping"], why: "No route given" },
  { name: "a payload without a topic", words: [...UP, "--payload", "x"], why: "needs --topic" },
  {
    name: "a key of an MQTT message",
    words: [...UP, "--topic", "a", "--key", "k"],
    why: "no --key",
  },
  {
    name: "a header without a value",
    words: [...UP, "--topic", "a", "--header", "k"],
    why: 'needs a "="',
  },
  { name: "what is no message", words: UP, input: "{}", why: "cannot be read" },
])("isthmus explain refuses $name", async ({ words, why, input }) => {
  await expect(explained(words, input)).rejects.toThrow(why);
});
