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

const namesIn = (path: string, wanted: "output" | "param"): string[] =>
  parseBicep(path, read(path)).declarations.flatMap(({ kind, name }) =>
    kind === wanted ? [name] : [],
  );
const outputs = namesIn("infra/main.bicep", "output");

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

describe("docs/deploy.md", () => {
  const text = read("docs/deploy.md");
  const parameters = namesIn("infra/main.bicep", "param");

  test("names parameters and outputs that infra/main.bicep has", () => {
    const named = [...text.matchAll(/`((?:existing|[a-z]+)[A-Z]\w+)(?:=\w+)?`/g)].map(
      ([, name = ""]) => name,
    );
    const elsewhere = [
      ...["groupMinimumShareNumber", "instanceCount", "clientId"],
      ...["commitOnFailure", "maxRetries", "maxRetryCount", "batchCheckpointFrequency"],
    ];
    const unknown = named.filter((name) => ![...parameters, ...elsewhere].includes(name));
    expect(named.length).toBeGreaterThan(15);
    expect(unknown).toEqual([]);
    const asked = [...text.matchAll(/output ([A-Z_]+)\b/g)].map(([, name = ""]) => name);
    expect(asked.length).toBeGreaterThan(4);
    for (const name of asked) expect(outputs).toContain(name);
  });

  test("one resource group takes the same parameter file, and has the outputs that are asked for", () => {
    const { parameters: given } = JSON.parse(read("infra/main.parameters.json"));
    expect(namesIn("infra/bridge.bicep", "param")).toEqual(
      expect.arrayContaining(Object.keys(given)),
    );
    const asked = [...text.matchAll(/output ([a-z]+[A-Z]\w+)\b/g)].map(([, name = ""]) => name);
    expect(asked.length).toBeGreaterThan(3);
    expect(namesIn("infra/bridge.bicep", "output")).toEqual(expect.arrayContaining(asked));
  });

  test("finds by their description all roles that stay when the group is removed", async () => {
    const [, word = ""] = /contains\(description \|\| '', '(\w+)'\)/.exec(text) ?? [];
    expect(word).not.toBe("");
    for (const planned of await plannedManifests()) {
      const roles = deployPlan(planned).resources.filter(({ type }) =>
        type.endsWith("/roleAssignments"),
      );
      expect(roles.length).toBeGreaterThan(2);
      for (const { body } of roles) {
        expect(body["properties"]).toMatchObject({ description: expect.stringContaining(word) });
      }
    }
  });

  test("says of each thing that can be brought how it is brought", () => {
    for (const name of parameters.filter((parameter) => parameter.startsWith("existing"))) {
      expect(text).toContain(`\`${name}\``);
    }
  });

  test("names files, scripts and options that there are", async () => {
    for (const [, path = ""] of text.matchAll(
      /`?\b((?:infra|examples|\.github)\/[\w./-]+\.\w+)/g,
    )) {
      expect(existsSync(join(root, path)), path).toBe(true);
    }
    const help = new Map<string, string>();
    for (const [, command = "", rest = ""] of text.matchAll(
      /(?:cli\.js|isthmus) (plan|run|verify|validate) ?([^`\n]*)/g,
    )) {
      const known = help.get(command) ?? (await runCli([command, "--help"])).stdout;
      help.set(command, known);
      for (const [option] of rest.matchAll(/--[a-z][a-z-]+/g)) expect(known).toContain(option);
    }
    expect([...help.keys()].sort()).toEqual(["plan", "run", "validate", "verify"]);
  });

  test("leads to pages and headings that are there", () => {
    const links = [...text.matchAll(/\]\(([^)#]*)(?:#([^)]+))?\)/g)];
    expect(links.length).toBeGreaterThan(5);
    for (const [, page = "", heading] of links) {
      const target = page === "" ? text : read(join("docs", page));
      const headings = [...target.matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
        title
          .toLowerCase()
          .replaceAll(/[^\w -]/g, "")
          .replaceAll(" ", "-"),
      );
      if (heading !== undefined) expect(headings).toContain(heading);
    }
  });

  test("lists every role that the templates can grant", () => {
    const names = [
      ...["Azure Event Hubs Data Receiver", "Azure Event Hubs Data Sender"],
      ...["EventGrid TopicSpaces Publisher", "EventGrid TopicSpaces Subscriber"],
      ...["Key Vault Secrets User", "Storage Blob Data Owner", "Storage Table Data Contributor"],
      "Monitoring Metrics Publisher",
    ];
    for (const name of names) expect(text).toContain(name);
  });

  test("the example of its walk is planned as its steps say: one hub read, one subscription, no secret", async () => {
    const [planned] = await plannedManifests();
    if (planned === undefined) throw new Error("There are no manifests");
    const { vaultSettings, alwaysReady } = bicepParameters(planned.plan, planned.functions);
    expect({ vaultSettings, ready: alwaysReady.length }).toEqual({ vaultSettings: [], ready: 1 });
    const { resources } = deployPlan(planned, { privateNetwork: true });
    const endpoints = resources.filter(({ type }) => type === "Microsoft.Network/privateEndpoints");
    expect(endpoints).toHaveLength(5);
    expect(text).toContain("each private endpoint (five for this example)");
  });
});
