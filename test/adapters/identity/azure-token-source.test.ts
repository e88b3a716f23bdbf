import { describe, expect, test } from "vitest";
import { azureTokenSource } from "../../../shared/adapters/identity/azure-token-source.ts";
import type { TokenRequest } from "../../../shared/model/token-source.ts";

const SCOPE = "https://plant.servicebus.windows.net/.default";

function credentials(
  answer: (scope: string) => { token: string; expiresOnTimestamp: number } | null,
) {
  const made: TokenRequest[] = [];
  const create = async (request: TokenRequest) => {
    made.push(request);
    return { getToken: async (scope: string | string[]) => answer(String(scope)) };
  };
  return { made, create };
}

describe("azureTokenSource()", () => {
  test("asks the credential for the scope and gives the token with its end", async () => {
    const { create } = credentials((scope) => ({ token: `for ${scope}`, expiresOnTimestamp: 42 }));
    const token = await azureTokenSource(create).token({ scope: SCOPE });
    expect(token).toEqual({ value: `for ${SCOPE}`, expiresAt: 42 });
  });

  test("makes one credential per identity and keeps it", async () => {
    const { create, made } = credentials(() => ({ token: "t", expiresOnTimestamp: 1 }));
    const source = azureTokenSource(create);
    await source.token({ scope: SCOPE });
    await source.token({ scope: SCOPE });
    await source.token({ scope: SCOPE, clientId: "11111111-2222-3333-4444-555555555555" });
    expect(made.map((request) => request.clientId)).toEqual([
      undefined,
      "11111111-2222-3333-4444-555555555555",
    ]);
  });

  test.each([
    { name: "no identity", answer: () => null, says: "no identity answered" },
    {
      name: "an endpoint that fails",
      answer: () => {
        throw new Error("IMDS is not there\nlong tale of every attempt");
      },
      says: "IMDS is not there",
    },
  ])("$name is one clear, retryable error, and the next call tries anew", async (row) => {
    const { create, made } = credentials(row.answer);
    const source = azureTokenSource(create);
    for (let i = 0; i < 2; i += 1) {
      await expect(source.token({ scope: SCOPE, clientId: "app" })).rejects.toMatchObject({
        code: "IDENTITY_UNAVAILABLE",
        retryable: true,
        message: `Cannot get an access token of identity app for "${SCOPE}": ${row.says}`,
      });
    }
    expect(made).toHaveLength(2);
  });
});
