import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { DeployedResource } from "../support/bicep/deploy.ts";
import { parseBicep } from "../support/bicep/parse.ts";
import { bicepFiles, deployPlan, plannedManifests } from "../support/infra.ts";
import { allDeployments, CHOICES } from "../support/infra-deployments.ts";
import { propertiesSet, propertyFindings } from "../support/infra-findings.ts";

const manifests = await plannedManifests();
const files = bicepFiles();
const parsed = [...files].map(([path, text]) => ({ path, file: parseBicep(path, text) }));
const KNOWN = "test/fixtures/infra/properties.json";

function plannedAs(name: string): (typeof manifests)[number] {
  const found = manifests.find((planned) => planned.name === name);
  if (found === undefined) throw new Error(`There are no manifests "${name}"`);
  return found;
}

describe("infra/*.bicep", () => {
  test.each(parsed)("$path says what each parameter and output is", ({ path, file }) => {
    const undescribed = file.declarations
      .filter(({ kind }) => ["param", "output"].includes(kind))
      .filter(({ decorators }) => !decorators.some(({ name }) => name === "description"))
      .map(({ name }) => `${path} ${name}`);
    expect(undescribed).toEqual([]);
    const optional = file.declarations.flatMap((declaration) => {
      if (declaration.kind !== "param") return [];
      const text = declaration.decorators.find(({ name }) => name === "description")?.args[0];
      const words = text?.kind === "text" ? String(text.parts[0]) : "";
      const begins = declaration.value === undefined ? "Required. " : "Optional. ";
      return words.startsWith(begins) ? [] : [declaration.name];
    });
    expect(optional).toEqual([]);
  });

  test.each(parsed)("$path uses all that it declares", ({ file }) => {
    const unused = file.declarations.filter(({ kind, name, start, end }) => {
      if (!["param", "var"].includes(kind)) return false;
      const elsewhere = file.text.slice(0, start) + file.text.slice(end);
      return !new RegExp(`\\b${name}\\b`).test(elsewhere.replaceAll(/^\s*\/\/.*$/gm, ""));
    });
    expect(unused.map(({ name }) => name)).toEqual([]);
  });

  test("bridge.bicep takes all that main.bicep takes, but the resource group's name", () => {
    const parameters = (name: string): string[] =>
      parsed
        .filter(({ path }) => path === name)
        .flatMap(({ file }) =>
          file.declarations.flatMap((d) => (d.kind === "param" ? d.name : [])),
        );
    expect([...parameters("bridge.bicep"), "resourceGroupName"]).toEqual(parameters("main.bicep"));
  });

  test("deploy whatever is chosen, for every set of manifests, and set only known properties", () => {
    const known = JSON.parse(readFileSync(KNOWN, "utf8")) as Record<string, string[]>;
    const deployments = allDeployments(manifests, files);
    expect(deployments).toHaveLength(manifests.length * Object.keys(CHOICES).length);
    expect(propertyFindings(deployments, known)).toEqual([]);
    expect(propertiesSet(deployments)).toEqual(known);
  });

  test("ask for no key and put no secret into an output", () => {
    for (const [path, text] of files) {
      expect(text, path).not.toMatch(/\blist(Keys|AccountSas|ServiceSas|Secrets)\b|@secure/i);
    }
    for (const { outputs } of allDeployments(manifests, files)) {
      expect(JSON.stringify(outputs)).not.toMatch(/connectionstring|sharedaccesskey|accountkey/i);
    }
  });
});

type Expected = Readonly<Record<string, unknown>>;

/** What a security review asks of each type, and what a private network adds. */
const SECURE: Readonly<
  Record<string, { readonly always: Expected; readonly inNetwork?: Expected }>
> = {
  "Microsoft.Storage/storageAccounts": {
    always: {
      allowSharedKeyAccess: false,
      allowBlobPublicAccess: false,
      minimumTlsVersion: "TLS1_2",
      supportsHttpsTrafficOnly: true,
    },
    inNetwork: { publicNetworkAccess: "Disabled", networkAcls: { defaultAction: "Deny" } },
  },
  "Microsoft.Storage/storageAccounts/blobServices/containers": { always: { publicAccess: "None" } },
  "Microsoft.EventHub/namespaces": {
    always: { minimumTlsVersion: "1.2" },
    inNetwork: { publicNetworkAccess: "Disabled" },
  },
  "Microsoft.EventGrid/namespaces": {
    always: { minimumTlsVersionAllowed: "1.2" },
    inNetwork: { publicNetworkAccess: "Disabled" },
  },
  "Microsoft.KeyVault/vaults": {
    always: { enableRbacAuthorization: true, enableSoftDelete: true, enablePurgeProtection: true },
    inNetwork: { publicNetworkAccess: "Disabled", networkAcls: { defaultAction: "Deny" } },
  },
  "Microsoft.Insights/components": { always: { DisableLocalAuth: true } },
  "Microsoft.OperationalInsights/workspaces": { always: { features: { disableLocalAuth: true } } },
  "Microsoft.Web/sites": {
    always: { httpsOnly: true, siteConfig: { minTlsVersion: "1.2" } },
    inNetwork: { publicNetworkAccess: "Disabled" },
  },
  "Microsoft.Web/sites/basicPublishingCredentialsPolicies": { always: { allow: false } },
};

