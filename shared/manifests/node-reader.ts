import { isAlias, isMap, isPair, isScalar, isSeq, type Node, type Pair, type YAMLMap } from "yaml";
import { didYouMean, plainSpelling } from "./nearest.ts";
import { type FieldPath, pathText, type Severity } from "./problem.ts";
import { quote } from "./quote.ts";
import type { FieldTree } from "./schema-fields.ts";
import type { Source, SourceDocument } from "./source.ts";
import { templateProblem } from "./yaml-problems.ts";

/** Offsets in the text: of a field's name and of its value. */
export interface Span {
  readonly key: number;
  readonly value: number;
  /** Whether the value is text, a number or the like: what is said of its inside is said of it. */
  readonly scalar: boolean;
}

/** Receives what is found while reading, with the offset it was found at. */
type NodeReport = (severity: Severity, offset: number, path: FieldPath, message: string) => void;

export interface NodeContext {
  readonly source: Source;
  readonly document: SourceDocument;
  readonly report: NodeReport;
}

const deepest = 64;
/** Aliases can name the same fields again and again; this many values are more than any manifest has. */
const mostNodes = 200_000;
const noFields: FieldTree = { kind: "value" };

/** The path of the field whose name people write in any case (S-2). */
const anyCase = "cloudEventAttributes";

/**
 * Turns nodes of YAML into plain values along a tree of fields, remembers where each stood, and tells of fields
 * that the tree does not have. A field without a value (`tls:`) counts as not given, as in Kubernetes.
 */
export class NodeReader {
  readonly spans: Map<string, Span> = new Map();
  readonly #context: NodeContext;
  #nodes = 0;
  #full = false;

  constructor(context: NodeContext) {
    this.#context = context;
  }

  /** The plain value of a node and all below it. */
  read(node: unknown, tree: FieldTree, path: FieldPath, key?: number): unknown {
    const resolved = this.#resolve(node, path);
    const at = offsetOf(resolved) ?? key ?? 0;
    if (!this.spans.has(pathText(path))) {
      this.spans.set(pathText(path), { key: key ?? at, value: at, scalar: isScalar(resolved) });
    }
    if (!this.#countsIn(path, at)) return undefined;
    if (isMap(resolved)) return this.#map(resolved, tree, path);
    if (isSeq(resolved)) {
      const item = tree.kind === "list" ? tree.item : noFields;
      return resolved.items.map((child, index) => this.read(child, item, [...path, index], at));
    }
    if (!isScalar(resolved)) return undefined;
    this.#lookForPlaceholder(resolved.value, tree, path, at);
    return resolved.value;
  }

  #countsIn(path: FieldPath, at: number): boolean {
    this.#nodes += 1;
    if (path.length <= deepest && this.#nodes <= mostNodes) return true;
    if (!this.#full) {
      this.#context.report(
        "error",
        at,
        path.slice(0, 4),
        "the fields are nested too deeply or too many: this is no manifest",
      );
    }
    this.#full = true;
    return false;
  }

