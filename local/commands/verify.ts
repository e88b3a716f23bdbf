import { systemClock } from "../../shared/adapters/system/system-clock.ts";
import type { ArrivedCanary, HostOptions } from "../../shared/compose.ts";
import { BridgeError } from "../../shared/errors.ts";
import type { Plan } from "../../shared/model/plan.ts";
import type { Route } from "../../shared/model/route.ts";
import { CanaryChecker } from "../../shared/verify/canary-checker.ts";
import { type CanaryPath, canaryPath } from "../../shared/verify/canary-path.ts";
import {
  readsKafkaTopic,
  readsTopicName,
  sourceKafkaTopic,
  sourceTopicName,
} from "../../shared/verify/canary-topics.ts";
import {
  type Arguments,
  type Command,
  LOCAL_BROKER_OPTION,
  MANIFEST_OPTIONS,
  SECRETS_OPTION,
} from "../command.ts";
import { findRoute, routeName } from "../find-route.ts";
import { createLog } from "../log.ts";
import { loadToUse, secretsOf } from "../manifests.ts";
import { numberOption } from "../parse-arguments.ts";
import { report } from "../report.ts";
import { complain, print, type Shell } from "../shell.ts";
import { stopSignal } from "../stop-signal.ts";
import { CanaryRun } from "../verify/canary-run.ts";
import {
  isProven,
  likelyCauses,
  pathText,
  reportJson,
  reportText,
  type VerifyFacts,
  warnings,
} from "../verify/verify-report.ts";

const CANNOT_CONNECT = 2;
const START_TIMEOUT_S = 10;
const MOST_CANARIES = 100_000_000;

type Compose = typeof import("../../shared/compose.ts");

interface Settings {
  readonly route: Route;
  readonly back: Route | undefined;
  readonly count: number;
  readonly perSecond: number | undefined;
  readonly size: number;
  readonly timeoutMs: number;
  readonly kafkaTopic: string | undefined;
  readonly mqttTopic: string | undefined;
}

function wholeNumber(
  args: Arguments,
  name: string,
  { min, max, otherwise }: { min: number; max: number; otherwise: number },
): number {
  const value = numberOption(args, name, { min, max }) ?? otherwise;
  if (Number.isInteger(value)) return value;
  throw new BridgeError("USAGE", `Option --${name} must be a whole number: "${value}"`);
}

function settingsOf(args: Arguments, plan: Plan): Settings {
  const name = routeName(args);
  const back = args.value("back");
  return {
    route: findRoute(plan, name),
    back: back === undefined ? undefined : findRoute(plan, back),
    count: wholeNumber(args, "count", { min: 1, max: MOST_CANARIES, otherwise: 1000 }),
    perSecond: numberOption(args, "rate", { min: 0.1, max: 1_000_000 }),
    size: wholeNumber(args, "size", { min: 1, max: 10_000_000, otherwise: 256 }),
    timeoutMs: (numberOption(args, "timeout", { min: 1, max: 86_400 }) ?? 30) * 1000,
    kafkaTopic: args.value("kafka-topic"),
    mqttTopic: args.value("mqtt-topic"),
  };
}

/** Where canaries are sent to; asks the broker only where a regular expression leaves it open. */
async function sourceTopic(settings: Settings, compose: Compose, host: HostOptions) {
  const { route, kafkaTopic, mqttTopic } = settings;
  if (route.direction === "mqttToKafka") {
    if (kafkaTopic === undefined) return sourceTopicName(route, mqttTopic);
    throw new BridgeError("USAGE", `Route "${route.name}" reads MQTT: give --mqtt-topic`);
  }
  if (mqttTopic !== undefined) {
    throw new BridgeError("USAGE", `Route "${route.name}" reads Kafka: give --kafka-topic`);
  }
  const named = sourceKafkaTopic(route, kafkaTopic);
  if (named !== undefined) return named;
  const existing = await compose.listTopics(route.kafkaConnection, host);
  return sourceKafkaTopic(route, undefined, existing) ?? "";
}

async function pathOf(settings: Settings, compose: Compose, host: HostOptions) {
  const topic = await sourceTopic(settings, compose, host);
  const path = canaryPath({ ...settings, topic, lanes: 1 });
  if (path.from.kind === "mqtt") return path;
  const lanes = await compose.countPartitions(path.from.connection, topic, host);
  return canaryPath({ ...settings, topic, lanes });
}

/** Routes that carry the canaries besides the one that is asked about. */
function othersOn({ from, first, last }: CanaryPath, plan: Plan): readonly Route[] {
  return plan.routes.filter((route) => {
    if (route === first || route === last) return false;
    return route.direction === "kafkaToMqtt"
      ? from.kind === "kafka" &&
          route.kafkaConnection === from.connection &&
          readsKafkaTopic(route, from.topic)
      : from.kind === "mqtt" &&
          route.mqttConnection === from.connection &&
          readsTopicName(route, from.topic);
  });
}

/** Milliseconds since the Unix epoch, with fractions, and never stepping back. */
function preciseNow(): number {
  return performance.timeOrigin + performance.now();
}

interface Proof {
  readonly facts: VerifyFacts;
  /** Why it ended before its time. */
  readonly fault?: BridgeError;
}

