import type { Document, ParsedNode } from "yaml";
import { LineCounter, parseAllDocuments } from "yaml";
import type { SourceLocation } from "../model/route.ts";
import type { Problem } from "./problem.ts";
import { explainYamlError, isOpenTemplate } from "./yaml-problems.ts";

export interface ManifestFile {
  readonly path: string;
  readonly text: string;
}

/** One text of YAML or JSON with its documents. */
export interface Source {
  readonly file: ManifestFile;
  readonly documents: readonly SourceDocument[];
  locate(offset: number): SourceLocation;
  /** True when a Secret is in the file: then no message repeats a value. */
  readonly quiet: boolean;
  /** The line of text at an offset, without its end. */
  lineAt(offset: number): string;
}

export interface SourceDocument {
  readonly yaml: Document.Parsed<ParsedNode>;
  /** False when the parser found errors: what it holds may not be what was meant. */
  readonly sound: boolean;
}

/** Parses a file. YAML holds JSON, so one parser reads both and keeps positions in both. */
export function parseSource(file: ManifestFile, problems: Problem[]): Source {
  const text = file.text.replace(/^\uFEFF/, "");
  const lines = text.split(/\r?\n/);
  const counter = new LineCounter();
  const locate = (offset: number): SourceLocation => {
    const { line, col } = counter.linePos(offset);
    return { file: file.path, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const lineAt = (offset: number): string => lines[locate(offset).line - 1] ?? "";
  if (nestsTooDeep(lines)) {
    const message = "the fields are nested too deeply: this is no manifest";
    problems.push({ severity: "error", location: locate(0), path: "", message });
    return { file, quiet: true, locate, lineAt, documents: [] };
  }
  const parsed = parseAllDocuments(text, {
    lineCounter: counter,
    prettyErrors: false,
    merge: true,
    logLevel: "silent",
  });
  const documents = Array.isArray(parsed) ? parsed : [];
  const quiet = /\bkind["']?\s*:\s*["']?Secret\b/.test(text);
  const told = new Set<number>();
  for (const { code, pos } of documents.flatMap((document) => document.errors)) {
    const at = locate(pos[0]);
    const line = lines[at.line - 1] ?? "";
    // One mistake upsets the parser several times on its line: the first says it.
    if (told.has(at.line)) continue;
    told.add(at.line);
    const before = lines.slice(Math.max(0, at.line - 3), at.line - 1);
    const location = isOpenTemplate(line) ? { ...at, column: line.indexOf("{{") + 1 } : at;
    const message = explainYamlError(code, { line, before, quiet });
    problems.push({ severity: "error", location, path: "", message });
  }
  return {
    file,
    quiet,
    locate,
    lineAt,
    documents: documents.map((yaml) => ({ yaml, sound: yaml.errors.length === 0 })),
  };
}

const deepest = 500;

/**
 * Whether text nests far beyond any manifest. The parser recurses, and a stack that ends within a regular expression ends the
 * process, so this is counted before it: blocks by their indentation, `- - -` and the like, and open brackets.
 */
function nestsTooDeep(lines: readonly string[]): boolean {
  const open: { readonly indent: number; readonly weight: number }[] = [];
  let blocks = 0;
  let brackets = 0;
  for (const line of lines) {
    const indent = line.search(/[^ ]/);
    if (indent < 0) continue;
    for (let last = open.at(-1); last !== undefined && last.indent >= indent; last = open.at(-1)) {
      open.pop();
      blocks -= last.weight;
    }
    const weight = 1 + (line.match(/(?<!\S)[-?:](?!\S)/g) ?? []).length;
    open.push({ indent, weight });
    blocks += weight;
    let most = brackets;
    for (const [bracket] of line.matchAll(/[[\]{}]/g)) {
      brackets = Math.max(0, brackets + (bracket === "[" || bracket === "{" ? 1 : -1));
      most = Math.max(most, brackets);
    }
    if (blocks + most > deepest) return true;
  }
  return false;
}
