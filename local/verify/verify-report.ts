import type { Route } from "../../shared/model/route.ts";
import type { CanaryCounts } from "../../shared/verify/canary-checker.ts";
import type { CanaryPath, CanaryPoint } from "../../shared/verify/canary-path.ts";
import type { CanaryEnding } from "./canary-run.ts";

/** What is known when a run has ended. */
export interface VerifyFacts {
  readonly run: string;
  readonly path: CanaryPath;
  /** How many canaries were asked for. */
  readonly count: number;
  readonly ending: CanaryEnding;
  readonly counts: CanaryCounts;
  /** How many verify itself had to send once more. */
  readonly resent: number;
  readonly seconds: number;
  /** The first few arrivals that were wrong, in words. */
  readonly problems: readonly string[];
  /** The first few numbers that are missing. */
  readonly missing: readonly number[];
  /** How many were dead-lettered, by the reason's code. */
  readonly deadLetterCodes: ReadonlyMap<string, number>;
}

const number = new Intl.NumberFormat("en-US");

export function pointText({ kind, topic }: CanaryPoint): string {
  return `${kind === "kafka" ? "Kafka" : "MQTT"} topic "${topic}"`;
}

/** `Kafka topic "a" through "route" to MQTT topic "b"`. */
export function pathText({ from, to, first, last }: CanaryPath): string {
  const names =
    first === last ? `"${first.name}"` : `"${first.name}" and back through "${last.name}"`;
  return `${pointText(from)} through ${names} to ${pointText(to)}`;
}

/** Whether nothing is missing, changed, out of order or, when that counts, doubled. */
export function isProven({ counts, count, path }: VerifyFacts, strict: boolean): boolean {
  const { received, lost, wrong, reordered, duplicated } = counts;
  if (received < count || lost > 0 || wrong > 0) return false;
  return !(path.orderPromised && reordered > 0) && !(strict && duplicated > 0);
}

/** The report for programs. */
export function reportJson(facts: VerifyFacts): object {
  const { run, path, ending, counts, seconds, resent } = facts;
  const { latencyMs, ...numbers } = counts;
  return {
    ...numbers,
    latencyMs: Object.fromEntries(
      Object.entries(latencyMs).map(([name, ms]) => [name, rounded(ms)]),
    ),
    seconds: rounded(seconds),
    run,
    route: path.first.name,
    ...(path.first === path.last ? {} : { back: path.last.name }),
    from: path.from.topic,
    to: path.to.topic,
    orderPromised: path.orderPromised,
    resent,
    ending,
    missing: facts.missing,
    problems: facts.problems,
    deadLetterCodes: Object.fromEntries(facts.deadLetterCodes),
  };
}

/** The report for people. */
export function reportText(facts: VerifyFacts, strict: boolean): string {
  const { counts, count, path, seconds, problems, missing } = facts;
  const { p50, p90, p99, max } = counts.latencyMs;
  const few = (total: number, shown: number): string => (total > shown ? ", …" : "");
  const lost =
    missing.length === 0 ? "" : `number ${missing.join(", ")}${few(counts.lost, missing.length)}`;
  const letters = [...facts.deadLetterCodes]
    .map(([code, times]) => `${code} ${number.format(times)}`)
    .join(", ");
  const lines = [
    row("sent", counts.sent, counts.sent < count ? `of ${number.format(count)}` : ""),
    row("received", counts.received, ""),
    row("dead letters", counts.deadLettered, letters),
    row("lost", counts.lost, lost),
    row("duplicated", counts.duplicated, ""),
    row(
      "reordered",
      counts.reordered,
      path.orderPromised ? "" : "this route does not promise order",
    ),
    row("wrong", counts.wrong, ""),
    ...problems.map((problem) => `                        ${problem}`),
    ...(counts.received === 0
      ? []
      : [`latency      p50 ${time(p50)}, p90 ${time(p90)}, p99 ${time(p99)}, max ${time(max)}`]),
    `time         ${seconds.toFixed(1)} s`,
    "",
    verdict(facts, strict),
  ];
  return lines.join("\n");
}

function row(name: string, value: number, note: string): string {
  return `${name.padEnd(12)} ${number.format(value).padStart(9)}  ${note}`.trimEnd();
}

function verdict(facts: VerifyFacts, strict: boolean): string {
  const { counts, ending } = facts;
  if (isProven(facts, strict)) {
    return counts.duplicated === 0
      ? "Every canary arrived once, as it should be."
      : "Every canary arrived, as it should be; some came more than once.";
  }
  if (ending === "interrupted") return "Interrupted: this is what had arrived by then.";
  if (counts.received === 0) return "Nothing arrived.";
  if (counts.deadLettered > 0 && counts.lost === 0) {
    return "Not every canary arrived: some were dead-lettered, for the reasons above.";
  }
  if (ending === "timeout") return "Not every canary arrived.";
  return "Every canary arrived, but not all as they should.";
}

/** Why nothing may have come, the likeliest first. */
export function likelyCauses({ first, last, from, to }: CanaryPath): readonly string[] {
  const names =
    first === last ? `route "${first.name}"` : `routes "${first.name}" and "${last.name}"`;
  return [
    `No bridge runs ${names} between these brokers now: verify stands beside a bridge, it is none. Start isthmus run, or the Functions app, with the same manifests`,
    `It runs, but waits or has failed: its /readyz, its status page and its log say why`,
    ...sourceCauses(first),
    `The canaries were refused on the way, and verify may not see it: look for them in Kafka topic "${first.deadLetterTopic}"`,
    `What is written to ${pointText(from)} does not reach the route, or the user of verify may not read ${pointText(to)}: see the brokers' access rules`,
  ];
}

function sourceCauses(route: Route): readonly string[] {
  if (route.direction === "mqttToKafka") return [];
  return [
    `It is still at older records: the canaries stand behind the backlog of consumer group "${route.consumerGroupId}"; give it time with --timeout`,
  ];
}

/** What a person should know before canaries are sent. */
export function warnings(path: CanaryPath, others: readonly Route[]): readonly string[] {
  const { first, last, to } = path;
  const lines: string[] = [];
  if (last.direction === "kafkaToMqtt" && last.retain) {
    lines.push(
      `route "${last.name}" retains: the last canary stays as the retained message of ${pointText(to)}`,
    );
  }
  if (first.qos === 0 || last.qos === 0)
    lines.push("QoS 0 promises no delivery: a canary may be lost");
  if (others.length > 0) {
    const names = others.map(({ name }) => `"${name}"`).join(", ");
    lines.push(
      `canaries will also take ${names}, which ${others.length === 1 ? "reads" : "read"} the same topic`,
    );
  }
  return lines;
}

function time(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  return ms < 10_000 ? `${number.format(Math.round(ms))} ms` : `${(ms / 1000).toFixed(1)} s`;
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
