import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadManifests } from "../../shared/manifests/load.ts";
import { formatProblem } from "../../shared/manifests/problem.ts";
import { fixture } from "./support.ts";

let folder = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "isthmus-manifests-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function put(name: string, text: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, text);
  return path;
}

const load = async (...paths: string[]): Promise<string[]> =>
  (await loadManifests(paths)).problems.map((problem) =>
    formatProblem(problem).replace(folder, "DIR"),
  );

test("a folder is read with its folders, YAML and JSON, in the order of names", async () => {
  await put("b/connector.yaml", fixture("connector-identity.yaml").text);
  await put("a/map.yml", fixture("topic-map.yaml").text);
  await put(
    "secret.JSON",
    JSON.stringify(
      {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "s" },
        data: { a: "eA==" },
        stringData: { b: "y" },
      },
      null,
      "\t",
    ),
  );
  await put("notes.txt", "no manifest");
  await put(".hidden/x.yaml", "broken: [");
  await put("node_modules/x/package.json", "{}");
  const result = await loadManifests([folder]);
  expect(result.plan.routes.map(({ name }) => name)).toEqual([
    "plant-connector/alarms",
    "plant-connector/setpoints",
  ]);
  expect(result.problems.filter(({ severity }) => severity !== "note")).toEqual([]);
  const secret = result.secrets.get("s");
  expect(new TextDecoder().decode(secret?.get("a"))).toBe("x");
  expect(new TextDecoder().decode(secret?.get("b"))).toBe("y");
});

test("a file named twice is read once", async () => {
  const path = await put("c.yaml", fixture("connector-identity.yaml").text);
  const { problems } = await loadManifests([path, path]);
  expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
});

test("an empty folder, a missing file and text that is no UTF-8 are told of by name, all in one run", async () => {
  await mkdir(join(folder, "empty"));
  const binary = await put("binary.yaml", new Uint8Array([0xff, 0xfe, 0]));
  const missing = join(folder, "missing.yaml");
  expect(await load(join(folder, "empty"), binary, missing, join(binary, "x"))).toEqual([
    "DIR/empty:1:1: error: there is no manifest in this folder: it needs *.yaml, *.yml or *.json",
    "DIR/binary.yaml:1:1: error: cannot be read: it is not UTF-8 text",
    "DIR/missing.yaml:1:1: error: cannot be read: there is no such file or folder",
    "DIR/binary.yaml/x:1:1: error: cannot be read: a part of its path is not a folder",
  ]);
});

test("files that hold no manifest at all are an error", async () => {
  await put("values.yaml", "replicas: 3\n");
  expect(await load(folder)).toEqual([
    "DIR/values.yaml:1:1: note: this is no manifest (no apiVersion and kind): skipped",
    "DIR/values.yaml:1:1: error: there is no manifest here: give files with apiVersion and kind",
  ]);
});

test("no path at all is an error", async () => {
  expect(await load()).toEqual([
    ".:1:1: error: there is no manifest here: give files with apiVersion and kind",
  ]);
});

test("a file that may not be read is told of, and the others are still checked", async (context) => {
  if (process.getuid?.() === 0) context.skip("permissions do not bind the root user");
  const secret = await put("a.yaml", "a: 1\n");
  await put("b.yaml", "a: [\n");
  await chmod(secret, 0);
  expect(await load(folder)).toEqual([
    "DIR/a.yaml:1:1: error: cannot be read: permission is denied",
    expect.stringContaining("DIR/b.yaml:"),
    expect.stringContaining("DIR/b.yaml:"),
  ]);
});

test("a link to nowhere in a folder is told of", async () => {
  const { symlink } = await import("node:fs/promises");
  await symlink(join(folder, "nowhere"), join(folder, "link.yaml"));
  expect(await load(folder)).toEqual([
    "DIR/link.yaml:1:1: error: cannot be read: there is no such file or folder",
  ]);
});
