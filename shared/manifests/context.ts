import type { KafkaConnection, MqttConnection } from "../model/connection.ts";
import type { Route, SourceLocation } from "../model/route.ts";
import { didYouMean } from "./nearest.ts";
import type { FieldPath } from "./problem.ts";
import { quote } from "./quote.ts";
import type { References } from "./references.ts";
import type { Resource } from "./resource.ts";
import type { DataflowProfileSpec } from "./schema/dataflow.ts";
import type { DataflowEndpointSpec } from "./schema/dataflow-endpoint.ts";
import type { KafkaConnectorSpec } from "./schema/kafka-connector.ts";
import type { Kind } from "./schema/kinds.ts";

/** A resource that connections were made of; without one that could not be made, its problems are told already. */
export interface Connected<Spec> {
  readonly resource: Resource<Spec>;
  readonly kafka?: KafkaConnection | undefined;
  readonly mqtt?: MqttConnection | undefined;
}

/** A route with the resource and field it came from, for problems found later. */
export interface CompiledRoute {
  readonly route: Route;
  readonly resource: Resource;
  readonly path: FieldPath;
}

/** What flows are compiled against. */
export interface Context {
  readonly connectors: ReadonlyMap<string, Connected<KafkaConnectorSpec>>;
  readonly endpoints: ReadonlyMap<string, Connected<DataflowEndpointSpec>>;
  readonly profiles: ReadonlyMap<string, Resource<DataflowProfileSpec>>;
  /** `Kind/name` of what is there but could not be read. */
  readonly broken: ReadonlySet<string>;
  readonly references: References;
  /** The broker where no manifest says which. */
  readonly localBroker: (of: "connector" | "dataflow", location: SourceLocation) => MqttConnection;
  readonly routes: CompiledRoute[];
}

/** Finds what a field refers to; tells of a missing one with the nearest name there is. */
export function lookUp<T>(
  found: ReadonlyMap<string, T>,
  kind: Kind,
  at: { readonly context: Context; readonly resource: Resource; readonly path: FieldPath },
  name: string,
): T | undefined {
  const target = found.get(name);
  if (target === undefined && !at.context.broken.has(`${kind}/${name}`)) {
    const hint = didYouMean(name, found.keys());
    at.resource.report(
      "error",
      at.path,
      `there is no ${kind} named ${quote(name)} in the manifests${hint}`,
      "flow",
    );
  }
  return target;
}
