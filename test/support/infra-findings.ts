/** What a deployment has wrong, one line each: compared with the plan, with what the code reads, with what resources are known to have. */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { usesIdentity } from "../../shared/plan/roles.ts";
import type { DeployedResource, Deployment } from "./bicep/deploy.ts";
import type { PlannedManifests } from "./infra.ts";

const ROLE_ASSIGNMENT = "Microsoft.Authorization/roleAssignments";
const SENDER = "2b629674-e913-4c01-ae53-ef4638d8f975";
const SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6";
const root: string = resolve(import.meta.dirname, "../..");

type Body = Readonly<Record<string, unknown>>;

const propertiesOf = ({ body }: DeployedResource): Body => (body["properties"] ?? {}) as Body;

/** The scope of an assignment in the words of the plan. */
function scopeOf(id: string): string {
  const path = id.split("/providers/")[1] ?? "";
  const [provider = "", ...rest] = path.split("/");
  const [, name = "", kind = "", child = ""] = rest;
  switch (`${provider}/${rest[0]}`) {
    case "Microsoft.EventHub/namespaces":
      return kind === "eventhubs" ? `eventHub ${name}/${child}` : `eventHubsNamespace ${name}`;
    case "Microsoft.EventGrid/namespaces":
      // a topic space is a part of the namespace that the plan names
      return `eventGridNamespace ${name}`;
    case "Microsoft.KeyVault/vaults":
      return `keyVault ${name}`;
    case "Microsoft.Storage/storageAccounts":
      return "storageAccount AzureWebJobsStorage";
    case "Microsoft.Insights/components":
      return "applicationInsights Application Insights";
    default:
      return id;
  }
}

/** Every role that is granted, as `<role id> <scope>`. */
export function grantedRoles({ resources }: Deployment): string[] {
  return resources
    .filter(({ type }) => type === ROLE_ASSIGNMENT)
    .map((resource) => {
      const roleId = String(propertiesOf(resource)["roleDefinitionId"]).split("/").at(-1);
      return `${roleId} ${scopeOf(resource.scope ?? "")}`;
    })
    .sort();
}

export interface RoleOptions {
  /** Whether the dead letters of flows that only read have a hub. */
  readonly deadLetters?: boolean;
  /** Event Hubs roles on namespaces instead of hubs. */
  readonly onNamespaces?: boolean;
  /** The app's own key vault. */
  readonly vault?: string;
}

/** The hubs that the plan speaks of in its notes: for dead letters, when nothing else is written there. */
function deadLetterRoles({ plan, functions }: PlannedManifests): string[] {
  return functions.functions.flatMap((planned) => {
    const route = plan.routes.find(({ name }) => name === planned.route);
    const connection = plan.kafkaConnections.get(route?.kafkaConnection ?? "");
    if (route?.direction !== "kafkaToMqtt" || connection?.isEventHubs !== true) return [];
    if (!usesIdentity(connection)) return [];
    const namespace = connection.bootstrapServers[0]?.split(".")[0];
    return [`${SENDER} eventHub ${namespace}/${route.deadLetterTopic}`];
  });
}

function expectedRoles(planned: PlannedManifests, options: RoleOptions): string[] {
  const { deadLetters = true, onNamespaces = false, vault } = options;
  const ofPlan = planned.functions.roles.map(
    ({ roleId, scope }) => `${roleId} ${scope.kind} ${scope.name}`,
  );
  const roles = [
    ...ofPlan,
    ...(deadLetters ? deadLetterRoles(planned) : []),
    ...(vault === undefined ? [] : [`${SECRETS_USER} keyVault ${vault}`]),
  ].map((role) =>
    onNamespaces ? role.replace(/eventHub ([^/]+)\/.*$/, "eventHubsNamespace $1") : role,
  );
  return [...new Set(roles)].sort();
}

/** Roles that the plan asks for and are not granted, and the other way round; and how they are granted. */
export function roleFindings(
  planned: PlannedManifests,
  deployment: Deployment,
  options: RoleOptions = {},
): string[] {
  const granted = grantedRoles(deployment);
  const expected = expectedRoles(planned, options);
  const identity = /userAssignedIdentities\/[^/]+\.properties\.principalId>$/;
  const wrong = deployment.resources
    .filter(({ type }) => type === ROLE_ASSIGNMENT)
    .filter((resource) => {
      const { principalId, principalType } = propertiesOf(resource);
      const isGuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(resource.name);
      return !isGuid || principalType !== "ServicePrincipal" || !identity.test(String(principalId));
    });
  return [
    ...expected.filter((role) => !granted.includes(role)).map((role) => `not granted: ${role}`),
    ...granted.filter((role) => !expected.includes(role)).map((role) => `not asked for: ${role}`),
    ...wrong.map(({ declared }) => `not granted as it should be: ${declared}`),
  ];
}