  #resolve(node: unknown, path: FieldPath): unknown {
    if (!isAlias(node)) return node;
    const target = node.resolve(this.#context.document.yaml);
    if (target !== undefined) return target;
    const { quiet } = this.#context.source;
    const name = quiet ? "this text" : quote(`*${node.source}`);
    this.#context.report(
      "error",
      node.range?.[0] ?? 0,
      path,
      `${name} must be in quotes: YAML reads "*" as the name of an anchor, and there is none of that name`,
    );
    return undefined;
  }

  #map(map: YAMLMap, tree: FieldTree, path: FieldPath): unknown {
    const start = offsetOf(map) ?? 0;
    if (isTemplate(map)) {
      const { source } = this.#context;
      const message = templateProblem(source.lineAt(start), source.quiet);
      this.#context.report("error", start, path, message);
      return undefined;
    }
    const values = new Map<string, unknown>();
    for (const pair of map.items) {
      if (isPair(pair)) this.#field(pair, { map, tree, path, values });
    }
    return Object.fromEntries(values);
  }

  #field(pair: Pair, into: MapInProgress): void {
    const { path, values } = into;
    const at = offsetOf(pair.key) ?? 0;
    if (isMergeKey(pair.key)) {
      this.#merge(pair.value, into);
      return;
    }
    if (!isScalar(pair.key)) {
      this.#context.report("error", at, path, "the name of a field must be text");
      return;
    }
    const name = this.#nameOf(String(pair.key.value), at, into);
    const child = into.tree.kind === "map" ? into.tree.value : fieldOf(into.tree, name);
    const value = this.read(pair.value, child ?? noFields, [...path, name], at);
    if (value !== undefined && value !== null) values.set(name, value);
  }

  #merge(value: unknown, into: MapInProgress): void {
    const source = this.#resolve(value, into.path);
    const merged = this.read(source, into.tree, into.path);
    if (typeof merged !== "object" || merged === null || Array.isArray(merged)) return;
    for (const [name, field] of Object.entries(merged)) {
      if (!into.values.has(name)) into.values.set(name, field);
    }
  }

  /** The field's name as the tree has it; tells of one that the tree does not have. */
  #nameOf(name: string, at: number, { map, tree, path }: MapInProgress): string {
    if (tree.kind !== "fields" || tree.fields.has(name)) return name;
    if (tree.fields.has(anyCase) && name.toLowerCase() === anyCase.toLowerCase()) return anyCase;
    const homes = homesOf(name, tree, map);
    if (homes.length > 0) {
      const places = homes.map((home) => pathText([...path, home, name])).join(" or ");
      this.#context.report(
        "error",
        at,
        [...path, name],
        `${quote(name)} does not belong here: write it as ${places}`,
      );
    } else {
      const hint = didYouMean(name, tree.fields.keys());
      this.#context.report(
        "warning",
        at,
        [...path, name],
        `${quote(name)} is not a known field and has no effect${hint}`,
      );
    }
    return name;
  }

  #lookForPlaceholder(value: unknown, tree: FieldTree, path: FieldPath, at: number): void {
    if (path[0] !== "spec" || tree.kind !== "value" || typeof value !== "string") return;
    const found = /<[A-Za-z][\w .-]*>/.exec(value);
    if (found !== null) {
      this.#context.report(
        "warning",
        at,
        path,
        `${quote(found[0])} is a placeholder: put your own value in its place`,
      );
    }
  }
}

interface MapInProgress {
  readonly map: YAMLMap;
  readonly tree: FieldTree;
  readonly path: FieldPath;
  readonly values: Map<string, unknown>;
}

function offsetOf(node: unknown): number | undefined {
  return (node as Partial<Node> | null | undefined)?.range?.[0];
}

function fieldOf(tree: FieldTree, name: string): FieldTree | undefined {
  return tree.kind === "fields" ? tree.fields.get(name) : undefined;
}

/** `{{VAR}}` reads as fields whose one name is fields again. */
function isTemplate(map: YAMLMap): boolean {
  return map.flow === true && map.items.length > 0 && map.items.some((pair) => isMap(pair.key));
}

function isMergeKey(key: unknown): boolean {
  return (
    isScalar(key) && key.type === "PLAIN" && (key.value === "<<" || typeof key.value === "symbol")
  );
}

/** The sections beside this field that do have it; where the endpoint's type says which section counts, only that one. */
function homesOf(name: string, tree: FieldTree & { kind: "fields" }, map: YAMLMap): string[] {
  const homes = [...tree.fields]
    .filter(([, section]) => section.kind === "fields" && section.fields.has(name))
    .map(([home]) => home);
  const type = plainSpelling(String(map.get("endpointType") ?? "")).replace(/settings$/, "");
  const own = homes.filter((home) => home.toLowerCase() === `${type}settings`);
  return own.length > 0 ? own : homes;
}
