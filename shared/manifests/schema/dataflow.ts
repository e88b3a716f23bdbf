import * as z from "zod";
import {
  anyText,
  choice,
  ignored,
  integer,
  looseText,
  resourceName,
  type Schema,
  text,
  toggle,
} from "./leaf.ts";

type OperationType = "Source" | "BuiltInTransformation" | "Destination";

export interface DatasetSpec {
  readonly key: string;
  readonly inputs?: readonly string[] | undefined;
  readonly expression?: string | undefined;
  readonly condition?: string | undefined;
}

export interface FilterSpec {
  readonly inputs?: readonly string[] | undefined;
  readonly expression?: string | undefined;
  readonly condition?: string | undefined;
}

export interface MapSpec {
  readonly inputs?: readonly string[] | undefined;
  readonly output?: string | undefined;
  readonly expression?: string | undefined;
  readonly conversion?: string | undefined;
}

export interface TransformationSettings {
  readonly datasets?: readonly DatasetSpec[] | undefined;
  readonly filter?: readonly FilterSpec[] | undefined;
  readonly map?: readonly MapSpec[] | undefined;
  readonly schemaRef?: string | undefined;
}

export interface HeaderSpec {
  readonly actionType: "AddIfNotPresent" | "AddOrReplace" | "Remove";
  readonly key: string;
  readonly value?: string | undefined;
}

export interface DataflowOperation {
  readonly operationType: OperationType;
  readonly sourceSettings?:
    | { readonly endpointRef: string; readonly dataSources: readonly string[] }
    | undefined;
  readonly builtInTransformationSettings?: TransformationSettings | undefined;
  readonly destinationSettings?:
    | {
        readonly endpointRef: string;
        readonly dataDestination: string;
        readonly headers?: readonly HeaderSpec[] | undefined;
      }
    | undefined;
}

export interface DataflowSpec {
  readonly profileRef?: string | undefined;
  readonly mode?: boolean | undefined;
  readonly operations: readonly DataflowOperation[];
}

export interface DataflowProfileSpec {
  readonly instanceCount?: number | undefined;
}

const listOfTopics = 'write a list, one topic to a line: - "…"';

const dataSources = z.array(text, {
  error: (issue) => {
    if (issue.input === "*") {
      return `"*" is not a wildcard in MQTT, and dataSources is a list: write - "#" for every topic`;
    }
    if (typeof issue.input !== "string") return undefined;
    return `${JSON.stringify(issue.input)} is not a list: ${listOfTopics.replace("…", () => String(issue.input))}`;
  },
});

const inputs = z.array(anyText);

/** `spec` of a Dataflow. Topics are checked later, once it is known whether they are Kafka's or MQTT's. */
export const dataflowSpec: Schema<DataflowSpec> = z.object({
  profileRef: resourceName.optional(),
  mode: toggle.optional(),
  requestDiskPersistence: toggle.optional(),
  operations: z.array(
    z.object({
      operationType: choice<OperationType>(["Source", "BuiltInTransformation", "Destination"]),
      name: ignored,
      sourceSettings: z
        .object({
          endpointRef: resourceName,
          dataSources,
          assetRef: ignored,
          schemaRef: ignored,
          serializationFormat: ignored,
        })
        .optional(),
      builtInTransformationSettings: z
        .object({
          datasets: z
            .array(
              z.object({
                key: text,
                inputs: inputs.optional(),
                expression: anyText.optional(),
                condition: anyText.optional(),
                description: ignored,
                schemaRef: ignored,
              }),
            )
            .optional(),
          filter: z
            .array(
              z.object({
                inputs: inputs.optional(),
                expression: anyText.optional(),
                condition: anyText.optional(),
                description: ignored,
                type: ignored,
              }),
            )
            .optional(),
          map: z
            .array(
              z.object({
                inputs: inputs.optional(),
                output: anyText.optional(),
                expression: anyText.optional(),
                conversion: anyText.optional(),
                description: ignored,
                type: ignored,
              }),
            )
            .optional(),
          schemaRef: anyText.optional(),
          serializationFormat: ignored,
        })
        .optional(),
      destinationSettings: z
        .object({
          endpointRef: resourceName,
          dataDestination: text,
          headers: z
            .array(
              z.object({
                actionType: choice(["AddIfNotPresent", "AddOrReplace", "Remove"]),
                key: text,
                value: looseText.optional(),
              }),
            )
            .optional(),
        })
        .optional(),
    }),
  ),
});

/** `spec` of a DataflowProfile. */
export const dataflowProfileSpec: Schema<DataflowProfileSpec> = z.object({
  instanceCount: integer(1, 20).optional(),
  diagnostics: ignored,
});
