import { z } from "zod";
import { choice, ignored, integer, resourceName, type Schema, text, toggle } from "./leaf.ts";

type OperationType = "Source" | "BuiltInTransformation" | "Destination";

export interface TransformationSettings {
  readonly datasets?: readonly unknown[] | undefined;
  readonly filter?: readonly unknown[] | undefined;
  readonly map?: readonly unknown[] | undefined;
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
        readonly headers?: readonly unknown[] | undefined;
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
          datasets: z.array(z.unknown()).optional(),
          filter: z.array(z.unknown()).optional(),
          map: z.array(z.unknown()).optional(),
          schemaRef: ignored,
          serializationFormat: ignored,
        })
        .optional(),
      destinationSettings: z
        .object({
          endpointRef: resourceName,
          dataDestination: text,
          headers: z.array(z.unknown()).optional(),
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
