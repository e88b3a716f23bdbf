import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { bicepParameters, formatBicepParameters } from "../../shared/plan/bicep-parameters.ts";
import { runCli } from "../support/cli.ts";
import { plannedManifests } from "../support/infra.ts";

const manifests = await plannedManifests();
const folder = mkdtempSync(join(tmpdir(), "isthmus-parameters-"));
afterAll(() => rmSync(folder, { recursive: true }));

function parametersOf(name: string): ReturnType<typeof bicepParameters> {
  const planned = manifests.find((one) => one.name === name);
  if (planned === undefined) throw new Error(`There are no manifests "${name}"`);
  return bicepParameters(planned.plan, planned.functions);
}

describe("bicepParameters()", () => {
  test("has the hubs that are read and written, what is done with each, and the consumer groups", () => {
    expect(parametersOf("Event Hubs and Event Grid").eventHubsNamespaces).toEqual([
      {
        name: "contoso-plant",
        localAuth: false,
        receive: false,
        send: false,
        hubs: [
          {
            name: "commands",
            receive: true,
            send: false,
            deadLetters: false,
            consumerGroups: ["isthmus"],
          },
          ...["isthmus.dead-letter", "readings"].map((name) => ({
            name,
            receive: false,
            send: true,
            deadLetters: false,
            consumerGroups: [],
          })),
        ],
      },
    ]);
  });

  test("marks the hub for dead letters of what only reads, which is no role of the plan (S-54)", () => {
    const [namespace] = parametersOf("a reader alone").eventHubsNamespaces;
    expect(namespace?.hubs).toMatchObject([
      { name: "isthmus.dead-letter", send: false, deadLetters: true },
      { name: "orders", receive: true, send: false, deadLetters: false },
      { name: "recipes", receive: true, send: false, deadLetters: false },
    ]);
  });

  test.each([
    { name: "templates", want: { receive: false, send: true } },
    { name: "an expression", want: { receive: true, send: false } },
  ])(
    "widens a right to the namespace where hubs are not known: $name (S-17, S-30)",
    ({ name, want }) => {
      expect(parametersOf(name).eventHubsNamespaces).toMatchObject([want]);
    },
  );

  test("a connection string needs hubs and keys, and no right (S-4)", () => {
    const { eventHubsNamespaces, eventHubsConnections, vaultSettings } =
      parametersOf("a connection string");
    expect(eventHubsNamespaces).toMatchObject([{ localAuth: true }]);
    for (const hub of eventHubsNamespaces[0]?.hubs ?? []) {
      expect(hub).toMatchObject({ receive: false, send: false, deadLetters: false });
    }
    expect(eventHubsConnections).toEqual([]);
    expect(vaultSettings).toEqual(["ISTHMUS_SECRET_HUB_CONNECTION_TOKEN"]);
  });

  test("an MQTT broker of Event Grid is known by its host name, with its region", () => {
    expect(parametersOf("an expression").mqttNamespaces).toEqual([
      {
        name: "halls",
        location: "northeurope",
        identity: true,
        publish: ["halls/+/state"],
        subscribe: [],
      },
    ]);
  });

  test("references into Key Vault are settings with values, and their vaults are named", () => {
    const { appSettings, keyVaults } = parametersOf("Key Vault");
    expect(keyVaults).toEqual(["plant-vault"]);
    expect(appSettings["ISTHMUS_KEYVAULT_PLANT_VAULT_CLIENT"]).toBe(
      "@Microsoft.KeyVault(VaultName=plant-vault;SecretName=client)",
    );
  });
});

describe("formatBicepParameters()", () => {
  const parameters = parametersOf("a reader alone");

  test("keeps what the file says besides, and replaces what follows from the manifests", () => {
    const earlier = JSON.stringify({
      parameters: {
        environmentName: { value: "plant" },
        privateNetwork: { value: true },
        eventHubsNamespaces: { value: [] },
      },
    });
    const { parameters: written } = JSON.parse(formatBicepParameters(parameters, earlier));
    expect(written).toMatchObject({
      environmentName: { value: "plant" },
      privateNetwork: { value: true },
      eventHubsNamespaces: { value: [{ name: "reading-hub" }] },
    });
    const text = formatBicepParameters(parameters, earlier);
    expect(formatBicepParameters(parameters, text)).toBe(text);
  });

  test.each(["", "[]", "null", '{"parameters":[]}', '{"parameters":null}', "{"])(
    "refuses to write over what is no parameter file: %j",
    (earlier) => {
      expect(() => formatBicepParameters(parameters, earlier)).toThrow(
        expect.objectContaining({ code: "USAGE" }),
      );
    },
  );
});

describe("isthmus plan --bicep-parameters", () => {
  test("writes the file and says so, and prints the plan as ever", async () => {
    const file = join(folder, "main.parameters.json");
    const words = ["plan", "-f", "examples/event-hubs"];
    const plain = await runCli(words);
    const { code, stdout, stderr } = await runCli([...words, "--bicep-parameters", file]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: `isthmus: wrote ${file}\n` });
    expect(stdout).toBe(plain.stdout);
    expect(readFileSync(file, "utf8")).toBe(readFileSync("infra/main.parameters.json", "utf8"));
  });

  test("leaves the file alone when a route cannot be planned", async () => {
    const file = join(folder, "kept.json");
    writeFileSync(file, '{"parameters":{}}');
    const words = ["-f", "test/fixtures/infra/manifests/expression.yaml"];
    const { code } = await runCli(["plan", ...words, "--bicep-parameters", file]);
    expect(code).toBe(1);
    expect(readFileSync(file, "utf8")).toBe('{"parameters":{}}');
  });

  test("refuses to write over another file", async () => {
    const file = join(folder, "other.txt");
    writeFileSync(file, "mine");
    const words = ["-f", "examples/event-hubs", "--bicep-parameters", file];
    const { code, stderr } = await runCli(["plan", ...words]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/no JSON/);
    expect(readFileSync(file, "utf8")).toBe("mine");
  });
});
