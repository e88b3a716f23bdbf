import type { HeaderAction } from "../model/transform.ts";
import type { FieldPath } from "./problem.ts";
import type { Resource } from "./resource.ts";
import type { DataflowOperation, DataflowSpec, HeaderSpec } from "./schema/dataflow.ts";

interface TopicText {
  readonly text: string;
  readonly path: FieldPath;
}

/** What a flow reads from or writes to, as its operations say. */
export interface FlowEnd {
  readonly endpoint: string;
  readonly endpointPath: FieldPath;
  readonly topics: readonly TopicText[];
  readonly path: FieldPath;
  /** Of a destination: what is done to the headers of all that goes there. */
  readonly headers?: readonly HeaderAction[];
}

/** The operations of one type, with where they stand. */
export function operationsOf(
  resource: Resource<DataflowSpec>,
  type: DataflowOperation["operationType"],
): { readonly operation: DataflowOperation; readonly path: FieldPath }[] {
  return resource.spec.operations.flatMap((operation, index) =>
    operation.operationType === type ? [{ operation, path: ["spec", "operations", index] }] : [],
  );
}

/** The one source of a flow; says so when there is none, or more than one. */
export function sourceOf(resource: Resource<DataflowSpec>): FlowEnd | undefined {
  const sources = operationsOf(resource, "Source");
  const [first] = sources;
  if (first === undefined || sources.length > 1) {
    const path = first === undefined ? ["spec", "operations"] : (sources[1]?.path ?? []);
    resource.report(
      "error",
      path,
      `the flow has ${sources.length} operations of type Source: it needs exactly one`,
    );
    return undefined;
  }
  const settings = first.operation.sourceSettings;
  if (settings === undefined) {
    resource.report(
      "error",
      first.path,
      '"sourceSettings" is missing: an operation of type Source needs it',
    );
    return undefined;
  }
  const path = [...first.path, "sourceSettings"];
  if (settings.dataSources.length === 0) {
    resource.report(
      "error",
      [...path, "dataSources"],
      "the list of dataSources is empty: give at least one topic",
    );
    return undefined;
  }
  return {
    endpoint: settings.endpointRef,
    endpointPath: [...path, "endpointRef"],
    topics: settings.dataSources.map((text, index) => ({
      text,
      path: [...path, "dataSources", index],
    })),
    path,
  };
}

/** Every destination of a flow. */
export function destinationsOf(resource: Resource<DataflowSpec>): FlowEnd[] {
  const destinations = operationsOf(resource, "Destination");
  if (destinations.length === 0) {
    resource.report(
      "error",
      ["spec", "operations"],
      "the flow has no operation of type Destination: it needs at least one",
    );
  }
  return destinations.flatMap(({ operation, path }) => {
    const settings = operation.destinationSettings;
    if (settings === undefined) {
      resource.report(
        "error",
        path,
        '"destinationSettings" is missing: an operation of type Destination needs it',
      );
      return [];
    }
    const at = [...path, "destinationSettings"];
    const headers = headerActions(resource, [...at, "headers"], settings.headers ?? []);
    return [
      {
        endpoint: settings.endpointRef,
        endpointPath: [...at, "endpointRef"],
        topics: [{ text: settings.dataDestination, path: [...at, "dataDestination"] }],
        path: at,
        ...(headers.length === 0 ? {} : { headers }),
      },
    ];
  });
}

function headerActions(
  resource: Resource,
  path: FieldPath,
  headers: readonly HeaderSpec[],
): HeaderAction[] {
  return headers.flatMap(({ actionType: action, key: name, value }, index): HeaderAction[] => {
    if (action === "Remove") return [{ action, name }];
    if (value !== undefined) return [{ action, name, value }];
    resource.report("error", [...path, index], `"value" is missing: ${action} needs it`);
    return [];
  });
}
