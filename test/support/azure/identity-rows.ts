import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { azureTokenSource } from "../../../shared/adapters/identity/azure-token-source.ts";
import type { KafkaConnection, ManagedIdentity } from "../../../shared/model/connection.ts";
import { resolveKafkaEndpoint } from "../../../shared/secrets/resolve-endpoint.ts";
import { secretStore } from "../../../shared/secrets/secret-store.ts";
import { IdentityEndpoint, type IdentityShape } from "./identity-endpoint.ts";

const USER_ASSIGNED = "11111111-2222-3333-4444-555555555555";
const STRANGER = "99999999-2222-3333-4444-555555555555";

/** Variables by which a machine tells of identities: those of this machine are none of the tests' business. */
const OTHERS = [
  "IDENTITY_ENDPOINT",
  "IDENTITY_HEADER",
  "IDENTITY_SERVER_THUMBPRINT",
  "MSI_ENDPOINT",
  "IMDS_ENDPOINT",
  "AZURE_CLIENT_ID",
  "AZURE_CLIENT_SECRET",
  "AZURE_TENANT_ID",
  "AZURE_FEDERATED_TOKEN_FILE",
  "AZURE_TOKEN_CREDENTIALS",
];

export function isolateIdentities(environment: Readonly<Record<string, string>>): void {
  for (const name of OTHERS) vi.stubEnv(name, undefined);
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
}

/** The token that an Event Hubs connection with this identity signs in with. */
export async function signIn(
  method: "SystemAssignedManagedIdentity" | "UserAssignedManagedIdentity",
  identity: ManagedIdentity,
  protocol?: "Kafka" | "Amqp",
): Promise<string> {
  const connection: KafkaConnection = {
    id: "hub",
    location: { file: "hub.yaml", line: 1, column: 1 },
    bootstrapServers: ["plant.servicebus.windows.net:9093"],
    tls: { enabled: true },
    authentication: { method, identity },
    isEventHubs: true,
    protocol: "Kafka",
  };
  const nothing = { secrets: new Map(), configMaps: new Map() };
  const store = secretStore({ manifests: nothing, environment: {} });
  const { sasl } = await resolveKafkaEndpoint(connection, store, azureTokenSource());
  if (sasl?.mechanism !== "oauthbearer") throw new Error("The connection has no identity");
  const { value, expiresAt } = await sasl.token(protocol);
  expect(expiresAt).toBeGreaterThan(Date.now() + 60_000);
  return value;
}

const scopeOf = (resource: string): string => `${resource}/.default`;
const NAMESPACE = "https://plant.servicebus.windows.net";

/**
 * The rows of managed identities. One shape to a file: the SDK looks once a process for where it is, and keeps tokens in one cache, for
 * which every row asks for a resource of its own.
 */
export function identityRows(shape: IdentityShape): void {
  let endpoint: IdentityEndpoint;
  beforeAll(async () => {
    endpoint = await IdentityEndpoint.start(shape);
    endpoint.identities.add(USER_ASSIGNED);
  });
  afterAll(() => endpoint.stop());
  beforeEach(() => isolateIdentities({ ...endpoint.environment, PATH: "/nowhere" }));
  afterEach(() => vi.unstubAllEnvs());

  describe(`Identity of an app (${shape}), the right one`, () => {
    test("system-assigned, for the namespace's own audience", async () => {
      const token = await signIn("SystemAssignedManagedIdentity", { scope: scopeOf(NAMESPACE) });
      expect(token).toContain(`-of-the-app-for-${NAMESPACE}`);
      expect(endpoint.asked.at(-1)).toEqual({ resource: NAMESPACE, clientId: "" });
    });

    test("system-assigned by AMQP, for the audience of all of Event Hubs", async () => {
      const scope = scopeOf(NAMESPACE);
      const token = await signIn("SystemAssignedManagedIdentity", { scope }, "Amqp");
      expect(token).toContain("-of-the-app-for-https://eventhubs.azure.net");
    });

    test("with an audience that the manifest names, by Kafka and by AMQP", async () => {
      const scope = scopeOf("https://other.example");
      for (const protocol of ["Kafka", "Amqp"] as const) {
        const token = await signIn("SystemAssignedManagedIdentity", { scope }, protocol);
        expect(token).toContain("-of-the-app-for-https://other.example");
      }
    });

    test("user-assigned, by its client id", async () => {
      const identity = { clientId: USER_ASSIGNED, tenantId: STRANGER, scope: scopeOf(NAMESPACE) };
      const token = await signIn("UserAssignedManagedIdentity", identity);
      expect(token).toContain(`-of-${USER_ASSIGNED}-for-${NAMESPACE}`);
    });

    test("a token that is about to end is not handed out again", async () => {
      const scope = scopeOf("https://short.example");
      endpoint.lifetimeSeconds = 120;
      const first = await signIn("SystemAssignedManagedIdentity", { scope });
      endpoint.lifetimeSeconds = 86_400;
      const second = await signIn("SystemAssignedManagedIdentity", { scope });
      expect(second).not.toBe(first);
      expect(await signIn("SystemAssignedManagedIdentity", { scope })).toBe(second);
    });
  });

  describe(`Identity of an app (${shape}), a wrong one`, () => {
    test("user-assigned, one that the app has not been given", async () => {
      const scope = scopeOf("https://stranger.example");
      const failure = signIn("UserAssignedManagedIdentity", { clientId: STRANGER, scope });
      await expect(failure).rejects.toMatchObject({
        code: "IDENTITY_UNAVAILABLE",
        retryable: true,
        message: `Cannot get an access token of identity ${STRANGER} for "${scope}": Identity not found`,
      });
    });

    test("system-assigned, where the app has none, and none is taken instead", async () => {
      const scope = scopeOf("https://none.example");
      endpoint.identities.delete("");
      const failure = signIn("SystemAssignedManagedIdentity", { scope });
      await expect(failure).rejects.toMatchObject({
        code: "IDENTITY_UNAVAILABLE",
        message: `Cannot get an access token for "${scope}": Identity not found`,
      });
      endpoint.identities.add("");
    });
  });
}
