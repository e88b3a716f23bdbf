import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { bicepChecker, checkBicep, NO_CHECKER } from "../support/bicep-check.ts";
import { leftOutName } from "../support/left-out.ts";

const infra = resolve(import.meta.dirname, "../../infra");
const checker = bicepChecker();
const name = "infra/ and the schemas of Azure's resources";

/** Changes that Azure would refuse, or take for nothing. */
const MISTAKES = [
  {
    what: "a property that is not known",
    file: "modules/storage.bicep",
    from: "allowSharedKeyAccess",
    to: "allowSharedKeys",
    says: /allowSharedKeys/,
  },
  {
    what: "a value of another type",
    file: "modules/storage.bicep",
    from: "allowBlobPublicAccess: false",
    to: "allowBlobPublicAccess: 'false'",
    says: /storage\.bicep:\d+:\d+: error/,
  },
  {
    what: "a version that is not there",
    file: "modules/event-hubs.bicep",
    from: "eventhubs@2024-01-01",
    to: "eventhubs@2031-01-01",
    says: /2031-01-01/,
  },
  {
    what: "a parameter of a module that is not known",
    file: "bridge.bicep",
    from: "principalId: principalId",
    to: "principal: principalId",
    says: /principal/,
  },
  {
    what: "an output that is not there",
    file: "main.bicep",
    from: "bridge.outputs.keyVaultName",
    to: "bridge.outputs.vault",
    says: /vault/,
  },
  {
    what: "a parameter that is not known",
    file: "main.parameters.json",
    from: '"mqttNamespaces"',
    to: '"mqttNamespace"',
    says: /mqttNamespace/,
  },
];

describe.skipIf(checker === undefined)(
  checker === undefined ? leftOutName(name, [NO_CHECKER]) : name,
  () => {
    test("have nothing against each other", () => {
      const { status, output } = checkBicep(checker ?? "", infra);
      expect(output).toMatch(/ 0 errors, 0 warnings/);
      expect(status).toBe(0);
    });

    test.each(MISTAKES)("find $what", ({ file, from, to, says }) => {
      const folder = mkdtempSync(join(tmpdir(), "isthmus-infra-"));
      try {
        cpSync(infra, folder, { recursive: true });
        const text = readFileSync(join(folder, file), "utf8");
        expect(text).toContain(from);
        writeFileSync(join(folder, file), text.replace(from, to));
        const { status, output } = checkBicep(checker ?? "", folder);
        expect(output).toMatch(says);
        expect(status).toBe(1);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  },
);
