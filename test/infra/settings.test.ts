import { describe, expect, test } from "vitest";
import { loadApp } from "../../functions/load-app.ts";
import { secretSetting } from "../../shared/plan/connection-settings.ts";
import {
  resolveKafkaEndpoint,
  resolveMqttEndpoint,
} from "../../shared/secrets/resolve-endpoint.ts";
import { secretStore } from "../../shared/secrets/secret-store.ts";
import { makeCertificates } from "../support/certificates.ts";
import { deployPlan, type PlannedManifests, plannedManifests } from "../support/infra.ts";
import { appSettings, settingFindings } from "../support/infra-findings.ts";
import { leftOutName } from "../support/left-out.ts";

const manifests = await plannedManifests();

/** Every option that becomes an app setting. */
const ALL_OPTIONS = {
  localBroker: "mqtt://broker.example:1883",
  functionTimeout: "01:00:00",
  pumpSeconds: 600,
};

const certificates = makeCertificates();
const [ca, certificate, key] =
  certificates === undefined
    ? ["", "", ""]
    : [certificates.ca, certificates.client.certificate, certificates.client.key];

/** What the platform would put in the place of a reference into Key Vault. */
function vaultValue(name: string): string {
  if (name.endsWith("_CA_CRT") || name.endsWith("_CHAIN")) return ca;
  if (name.endsWith("_TLS_CRT")) return certificate;
  if (name.endsWith("_TLS_KEY")) return key;
  if (name === "ISTHMUS_KEYVAULT_PLANT_VAULT_CLIENT") return `${certificate}\n${key}`;
  if (name.endsWith("_TOKEN") || name.endsWith("_HUB_CONNECTION")) return "Endpoint=sb://x/;a=b";
  return "value";
}

/** The environment of the deployed app, with a note of what is read. */
function environmentOf(settings: ReadonlyMap<string, string>): {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly read: Set<string>;
} {
  const values = [...settings].map(([name, value]) => [
    name,
    value.startsWith("@Microsoft.KeyVault(") ? vaultValue(name) : value,
  ]);
  const read = new Set<string>();
  const env = new Proxy(Object.fromEntries(values) as Record<string, string>, {
    get(target, name) {
      if (typeof name === "string" && Object.hasOwn(target, name)) read.add(name);
      return Reflect.get(target, name);
    },
  });
  return { env, read };
}

/** Opens nothing: reads the secrets of every connection of the planned routes, as the app does before it connects. */
async function readSecrets(
  { plan, functions }: PlannedManifests,
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const store = secretStore({
    manifests: { secrets: new Map(), configMaps: new Map() },
    environment: env,
    keyVault: (ref) => {
      const value = env[secretSetting(ref, "").name];
      if (value === undefined) throw new Error(`${ref.name} is in no app setting`);
      return Promise.resolve(new TextEncoder().encode(value));
    },
  });
  const identity = { token: () => Promise.reject(new Error("no token is asked for")) };
  const names = new Set(functions.functions.map(({ route }) => route));
  for (const route of plan.routes.filter(({ name }) => names.has(name))) {
    const kafka = plan.kafkaConnections.get(route.kafkaConnection);
    const mqtt = plan.mqttConnections.get(route.mqttConnection);
    if (kafka === undefined || mqtt === undefined) throw new Error(`${route.name} has no ends`);
    await resolveKafkaEndpoint(kafka, store, identity);
    // a function app has no token of a cluster: the plan warns of it
    if (mqtt.authentication.method === "ServiceAccountToken") continue;
    await resolveMqttEndpoint(mqtt, store, identity);
  }
}

describe("the app settings that infra/main.bicep sets", () => {
  test.each(manifests)("are those that code and triggers read: $name", (planned) => {
    expect(settingFindings(planned, deployPlan(planned, ALL_OPTIONS))).toEqual([]);
  });

  const enough = "are enough for every connection: $name (S-3)";
  const title =
    certificates === undefined ? leftOutName(enough, ["there is no openssl command"]) : enough;
  test.skipIf(certificates === undefined).each(manifests)(title, async (planned) => {
    const { env, read } = environmentOf(appSettings(deployPlan(planned)));
    await readSecrets(planned, env);
    const forTriggers = planned.functions.functions.flatMap(({ kind, settings }) =>
      kind === "timer" ? [] : settings,
    );
    const own = [...appSettings(deployPlan(planned)).keys()].filter((name) =>
      /^ISTHMUS_(SECRET|CONFIGMAP|KEYVAULT)_/.test(name),
    );
    const usesCluster = [...planned.plan.mqttConnections.values()].some(
      ({ authentication }) => authentication.method === "ServiceAccountToken",
    );
    const idle = own.filter((name) => !read.has(name) && !forTriggers.includes(name));
    expect(usesCluster ? [] : idle).toEqual([]);
  });

  test("name the folder that the package keeps manifests in", async () => {
    const [planned] = manifests;
    if (planned === undefined) throw new Error("there are no manifests");
    const { env } = environmentOf(appSettings(deployPlan(planned, ALL_OPTIONS)));
    expect(env["ISTHMUS_MANIFESTS"]).toBe("manifests");
    const app = await loadApp("examples", { ...env, ISTHMUS_MANIFESTS: "event-hubs" });
    expect(app.errors).toEqual([]);
    expect(app.timing.holdMs).toBe(600_000);
  });

  test("hold no secret: what is one is a reference into the key vault", () => {
    for (const planned of manifests) {
      const deployment = deployPlan(planned, { keyVaultName: "kv-app" });
      const secrets = planned.functions.settings.filter(({ secret }) => secret);
      const settings = appSettings(deployment);
      for (const { name } of secrets) {
        expect(settings.get(name)).toBe(
          `@Microsoft.KeyVault(VaultName=kv-app;SecretName=${name.toLowerCase().replaceAll("_", "-")})`,
        );
      }
    }
  });

  test("name the app's identity, unless a manifest names another", () => {
    const named = manifests.find(({ name }) => name === "templates");
    const own = manifests.find(({ name }) => name === "a reader alone");
    if (named === undefined || own === undefined) throw new Error("manifests are missing");
    const clientId = (planned: PlannedManifests): string =>
      [...appSettings(deployPlan(planned))].find(([name]) =>
        /^ISTHMUS_EVENTHUBS_.*__clientId$/.test(name),
      )?.[1] ?? "";
    expect(clientId(named)).toBe("11111111-2222-3333-4444-555555555555");
    expect(clientId(own)).toMatch(/userAssignedIdentities\/id-\w+\.properties\.clientId>$/);
    const settings = appSettings(deployPlan(own));
    expect(settings.get("AZURE_CLIENT_ID")).toBe(clientId(own));
    expect(settings.get("AzureWebJobsStorage__clientId")).toBe(clientId(own));
  });
});
