import type { LetterSelection } from "../../shared/compose.ts";
import { BridgeError } from "../../shared/errors.ts";
import { type Arguments, type Command, LOCAL_BROKER_OPTION, MANIFEST_OPTIONS } from "../command.ts";
import {
  allLeft,
  letterJson,
  letterLine,
  messageForm,
  resultJson,
  resultLines,
  strangersLine,
} from "../dead-letter-forms.ts";
import { findRoute } from "../find-route.ts";
import { HOST_OPTIONS, hostSettings } from "../host-options.ts";
import { loadToUse, secretsOf } from "../manifests.ts";
import { numberOption } from "../parse-arguments.ts";
import { complain, print, type Shell } from "../shell.ts";
import { stopSignal } from "../stop-signal.ts";
import { timeOption } from "../time-option.ts";

type Compose = typeof import("../../shared/compose.ts");
type Host = Parameters<Compose["listDeadLetters"]>[0];

/** Options that say something to one of the actions only. */
const ONLY_OF: Readonly<Record<string, string>> = {
  payload: "list",
  "dry-run": "send",
  mark: "send",
};

function checkOptions(args: Arguments): void {
  for (const [option, action] of Object.entries(ONLY_OF)) {
    if (!args.flag(option) || args.action === action) continue;
    throw new BridgeError(
      "USAGE",
      `Option --${option} is of isthmus replay ${action}, not of ${args.action}`,
    );
  }
}

function selectionOf(args: Arguments): LetterSelection {
  const now = Date.now();
  const route = args.value("route");
  const reason = args.value("reason")?.toUpperCase();
  const since = timeOption(args, "since", now);
  const until = timeOption(args, "until", now);
  return {
    again: args.flag("again"),
    ...(route === undefined ? {} : { route }),
    ...(reason === undefined ? {} : { reason }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  };
}

async function list(
  args: Arguments,
  shell: Shell,
  host: Host,
  { listDeadLetters }: Compose,
): Promise<number> {
  const json = args.flag("json");
  const payload = args.flag("payload");
  let count = 0;
  for await (const letter of listDeadLetters(host, selectionOf(args), limitOf(args))) {
    count += 1;
    print(shell, json ? JSON.stringify(letterJson(letter, payload)) : letterLine(letter));
    if (payload && !json) print(shell, `  ${JSON.stringify(messageForm(letter))}`);
  }
  if (!json) print(shell, count === 1 ? "1 dead letter" : `${count} dead letters`);
  return 0;
}

async function send(
  args: Arguments,
  shell: Shell,
  host: Host,
  { replayDeadLetters }: Compose,
): Promise<number> {
  const route = args.value("route");
  // a letter can be listed whoever wrote it; to be sent again it needs its route
  if (route !== undefined) findRoute(host.plan, route);
  const dryRun = args.flag("dry-run");
  const result = await replayDeadLetters(host, {
    selection: selectionOf(args),
    limit: limitOf(args),
    dryRun,
    markMessages: args.flag("mark"),
    stopped: stopSignal(shell),
  });
  if (args.flag("json")) print(shell, JSON.stringify(resultJson(result, dryRun)));
  else for (const line of resultLines(result, dryRun)) print(shell, line);
  const strangers = strangersLine(result);
  if (strangers !== undefined) complain(shell, `isthmus: ${strangers}`);
  if (result.interrupted) complain(shell, "isthmus: interrupted: the same command goes on");
  return allLeft(result) ? 0 : 1;
}

function limitOf(args: Arguments): number {
  const limit = numberOption(args, "limit", { min: 1, max: 1_000_000_000 });
  return limit ?? Number.POSITIVE_INFINITY;
}

async function replay(args: Arguments, shell: Shell): Promise<number> {
  checkOptions(args);
  limitOf(args);
  selectionOf(args);
  const settings = hostSettings(args, shell, "warn");
  const startSeconds = numberOption(args, "start-timeout", { min: 1, max: 86_400 }) ?? 30;
  const loaded = await loadToUse(args, shell);
  const memory = settings.memoryBudgetBytes ?? loaded.memoryBudgetBytes;
  const host: Host = {
    plan: loaded.plan,
    secrets: secretsOf(args, shell, loaded),
    log: settings.log,
    drainMs: settings.drainMs,
    startTimeoutMs: startSeconds * 1000,
    ...(memory === undefined ? {} : { memoryBudgetBytes: memory }),
  };
  const compose = await import("../../shared/compose.ts");
  return await (args.action === "send" ? send : list)(args, shell, host, compose);
}

/** `isthmus replay`: what was dead-lettered, and the way back. */
export const replayCommand: Command = {
  name: "replay",
  summary: "Lists dead letters, and sends them through their routes again.",
  usage: "replay list|send -f PATH... [--route NAME] [--reason CODE] [--since TIME] [--until TIME]",
  actions: [
    { name: "list", text: "show each dead letter: when, which route, why, from where, how large" },
    { name: "send", text: "put each one through its route again, as the manifests are now" },
  ],
  options: {
    ...MANIFEST_OPTIONS,
    route: { type: "string", value: "NAME", text: "only those of this route" },
    reason: { type: "string", value: "CODE", text: "only those with this reason code" },
    since: {
      type: "string",
      value: "TIME",
      text: "only those dead-lettered then or later: 2026-11-21T08:30:00Z, 2026-11-21, or 30m, 2h, 7d ago",
    },
    until: { type: "string", value: "TIME", text: "only those dead-lettered before" },
    limit: { type: "string", value: "N", text: "at most so many, the oldest first" },
    again: { type: "boolean", text: "those too that were sent again already" },
    "dry-run": { type: "boolean", text: "send: translate only, and say what would come of it" },
    mark: {
      type: "boolean",
      text: "send: a last User Property or header isthmus-replayed tells receivers",
    },
    payload: { type: "boolean", text: "list: show the messages too, as JSON" },
    secrets: {
      type: "string",
      value: "FOLDER",
      text: "mounted Secrets and ConfigMaps: FOLDER/NAME/KEY",
    },
    ...LOCAL_BROKER_OPTION,
    "start-timeout": {
      type: "string",
      value: "SECONDS",
      text: "how long a broker is waited for (default 30)",
    },
    ...HOST_OPTIONS,
    json: { type: "boolean", text: "list: a JSON line for each; send: one JSON object at the end" },
  },
  notes: [
    "What was sent again is marked in the dead-letter topic, after its acknowledgement: to be interrupted and repeated safely.",
    "What fails again is dead-lettered again, with the next attempt; it is not sent twice in one run.",
    "Exit code: 0; 1 when a message was dead-lettered again, on an interruption, and for errors.",
  ],
  run: replay,
};
