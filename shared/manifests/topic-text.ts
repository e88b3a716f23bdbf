/** Checks of topic texts that can be made before any message crosses (sections 3 to 5 of the S-rules). */
import { quote } from "./quote.ts";

const mostBytes = 65_535;
const mostKafkaCharacters = 249;

/** A check says what is wrong, or undefined when nothing is. */
export type TextCheck = (text: string) => string | undefined;

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** [MQTT-4.7.1-1], [MQTT-4.7.1-2], [MQTT-4.7.3-1], [MQTT-4.7.3-2]; a `$share/<group>/` prefix counts as well formed or not here too. */
export const checkTopicFilter: TextCheck = (text) => {
  const { filter, problem } = splitShared(text);
  if (problem !== undefined) return problem;
  if (filter === "*") {
    return `${quote(filter)} is not a wildcard in MQTT: use "#" for every topic or "+" for one level`;
  }
  if (filter === "") return "topic filter is empty: give a topic or a filter such as factory/#";
  if (filter.includes("\0")) return `${quote(filter)} holds a zero character, which MQTT forbids`;
  if (byteLength(filter) > mostBytes) return `topic filter is longer than ${mostBytes} bytes`;
  const levels = filter.split("/");
  for (const [index, level] of levels.entries()) {
    if (level.includes("#") && (level !== "#" || index !== levels.length - 1)) {
      return `${quote(filter)} has "#" in the wrong place: it must be the whole last level`;
    }
    if (level.includes("+") && level !== "+") {
      return `${quote(filter)} has "+" in the wrong place: it must be a whole level`;
    }
  }
  return undefined;
};

export interface SharedFilter {
  readonly filter: string;
  readonly group?: string;
  readonly problem?: string;
}

/** Takes `$share/<group>/<filter>` and the other spelling `$shared/<group>/<filter>` apart (S-8). */
export function splitShared(text: string): SharedFilter {
  if (!/^\$shared?\//.test(text)) return { filter: text };
  const match = /^\$shared?\/([^/]*)\/(.*)$/s.exec(text);
  const group = match?.[1] ?? "";
  if (match === null || /[+#]/.test(group) || group === "") {
    return {
      filter: text,
      problem: `${quote(text)} is not a shared subscription: write $share/<group>/<filter>, the group without "/", "+" and "#"`,
    };
  }
  return { filter: match[2] ?? "", group };
}

/** A literal Kafka topic name as a broker accepts it. */
export const checkKafkaTopicName: TextCheck = (text) => {
  if (text === "") return "Kafka topic is empty";
  if (text === "." || text === "..") return `${quote(text)} is not allowed as a Kafka topic`;
  if (text.length > mostKafkaCharacters) {
    return `Kafka topic has ${text.length} characters: at most ${mostKafkaCharacters} are allowed`;
  }
  const bad = /[^A-Za-z0-9._-]/u.exec(text);
  if (bad === null) return undefined;
  return `${quote(text)} is not a Kafka topic name: it holds ${quote(bad[0])}, and only letters, digits, ".", "_" and "-" are allowed`;
};

/** S-30: what a Kafka source may read: a name, or a regular expression that starts with `^`. */
export const checkKafkaSource: TextCheck = (text) => {
  if (text.startsWith("^")) {
    try {
      new RegExp(`^(?:${text})$`);
      return undefined;
    } catch (cause) {
      const why = (cause as Error).message.replace(/^.*\/: /, "");
      return `${quote(text)} is not a regular expression: ${why}`;
    }
  }
  const wildcard = /[*?+#]/.exec(text);
  if (wildcard === null) return checkKafkaTopicName(text);
  const expression = `^${text
    .replace(/[.()[\]{}|\\^$]/g, "\\$&")
    .replace(/[*#+]/g, ".*")
    .replace(/[?]/g, ".")}$`;
  return `${quote(text)} holds ${quote(wildcard[0])}, and Kafka topics have no wildcards: write a regular expression that starts with ^, for example ${expression}`;
};
