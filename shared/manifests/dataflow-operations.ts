import type { FieldPath } from "./problem.ts";
import type { Resource } from "./resource.ts";
import type { DataflowOperation, DataflowSpec, TransformationSettings } from "./schema/dataflow.ts";

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
  /** It is told already why no route can be made of this end; its topics are checked all the same. */
  readonly refused: boolean;
}

function operationsOf(
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
    refused: false,
  };
}

/** Every destination of a flow; those for which messages would have to be changed on the way are refused. */
export function destinationsOf(resource: Resource<DataflowSpec>): FlowEnd[] {
  const destinations = operationsOf(resource, "Destination");
  if (destinations.length === 0) {
    resource.report(
      "error",
      ["spec", "operations"],
      "the flow has no operation of type Destination: it needs at least one",
    );
  }
  const transformed = isTransformed(resource);
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
    const withHeaders = (settings.headers ?? []).length > 0;
    if (withHeaders) {
      resource.report(
        "error",
        [...at, "headers"],
        "headers of a destination are not supported yet: take them away",
        "flow",
      );
    }
    const topics = [{ text: settings.dataDestination, path: [...at, "dataDestination"] }];
    const refused = transformed || withHeaders;
    return [
      {
        endpoint: settings.endpointRef,
        endpointPath: [...at, "endpointRef"],
        topics,
        path: at,
        refused,
      },
    ];
  });
}

/** Says of each transformation that does anything that it is not supported: passing messages on unchanged would be wrong. */
function isTransformed(resource: Resource<DataflowSpec>): boolean {
  const changing = operationsOf(resource, "BuiltInTransformation").filter(
    ({ operation }) => !passesEverything(operation.builtInTransformationSettings ?? {}),
  );
  for (const { path } of changing) {
    resource.report(
      "error",
      [...path, "builtInTransformationSettings"],
      "transformations are not supported yet: take the operation away to forward messages unchanged",
      "flow",
    );
  }
  return changing.length > 0;
}

function passesEverything({
  datasets = [],
  filter = [],
  map = [],
}: TransformationSettings): boolean {
  if (datasets.length > 0 || filter.length > 0 || map.length > 1) return false;
  const [rule] = map;
  return rule === undefined || isPassThrough(rule);
}

function isPassThrough(rule: unknown): boolean {
  const { inputs, output, expression } = (rule ?? {}) as Readonly<Record<string, unknown>>;
  const everything = Array.isArray(inputs) && inputs.length === 1 && inputs[0] === "*";
  return everything && output === "*" && (expression === undefined || expression === "");
}
