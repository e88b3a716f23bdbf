import { readFileSync } from "node:fs";
import {
  compileManifests,
  type LoadOptions,
  type LoadResult,
} from "../../shared/manifests/compile.ts";
import { formatProblem } from "../../shared/manifests/problem.ts";

export function fixture(name: string): { path: string; text: string } {
  const path = new URL(`../fixtures/manifests/${name}`, import.meta.url);
  return { path: name, text: readFileSync(path, "utf8") };
}

/** Compiles fixtures by their names. */
export function compiled(names: readonly string[], options?: LoadOptions): LoadResult {
  return compileManifests(names.map(fixture), options);
}

/** The problems of one text as `line:col: severity: message (path)`, without those of the given severities. */
export function problemsOf(text: string, without: readonly string[] = ["note"]): string[] {
  return compileManifests([{ path: "m.yaml", text }])
    .problems.filter(({ severity }) => !without.includes(severity))
    .map((problem) => formatProblem(problem).replace("m.yaml:", ""));
}
