/** The parameters of infra/main.bicep that follow from the manifests. */
import { BridgeError } from "../errors.ts";
import type { Plan } from "../model/plan.ts";
import {
  eventHubsConnectionName,
  kafkaHost,
  SERVICE_ACCOUNT_TOKEN_FILE,
} from "./connection-settings.ts";
import type { AppSetting, FunctionPlan } from "./function-plan.ts";
import { hostSettings } from "./host-settings.ts";
import {
  type EventHubsNamespaceParameter,
  eventHubsNamespaces,
  type MqttNamespaceParameter,
  mqttNamespaces,
} from "./namespaces.ts";
import { usesIdentity } from "./roles.ts";

export interface EventHubsConnectionParameter {
  /** Prefix of the app settings that the trigger finds its connection by. */
  readonly name: string;
  readonly fullyQualifiedNamespace: string;
  /** Of the identity that the manifest names; absent, the app's own. */
  readonly clientId?: string;
}

export interface BicepParameters {
  readonly eventHubsNamespaces: readonly EventHubsNamespaceParameter[];
  readonly mqttNamespaces: readonly MqttNamespaceParameter[];
  /** Key vaults that the manifests name. */
  readonly keyVaults: readonly string[];
  readonly eventHubsConnections: readonly EventHubsConnectionParameter[];
  /** App settings whose values are known and no secret. */
  readonly appSettings: Readonly<Record<string, string>>;
  /** App settings whose values are kept in the app's own key vault. */
  readonly vaultSettings: readonly string[];
  /** Functions that need an instance that is always there. */
  readonly alwaysReady: readonly string[];
}

function eventHubsConnections(plan: Plan, functions: FunctionPlan): EventHubsConnectionParameter[] {
  const names = new Set(functions.functions.map(({ trigger }) => trigger["connection"]));
  const connections = [...plan.kafkaConnections.values()].flatMap((connection) => {
    const name = eventHubsConnectionName(connection);
    if (!(usesIdentity(connection) && names.has(name))) return [];
    const { authentication } = connection;
    const clientId = "identity" in authentication ? authentication.identity.clientId : undefined;
    return [
      {
        name,
        fullyQualifiedNamespace: kafkaHost(connection),
        ...(clientId === undefined ? {} : { clientId }),
      },
    ];
  });
  return connections.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What infra/main.bicep has to be told about these manifests. Holds no secret. */
export function bicepParameters(plan: Plan, functions: FunctionPlan): BicepParameters {
  const connections = eventHubsConnections(plan, functions);
  const host = new Set(hostSettings().map(({ name }) => name));
  const others = functions.settings.filter(
    ({ name }) =>
      !host.has(name) &&
      name !== SERVICE_ACCOUNT_TOKEN_FILE &&
      !connections.some((connection) => name.startsWith(`${connection.name}__`)),
  );
  const known = (setting: AppSetting): [string, string][] =>
    setting.value === undefined || setting.secret ? [] : [[setting.name, setting.value]];
  const vaults = functions.roles.filter(({ scope }) => scope.kind === "keyVault");
  return {
    eventHubsNamespaces: eventHubsNamespaces(plan, functions),
    mqttNamespaces: mqttNamespaces(plan, functions),
    keyVaults: vaults.map(({ scope }) => scope.name).sort(),
    eventHubsConnections: connections,
    appSettings: Object.fromEntries(others.flatMap(known).sort()),
    vaultSettings: others
      .filter((setting) => known(setting).length === 0)
      .map(({ name }) => name)
      .sort(),
    alwaysReady: [...functions.alwaysReady].sort(),
  };
}

const SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#";

/** azd puts its environment in the place of these; with the Azure CLI they are given after the file. */
const FIRST = {
  environmentName: { value: `\${AZURE_ENV_NAME}` },
  location: { value: `\${AZURE_LOCATION}` },
};

/**
 * The text of a parameter file for infra/main.bicep. What an earlier one says besides is kept as it is.
 * @throws BridgeError USAGE when `earlier` is no parameter file.
 */
export function formatBicepParameters(parameters: BicepParameters, earlier?: string): string {
  const own = Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [name, { value }]),
  );
  const kept = earlier === undefined ? {} : parametersIn(earlier);
  const file = {
    $schema: SCHEMA,
    contentVersion: "1.0.0.0",
    parameters: { ...FIRST, ...kept, ...own },
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

function parametersIn(text: string): object {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch (cause) {
    throw new BridgeError("USAGE", "Cannot keep what the parameter file says: it is no JSON", {
      cause,
    });
  }
  const found =
    typeof file === "object" && file !== null && "parameters" in file ? file.parameters : undefined;
  if (typeof found === "object" && found !== null && !Array.isArray(found)) return found;
  throw new BridgeError(
    "USAGE",
    'Cannot keep what the parameter file says: it has no "parameters"',
  );
}
