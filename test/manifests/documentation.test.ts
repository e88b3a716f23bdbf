import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { annotationPrefix, annotationRows } from "../../shared/manifests/annotations.ts";
import { mqttEndpointConfiguration } from "../../shared/manifests/schema/device.ts";
import { kinds } from "../../shared/manifests/schema/kinds.ts";
import { fieldPaths, fieldTree } from "../../shared/manifests/schema-fields.ts";

const text = readFileSync(new URL("../../docs/manifests.md", import.meta.url), "utf8");

const cellsOf = (line: string): string[] =>
  line
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());

const rows = text
  .split("\n")
  .filter((line) => line.startsWith("| "))
  .map(cellsOf);
const quoted = (cell: string): string[] =>
  [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? "");

function documentedFields(): string[] {
  return rows
    .filter((cells) => cells.length === 5 && cells[0] !== "kind")
    .flatMap(([kind = "", fields = ""]) => {
      const named = kind === "every kind" ? Object.keys(kinds) : kind.split(", ");
      return named.flatMap((name) => quoted(fields).map((field) => `${name} ${field}`));
    });
}

function readFields(): string[] {
  const ofKinds = Object.entries(kinds).flatMap(([kind, { schema }]) =>
    fieldPaths(fieldTree(schema)).map((field) => `${kind} ${field}`),
  );
  const inside = fieldPaths(fieldTree(mqttEndpointConfiguration), "additionalConfiguration");
  return [...ofKinds, ...inside.map((field) => `Device ${field}`)];
}

test("every field that is read has exactly one row in docs/manifests.md, and no row is of any other", () => {
  expect(documentedFields().sort()).toEqual(readFields().sort());
});

test("every row says what its field does and what holds without it", () => {
  const wanting = rows.filter(
    (cells) => cells.length === 5 && (cells[2] === "" || cells[3] === ""),
  );
  expect(wanting).toEqual([]);
});

test("every annotation has exactly one row, and no row is of any other (S-6)", () => {
  const documented = rows
    .filter((cells) => cells.length === 6)
    .flatMap(([annotation = ""]) => quoted(annotation));
  const known = Object.keys(annotationRows).map((name) => annotationPrefix + name);
  expect(documented.sort()).toEqual(known.sort());
});
