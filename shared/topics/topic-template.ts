import { shortened } from "./topic-name.ts";

/** `outputTopic`, `inputTopic` as a whole, or its segment, counted from 1. */
type Variable = { readonly segment: number | "output" | undefined };

/** A parsed topic template: text and variables in turn (S-31). */
export interface TopicTemplate {
  readonly parts: readonly (string | Variable)[];
}

export type ParsedTopicTemplate =
  | { readonly ok: true; readonly template: TopicTemplate }
  | { readonly ok: false; readonly reason: string };

export type RenderedTopic =
  | { readonly ok: true; readonly topic: string }
  | { readonly ok: false; readonly reason: string };

/**
 * Parses `factory/${inputTopic.2}`. `$${` stands for the text `${`, and a `$` before anything else for itself.
 * An unknown variable is a reason that names what is allowed.
 */
export function parseTopicTemplate(text: string): ParsedTopicTemplate {
  const parts: (string | Variable)[] = [];
  // each match is one token: an escape, a variable, a variable without its end, or a run of text
  for (const [token] of text.matchAll(/\$\$\{|\$\{[^}]*\}?|\$|[^$]+/g)) {
    if (token === "$${") parts.push("${");
    else if (!token.startsWith("${")) parts.push(token);
    else {
      const variable = parseVariable(token);
      if (variable === undefined) return { ok: false, reason: unknownVariable(text, token) };
      parts.push(variable);
    }
  }
  return { ok: true, template: { parts: joinTexts(parts) } };
}

function parseVariable(token: string): Variable | undefined {
  if (/^\$\{outputTopic\}$/.test(token)) return { segment: "output" };
  const match = /^\$\{inputTopic(?:\.([1-9]\d*))?\}$/.exec(token);
  if (match === null) return undefined;
  return { segment: match[1] === undefined ? undefined : Number(match[1]) };
}

function unknownVariable(text: string, token: string): string {
  return `Topic template "${text}" must not contain "${token}": allowed are "\${inputTopic}", "\${inputTopic.N}" with N from 1, "\${outputTopic}", and "$\${" for the text "\${"`;
}

/** Neighbouring texts become one, so that a template without variables is one text. */
function joinTexts(parts: readonly (string | Variable)[]): (string | Variable)[] {
  const joined: (string | Variable)[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (typeof part === "string" && typeof last === "string")
      joined[joined.length - 1] = last + part;
    else joined.push(part);
  }
  return joined;
}

/**
 * The topic that the template makes of `inputTopic`, whose segments are split at `separator`; separators around it do not count.
 * A segment that is missing or empty is a reason, never an empty level. `outputTopic` is what a map wrote, or else the same topic.
 */
export function renderTopicTemplate(
  template: TopicTemplate,
  inputTopic: string,
  separator: "." | "/",
  outputTopic: string = inputTopic,
): RenderedTopic {
  let topic = "";
  let segments: string[] | undefined;
  for (const part of template.parts) {
    if (typeof part === "string") topic += part;
    else if (part.segment === undefined) topic += inputTopic;
    else if (part.segment === "output") topic += outputTopic;
    else {
      segments ??= segmentsOf(inputTopic, separator);
      const segment = segments[part.segment - 1];
      if (segment === undefined || segment === "") {
        return { ok: false, reason: missingSegment(part.segment, inputTopic) };
      }
      topic += segment;
    }
  }
  return { ok: true, topic };
}

function segmentsOf(topic: string, separator: "." | "/"): string[] {
  let start = 0;
  while (topic[start] === separator) start += 1;
  // separators at the end make empty segments, which are missing like those that are not there
  return topic.slice(start).split(separator);
}

function missingSegment(segment: number, inputTopic: string): string {
  return `Topic "${shortened(inputTopic)}" has no segment ${segment}`;
}
