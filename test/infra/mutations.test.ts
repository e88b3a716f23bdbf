/** The checks of infra/ are tried themselves: every mistake of these kinds has to be found, wherever it is made. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Deployment } from "../support/bicep/deploy.ts";
import { parseBicep } from "../support/bicep/parse.ts";
import { BicepError, type Declaration } from "../support/bicep/syntax.ts";
import {
  bicepFiles,
  deployPlan,
  type PlannedManifests,
  plannedManifests,
} from "../support/infra.ts";
import { allDeployments, CHOICES } from "../support/infra-deployments.ts";
import {
  propertyFindings,
  type RoleOptions,
  roleFindings,
  settingFindings,
  settingsInCode,
} from "../support/infra-findings.ts";

/** Enough of them to need every role, every setting and every resource. */
const TRIED = ["templates", "an expression", "a connection string", "all of it in one app"];
const manifests = (await plannedManifests()).filter(({ name }) => TRIED.includes(name));
const everything = manifests.filter(({ name }) => name === "all of it in one app");
const files = bicepFiles();
const known = JSON.parse(readFileSync("test/fixtures/infra/properties.json", "utf8"));

/** What main.bicep reaches; the roles of the in-cluster connector stand alone. */
const parsed = [...files]
  .filter(([path]) => path !== "arc-extension-roles.bicep")
  .map(([path, text]) => parseBicep(path, text));

interface Place {
  readonly path: string;
  readonly declaration: Declaration;
}

const resources: readonly Place[] = parsed.flatMap(({ path, declarations }) =>
  declarations
    .filter((declaration) => declaration.kind === "resource" && !declaration.existing)
    .map((declaration) => ({ path, declaration })),
);

/** The files with one of them changed. @throws Error when nothing has changed. */
function changed(path: string, change: (text: string) => string): Map<string, string> {
  const before = files.get(path) ?? "";
  const after = change(before);
  if (after === before) throw new Error(`Nothing has changed in ${path}`);
  return new Map([...files, [path, after]]);
}

/** Findings of any kind: a deployment that fails is one. */
function found(look: () => string[]): string[] {
  try {
    return look();
  } catch (error) {
    if (error instanceof BicepError) return [error.message];
    throw error;
  }
}

const ROLE_CHOICES: readonly { readonly choice: string; readonly options: RoleOptions }[] = [
  { choice: "as it comes", options: {} },
  { choice: "roles on namespaces", options: { onNamespaces: true } },
];

function roleProblems(changedFiles: ReadonlyMap<string, string>): string[] {
  return ROLE_CHOICES.flatMap(({ choice, options }) =>
    manifests.flatMap((planned) => {
      const parameters = { ...CHOICES[choice], keyVaultName: "kv-own" };
      return found(() => {
        const deployment = deployPlan(planned, parameters, changedFiles);
        const own = deployment.outputs["AZURE_KEY_VAULT_NAME"] === "" ? {} : { vault: "kv-own" };
        return roleFindings(planned, deployment, { ...options, ...own });
      });
    }),
  );
}

const ALL_OPTIONS = { localBroker: "mqtt://b:1", functionTimeout: "01:00:00", pumpSeconds: 600 };

function settingProblems(
  changedFiles: ReadonlyMap<string, string>,
  inCode?: readonly string[],
): string[] {
  const one = (planned: PlannedManifests): Deployment =>
    deployPlan(planned, ALL_OPTIONS, changedFiles);
  return manifests.flatMap((planned) =>
    found(() => settingFindings(planned, one(planned), inCode)),
  );
}

describe("a mistake in infra/ is found", () => {
  const roles = resources
    .filter(({ declaration }) =>
      (declaration as { type?: string }).type?.endsWith("roleAssignments"),
    )
    .map((place) => ({ ...place, name: `${place.path} ${place.declaration.name}` }));

  test("nothing is found without one", () => {
    expect(roles.length).toBeGreaterThan(10);
    expect(roleProblems(files)).toEqual([]);
    expect(settingProblems(files)).toEqual([]);
    expect(propertyFindings(allDeployments(manifests), known)).toEqual([]);
  });

  test.each(roles)("a role removed: $name", ({ path, declaration: { start, end } }) => {
    const without = changed(path, (text) => text.slice(0, start) + text.slice(end));
    expect(roleProblems(without)).not.toEqual([]);
  });

  test.each(roles)("a role granted to everything: $name", ({ path, declaration }) => {
    const { start, end } = declaration;
    const everywhere = changed(path, (text) => {
      const body = text
        .slice(start, end)
        .replace(/= if \(.*\) \{$|: if \(.*\) \{$/m, (head) =>
          head.startsWith("=") ? "= {" : ": {",
        );
      const wide = body.replace(
        /(roleDefinitions',\s*)[\w.]+/,
        "$1'b24988ac-6180-42a0-ab88-20f7382dd24c'",
      );
      return text.slice(0, start) + wide + text.slice(end);
    });
    expect(roleProblems(everywhere)).not.toEqual([]);
  });

  const [app = ""] = [files.get("modules/function-app.bicep")];
  const settings = [
    ...app.matchAll(
      /name: '((?:AzureWebJobs|APPLICATIONINSIGHTS|AZURE_|ISTHMUS_|AzureFunctions)\w+)'/g,
    ),
  ].map(([, name = ""]) => ({ name }));
  const parts = [...app.matchAll(/\}(__\w+)'/g)].map(([, name = ""]) => ({ name }));

  test.each([...settings, ...parts])("a setting renamed: $name", ({ name }) => {
    const renamed = changed("modules/function-app.bicep", (text) =>
      text.replace(`${name}'`, `${name}X'`),
    );
    expect(settingProblems(renamed)).not.toEqual([]);
  });

  test("settings of secrets that are renamed", () => {
    const renamed = changed("modules/function-app.bicep", (text) =>
      text.replace("name: setting\n", `name: '\${setting}_VALUE'\n`),
    );
    expect(settingProblems(renamed)).not.toEqual([]);
  });

  test.each(settingsInCode().filter((name) => !/SECRETS|TOKEN_FILE/.test(name)))(
    "a setting that the code reads by another name: %s",
    (name) => {
      const inCode = settingsInCode().map((one) => (one === name ? `${name}_NOW` : one));
      expect(settingProblems(files, inCode)).not.toEqual([]);
    },
  );

  test.each(
    resources
      .filter(({ path, declaration: { start, end } }) =>
        files.get(path)?.slice(start, end).includes("properties: {"),
      )
      .map((place) => ({ ...place, name: `${place.path} ${place.declaration.name}` })),
  )("an unknown property: $name", ({ path, declaration: { start, end } }) => {
    const more = changed(path, (text) => {
      const body = text.slice(start, end).replace("properties: {", "properties: { unknown: true,");
      return (
        text.slice(0, start) + body.replace("unknown: true,\n", "unknown: true\n") + text.slice(end)
      );
    });
    expect(found(() => propertyFindings(allDeployments(everything, more), known))).not.toEqual([]);
  });

  test("a parameter of the plan that the template does not know, or knows as another type", () => {
    const [planned] = manifests;
    if (planned === undefined) throw new Error("there are no manifests");
    for (const wrong of [
      { hubs: [] },
      { mqttNamespaces: [{ name: "halls", location: "x", publish: [], subscribe: [] }] },
      { eventHubsNamespaces: [{ name: "short", hubs: [] }] },
      { eventHubsRoleScope: "subscription" },
      { partitionCount: 33 },
    ]) {
      expect(() => deployPlan(planned, wrong)).toThrow(BicepError);
    }
  });
});
