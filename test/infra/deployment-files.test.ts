import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { bicepParameters, formatBicepParameters } from "../../shared/plan/bicep-parameters.ts";
import { parseBicep } from "../support/bicep/parse.ts";
import { runCli } from "../support/cli.ts";
import { deployPlan, plannedManifests } from "../support/infra.ts";

const root = resolve(import.meta.dirname, "../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");

const outputs = parseBicep("infra/main.bicep", read("infra/main.bicep")).declarations.flatMap(
  ({ kind, name }) => (kind === "output" ? [name] : []),
);

interface Hook {
  readonly shell: string;
  readonly run: string;
}

const azure = parse(read("azure.yaml")) as {
  infra: { path: string; module: string };
  services: Record<
    string,
    {
      project: string;
      host: string;
      remoteBuild: boolean;
      hooks: Record<string, Record<string, Hook>>;
    }
  >;
  hooks: Record<string, Record<string, Hook>>;
};

describe("azure.yaml", () => {
  const [[name = "", service] = []] = Object.entries(azure.services);
  if (service === undefined) throw new Error("azure.yaml has no service");

  test("deploys to the function app that Bicep marks with the service's name", async () => {
    const [planned] = await plannedManifests();
    if (planned === undefined) throw new Error("There are no manifests");
    const site = deployPlan(planned).resources.find(({ type }) => type === "Microsoft.Web/sites");
    expect(site?.body["tags"]).toMatchObject({ "azd-service-name": name, "azd-env-name": "test" });
    expect(existsSync(join(root, azure.infra.path, `${azure.infra.module}.bicep`))).toBe(true);
  });

  test("builds nothing on Azure: the folder of the service lets its modules through", () => {
    expect(service).toMatchObject({ host: "function", remoteBuild: false });
    const ignored = read(join(service.project, ".funcignore"))
      .split("\n")
      .filter((line) => !line.startsWith("#"));
    expect(ignored).not.toContain("node_modules");
  });

  test("has the same hooks on every system, each of a script that knows it", () => {
    const script = read("scripts/azd.mjs");
    const hooks = [
      ...Object.values(azure.hooks).map((hook) => ({ hook, from: root })),
      ...Object.values(service.hooks).map((hook) => ({ hook, from: join(root, service.project) })),
    ];
    expect(hooks).toHaveLength(3);
    for (const { hook, from } of hooks) {
      expect(hook["posix"]?.run).toBe(hook["windows"]?.run);
      const [program, path = "", word = ""] = (hook["posix"]?.run ?? "").split(" ");
      expect(program).toBe("node");
      expect(resolve(from, path)).toBe(join(root, "scripts/azd.mjs"));
      expect(script).toMatch(new RegExp(`hooks = \\{.*\\b${word}\\b`));
    }
    for (const [, variable = ""] of script.matchAll(/process\.env\["(AZURE_\w+|\w+_NAMES)"\]/g)) {
      expect(outputs).toContain(variable);
    }
  });
});

describe("infra/main.parameters.json", () => {
  test("is what isthmus plan writes for examples/event-hubs", async () => {
    const [planned] = await plannedManifests();
    if (planned === undefined) throw new Error("There are no manifests");
    const written = formatBicepParameters(bicepParameters(planned.plan, planned.functions));
    expect(read("infra/main.parameters.json")).toBe(written);
    expect(written).toContain(`\${AZURE_ENV_NAME}`);
  });
});

interface Step {
  readonly uses?: string;
  readonly run?: string;
}

describe(".github/workflows/deploy.yml", () => {
  const text = read(".github/workflows/deploy.yml");
  const { permissions, jobs } = parse(text) as {
    permissions: object;
    jobs: Record<string, { permissions: object; steps: Step[] }>;
  };

  test("signs in with a federated token alone, and no job may do more than it must", () => {
    expect(permissions).toEqual({});
    expect(jobs["package"]?.permissions).toEqual({ contents: "read" });
    expect(jobs["deploy"]?.permissions).toEqual({ "id-token": "write" });
    expect(text).not.toMatch(/secrets\.|publish-profile|creds:/);
  });

  test("uses outputs and parameters that infra/main.bicep has", () => {
    const used = [...text.matchAll(/\$\(output (\w+)\)/g)].map(([, name = ""]) => name);
    expect(used.length).toBeGreaterThan(2);
    for (const name of used) expect(outputs).toContain(name);
  });

  test("runs commands of isthmus that there are", async () => {
    const { stdout } = await runCli(["plan", "--help"]);
    const options = [...text.matchAll(/cli\.js plan (.*)$/gm)].flatMap(([, line = ""]) =>
      [...line.matchAll(/--[a-z-]+/g)].map(([option]) => option),
    );
    expect(options).toContain("--bicep-parameters");
    for (const option of options) expect(stdout).toContain(option);
  });

  test("puts no input of people into a script", () => {
    const scripts = Object.values(jobs).flatMap(({ steps }) => steps.map(({ run }) => run ?? ""));
    for (const script of scripts) expect(script).not.toContain("${{");
  });
});