/** The app settings that a deployment sets. */
export function appSettings({ resources }: Deployment): Map<string, string> {
  const site = resources.find(({ type }) => type === "Microsoft.Web/sites");
  const config = (site === undefined ? {} : propertiesOf(site)["siteConfig"]) as Body | undefined;
  const list = (config?.["appSettings"] ?? []) as readonly { name: string; value: string }[];
  return new Map(list.map(({ name, value }) => [name, value]));
}

/** Of a container or a cluster: a function app has neither files nor tokens of a cluster. */
const NOT_ON_AZURE = ["ISTHMUS_SECRETS", "ISTHMUS_SERVICE_ACCOUNT_TOKEN_FILE"];

/** The names of app settings in the sources that read them one by one. */
export function settingsInCode(): string[] {
  const files = ["functions", "shared"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .map((file) => readFileSync(join(root, folder, file), "utf8")),
  );
  const names = files.flatMap((text) =>
    [...text.matchAll(/\benv(?:ironment)?\["([^"]+)"\]/g)].flatMap(([, name]) => name ?? []),
  );
  return [...new Set(names)];
}

/** Settings that something reads and nothing sets, and the other way round. `deployment` has every option chosen. */
export function settingFindings(
  { functions }: PlannedManifests,
  deployment: Deployment,
  inCode: readonly string[] = settingsInCode(),
): string[] {
  const set = [...appSettings(deployment).keys()];
  const connections = functions.functions.flatMap(({ trigger }) => {
    const { connection } = trigger;
    return typeof connection === "string" && !set.includes(connection) ? [connection] : [];
  });
  const read = new Set([
    ...inCode,
    ...functions.settings.map(({ name }) => name),
    ...connections.flatMap((name) =>
      ["fullyQualifiedNamespace", "credential", "clientId"].map((part) => `${name}__${part}`),
    ),
    ...functions.functions.flatMap(({ trigger }) =>
      Object.values(trigger).flatMap((value) => /^%(.+)%$/.exec(String(value))?.[1] ?? []),
    ),
  ]);
  return [
    ...[...read]
      .filter((name) => !set.includes(name) && !NOT_ON_AZURE.includes(name))
      .map((name) => `read and not set: ${name}`),
    ...set.filter((name) => !read.has(name)).map((name) => `set and not read: ${name}`),
    ...set.filter((name, index) => set.indexOf(name) !== index).map((name) => `set twice: ${name}`),
  ];
}

/** Keys that people choose: whatever they are, they are no properties of a type. */
const FREE = /^(tags|identity\.userAssignedIdentities)\./;

function pathsIn(value: unknown, path: string): string[] {
  if (FREE.test(path)) return [];
  if (Array.isArray(value)) {
    const inner = value.flatMap((item) => pathsIn(item, `${path}[]`));
    return inner.length === 0 ? [path] : inner;
  }
  if (typeof value !== "object" || value === null) return [path];
  const entries = Object.entries(value);
  const paths = entries.flatMap(([key, item]) =>
    pathsIn(item, path === "" ? key : `${path}.${key}`),
  );
  return paths.length === 0 ? [path] : paths;
}

/** By type and version, every property that is set. */
export function propertiesSet(deployments: readonly Deployment[]): Record<string, string[]> {
  const types = new Map<string, Set<string>>();
  for (const { type, apiVersion, body } of deployments.flatMap(({ resources }) => resources)) {
    const key = `${type}@${apiVersion}`;
    const paths = types.get(key) ?? new Set();
    for (const path of pathsIn(body, "")) paths.add(path);
    types.set(key, paths);
  }
  return Object.fromEntries(
    [...types]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([type, paths]) => [type, [...paths].sort()]),
  );
}

/** Properties that no resource of that type is known to have. */
export function propertyFindings(
  deployments: readonly Deployment[],
  known: Readonly<Record<string, readonly string[]>>,
): string[] {
  return Object.entries(propertiesSet(deployments)).flatMap(([type, paths]) => {
    const allowed = known[type];
    if (allowed === undefined) return [`not known: ${type}`];
    const unknown = paths.filter(
      (path) =>
        !allowed.some(
          (one) => one === path || one.startsWith(`${path}.`) || one.startsWith(`${path}[`),
        ),
    );
    return unknown.map((path) => `not known: ${path} of ${type}`);
  });
}
