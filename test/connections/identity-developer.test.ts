import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { IdentityEndpoint } from "../support/azure/identity-endpoint.ts";
import { isolateIdentities, signIn } from "../support/azure/identity-rows.ts";

const SCOPE = "https://plant.servicebus.windows.net/.default";
const TENANT = "77777777-2222-3333-4444-555555555555";
const folders: string[] = [];
afterEach(() => {
  vi.unstubAllEnvs();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** A machine on which the Azure CLI does what `script` says. */
function machine(script: string, environment: Readonly<Record<string, string>>): void {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-az-"));
  folders.push(folder);
  writeFileSync(join(folder, "az"), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, "az"), 0o755);
  isolateIdentities({ ...environment, PATH: [folder, "/usr/bin", "/bin"].join(delimiter) });
}

const answer = (token: string): string =>
  JSON.stringify({ accessToken: token, expires_on: Math.floor(Date.now() / 1000) + 3600 });

describe("Identity of a developer's machine (DefaultAzureCredential)", () => {
  test("signed in with az: its token, for the tenant and the audience of the manifest", async () => {
    const imds = await IdentityEndpoint.start("IMDS");
    imds.identities.clear();
    machine(
      `case "$*" in
      "account get-access-token --output json --resource https://plant.servicebus.windows.net --tenant ${TENANT}")
        echo '${answer("of-the-developer")}';;
      *) echo "ERROR: unexpected: $*" >&2; exit 2;;
    esac`,
      imds.environment,
    );
    const identity = { tenantId: TENANT, scope: SCOPE };
    expect(await signIn("UserAssignedManagedIdentity", identity)).toBe("of-the-developer");
    // a managed identity would have come first
    expect(imds.asked).toHaveLength(1);
    await imds.stop();
  });

  test("nobody signed in: one clear error", async () => {
    // the variable leaves the search for a managed identity out, which on a laptop is one second of waiting
    const developer = { AZURE_TOKEN_CREDENTIALS: "dev" };
    machine(`echo "ERROR: Please run 'az login' to setup account." >&2; exit 1`, developer);
    await expect(signIn("SystemAssignedManagedIdentity", { scope: SCOPE })).rejects.toMatchObject({
      code: "IDENTITY_UNAVAILABLE",
      message: expect.stringMatching(
        /^Cannot get an access token for "https:\/\/plant\.servicebus\.windows\.net\/\.default": Please run 'az login'[^\n]*$/,
      ),
    });
  });
});
