import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { RunTransform } from "../../shared/expressions/transform.ts";
import type { Route } from "../../shared/model/route.ts";
import type { Translation, TranslationContext } from "../../shared/model/translation.ts";
import { routeTransform } from "../../shared/secrets/route-transform.ts";
import { publishToRecord } from "../../shared/translate/publish-to-record.ts";
import { recordToPublish } from "../../shared/translate/record-to-publish.ts";
import {
  type Arguments,
  type Command,
  LOCAL_BROKER_OPTION,
  MANIFEST_OPTIONS,
  ROUTE_OPTION,
  SECRETS_OPTION,
} from "../command.ts";
import { findRoute, routeName } from "../find-route.ts";
import { unreadableInput } from "../input.ts";
import { type Parsed, parsePublish, parseRecord, publishJson, recordJson } from "../json-forms.ts";
import { loadToUse, secretsOf } from "../manifests.ts";
import { complain, print, type Shell } from "../shell.ts";

/** Turns one line of input into one line of output. */
type LineTranslator = (line: string) => Parsed<object>;

function outcome<T>(
  translation: Translation<T>,
  name: "message" | "record",
  toJson: (message: T) => object,
): object {
  switch (translation.kind) {
    case "translated": {
      const { message, removed } = translation;
      return { result: name, [name]: toJson(message), removed };
    }
    case "rejected":
      return { result: "rejected", reason: `${translation.code}: ${translation.reason}` };
    default:
      return { result: translation.kind };
  }
}

function translatorOf(route: Route, transform: RunTransform | undefined): LineTranslator {
  const context = (): TranslationContext => ({ now: Date.now(), newId: randomUUID });
  if (route.direction === "kafkaToMqtt") {
    const translate = recordToPublish(route, transform);
    return (line) => {
      const parsed = parseRecord(line);
      if ("problem" in parsed) return parsed;
      return { value: outcome(translate(parsed.value, context()), "message", publishJson) };
    };
  }
  const translate = publishToRecord(route, 0, transform);
  return (line) => {
    const parsed = parsePublish(line);
    if ("problem" in parsed) return parsed;
    const now = context();
    const { publish, ageMs } = parsed.value;
    const delivery = { publish, receivedAt: now.now - ageMs };
    return { value: outcome(translate(delivery, now), "record", recordJson) };
  };
}

/** The lines of the input. @throws BridgeError when it cannot be read. */
async function* linesOf(args: Arguments, shell: Shell): AsyncGenerator<string> {
  const path = args.value("input");
  const input = path === undefined ? shell.stdin : createReadStream(path);
  try {
    yield* createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  } catch (cause) {
    throw unreadableInput(path, cause);
  }
}

async function translate(args: Arguments, shell: Shell): Promise<number> {
  const name = routeName(args);
  const loaded = await loadToUse(args, shell);
  const route = findRoute(loaded.plan, name);
  const transform = await routeTransform(route, secretsOf(args, shell, loaded));
  const translator = translatorOf(route, transform);
  let code = 0;
  let number = 0;
  for await (const line of linesOf(args, shell)) {
    number++;
    if (line.trim() === "") continue;
    const result = translator(line);
    if ("value" in result) {
      print(shell, JSON.stringify(result.value));
    } else {
      complain(shell, `isthmus: line ${number}: ${result.problem}`);
      code = 1;
    }
  }
  return code;
}

/** `isthmus translate`: one message through one route, with nothing connected. */
export const translateCommand: Command = {
  name: "translate",
  summary: "Shows what a route makes of messages, with nothing connected: JSON lines in and out.",
  usage: "translate -f PATH... --route NAME [--input FILE]",
  options: {
    ...MANIFEST_OPTIONS,
    ...ROUTE_OPTION,
    input: { type: "string", value: "FILE", text: "read the lines from a file instead of stdin" },
    ...SECRETS_OPTION,
    ...LOCAL_BROKER_OPTION,
    json: { type: "boolean", text: "accepted for uniformity: the output is always JSON lines" },
  },
  notes: [
    "Kafka to MQTT reads records, MQTT to Kafka reads messages; bytes are Base64:",
    '  {"topic":"t","partition":0,"offset":0,"timestamp":0,"key":null,"value":"aGk=","headers":[["name","dmFsdWU="]]}',
    '  {"topic":"a/b","payload":"aGk=","qos":1,"retain":false,"properties":{"userProperties":[["k","v"]]},"ageMs":0}',
    "Each gives one line: a result (message, record, expired, filtered or rejected), what was removed, and why.",
    "Exit code: 0, or 1 when a line could not be read; the other lines are translated all the same.",
  ],
  run: translate,
};
