import { describe, expect, test } from "vitest";
import { deployPlan, plannedManifests } from "../support/infra.ts";
import { BROUGHT } from "../support/infra-deployments.ts";
import { grantedRoles, roleFindings } from "../support/infra-findings.ts";

const manifests = await plannedManifests();

/** The name that the template gives the app's own vault, when it needs one. */
const OWN_VAULT = "kv-of-the-app";

describe("the roles that infra/main.bicep grants", () => {
  test.each(manifests)("are those of isthmus plan: $name", (planned) => {
    const deployment = deployPlan(planned, { keyVaultName: OWN_VAULT });
    const needsVault = deployment.outputs["AZURE_KEY_VAULT_NAME"] !== "";
    expect(roleFindings(planned, deployment, needsVault ? { vault: OWN_VAULT } : {})).toEqual([]);
  });

  test.each(manifests)("on namespaces are the same, wider: $name", (planned) => {
    const deployment = deployPlan(planned, {
      eventHubsRoleScope: "namespace",
      mqttRoleScope: "namespace",
      keyVaultName: OWN_VAULT,
    });
    const vault = deployment.outputs["AZURE_KEY_VAULT_NAME"] === "" ? {} : { vault: OWN_VAULT };
    expect(roleFindings(planned, deployment, { ...vault, onNamespaces: true })).toEqual([]);
    const onParts = deployment.resources.filter(({ scope = "" }) =>
      /\/(eventhubs|topicSpaces)\//.test(scope),
    );
    expect(onParts).toEqual([]);
  });

  test.each(manifests)("without hubs for dead letters are exactly the plan's: $name", (planned) => {
    const deployment = deployPlan(planned, { deadLetters: false, vaultSettings: [] });
    expect(roleFindings(planned, deployment, { deadLetters: false })).toEqual([]);
  });

  test("on an MQTT broker are on the topic space of the direction", () => {
    const [both] = manifests;
    if (both === undefined) throw new Error("there are no manifests");
    const scopes = deployPlan(both).resources.flatMap(({ scope = "" }) =>
      scope.includes("/topicSpaces/") ? [scope.split("/topicSpaces/")[1]] : [],
    );
    expect(scopes).toEqual(["isthmus-publish", "isthmus-subscribe"]);
  });

  test("are granted on what is brought, where it is", () => {
    const [both] = manifests;
    if (both === undefined) throw new Error("there are no manifests");
    const deployment = deployPlan(both, BROUGHT);
    expect(roleFindings(both, deployment)).toEqual([]);
    const roles = deployment.resources.filter(({ type }) => type.endsWith("/roleAssignments"));
    expect(roles.length).toBe(grantedRoles(deployment).length);
    for (const { scope } of roles)
      expect(scope).toContain("/subscriptions/other/resourceGroups/shared/");
    const created = deployment.resources
      .filter(({ id }) => !id.includes("/shared/"))
      .map(({ type }) => type);
    expect(created).toEqual([
      "Microsoft.Resources/resourceGroups",
      "Microsoft.Web/serverfarms",
      "Microsoft.Web/sites",
      "Microsoft.Web/sites/basicPublishingCredentialsPolicies",
      "Microsoft.Web/sites/basicPublishingCredentialsPolicies",
    ]);
  });
});
