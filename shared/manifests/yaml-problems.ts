/** What is wrong with the YAML itself, in words that say what to change. The parser's own texts may repeat values, so they are not used. */
import type { ErrorCode } from "yaml";
import { quote } from "./quote.ts";

const texts: Partial<Record<ErrorCode, string>> = {
  BAD_INDENT: "this line is indented wrongly, or a bracket or quote before it is not closed",
  BAD_SCALAR_START: "this text begins with a character that YAML reserves: put it in quotes",
  BLOCK_AS_IMPLICIT_KEY: 'there are two ": " in one line: put the value in quotes',
  BAD_DQ_ESCAPE: "there is a backslash that YAML does not know: write \\\\, or use single quotes",
  DUPLICATE_KEY: "this field is given twice: keep one",
  MISSING_CHAR:
    'a character is missing here: a closing quote or bracket, a comma, or ":" after a field',
  MULTILINE_IMPLICIT_KEY: 'a field goes over several lines: a ":" or a closing quote is missing',
  TAB_AS_INDENT: "this line is indented with a tab: use spaces",
  TAG_RESOLVE_FAILED: "this YAML tag is not known: take it away",
  UNEXPECTED_TOKEN:
    "YAML does not expect this here: put the value in quotes, or mend the indentation",
};

const anyOther = "this is not YAML";

/** The value at the end of a line of YAML, without its comment. */
function valueText(line: string): string {
  return line
    .replace(/\s#.*$/, "")
    .replace(/^[\s-]*([^\s:]+:\s+)?/, "")
    .trim();
}

/** `{{…}}` that stands outside quotes, as templates leave it before they are filled in. */
export function isOpenTemplate(line: string): boolean {
  return /(^|[\s:[,-])\{\{/.test(line.replace(/"[^"]*"|'[^']*'/g, ""));
}

/** Says that a template must be in quotes; `quiet` leaves out what it says. */
export function templateProblem(line: string, quiet: boolean): string {
  const value = quiet ? "this text" : quote(valueText(line));
  return `${value} must be in quotes: YAML reads {{ as the start of fields`;
}

/** Where in a text a problem is: the line itself and the lines before it. */
export interface ErrorPlace {
  readonly line: string;
  readonly before: readonly string[];
  /** A Secret is near: repeat no values. */
  readonly quiet: boolean;
}

/** Explains one error of the parser. */
export function explainYamlError(code: ErrorCode, place: ErrorPlace): string {
  if (isOpenTemplate(place.line)) return templateProblem(place.line, place.quiet);
  if (code === "BAD_ALIAS") return aliasProblem(place);
  return texts[code] ?? anyOther;
}

function aliasProblem({ line, before, quiet }: ErrorPlace): string {
  const value = valueText(line);
  const field = [...before, line].findLast((text) => /^\s*(- )?\s*\w+:/.test(text)) ?? "";
  if (/\bdataSources:/.test(field) && value === "*") {
    return `"*" must be in quotes, and MQTT has no wildcard "*": write dataSources: ["#"] for every topic`;
  }
  return `${quiet ? "this text" : quote(value)} must be in quotes: YAML reads "*" as the name of an anchor`;
}
