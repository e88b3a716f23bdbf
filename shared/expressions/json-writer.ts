import { isList, type JsonNode, JsonNumber, JsonObject } from "./json-node.ts";

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that JSON escapes
const needsEscape = /["\\\u0000-\u001f\ud800-\udfff]/;

/** Writes JSON without blanks; numbers as they were. */
export function writeJson(node: JsonNode): string {
  if (typeof node === "string") return quoted(node);
  if (node instanceof JsonNumber) return node.text;
  if (node instanceof JsonObject) return writeObject(node);
  if (isList(node)) return `[${node.map(writeJson).join(",")}]`;
  return String(node);
}

function writeObject(object: JsonObject): string {
  const { names, values } = object;
  let text = "{";
  for (let i = 0; i < names.length; i += 1) {
    if (i > 0) text += ",";
    text += `${quoted(names[i] ?? "")}:${writeJson(values[i] ?? null)}`;
  }
  return `${text}}`;
}

function quoted(text: string): string {
  return needsEscape.test(text) ? JSON.stringify(text) : `"${text}"`;
}
