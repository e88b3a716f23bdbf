import { isMap, isSeq } from "yaml";
import type { z } from "zod";
import { readAnnotations } from "./annotations.ts";
import { explainIssue, explainQuietly, isMissing, withoutField } from "./issues.ts";
import { didYouMean } from "./nearest.ts";
import { NodeReader } from "./node-reader.ts";
import { type FieldPath, type Problem, pathText, type Severity } from "./problem.ts";
import { quote } from "./quote.ts";
import type { Resource } from "./resource.ts";
import { foreignKinds, type Kind, kinds } from "./schema/kinds.ts";
import type { Metadata } from "./schema/metadata.ts";
import { type FieldTree, fieldTree } from "./schema-fields.ts";
import type { Source, SourceDocument } from "./source.ts";

/** What was read from all files so far. */
export interface Reading {
  readonly problems: Problem[];
  readonly resources: Resource[];
  /** `Kind/name` of resources that are there but could not be read, so that nobody is told they are missing. */
  readonly broken: Set<string>;
  /** Whether any document was a manifest at all, of whatever product. */
  manifests: number;
}

export function newReading(): Reading {
  return { problems: [], resources: [], broken: new Set(), manifests: 0 };
}

const trees = new Map<Kind, FieldTree>();

function treeOf(kind: Kind): FieldTree {
  const known = trees.get(kind);
  if (known !== undefined) return known;
  const tree = fieldTree(kinds[kind].schema);
  trees.set(kind, tree);
  return tree;
}

/** Reads every resource of one file; `kind: List` is read as its items. */
export function readResources(source: Source, reading: Reading): void {
  for (const document of source.documents) {
    for (const node of itemsOf(document.yaml.contents)) {
      readResource({ source, document, reading }, node);
    }
  }
}

function itemsOf(node: unknown): unknown[] {
  if (isSeq(node)) return node.items.flatMap(itemsOf);
  if (!isMap(node)) return [];
  const items = /^(\w+)?List$/.test(String(node.get("kind"))) ? node.get("items", true) : undefined;
  return isSeq(items) ? items.items.flatMap(itemsOf) : [node];
}

interface Place {
  readonly source: Source;
  readonly document: SourceDocument;
  readonly reading: Reading;
}

function readResource(place: Place, node: unknown): void {
  const { source, document, reading } = place;
  const headReader = new NodeReader({ source, document, report: () => {} });
  const head = headReader.read(node, { kind: "value" }, []);
  const values = (typeof head === "object" && head !== null ? head : {}) as Record<string, unknown>;
  const root = headReader.spans.get("")?.value ?? 0;
  const tell = (severity: Severity, message: string, field = "") => {
    const at = headReader.spans.get(field)?.value ?? root;
    reading.problems.push({ severity, location: source.locate(at), path: field, message });
  };
  const kind = kindOf(values, tell, reading);
  if (kind === undefined) return;
  const name = nameOf(values);
  if (!document.sound) {
    reading.broken.add(`${kind}/${name}`);
    return;
  }
  const resource = checkResource(place, node, kind);
  if (resource === undefined) reading.broken.add(`${kind}/${name}`);
  else reading.resources.push(resource);
}

function nameOf(values: Readonly<Record<string, unknown>>): string {
  return String((values["metadata"] as { name?: unknown } | undefined)?.name);
}

type Tell = (severity: Severity, message: string, field?: string) => void;

/** The kind of a document when it is one of ours; says why not otherwise. */
function kindOf(
  values: Readonly<Record<string, unknown>>,
  tell: Tell,
  reading: Reading,
): Kind | undefined {
  const { apiVersion, kind } = values;
  if (typeof apiVersion !== "string" || typeof kind !== "string") {
    const begun = apiVersion !== undefined || kind !== undefined || values["spec"] !== undefined;
    const missing = typeof apiVersion === "string" ? "kind" : "apiVersion";
    if (begun)
      tell(
        "error",
        `${quote(missing)} is missing or not text: each manifest begins with apiVersion and kind`,
      );
    else tell("note", "this is no manifest (no apiVersion and kind): skipped");
    return undefined;
  }
  reading.manifests += 1;
  const group = apiVersion.includes("/") ? apiVersion.replace(/\/.*$/, "") : "";
  const entry = Object.hasOwn(kinds, kind) ? kinds[kind as Kind] : undefined;
  if (entry?.groups.includes(group)) return kind as Kind;
  const ofGroup = Object.entries(kinds).filter(([, of]) => of.groups.includes(group));
  if (ofGroup.length === 0 || group === "" || foreignKinds.has(kind)) {
    tell("note", `${quote(kind)} of ${quote(apiVersion)} is not read here: skipped`, "kind");
    return undefined;
  }
  const names = ofGroup.map(([name]) => name);
  tell(
    "error",
    `${quote(kind)} is not a kind of ${quote(group)}: known are ${names.join(", ")}${didYouMean(kind, names)}`,
    "kind",
  );
  return undefined;
}

