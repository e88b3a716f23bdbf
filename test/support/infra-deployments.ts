/** Deployments that together use everything that infra/ can do. */
import type { Deployment } from "./bicep/deploy.ts";
import { bicepFiles, deployPlan, type PlannedManifests } from "./infra.ts";

const AT = "/subscriptions/other/resourceGroups/shared/providers";

/** What is brought instead of created, of every kind. */
export const BROUGHT: Readonly<Record<string, string | readonly string[]>> = {
  existingIdentityId: `${AT}/Microsoft.ManagedIdentity/userAssignedIdentities/id-app`,
  existingStorageAccountId: `${AT}/Microsoft.Storage/storageAccounts/sharedstorage`,
  existingApplicationInsightsId: `${AT}/Microsoft.Insights/components/shared-insights`,
  existingWorkspaceId: `${AT}/Microsoft.OperationalInsights/workspaces/shared-logs`,
  existingEventHubsNamespaceIds: [`${AT}/Microsoft.EventHub/namespaces/Contoso-Plant`],
  existingMqttNamespaceIds: [`${AT}/Microsoft.EventGrid/namespaces/contoso-plant`],
  existingKeyVaultIds: [`${AT}/Microsoft.KeyVault/vaults/plant-vault`],
};

const ACTION_GROUP =
  "/subscriptions/s/resourceGroups/r/providers/Microsoft.Insights/actionGroups/a";

export const CHOICES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "as it comes": {},
  "all that can be asked for": {
    tags: { owner: "plant" },
    functionTimeout: "01:00:00",
    pumpSeconds: 600,
    localBroker: "mqtt://broker.example:1883",
    zoneRedundant: true,
    alertActionGroupIds: [ACTION_GROUP],
    privateNetwork: true,
  },
  "as little as possible": { auditLogs: false, purgeProtection: false, deadLetters: false },
  "roles on namespaces": { eventHubsRoleScope: "namespace", mqttRoleScope: "namespace" },
  "all brought": BROUGHT,
  "a network brought": {
    privateNetwork: true,
    existingFunctionsSubnetId: `${AT}/Microsoft.Network/virtualNetworks/v/subnets/functions`,
    existingEndpointsSubnetId: `${AT}/Microsoft.Network/virtualNetworks/v/subnets/endpoints`,
    createPrivateDnsZones: false,
    publicAppEndpoint: true,
  },
};

/** Each set of manifests with each choice. */
export function allDeployments(
  manifests: readonly PlannedManifests[],
  files: ReadonlyMap<string, string> = bicepFiles(),
): Deployment[] {
  return manifests.flatMap((planned) =>
    Object.values(CHOICES).map((choice) => deployPlan(planned, choice, files)),
  );
}
