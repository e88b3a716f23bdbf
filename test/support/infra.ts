/** Manifests, what is planned of them, and what the files of infra/ deploy for that plan. */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { loadManifests } from "../../shared/manifests/load.ts";
import type { Plan } from "../../shared/model/plan.ts";
import { bicepParameters } from "../../shared/plan/bicep-parameters.ts";
import type { FunctionPlan } from "../../shared/plan/function-plan.ts";
import { planFunctions } from "../../shared/plan/functions-plan.ts";
import { routePattern, type TopicLock } from "../../shared/plan/topic-lock.ts";
import { type Deployment, deployBicep } from "./bicep/deploy.ts";

const root: string = resolve(import.meta.dirname, "../..");

/** The Bicep files of a folder, by their path in it. */
export function bicepFiles(folder: string = join(root, "infra")): Map<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".bicep"))
    .sort();
  return new Map(names.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}

export interface PlannedManifests {
  readonly name: string;
  readonly plan: Plan;
  readonly functions: FunctionPlan;
}

const FIXTURES = "test/fixtures";

/** Manifests of every kind: both directions, every way to sign in, expressions, templates, several namespaces. */
const MANIFESTS: readonly { readonly name: string; readonly paths: readonly string[] }[] = [
  { name: "Event Hubs and Event Grid", paths: ["examples/event-hubs"] },
  { name: "Kafka without credentials", paths: ["examples/factory"] },
  { name: "a reader alone", paths: [`${FIXTURES}/infra/manifests/reads-only.yaml`] },
  { name: "templates", paths: [`${FIXTURES}/infra/manifests/templated.yaml`] },
  { name: "an expression", paths: [`${FIXTURES}/infra/manifests/expression.yaml`] },
  { name: "a connection string", paths: [`${FIXTURES}/infra/manifests/connection-string.yaml`] },
  { name: "certificates", paths: [`${FIXTURES}/infra/manifests/kafka-x509.yaml`] },
  { name: "Key Vault", paths: [`${FIXTURES}/manifests/connector-key-vault.yaml`] },
  {
    name: "a connector with an identity",
    paths: ["connector-identity", "topic-map"].map((file) => `${FIXTURES}/manifests/${file}.yaml`),
  },
  {
    name: "a connector with a password",
    paths: ["connector-sasl", "topic-map"].map((file) => `${FIXTURES}/manifests/${file}.yaml`),
  },
  { name: "a device", paths: [`${FIXTURES}/manifests/devices.yaml`] },
  { name: "data flows to two brokers", paths: [`${FIXTURES}/manifests/dataflows.yaml`] },
  {
    name: "all of it in one app",
    paths: [
      "examples/event-hubs",
      `${FIXTURES}/infra/manifests/reads-only.yaml`,
      `${FIXTURES}/manifests/connector-key-vault.yaml`,
      `${FIXTURES}/manifests/connector-identity.yaml`,
      `${FIXTURES}/manifests/topic-map.yaml`,
    ],
  },
];

/** A lock in which every expression of the plan has found two topics. */
function lockOf(plan: Plan): TopicLock {
  const routes = plan.routes.flatMap((route) => {
    const pattern = route.direction === "kafkaToMqtt" ? routePattern(route) : undefined;
    return pattern === undefined
      ? []
      : [[route.name, { pattern, topics: ["hall-1-a", "hall-2-b"] }] as const];
  });
  return { version: 1, routes: Object.fromEntries(routes) };
}

/** Every set of manifests, planned. @throws Error when one of them has an error: then it tests nothing. */
export async function plannedManifests(): Promise<PlannedManifests[]> {
  return await Promise.all(
    MANIFESTS.map(async ({ name, paths }) => {
      const loaded = await loadManifests(
        paths.map((path) => join(root, path)),
        { localBroker: "mqtt://broker.plant:1883" },
      );
      const functions = planFunctions(loaded.plan, lockOf(loaded.plan));
      const errors = [...loaded.problems, ...functions.problems].filter(
        ({ severity }) => severity === "error",
      );
      if (errors.length > 0) throw new Error(`${name}: ${errors.map((e) => e.message).join("; ")}`);
      return { name, plan: loaded.plan, functions };
    }),
  );
}

export const SUBSCRIPTION = "00000000-0000-0000-0000-000000000001";

/** What main.bicep deploys for a plan. @throws BicepError when parameters and templates do not fit. */
export function deployPlan(
  { plan, functions }: PlannedManifests,
  more: Readonly<Record<string, unknown>> = {},
  files: ReadonlyMap<string, string> = bicepFiles(),
): Deployment {
  return deployBicep({
    files,
    main: "main.bicep",
    parameters: {
      environmentName: "test",
      location: "westeurope",
      ...bicepParameters(plan, functions),
      ...more,
    },
    scope: { subscriptionId: SUBSCRIPTION, group: undefined },
  });
}
