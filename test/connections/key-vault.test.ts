/** Secrets and certificates in Azure Key Vault: the real SDK against an HTTPS server that speaks its REST interface. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  azureCredential,
  azureTokenSource,
} from "../../shared/adapters/identity/azure-token-source.ts";
import { azureKeyVault } from "../../shared/adapters/key-vault/azure-key-vault.ts";
import type { SecretRef } from "../../shared/model/connection.ts";
import type { KeyVaultRef, SecretStore } from "../../shared/model/secret-store.ts";
import type { TokenSource } from "../../shared/model/token-source.ts";
import { secretStore } from "../../shared/secrets/secret-store.ts";
import { tlsMaterial } from "../../shared/secrets/tls-material.ts";
import { entra, KeyVault, TENANT } from "../support/azure/key-vault-service.ts";
import { LocalCloud } from "../support/azure/local-cloud.ts";
import { type Certificates, makeCertificates } from "../support/certificates.ts";

const HOST = "plant-vault.vault.azure.net";
const PRINCIPAL = "22222222-3333-4444-5555-666666666666";
const CLIENT_SECRET = "client-secret-4711";
const TOKEN = "token-of-the-app";
const TOKEN_OF_PRINCIPAL = "token-of-the-principal";
const VALUE = "Endpoint=sb://plant.servicebus.windows.net/;SharedAccessKey=4711";

const certificates = makeCertificates();

describe.skipIf(certificates === undefined)("Key Vault", () => {
  const { client: own, ca } = certificates as Certificates;
  let vault: KeyVault;
  let cloud: LocalCloud;
  let scopes: string[];

  beforeAll(async () => {
    cloud = await LocalCloud.start(
      {
        [HOST]: (request, body) => vault.service(request, body),
        "login.microsoftonline.com": entra(
          new Map([[PRINCIPAL, CLIENT_SECRET]]),
          TOKEN_OF_PRINCIPAL,
        ),
      },
      certificates as Certificates,
    );
  });
  afterAll(() => cloud.stop());
  beforeEach(() => {
    scopes = [];
    vault = new KeyVault();
    vault.tokens.set(TOKEN, "reader").set(TOKEN_OF_PRINCIPAL, "reader");
    vault.secrets
      .set("hub-connection", [
        { version: "1", value: "old" },
        { version: "2", value: VALUE },
      ])
      .set("client", [{ version: "1", value: `${own.certificate}${own.key}` }])
      .set("client-chain", [{ version: "1", value: ca }])
      .set("packed", [{ version: "1", value: "MIIKZA==", contentType: "application/x-pkcs12" }])
      .set("off", [{ version: "1", value: "x", enabled: false }]);
  });

  const ref = (over: Partial<KeyVaultRef> = {}): KeyVaultRef => ({
    from: "keyVault",
    vault: "plant-vault",
    kind: "vaultSecret",
    name: "hub-connection",
    ...over,
  });

  /** The app's identity answers with this token. */
  const app = (value: string): TokenSource => ({
    token: ({ scope }) => {
      scopes.push(scope);
      return Promise.resolve({ value, expiresAt: Date.now() + 3_600_000 });
    },
  });

  const storeOf = (identity: TokenSource, principal: Record<string, string> = {}): SecretStore => {
    const values = Object.entries(principal).map(
      ([key, text]) => [key, new TextEncoder().encode(text)] as const,
    );
    return secretStore({
      manifests: {
        secrets: values.length === 0 ? new Map() : new Map([["vault-principal", new Map(values)]]),
        configMaps: new Map(),
      },
      environment: {},
      keyVault: azureKeyVault({ identity, client: cloud.client }),
    });
  };

  const entraIdentity = (): TokenSource =>
    azureTokenSource((request) => azureCredential(request, cloud.client));

  const textOf = async (store: SecretStore, wanted: SecretRef): Promise<string> =>
    new TextDecoder().decode(await store.value(wanted));

  describe("the right credential", () => {
    test("vaultSecret with the app's identity: the newest version", async () => {
      expect(await textOf(storeOf(app(TOKEN)), ref())).toBe(VALUE);
      expect(scopes).toEqual(["https://vault.azure.net/.default"]);
    });

    test("vaultSecret, the version that the manifest names", async () => {
      expect(await textOf(storeOf(app(TOKEN)), ref({ version: "1" }))).toBe("old");
    });

    test("vaultSecret that is rotated: the next reading has the new version", async () => {
      const store = storeOf(app(TOKEN));
      await textOf(store, ref());
      vault.secrets.get("hub-connection")?.push({ version: "3", value: "new" });
      expect(await textOf(store, ref())).toBe("new");
    });

    test("vaultCert and vaultCaChainSecret become the client certificate with its chain", async () => {
      const client = {
        certificate: ref({ kind: "vaultCert", name: "client" }),
        caChain: ref({ kind: "vaultCaChainSecret", name: "client-chain" }),
      };
      const tls = await tlsMaterial({ enabled: true }, client, storeOf(app(TOKEN)), Date.now());
      expect(tls?.key?.trim()).toBe(own.key.trim());
      expect(tls?.certificate).toContain(own.certificate.trim());
      expect(tls?.certificate).toContain(ca.trim());
    });

    test.each([
      ["clientid", "clientsecret"],
      ["client_id", "client_secret"],
      ["clientId", "clientSecret"],
    ])("a service principal whose credentials are %s and %s of a Secret", async (id, secret) => {
      const store = storeOf(entraIdentity(), { [id]: PRINCIPAL, [secret]: `${CLIENT_SECRET}\n` });
      const wanted = ref({ directoryId: TENANT, servicePrincipalSecretName: "vault-principal" });
      expect(await textOf(store, wanted)).toBe(VALUE);
    });
  });

  describe("a wrong credential: one clear error", () => {
    const refused = (name: string, why: string) =>
      `Cannot read vaultSecret "${name}" of Key Vault "plant-vault": ${why}`;

    const failureOf = async (store: SecretStore, wanted: SecretRef): Promise<unknown> => {
      const failure = await store.value(wanted).catch((cause: unknown) => cause);
      for (const secret of [VALUE, CLIENT_SECRET, TOKEN, "wrong-4711"]) {
        expect((failure as Error).message).not.toContain(secret);
      }
      return failure;
    };

    test("a token that the vault does not know", async () => {
      expect(await failureOf(storeOf(app("wrong-4711")), ref())).toMatchObject({
        code: "KEY_VAULT_REFUSED",
        retryable: false,
        message: refused(
          "hub-connection",
          "it does not accept the access token (Unauthorized): see that the identity is of the vault's own tenant",
        ),
      });
    });

    test("an identity without the role, until it is granted", async () => {
      vault.tokens.set(TOKEN, "nobody");
      const store = storeOf(app(TOKEN));
      expect(await failureOf(store, ref())).toMatchObject({
        code: "KEY_VAULT_REFUSED",
        message: refused(
          "hub-connection",
          "access is refused (ForbiddenByRbac): grant the role Key Vault Secrets User",
        ),
      });
      vault.tokens.set(TOKEN, "reader");
      expect(await textOf(store, ref())).toBe(VALUE);
    });

    test("a service principal with a wrong secret", async () => {
      const store = storeOf(entraIdentity(), { clientid: PRINCIPAL, clientsecret: "wrong-4711" });
      const wanted = ref({ directoryId: TENANT, servicePrincipalSecretName: "vault-principal" });
      expect(await failureOf(store, wanted)).toMatchObject({
        code: "IDENTITY_UNAVAILABLE",
        message: expect.stringMatching(
          new RegExp(`service principal ${PRINCIPAL} .*AADSTS7000215: Invalid client secret`, "u"),
        ),
      });
    });

    test.each([
      [{}, "SECRET_MISSING", /there is no Secret "vault-principal" with "clientid"/],
      [
        { clientid: PRINCIPAL },
        "SECRET_INVALID",
        /needs "clientid" and "clientsecret", and has "clientid"/,
      ],
    ])("a service principal of which a part is missing: %j", async (principal, code, message) => {
      const wanted = ref({ directoryId: TENANT, servicePrincipalSecretName: "vault-principal" });
      const failure = await failureOf(storeOf(entraIdentity(), principal), wanted);
      expect(failure).toMatchObject({ code, message: expect.stringMatching(message) });
    });

    test("a service principal without a tenant", async () => {
      const wanted = ref({ servicePrincipalSecretName: "vault-principal" });
      expect(await failureOf(storeOf(entraIdentity()), wanted)).toMatchObject({
        code: "SECRET_INVALID",
        message: expect.stringContaining('needs the vault\'s "directoryId" too'),
      });
    });

    test.each([
      [{ name: "nothing" }, "SECRET_MISSING", "the vault has no such secret (SecretNotFound)"],
      [{ name: "off" }, "KEY_VAULT_REFUSED", "that is disabled there: enable it"],
    ])("a secret that is not to be had: %j", async (over, code, why) => {
      expect(await failureOf(storeOf(app(TOKEN)), ref(over))).toMatchObject({
        code,
        message: refused(over.name, why),
      });
    });

    test("a version that is not there", async () => {
      expect(await failureOf(storeOf(app(TOKEN)), ref({ version: "9" }))).toMatchObject({
        message: expect.stringContaining("version 9, of Key Vault"),
      });
    });

    test("a certificate that is stored as PKCS#12", async () => {
      const certificate = ref({ kind: "vaultCert", name: "packed" });
      const reading = tlsMaterial({ enabled: true }, { certificate }, storeOf(app(TOKEN)), 0);
      await expect(reading).rejects.toMatchObject({
        code: "SECRET_INVALID",
        message: expect.stringContaining(
          "import the certificate with content type application/x-pem-file",
        ),
      });
    });

    test("a vault that is overloaded: to be tried again", async () => {
      vault.trouble = { status: 503, body: { error: { code: "ServiceUnavailable" } } };
      expect(await failureOf(storeOf(app(TOKEN)), ref())).toMatchObject({
        code: "KEY_VAULT_UNAVAILABLE",
        retryable: true,
      });
    });

    test.each(["evil.example", "plant-vault.vault.azure.net.evil.example", "a/../b", ""])(
      "no token goes to a host that is no vault: %j",
      async (name) => {
        const failure = await failureOf(storeOf(app(TOKEN)), ref({ vault: name }));
        expect(failure).toMatchObject({ code: "SECRET_INVALID" });
        expect(scopes).toEqual([]);
      },
    );
  });
});
