import { textFromUtf8 } from "../translate/utf8.ts";
import type { FieldSource, InputReference } from "./field-reference.ts";
import type { Opaque } from "./inputs.ts";
import { type JsonNode, JsonObject, nodeAt } from "./json-node.ts";
import { JsonProblem, readJson } from "./json-reader.ts";
import { Failure, PlacedFailure } from "./value.ts";

/** What a transform may see of a message, and nothing besides. */
export interface MessageView {
  readonly payload: Uint8Array;
  readonly topic: string;
  readonly contentType: string | undefined;
  /** The first User Property or header of this name. */
  property(name: string): string | Opaque | undefined;
}

/** The payload cannot be read as a JSON object. */
export class NotJson extends PlacedFailure {}

/** What a field holds: undefined where there is none. */
export type Field = JsonNode | undefined | Opaque | Failure;

/** Reads one input of one message. */
export type FieldReader = (scope: Scope) => Field;

/** Finds the record of a dataset that a message goes with. */
export type Lookup = (scope: Scope) => JsonObject | undefined | Failure;

/** One message while it is transformed: its payload is read, and its datasets are searched, once and only when asked for. */
export class Scope {
  readonly message: MessageView;
  private root: JsonObject | Failure | undefined;
  private readonly lookups: ReadonlyMap<string, Lookup>;
  private found: Map<string, JsonObject | undefined | Failure> | undefined;

  constructor(message: MessageView, lookups: ReadonlyMap<string, Lookup>) {
    this.message = message;
    this.lookups = lookups;
  }

  payload(): JsonObject | Failure {
    this.root ??= readPayload(this.message.payload);
    return this.root;
  }

  record(dataset: string): JsonObject | undefined | Failure {
    this.found ??= new Map();
    if (this.found.has(dataset)) return this.found.get(dataset);
    const record = this.lookups.get(dataset)?.(this);
    this.found.set(dataset, record);
    return record;
  }
}

function readPayload(bytes: Uint8Array): JsonObject | NotJson {
  const text = textFromUtf8(bytes);
  if (text === undefined) return new NotJson("The payload is not JSON: it is not UTF-8");
  // RFC 8259, 8.1: a byte order mark may be ignored
  const root = readJson(text.startsWith("\uFEFF") ? text.slice(1) : text);
  if (root instanceof JsonProblem) return new NotJson(`The payload is not JSON: ${root.message}`);
  if (root instanceof JsonObject) return root;
  return new NotJson("The payload is JSON, but no object: it has no fields to name");
}

/** A reader of an input without a wildcard; with `? $last` it has a memory of its own. */
export function fieldReader({ source, last }: InputReference): FieldReader {
  const read = plainReader(source);
  if (!last) return read;
  let known: Field;
  return (scope) => {
    const field = read(scope);
    if (field === undefined || field === null) return known;
    if (!(field instanceof Failure)) known = field;
    return field;
  };
}

function plainReader(source: FieldSource): FieldReader {
  switch (source.kind) {
    case "topic":
      return ({ message }) => message.topic;
    case "contentType":
      return ({ message }) => message.contentType;
    case "property": {
      const { name } = source;
      return ({ message }) => message.property(name);
    }
    default: {
      const root = rootOf(source);
      const { before } = source.path;
      return (scope) => {
        const node = root(scope);
        return node instanceof JsonObject ? nodeAt(node, before) : node;
      };
    }
  }
}

/** Where the fields of a source are. */
export function rootOf(
  source: FieldSource & { kind: "payload" | "context" },
): (scope: Scope) => JsonObject | undefined | Failure {
  if (source.kind === "payload") return (scope) => scope.payload();
  const name = source.dataset ?? "";
  return (scope) => scope.record(name);
}
