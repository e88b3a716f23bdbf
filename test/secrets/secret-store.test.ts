import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { BridgeError } from "../../shared/errors.ts";
import { compileManifests } from "../../shared/manifests/compile.ts";
import type { KeyValueMap } from "../../shared/manifests/key-values.ts";
import type { SecretRef } from "../../shared/model/connection.ts";
import { secretStore } from "../../shared/secrets/secret-store.ts";

const nothing: { secrets: KeyValueMap; configMaps: KeyValueMap } = {
  secrets: new Map(),
  configMaps: new Map(),
};

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "isthmus-secrets-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function mount(name: string, values: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(join(folder, name), { recursive: true });
  for (const [key, value] of Object.entries(values))
    await writeFile(join(folder, name, key), value);
}

const textOf = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : new TextDecoder().decode(bytes);

const ref = (name: string, key: string): SecretRef => ({ from: "secret", name, key });

const manifests = compileManifests([
  {
    path: "m",
    text: `apiVersion: v1
kind: Secret
metadata: {name: cs-secret}
data: {a: ${Buffer.from("from data").toString("base64")}}
stringData: {b: from stringData}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: kafka-ca}
data: {ca.crt: from data}
binaryData: {ca.bin: AAH/}
`,
  },
]);

describe("a value is looked up in the order of S-3", () => {
  const environment = {
    ISTHMUS_SECRET_CS_SECRET_A: "from environment",
    ISTHMUS_SECRET_CS_SECRET_B: "from environment",
    ISTHMUS_SECRET_CS_SECRET_C: "from environment",
    ISTHMUS_SECRET_CS_SECRET_D: "from environment",
    ISTHMUS_SECRET_CS_SECRET_EMPTY: "",
  };

  test.each([
    ["a", "from data"],
    ["b", "from stringData"],
    ["c", "from folder"],
    ["d", "from environment"],
  ])("key %s: %s", async (key, expected) => {
    await mount("cs-secret", { a: "from folder", b: "from folder", c: "from folder" });
    const store = secretStore({ manifests, folder, environment });
    expect(textOf(await store.value(ref("cs-secret", key)))).toBe(expected);
    expect(textOf((await store.secret("cs-secret"))?.get(key))).toBe(expected);
  });

  test("ConfigMaps likewise", async () => {
    await mount("other-ca", { "ca.pem": "from folder" });
    const store = secretStore({
      manifests,
      folder,
      environment: { ISTHMUS_CONFIGMAP_THIRD_CA_CA_CRT: "from environment" },
    });
    expect((await store.configMap("kafka-ca"))?.get("ca.crt")).toBe("from data");
    expect((await store.configMap("other-ca"))?.get("ca.pem")).toBe("from folder");
    expect((await store.configMap("third-ca"))?.get("ca.crt")).toBe("from environment");
    expect(await store.configMap("nowhere")).toBeUndefined();
  });

  test.each([
    ["ISTHMUS_SECRET_S_TLS_CRT", "tls.crt"],
    ["ISTHMUS_SECRET_S_CLIENT_KEY_PEM", "client_key.pem"],
    ["ISTHMUS_SECRET_S_USERNAME", "username"],
    ["ISTHMUS_SECRET_S_MY_KEY", "my_key"],
  ])("%s is the key %s", async (variable, key) => {
    const store = secretStore({ manifests: nothing, environment: { [variable]: "x" } });
    expect([...((await store.secret("s")) ?? [])].map(([name]) => name)).toEqual([key]);
  });

  test("a mounted Secret is read as Kubernetes mounts it, through links, without its versions", async () => {
    await mount("s/..2024_01_01", { token: "x" });
    await symlink("..2024_01_01", join(folder, "s", "..data"));
    await symlink("..data/token", join(folder, "s", "token"));
    const store = secretStore({ manifests: nothing, folder, environment: {} });
    expect(
      [...((await store.secret("s")) ?? [])].map(([key, value]) => [key, textOf(value)]),
    ).toEqual([["token", "x"]]);
  });

  test("a changed file is seen at once", async () => {
    await mount("s", { token: "old" });
    const store = secretStore({ manifests: nothing, folder, environment: {} });
    expect(textOf(await store.value(ref("s", "token")))).toBe("old");
    await mount("s", { token: "new" });
    expect(textOf(await store.value(ref("s", "token")))).toBe("new");
  });

  test.each(["..", "../other", "a/b", ""])("the name %o leads out of no folder", async (name) => {
    await mount("other", { token: "x" });
    const store = secretStore({ manifests: nothing, folder: join(folder, "in"), environment: {} });
    expect(await store.secret(name)).toBeUndefined();
  });
});

describe("what is not there is told of with the places that were looked at (S-3)", () => {
  test("with a folder", async () => {
    const store = secretStore({ manifests: nothing, folder: "/mnt/secrets", environment: {} });
    await expect(store.value(ref("cs-secret", "tls.key"))).rejects.toEqual(
      new BridgeError(
        "SECRET_MISSING",
        'Cannot find key "tls.key" of Secret "cs-secret": it is in no Secret of the manifests, not in a file (/mnt/secrets/cs-secret/tls.key), and not in the environment (ISTHMUS_SECRET_CS_SECRET_TLS_KEY)',
      ),
    );
  });

  test("without a folder", async () => {
    const store = secretStore({ manifests: nothing, environment: {} });
    await expect(store.value(ref("a", "b"))).rejects.toThrow("no folder of mounted secrets is set");
  });

  test("a file that may not be read is told of by its path", async () => {
    const denied = Object.assign(new Error("EACCES: hunter2"), { code: "EACCES" });
    const store = secretStore({
      manifests: nothing,
      folder: "/mnt",
      environment: {},
      readFolder: () => Promise.resolve(["token"]),
      readFile: () => Promise.reject(denied),
    });
    const failure = await store.secret("s").catch((cause: unknown) => cause);
    expect(failure).toMatchObject({
      code: "SECRET_MISSING",
      message: 'Cannot read "/mnt/s/token": EACCES',
    });
  });
});

describe("Key Vault", () => {
  const vaultRef: SecretRef = { from: "keyVault", vault: "v", kind: "vaultSecret", name: "n" };

  test("is asked for what the manifest says is there", async () => {
    const asked: SecretRef[] = [];
    const store = secretStore({
      manifests: nothing,
      environment: {},
      keyVault: (wanted) => {
        asked.push(wanted);
        return Promise.resolve(new Uint8Array([1]));
      },
    });
    expect(await store.value(vaultRef)).toEqual(new Uint8Array([1]));
    expect(asked).toEqual([vaultRef]);
  });

  test("a host without it says so", async () => {
    const store = secretStore({ manifests: nothing, environment: {} });
    await expect(store.value(vaultRef)).rejects.toThrow(
      'Cannot read vaultSecret "n" of Key Vault "v": this host has no access to Key Vault',
    );
  });

  test("a failure is retryable and keeps its cause out of the message", async () => {
    const keyVault = () => Promise.reject(new Error("hunter2"));
    const store = secretStore({ manifests: nothing, environment: {}, keyVault });
    const failure = await store.value(vaultRef).catch((cause: unknown) => cause);
    expect(failure).toMatchObject({ code: "SECRET_MISSING", retryable: true });
    expect((failure as Error).message).not.toContain("hunter2");
  });

  test("an error of our own is passed on", async () => {
    const own = new BridgeError("SECRET_MISSING", "no such secret");
    const store = secretStore({
      manifests: nothing,
      environment: {},
      keyVault: () => Promise.reject(own),
    });
    await expect(store.value(vaultRef)).rejects.toBe(own);
  });
});
