/** Whether what one route writes may be what another reads. Where it cannot be known, the answer is yes. */
import type { TopicSelector } from "../model/route.ts";
import { toKafkaTopic, topicSelectorMatches } from "../topics/kafka-topic.ts";
import { templateOf } from "./topic-text.ts";

/** One character, any characters but `/` (`+`), or any characters at all (`#` and the variables of templates). */
type Token = { readonly char: string } | "level" | "any";

const mostStates = 100_000;

const characters = (text: string): Token[] => [...text].map((char) => ({ char }));

function accepts(wildcard: "level" | "any", char: string): boolean {
  return wildcard === "any" || char !== "/";
}

/** Whether some text fits both rows of tokens. */
function intersect(a: readonly Token[], b: readonly Token[]): boolean {
  const seen = new Set<number>([0]);
  const open: [number, number][] = [[0, 0]];
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    const [i, j] = state;
    if (i === a.length && j === b.length) return true;
    if (seen.size > mostStates) return true;
    for (const [stepA, stepB] of steps(a[i], b[j])) {
      const key = (i + stepA) * (b.length + 1) + j + stepB;
      if (seen.has(key)) continue;
      seen.add(key);
      open.push([i + stepA, j + stepB]);
    }
  }
  return false;
}

function steps(a: Token | undefined, b: Token | undefined): [0 | 1, 0 | 1][] {
  const next: [0 | 1, 0 | 1][] = [];
  if (typeof a === "string") {
    next.push([1, 0]);
    if (typeof b === "object" && accepts(a, b.char)) next.push([0, 1]);
  }
  if (typeof b === "string") {
    next.push([0, 1]);
    if (typeof a === "object" && accepts(b, a.char)) next.push([1, 0]);
  }
  if (typeof a === "object" && typeof b === "object" && a.char === b.char) next.push([1, 1]);
  return next;
}

function templateTokens(template: string, kafka: boolean): Token[] {
  return templateOf(template).parts.flatMap((part): Token[] => {
    if (typeof part !== "string") return ["any"];
    return characters(kafka ? toKafkaTopic(part) : part);
  });
}

/** A Topic Filter as tokens; `a/#` also matches `a` [MQTT-4.7.1-2], so there may be two rows. */
function filterRows(filter: string): Token[][] {
  const row = filter
    .split("/")
    .flatMap((level, index): Token[] => [
      ...(index === 0 ? [] : characters("/")),
      ...(level === "#"
        ? (["any"] as const)
        : level === "+"
          ? (["level"] as const)
          : characters(level)),
    ]);
  return filter.endsWith("/#") ? [row, row.slice(0, -2)] : [row];
}

/** Whether a topic made by an MQTT template may match a Topic Filter. */
export function filterMayMatch(filter: string, template: string): boolean {
  const tokens = templateTokens(template, false);
  const [first] = tokens;
  const startsWithDollar = typeof first === "object" && first.char === "$";
  // Wildcards at the start do not match topics that begin with "$" [MQTT-4.7.2-1].
  if (startsWithDollar && /^[+#]/.test(filter)) return false;
  return filterRows(filter).some((row) => intersect(row, tokens));
}

/** Whether a Kafka topic made by a template may be one that a selector reads. */
export function selectorMayMatch(selector: TopicSelector, template: string): boolean {
  const tokens = templateTokens(template, true);
  if (selector.kind === "name") return intersect(characters(selector.topic), tokens);
  const literal = literalStart(tokens);
  if (literal.length === tokens.length) return topicSelectorMatches(selector, literal);
  return fixedStarts(selector.pattern).some((start) => mayStartAlike(start, literal));
}

/** Whether two selectors may read one topic. */
export function selectorsMayMeet(a: TopicSelector, b: TopicSelector): boolean {
  if (a.kind === "name") return b.kind === "name" ? a.topic === b.topic : selectorsMayMeet(b, a);
  if (b.kind === "name") return topicSelectorMatches(a, b.topic);
  const others = fixedStarts(b.pattern);
  return fixedStarts(a.pattern).some((start) =>
    others.some((other) => mayStartAlike(start, other)),
  );
}

function literalStart(tokens: readonly Token[]): string {
  const end = tokens.findIndex((token) => typeof token === "string");
  const head = end < 0 ? tokens : tokens.slice(0, end);
  return head.map((token) => (typeof token === "object" ? token.char : "")).join("");
}

function mayStartAlike(a: string, b: string): boolean {
  return a.startsWith(b) || b.startsWith(a);
}

/** The fixed text that each alternative of a regular expression begins with; `""` where nothing is fixed. */
function fixedStarts(pattern: string): string[] {
  const body = pattern.replace(/^\^/, "").replace(/\$$/, "");
  const group = /^\((?:\?:)?([^()]*)\)$/.exec(body);
  const alternatives = (group?.[1] ?? body).split("|");
  const whole = group !== null || !/[()]/.test(body);
  return whole ? alternatives.map(fixedStart) : [body.includes("|") ? "" : fixedStart(body)];
}

function fixedStart(alternative: string): string {
  let text = "";
  const tokens = alternative.match(/\\.|[\s\S]/g) ?? [];
  for (const [index, token] of tokens.entries()) {
    const char = token.startsWith("\\") ? token.slice(1) : token;
    const plain = token.startsWith("\\") ? /^[^A-Za-z0-9]$/.test(char) : /^[\w-]$/.test(char);
    const repeated = /^[*?+{]/.test(tokens[index + 1] ?? "");
    if (!plain || repeated) break;
    text += char;
  }
  return text;
}
