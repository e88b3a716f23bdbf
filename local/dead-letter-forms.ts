import type { ReplayResult, StoredLetter } from "../shared/compose.ts";
import type { RouteCounters } from "../shared/engine/status.ts";
import { rfc3339 } from "../shared/translate/rfc3339.ts";
import { offsetJson, publishJson, readRecordJson } from "./json-forms.ts";

type Outcome = Pick<RouteCounters, "delivered" | "expired" | "filtered" | "deadLettered">;

// what a terminal would obey instead of show: controls, line separators, and what turns the direction of writing
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu;

/** Text from anywhere, fit for a terminal. */
function printable(text: string): string {
  return text.replaceAll(
    UNPRINTABLE,
    (char) => `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
}

function timeText(milliseconds: number): string {
  return rfc3339(milliseconds) ?? String(milliseconds);
}

function bytesOf({ letter }: StoredLetter): number {
  return letter.source === "kafka"
    ? (letter.record.value?.length ?? 0)
    : letter.publish.payload.length;
}

function originText({ letter }: StoredLetter): string {
  if (letter.source === "mqtt") return `mqtt:${letter.publish.topicName}`;
  const { topic, partition, offset } = letter.record;
  return `kafka:${topic}/${partition}/${offset}`;
}

/** One line for people: time, route, reason, where the message came from, its size, how often it was dead-lettered. */
export function letterLine(stored: StoredLetter): string {
  const { why } = stored.letter;
  const bytes = bytesOf(stored);
  return [
    timeText(why.time),
    printable(why.route),
    printable(why.code),
    printable(originText(stored)),
    bytes === 1 ? "1 byte" : `${bytes} bytes`,
    `attempt ${why.attempt}`,
    ...(stored.replayed ? ["sent again"] : []),
    printable(why.reason),
  ].join("  ");
}

/** The message itself, in the form that `isthmus translate` reads. */
export function messageForm({ letter }: StoredLetter): object {
  return letter.source === "kafka" ? readRecordJson(letter.record) : publishJson(letter.publish);
}

/** The same as {@link letterLine} for programs, with the message where it is asked for. */
export function letterJson(stored: StoredLetter, withMessage: boolean): object {
  const { letter, topic, partition, offset, replayed } = stored;
  const { why } = letter;
  const origin =
    letter.source === "mqtt"
      ? { topic: letter.publish.topicName, receivedAt: timeText(letter.receivedAt) }
      : {
          topic: letter.record.topic,
          partition: letter.record.partition,
          offset: offsetJson(letter.record.offset),
        };
  const form = letter.source === "kafka" ? "record" : "message";
  return {
    time: timeText(why.time),
    route: why.route,
    code: why.code,
    reason: why.reason,
    attempt: why.attempt,
    source: letter.source,
    origin,
    bytes: bytesOf(stored),
    replayed,
    deadLetter: { topic, partition, offset: offsetJson(offset) },
    ...(withMessage ? { [form]: messageForm(stored) } : {}),
  };
}

function outcomeOf(counted: readonly RouteCounters[]): Outcome & { readonly received: number } {
  const sum = (field: keyof Outcome | "received"): number =>
    counted.reduce((total, counters) => total + counters[field], 0);
  return {
    received: sum("received"),
    delivered: sum("delivered"),
    expired: sum("expired"),
    filtered: sum("filtered"),
    deadLettered: sum("deadLettered"),
  };
}

/** Whether all that was taken has left for good: nothing was dead-lettered again, nothing was left in the middle. */
export function allLeft(result: ReplayResult): boolean {
  const { received, delivered, expired, filtered } = outcomeOf([...result.routes.values()].flat());
  return !result.interrupted && received === delivered + expired + filtered;
}

/** What became of the letters, a line for each route. */
export function resultLines(result: ReplayResult, dryRun: boolean): string[] {
  if (result.routes.size === 0) return ["nothing to send again"];
  return [...result.routes].map(([route, counted]) => {
    const { received, delivered, expired, filtered, deadLettered } = outcomeOf(counted);
    const left = received - delivered - expired - filtered - deadLettered;
    const verb = dryRun ? "would be sent again" : "sent again";
    const outcomes = [
      `${delivered} delivered`,
      `${expired} expired`,
      ...(filtered > 0 ? [`${filtered} filtered`] : []),
      `${deadLettered} dead-lettered again`,
      ...(left > 0 ? [`${left} not ended, and not marked`] : []),
    ];
    return `${printable(route)}: ${received} ${verb}: ${outcomes.join(", ")}`;
  });
}

/** The letters of routes that the manifests do not have, for people; undefined when there are none. */
export function strangersLine({ noRoute }: ReplayResult): string | undefined {
  if (noRoute.size === 0) return undefined;
  const names = [...noRoute].map(([name, count]) => `${printable(name)} (${count})`);
  return `left as they are, for these manifests have no such route: ${names.join(", ")}`;
}

/** What became of the letters, for programs. */
export function resultJson(result: ReplayResult, dryRun: boolean): object {
  return {
    dryRun,
    interrupted: result.interrupted,
    taken: result.taken,
    routes: [...result.routes].map(([route, counted]) => ({ route, ...outcomeOf(counted) })),
    noRoute: [...result.noRoute].map(([route, count]) => ({ route, count })),
  };
}
