import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

interface Rule {
  readonly name: string;
}

const root = resolve(import.meta.dirname, "../..");
const { forbidden } = createRequire(import.meta.url)("../../.dependency-cruiser.cjs") as {
  forbidden: readonly Rule[];
};

/** Every rule, a file that breaks it, and the import that does. */
const PLANTED = [
  { rule: "no-cycles", file: "local/a.ts", imports: "./b.ts" },
  { rule: "core-is-pure", file: "shared/translate/clock.ts", imports: "node:fs" },
  { rule: "model-is-the-bottom", file: "shared/model/up.ts", imports: "../wire/packet.ts" },
  {
    rule: "manifests-know-the-core-only",
    file: "shared/manifests/runs.ts",
    imports: "../engine/lane.ts",
  },
  { rule: "secrets-know-the-model", file: "shared/secrets/vault.ts", imports: "yaml" },
  { rule: "plan-is-pure", file: "shared/plan/reads.ts", imports: "node:fs" },
  { rule: "pages-are-pure", file: "shared/pages/lanes.ts", imports: "../engine/lane.ts" },
  { rule: "verify-is-pure", file: "shared/verify/sends.ts", imports: "../engine/lane.ts" },
  { rule: "engine-knows-no-vendor", file: "shared/engine/vendor.ts", imports: "kafkajs" },
  {
    rule: "adapters-know-the-ports",
    file: "shared/adapters/mqtt/lanes.ts",
    imports: "../../engine/lane.ts",
  },
  {
    rule: "adapters-are-siblings",
    file: "shared/adapters/mqtt/sibling.ts",
    imports: "../kafka/client.ts",
  },
  { rule: "vendor-only-in-adapters", file: "shared/compose/vendor.ts", imports: "mqtt" },
  {
    rule: "functions-sdk-only-in-functions",
    file: "local/host.ts",
    imports: "@azure/functions",
  },
  {
    rule: "shells-go-through-compose",
    file: "functions/adapter.ts",
    imports: "../shared/adapters/kafka/client.ts",
  },
  { rule: "shells-do-not-meet", file: "functions/other-shell.ts", imports: "../local/b.ts" },
  { rule: "shared-knows-no-shell", file: "shared/compose/shell.ts", imports: "../../local/b.ts" },
  { rule: "not-to-test", file: "local/tested.ts", imports: "../test/support.ts" },
  { rule: "not-to-dev-dependencies", file: "local/tool.ts", imports: "fast-check" },
  { rule: "not-to-undeclared", file: "local/undeclared.ts", imports: "left-pad" },
  { rule: "not-to-unresolvable", file: "local/lost.ts", imports: "./nowhere.ts" },
];

/** Files that break nothing by themselves. */
const INNOCENT: Record<string, string> = {
  "local/b.ts": 'import "./a.ts";\n',
  "shared/wire/packet.ts": "export const packet = 1;\n",
  "shared/engine/lane.ts": "export const lane = 1;\n",
  "shared/adapters/kafka/client.ts": 'import "kafkajs";\n',
  "test/support.ts": "export const support = 1;\n",
};

const DEPENDENCIES = ["mqtt", "kafkajs", "yaml", "@azure/functions"];
const PACKAGES = [...DEPENDENCIES, "fast-check", "left-pad"];

let folder = "";

function plant(file: string, text: string): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), text);
}

function layers(): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, "scripts/layers.mjs")],
    { cwd: folder, encoding: "utf8" },
  );
  return { status, output: stdout + stderr };
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-layers-"));
  for (const file of [".dependency-cruiser.cjs", "tsconfig.json"]) {
    copyFileSync(join(root, file), join(folder, file));
  }
  const versions = Object.fromEntries(DEPENDENCIES.map((name) => [name, "1.0.0"]));
  const manifest = { dependencies: versions, devDependencies: { "fast-check": "1.0.0" } };
  plant("package.json", JSON.stringify({ name: "planted", type: "module", ...manifest }));
  for (const name of PACKAGES) {
    plant(
      `node_modules/${name}/package.json`,
      JSON.stringify({ name, version: "1.0.0", main: "index.js" }),
    );
    plant(`node_modules/${name}/index.js`, "module.exports = {};\n");
  }
});

afterEach(() => rmSync(folder, { recursive: true }));

describe("npm run layers", () => {
  test("reports a planted violation of every rule, and fails", () => {
    for (const [file, text] of Object.entries(INNOCENT)) plant(file, text);
    for (const { file, imports } of PLANTED) plant(file, `import "${imports}";\n`);
    const { status, output } = layers();
    const missed = PLANTED.filter(
      ({ rule, file }) => !new RegExp(`^${rule}: ${file} -> `, "m").test(output),
    );
    expect(missed, output).toEqual([]);
    expect(status).toBe(1);
  });

  test("has a planted violation for each of its rules", () => {
    expect(PLANTED.map(({ rule }) => rule).sort()).toEqual(
      forbidden.map(({ name }) => name).sort(),
    );
  });

  test("is content with what breaks no rule, and says how much it saw", () => {
    plant("shared/wire/packet.ts", "export const packet = 1;\n");
    plant("shared/adapters/mqtt/client.ts", 'import "mqtt";\nimport "../../wire/packet.ts";\n');
    expect(layers()).toEqual({ status: 0, output: "3 modules, 2 imports, 0 violations\n" });
  });

  test("fails when it saw nothing", () => {
    mkdirSync(join(folder, "shared"));
    plant("test/support.ts", "export const support = 1;\n");
    const { status, output } = layers();
    expect(output).toContain("no module was cruised");
    expect(status).toBe(1);
  });
});

describe("ARCHITECTURE.md", () => {
  const read = (file: string): string => readFileSync(join(root, file), "utf8");
  const { dependencies } = JSON.parse(read("package.json")) as {
    dependencies: Record<string, string>;
  };

  test.each(Object.keys(dependencies))("says why %s is a dependency", (name) => {
    const section = read("ARCHITECTURE.md").split("## Dependencies")[1] ?? "";
    const rows = section.split("\n").filter((line) => line.startsWith("|"));
    const names = rows.flatMap((row) => (row.split("|")[1] ?? "").split(","));
    expect(names.map((text) => text.trim())).toContain(name);
  });
});