function checkResource(place: Place, node: unknown, kind: Kind): Resource | undefined {
  const { source, document, reading } = place;
  const add = (severity: Severity, offset: number, path: FieldPath, message: string): void => {
    reading.problems.push({
      severity,
      location: source.locate(offset),
      path: pathText(path),
      message,
    });
  };
  let told = 0;
  const reader = new NodeReader({
    source,
    document,
    report: (severity, offset, path, message) => {
      if (severity === "error") told += 1;
      add(severity, offset, path, message);
    },
  });
  const plain = reader.read(node, treeOf(kind), []);
  const locateOffset = (path: FieldPath): number => offsetOf(reader, path);
  const issues = new Map<string, z.core.$ZodIssue>();
  const values = parseLeniently(kind, plain, issues);
  for (const issue of issues.values()) {
    const path = issue.path as FieldPath;
    // What the reader has told of already (a template, an alias) reads as missing: say it once.
    if (told > 0 && isMissing(issue) && reader.spans.has(pathText(path))) continue;
    add("error", locateOffset(path), path, issue.message);
  }
  if (values === undefined) return undefined;
  const { metadata, apiVersion, spec } = values as {
    metadata: Metadata;
    apiVersion: string;
    spec?: unknown;
  };
  const report: Resource["report"] = (severity, path, message, scope) => {
    reading.problems.push({
      severity,
      location: source.locate(locateOffset(path)),
      path: pathText(path),
      message,
      ...(scope === undefined ? {} : { scope }),
    });
  };
  return {
    kind,
    name: metadata.name,
    apiVersion,
    annotations: readAnnotations(kind, metadata.annotations ?? {}, report),
    spec: spec ?? values,
    location: source.locate(locateOffset(["metadata", "name"])),
    locate: (path) => source.locate(locateOffset(path)),
    report,
  };
}

function offsetOf(reader: NodeReader, path: FieldPath): number {
  const own = reader.spans.get(pathText(path));
  if (own !== undefined) return own.value;
  for (let length = path.length - 1; length > 0; length--) {
    const parent = reader.spans.get(pathText(path.slice(0, length)));
    if (parent !== undefined) return parent.scalar ? parent.value : parent.key;
  }
  return reader.spans.get("")?.value ?? 0;
}

/** Parses; where single fields are wrong, parses again without them, so that every other check still runs. */
function parseLeniently(
  kind: Kind,
  plain: unknown,
  issues: Map<string, z.core.$ZodIssue>,
): unknown {
  const { schema } = kinds[kind];
  const error = kind === "Secret" ? explainQuietly : explainIssue;
  let value = plain;
  for (let attempt = 0; attempt < 3; attempt++) {
    // generating a parser costs more than these few texts
    const result = schema.safeParse(value, { error, jitless: true });
    if (result.success) return result.data;
    const fresh = result.error.issues.filter((issue) => !hasIssueAbove(issues, issue));
    for (const issue of fresh) issues.set(pathText(issue.path as FieldPath), issue);
    for (const issue of result.error.issues) value = withoutField(value, issue.path as FieldPath);
  }
  return undefined;
}

/** Whether the field was wrong already: that it is now missing is our own doing. */
function hasIssueAbove(
  issues: ReadonlyMap<string, z.core.$ZodIssue>,
  issue: z.core.$ZodIssue,
): boolean {
  return issues.has(pathText(issue.path as FieldPath));
}
