/** What a set of manifests becomes on Azure Functions, as plain data: nothing here has touched a host or a cloud. */
import type { Problem } from "../manifests/problem.ts";

export type FunctionKind = "eventHubTrigger" | "kafkaTrigger" | "timer" | "http";

/** What a function is for; the app finds the code to run by it. */
export type FunctionRole =
  | "deliver"
  | "pump"
  | "topicWatch"
  | "health"
  | "readiness"
  | "metrics"
  | "status";

/** Whole seconds: the host rounds anything finer. */
export interface RetryPolicy {
  readonly strategy: "exponentialBackoff";
  /** -1: without end. */
  readonly maxRetryCount: number;
  readonly minimumInterval: { readonly seconds: number };
  readonly maximumInterval: { readonly seconds: number };
}

export interface PlannedFunction {
  /** Legal and unique among the app's functions without regard to case; the same for the same route and topic. */
  readonly name: string;
  readonly kind: FunctionKind;
  readonly role: FunctionRole;
  readonly purpose: string;
  readonly route?: string;
  /** The endpoint of a Device that it holds open. */
  readonly device?: string;
  /** The Kafka topic or event hub that is read. */
  readonly topic?: string;
  /** Which of the `subscribers` functions of its route it is, from 0. */
  readonly instance?: number;
  readonly subscribers?: number;
  /** Exactly what is registered. `%NAME%` is the value of an app setting. */
  readonly trigger: Readonly<Record<string, unknown>>;
  readonly retry?: RetryPolicy;
  /** Names of the app settings that it needs. */
  readonly settings: readonly string[];
}

export interface AppSetting {
  readonly name: string;
  readonly description: string;
  /** Whether its value must be kept from view. */
  readonly secret: boolean;
  /** False: there is a default, or another way to give it. */
  readonly required: boolean;
  /** Only what is no secret: an address, or a reference into Key Vault. */
  readonly value?: string;
}

export type RoleScopeKind =
  | "eventHub"
  | "eventHubsNamespace"
  | "keyVault"
  | "eventGridNamespace"
  | "storageAccount"
  | "applicationInsights";

export interface RoleScope {
  readonly kind: RoleScopeKind;
  /** `<namespace>/<event hub>`, or the resource's own name. */
  readonly name: string;
}

/** One assignment to the app's identity. */
export interface RoleAssignment {
  readonly role: string;
  readonly roleId: string;
  readonly scope: RoleScope;
  readonly reason: string;
  /** The routes that need it; empty when the host itself does. */
  readonly routes: readonly string[];
}

/** A consumer group of an event hub; unlike Kafka's, it does not come into being by itself. */
export interface EventHubsConsumerGroup {
  readonly namespace: string;
  readonly eventHub: string;
  readonly consumerGroup: string;
}

export interface FunctionPlan {
  readonly functions: readonly PlannedFunction[];
  readonly settings: readonly AppSetting[];
  readonly roles: readonly RoleAssignment[];
  readonly consumerGroups: readonly EventHubsConsumerGroup[];
  /** Functions that need an instance that is always there. */
  readonly alwaysReady: readonly string[];
  /** An error means that the route it is about has no function. */
  readonly problems: readonly Problem[];
  /** What has to exist besides, in words. */
  readonly notes: readonly string[];
}
