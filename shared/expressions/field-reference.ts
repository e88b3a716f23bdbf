import { type PathPattern, parsePath } from "./path.ts";

/** A part of a message that is not its payload. */
export type MetadataField =
  | { readonly kind: "topic" }
  | { readonly kind: "contentType" }
  /** A User Property of MQTT, a header of Kafka. */
  | { readonly kind: "property"; readonly name: string };

export type FieldSource =
  | MetadataField
  | { readonly kind: "payload"; readonly path: PathPattern }
  /** Without a name, the dataset whose condition this is. */
  | { readonly kind: "context"; readonly dataset: string | undefined; readonly path: PathPattern };

export interface InputReference {
  readonly source: FieldSource;
  /** `? $last`: where the field is missing, what it held before. */
  readonly last: boolean;
  /** As people name it. */
  readonly text: string;
  readonly warning?: string;
}

export type OutputTarget =
  | MetadataField
  | { readonly kind: "payload"; readonly path: PathPattern }
  /** An empty output: the fields are taken out. */
  | { readonly kind: "nowhere" };

const lastSuffix = /\s*\?\s*\$last\s*$/i;
const defaultSuffix = /\?\?\s*(?:"[^"]*"|[^\s"?]*)\s*$/;
const prefixes = "$source, $metadata and $context(name)";

/** Reads one of `inputs`; the reason why it is none as text. */
export function parseInput(written: string): InputReference | string {
  if (defaultSuffix.test(written)) {
    return `"?? …" is for data flow graphs only: write if($1 == (), default, $1) as the expression`;
  }
  const text = written.replace(lastSuffix, "");
  const last = text !== written;
  // the portal's way to write a quoted field, which one sample of the documents has too
  const plain = text.startsWith('@"') ? text.slice(1) : text;
  const source = parseSource(plain);
  if (typeof source === "string") return source;
  const path = "path" in source ? source.path : undefined;
  if (last && path?.hasWildcard === true) {
    return `"? $last" cannot follow a wildcard: it remembers one field`;
  }
  const warning = warningOf(plain);
  return { source, last, text: plain, ...(warning === undefined ? {} : { warning }) };
}

/** Reads an `output`; the reason why it is none as text. */
export function parseOutput(text: string): OutputTarget | string {
  if (text === "") return { kind: "nowhere" };
  const target = parseSource(text);
  if (typeof target !== "string" && target.kind === "context") {
    return "$context(…) can be read only: an output is a field of the payload, or $metadata.…";
  }
  return target as OutputTarget | string;
}

function parseSource(text: string): FieldSource | string {
  if (text === "") return "an input is empty: name a field";
  const context = /^\$context(?:\(([^)]*)\))?(?:\.|$)/.exec(text);
  if (context !== null) {
    const rest = text.slice(context[0].length);
    if (rest === "") return `${JSON.stringify(text)} names no field: write $context(name).field`;
    const path = parsePath(rest);
    return typeof path === "string" ? path : { kind: "context", dataset: context[1], path };
  }
  if (/^\$metadata(?:\.|$)/.test(text)) return parseMetadata(text);
  const path = parsePath(text.replace(/^\$source\./, ""));
  return typeof path === "string" ? path : { kind: "payload", path };
}

function parseMetadata(text: string): MetadataField | string {
  const known =
    "write $metadata.topic, $metadata.user_property.NAME, $metadata.header.NAME or $metadata.system_property.content_type";
  const path = parsePath(text);
  if (typeof path === "string") return path;
  if (path.hasWildcard)
    return `${JSON.stringify(text)} has a wildcard: metadata is named one by one`;
  const [, first = "", ...rest] = path.before;
  if (first === "topic" && rest.length === 0) return { kind: "topic" };
  const isSystem = /^system_propert(?:y|ies)$/.test(first);
  if (isSystem) {
    if (rest.join(".") === "content_type") return { kind: "contentType" };
    return `${JSON.stringify(text)} is not supported: the only system property is content_type`;
  }
  const isProperty = /^(?:user_propert(?:y|ies)|headers?)$/.test(first);
  // one of the documents has headers directly under $metadata
  const name = (isProperty ? rest : [first, ...rest]).join(".");
  return name === ""
    ? `${JSON.stringify(text)} names nothing: ${known}`
    : { kind: "property", name };
}

function warningOf(text: string): string | undefined {
  if (!/^\$[A-Za-z]/.test(text) || /^\$(?:source\.|metadata|context)/.test(text)) return undefined;
  return `${JSON.stringify(text)} is read as a field of the payload: the prefixes are ${prefixes}`;
}
