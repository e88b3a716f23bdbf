import { utf8Length } from "./utf8-length.ts";

/** What a Topic Name or Topic Filter may have at most, in bytes [MQTT-4.7.3-3]. */
export const LONGEST_TOPIC = 65_535;

/** Why `name` is no MQTT Topic Name to publish to, or undefined when it is one. */
export function topicNameProblem(name: string): string | undefined {
  // [MQTT-3.3.2-2]
  if (name.includes("+") || name.includes("#")) {
    return `Topic Name "${shortened(name)}" must not contain the wildcards "+" and "#"`;
  }
  return topicTextProblem("Topic Name", name);
}

/** What Topic Names and Topic Filters have in common: one byte at least, 65,535 at most, text that MQTT allows. */
export function topicTextProblem(what: string, text: string): string | undefined {
  if (text === "") return `${what} must not be empty`; // [MQTT-4.7.3-1]
  const bytes = utf8Length(text);
  if (bytes === undefined) {
    return `${what} "${shortened(text)}" must not contain U+0000 or half of a surrogate pair`;
  }
  if (bytes <= LONGEST_TOPIC) return undefined;
  return `${what} "${shortened(text)}" must have at most ${LONGEST_TOPIC} bytes: it has ${bytes}`;
}

/** Enough of a topic for a person to know it by. */
export function shortened(text: string): string {
  return text.length <= 100 ? text : `${text.slice(0, 100)}…`;
}
