import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { BridgeError } from "../../shared/errors.ts";
import type { TraceStep } from "../../shared/expressions/trace.ts";
import type { Route } from "../../shared/model/route.ts";
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
import { type Explained, explanationLines, explanationOf } from "../explain.ts";
import { findRoute, routeName } from "../find-route.ts";
import { unreadableInput } from "../input.ts";
import { type Parsed, parsePublish, parseRecord } from "../json-forms.ts";
import { loadToUse, secretsOf } from "../manifests.ts";
import { print, type Shell } from "../shell.ts";

/** The message as the line that isthmus translate takes. */
async function sampleLine(args: Arguments, shell: Shell, route: Route): Promise<string> {
  const topic = args.value("topic");
  if (topic !== undefined) return JSON.stringify(sampleOf(args, route, topic));
  for (const option of ["payload", "key", "header"]) {
    if (args.values(option).length > 0) {
      throw new BridgeError("USAGE", `Option --${option} needs --topic: which topic it came from`);
    }
  }
  const path = args.value("input");
  try {
    return path === undefined ? await text(shell.stdin) : await readFile(path, "utf8");
  } catch (cause) {
    throw unreadableInput(path, cause);
  }
}

function sampleOf(args: Arguments, { direction }: Route, topic: string): object {
  const base64 = (value: string): string => Buffer.from(value).toString("base64");
  const pairs = args.values("header").map((given): [string, string] => {
    const at = given.indexOf("=");
    if (at < 0) throw new BridgeError("USAGE", `--header "${given}" needs a "=": NAME=VALUE`);
    return [given.slice(0, at), given.slice(at + 1)];
  });
  const payload = args.value("payload");
  const key = args.value("key");
  if (direction === "kafkaToMqtt") {
    return {
      topic,
      timestamp: Date.now(),
      key: key === undefined ? null : base64(key),
      value: payload === undefined ? null : base64(payload),
      headers: pairs.map(([name, value]) => [name, base64(value)]),
    };
  }
  if (key !== undefined) throw new BridgeError("USAGE", "An MQTT message has no --key");
  return { topic, payload: base64(payload ?? ""), properties: { userProperties: pairs } };
}

function parsed<T>(result: Parsed<T>): T {
  if ("value" in result) return result.value;
  throw new BridgeError("USAGE", `The message cannot be read: ${result.problem}`);
}

async function explain(args: Arguments, shell: Shell): Promise<number> {
  const name = routeName(args);
  const loaded = await loadToUse(args, shell);
  const route = findRoute(loaded.plan, name);
  const steps: TraceStep[] = [];
  const secrets = secretsOf(args, shell, loaded);
  const transform = await routeTransform(route, secrets, (step) => steps.push(step));
  const line = (await sampleLine(args, shell, route)).trim();
  const context = { now: Date.now(), newId: randomUUID };
  let explained: Explained;
  if (route.direction === "kafkaToMqtt") {
    const came = parsed(parseRecord(line));
    explained = { came, made: recordToPublish(route, transform)(came, context) };
  } else {
    const { publish: came, ageMs } = parsed(parsePublish(line));
    const received = { publish: came, receivedAt: context.now - ageMs };
    explained = { came, made: publishToRecord(route, 0, transform)(received, context) };
  }
  const explanation = explanationOf(loaded.plan, route, explained, steps);
  if (args.flag("json")) print(shell, JSON.stringify(explanation));
  else for (const one of explanationLines(explanation)) print(shell, one);
  return 0;
}

/** `isthmus explain`: why one message becomes what it becomes, step by step. */
export const explainCommand: Command = {
  name: "explain",
  summary: "Shows step by step what a route makes of one message, and why; nothing is connected.",
  usage: "explain -f PATH... --route NAME [--topic TOPIC --payload TEXT --header NAME=VALUE]",
  options: {
    ...MANIFEST_OPTIONS,
    ...ROUTE_OPTION,
    topic: { type: "string", value: "TOPIC", text: "the topic that the message came from" },
    payload: { type: "string", value: "TEXT", text: "its payload" },
    key: { type: "string", value: "TEXT", text: "the key of a record" },
    header: {
      type: "string",
      multiple: true,
      value: "NAME=VALUE",
      text: "a header or User Property; may be repeated",
    },
    input: {
      type: "string",
      value: "FILE",
      text: "without --topic: read the message, as a line of isthmus translate, from a file instead of stdin",
    },
    ...SECRETS_OPTION,
    ...LOCAL_BROKER_OPTION,
    json: { type: "boolean", text: "print one JSON object for programs" },
  },
  notes: [
    "Lines: the route that matches; each dataset, filter and map rule with its values; headers kept, added and",
    "removed with the reason; then topic, key, partition and payload, or why the message goes nowhere.",
    "Exit code: 0, or 1 when the message cannot be read.",
  ],
  run: explain,
};
