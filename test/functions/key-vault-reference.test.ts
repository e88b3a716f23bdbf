import { expect, test } from "vitest";
import { resolvedReference } from "../../functions/key-vault-reference.ts";

const ref = { from: "keyVault", vault: "my-kv", kind: "vaultSecret", name: "cs" } as const;
const name = "ISTHMUS_KEYVAULT_MY_KV_CS";

test("a Key Vault value is what the platform put into the setting that refers to it (S-3)", async () => {
  const value = await resolvedReference(ref, { [name]: "Endpoint=sb://x" });
  expect(new TextDecoder().decode(value)).toBe("Endpoint=sb://x");
});

test.each([
  { env: {}, says: "@Microsoft.KeyVault(VaultName=my-kv;SecretName=cs)" },
  { env: { [name]: "" }, says: "is not set" },
  {
    env: { [name]: "@Microsoft.KeyVault(VaultName=my-kv;SecretName=cs)" },
    says: "Key Vault Secrets User",
  },
])("without a value the error says what to do: $says", async ({ env, says }) => {
  await expect(resolvedReference(ref, env)).rejects.toThrow(says);
  await expect(resolvedReference(ref, env)).rejects.toMatchObject({ code: "SECRET_MISSING" });
});
