/** Topic templates (S-31) as far as they can be judged without a message. */
import { didYouMean } from "./nearest.ts";
import { quote } from "./quote.ts";
import { checkKafkaTopicName, type TextCheck } from "./topic-text.ts";

/** A piece of a template: text as it stands, or a variable, of which nothing is known yet. */
export type TemplatePart = { readonly literal: string } | { readonly variable: string };

export interface TemplateText {
  readonly parts: readonly TemplatePart[];
  readonly problem?: string;
}

/** Takes `factory/${inputTopic.2}` apart; `$${` is the text `${`. */
export function templateParts(text: string): TemplateText {
  const parts: TemplatePart[] = [];
  let literal = "";
  for (const token of text.split(/(\$\$\{|\$\{[^}]*\}?)/)) {
    if (!token.startsWith("${")) {
      literal += token === "$${" ? "${" : token;
      continue;
    }
    const problem = variableProblem(token);
    if (problem !== undefined) return { parts, problem };
    if (literal !== "") parts.push({ literal });
    parts.push({ variable: token.slice(2, -1) });
    literal = "";
  }
  if (literal !== "") parts.push({ literal });
  return { parts };
}

function variableProblem(token: string): string | undefined {
  if (!token.endsWith("}")) {
    return `${quote(token)} has no "}": write $\${ for the text "\${" itself`;
  }
  const variable = token.slice(2, -1);
  if (/^inputTopic(\.[1-9]\d{0,4})?$/.test(variable)) return undefined;
  const hint = didYouMean(variable.replace(/\..*$/, ""), ["inputTopic"]);
  return `${quote(token)} is not known: use \${inputTopic} for the whole topic, or \${inputTopic.1} for its first segment${hint}`;
}

function literalText(parts: readonly TemplatePart[]): string {
  return parts.map((part) => ("literal" in part ? part.literal : "")).join("");
}

const isStatic = (parts: readonly TemplatePart[]): boolean =>
  parts.every((part) => "literal" in part);

/** S-32: a template of an MQTT Topic Name. */
export const checkMqttTemplate: TextCheck = (text) => {
  const { parts, problem } = templateParts(text);
  if (problem !== undefined) return problem;
  const literal = literalText(parts);
  const bad = /[+#\0]/.exec(literal);
  if (bad !== null) {
    return `${quote(text)} holds ${quote(bad[0])}: a topic to publish to has no wildcards`;
  }
  if (parts.length === 0) return "MQTT topic is empty";
  if (new TextEncoder().encode(literal).length > 65_535) {
    return "MQTT topic is longer than 65535 bytes";
  }
  return undefined;
};

/** S-17: a template of a Kafka topic; `/` becomes `.` (S-32). */
export const checkKafkaTemplate: TextCheck = (text) => {
  const { parts, problem } = templateParts(text);
  if (problem !== undefined) return problem;
  const literal = literalText(parts).replaceAll("/", ".");
  if (isStatic(parts)) return checkKafkaTopicName(literal);
  // Names that depend on the message may still be legal where the fixed part alone is "." or nothing.
  return checkKafkaTopicName(`x${literal}`) === undefined
    ? undefined
    : checkKafkaTopicName(literal);
};