async function prove(
  settings: Settings,
  compose: Compose,
  host: HostOptions,
  shell: Shell,
): Promise<Proof> {
  const path = await pathOf(settings, compose, host);
  const run = systemClock.newId().slice(0, 8);
  const { count, perSecond, timeoutMs } = settings;
  const checker = new CanaryChecker(count);
  const stopped = stopSignal(shell);
  const canaries = new CanaryRun({
    ...{ path, checker, count, perSecond, timeoutMs, stopped },
    clock: systemClock,
  });
  const arrived = (canary: ArrivedCanary): void => canaries.arrived(canary, preciseNow());
  const deadLettered = canaries.deadLettered.bind(canaries);
  const request = { run, path, now: preciseNow, arrived, deadLettered };
  const sender = await compose.openCanaryEnds(request, host);
  const facts = (ending: VerifyFacts["ending"]): VerifyFacts => ({
    ...{ run, path, count, ending },
    counts: checker.counts(),
    resent: sender.resent(),
    seconds: canaries.seconds,
    problems: checker.problems,
    missing: checker.missing(),
    deadLetterCodes: checker.deadLetterCodes,
  });
  try {
    complain(shell, `isthmus: run ${run}: ${count} canaries from ${pathText(path)}`);
    for (const line of warnings(path, othersOn(path, host.plan))) {
      complain(shell, `isthmus: warning: ${line}`);
    }
    return { facts: facts(await canaries.run(sender)) };
  } catch (cause) {
    if (!(cause instanceof BridgeError) || checker.received === 0) throw cause;
    return { facts: facts("interrupted"), fault: cause };
  } finally {
    await sender.stop();
  }
}

function tell(shell: Shell, facts: VerifyFacts, args: Arguments): void {
  const strict = args.flag("strict");
  print(shell, args.flag("json") ? JSON.stringify(reportJson(facts)) : reportText(facts, strict));
  const { counts, path, resent } = facts;
  if (counts.received === 0 && counts.lost > 0) {
    complain(shell, "isthmus: nothing arrived; the likely causes, the likeliest first:");
    for (const [index, cause] of likelyCauses(path).entries()) {
      complain(shell, `  ${index + 1}. ${cause}`);
    }
  }
  if (counts.duplicated === 0 && counts.reordered === 0) return;
  if (counts.duplicated > 0) {
    const allowed = strict ? "" : ": at least once allows it after a fault";
    complain(shell, `isthmus: warning: ${counts.duplicated} canaries came again${allowed}`);
  }
  if (resent > 0) {
    complain(
      shell,
      `isthmus: warning: verify itself sent ${resent} canaries once more, for the source did not answer: they may be among these`,
    );
  }
}

async function verify(args: Arguments, shell: Shell): Promise<number> {
  const loaded = await loadToUse(args, shell);
  const settings = settingsOf(args, loaded.plan);
  const startSeconds = numberOption(args, "start-timeout", { min: 1, max: 3600 });
  const host: HostOptions = {
    plan: loaded.plan,
    secrets: secretsOf(args, shell, loaded),
    log: createLog(shell.stderr, {
      format: shell.terminal ? "text" : "json",
      level: "warn",
      now: Date.now,
    }),
    startTimeoutMs: (startSeconds ?? START_TIMEOUT_S) * 1000,
  };
  const debug = args.flag("debug") || shell.env["ISTHMUS_DEBUG"] === "1";
  try {
    const { facts, fault } = await prove(
      settings,
      await import("../../shared/compose.ts"),
      host,
      shell,
    );
    tell(shell, facts, args);
    if (fault !== undefined) report(shell, fault, debug);
    return fault === undefined && isProven(facts, args.flag("strict")) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof BridgeError) || error.code === "USAGE") throw error;
    report(shell, error, debug);
    return CANNOT_CONNECT;
  }
}

/** `isthmus verify`: a proof on the user's own brokers, beside a running bridge. */
export const verifyCommand: Command = {
  name: "verify",
  summary: "Sends numbered canaries through a running bridge and reports what came of them.",
  usage: "verify -f PATH... --route NAME [--back NAME] [--count N] [options]",
  options: {
    ...MANIFEST_OPTIONS,
    route: { type: "string", value: "NAME", text: "the route that is to carry the canaries" },
    back: {
      type: "string",
      value: "NAME",
      text: "a route that reads where the first one writes: the canaries are checked after both",
    },
    count: { type: "string", value: "N", text: "how many canaries (default 1000)" },
    rate: {
      type: "string",
      value: "N",
      text: "canaries a second (default: as fast as they arrive, with 1000 under way)",
    },
    size: { type: "string", value: "BYTES", text: "bytes of a canary's payload (default 256)" },
    timeout: {
      type: "string",
      value: "SECONDS",
      text: "what has not come when nothing came for so long is lost (default 30)",
    },
    "kafka-topic": {
      type: "string",
      value: "TOPIC",
      text: "send to this topic (default: the first that the route names, or its regular expression matches)",
    },
    "mqtt-topic": {
      type: "string",
      value: "TOPIC",
      text: "send to this topic (default: the Topic Filter, with isthmus-canary for wildcards)",
    },
    strict: { type: "boolean", text: "count duplicates as a failure" },
    ...SECRETS_OPTION,
    ...LOCAL_BROKER_OPTION,
    "start-timeout": {
      type: "string",
      value: "SECONDS",
      text: "how long a broker is waited for at the start (default 10)",
    },
    json: { type: "boolean", text: "print the report for programs" },
  },
  notes: [
    "The bridge must be running: verify is a client beside it, with a client id of its own and no consumer group.",
    'Every canary has the header or User Property "isthmus-canary", by which consumers can pass over it.',
    "Exit code: 0 when every canary arrived as it should, 1 when not or interrupted, 2 when a broker cannot be used.",
  ],
  run: verify,
};