const allOf = (resources: readonly DeployedResource[], type: string): DeployedResource[] =>
  resources.filter((resource) => resource.type === type);

describe("what infra/main.bicep deploys", () => {
  const everything = plannedAs("all of it in one app");
  const plain = deployPlan(everything).resources;
  const inNetwork = deployPlan(everything, { privateNetwork: true }).resources;

  test.each(Object.entries(SECURE).map(([type, wanted]) => ({ type, ...wanted })))(
    "is secure without being asked: $type",
    ({ type, always, inNetwork: more = {} }) => {
      expect(allOf(plain, type).length).toBeGreaterThan(0);
      for (const { body } of allOf(plain, type)) {
        expect(body["properties"]).toMatchObject(always);
      }
      for (const { body } of allOf(inNetwork, type)) {
        expect(body["properties"]).toMatchObject({ ...always, ...more });
      }
    },
  );

  test.each([
    { name: "a connector with an identity", disableLocalAuth: true },
    { name: "a connection string", disableLocalAuth: false },
  ])("lets keys into Event Hubs only for manifests that use one: $name", ({ name, ...wanted }) => {
    const namespaces = allOf(
      deployPlan(plannedAs(name)).resources,
      "Microsoft.EventHub/namespaces",
    );
    expect(namespaces.map(({ body }) => body["properties"])).toMatchObject([wanted]);
  });

  test("has the event hubs and consumer groups of the manifests, and no others", () => {
    const { resources } = deployPlan(plannedAs("Event Hubs and Event Grid"));
    const names = (type: string): string[] =>
      allOf(resources, type).map(({ id }) => id.split("/namespaces/")[1] ?? "");
    expect(names("Microsoft.EventHub/namespaces/eventhubs")).toEqual([
      "contoso-plant/eventhubs/commands",
      "contoso-plant/eventhubs/isthmus.dead-letter",
      "contoso-plant/eventhubs/readings",
    ]);
    expect(names("Microsoft.EventHub/namespaces/eventhubs/consumergroups")).toEqual([
      "contoso-plant/eventhubs/commands/consumergroups/isthmus",
    ]);
  });

  test("keeps the functions that hold subscriptions and read Kafka always ready", () => {
    for (const planned of manifests) {
      const [site] = allOf(deployPlan(planned).resources, "Microsoft.Web/sites");
      if (site === undefined) throw new Error("There is no function app");
      const { functionAppConfig } = site.body["properties"] as {
        functionAppConfig: { scaleAndConcurrency: { alwaysReady: { name: string }[] } };
      };
      const names = functionAppConfig.scaleAndConcurrency.alwaysReady.map(({ name }) => name);
      expect(names.sort()).toEqual([...planned.functions.alwaysReady].sort());
    }
  });

  test("puts an MQTT broker where its host name says", () => {
    const [broker] = allOf(
      deployPlan(plannedAs("an expression")).resources,
      "Microsoft.EventGrid/namespaces",
    );
    expect(broker?.body).toMatchObject({ name: "halls", location: "northeurope" });
  });

  test("in a private network reaches all that is created by private endpoints, with names", () => {
    const endpoints = allOf(inNetwork, "Microsoft.Network/privateEndpoints");
    const targets = endpoints.flatMap(({ body }) => {
      const { privateLinkServiceConnections } = body["properties"] as {
        privateLinkServiceConnections: { properties: { privateLinkServiceId: string } }[];
      };
      return privateLinkServiceConnections.map(({ properties }) => properties.privateLinkServiceId);
    });
    const reached = Object.entries(SECURE)
      .filter(([, { inNetwork: network }]) => network !== undefined)
      .flatMap(([type]) => allOf(inNetwork, type).map(({ id }) => id));
    expect([...new Set(targets)].sort()).toEqual(reached.sort());
    const named = allOf(inNetwork, "Microsoft.Network/privateEndpoints/privateDnsZoneGroups");
    expect(named).toHaveLength(endpoints.length);
    const zones = allOf(inNetwork, "Microsoft.Network/privateDnsZones").map(({ id }) => id);
    for (const { body } of named) {
      expect(JSON.stringify(body)).toMatch(new RegExp(zones.join("|").replaceAll(".", "\\.")));
    }
  });
});
