import * as z from "zod";
import type { CloudEventsMode, Compression } from "../../model/route.ts";
import { choice, integer, type Schema, toggle } from "./leaf.ts";

export interface BatchingSpec {
  readonly mode?: boolean | undefined;
  readonly enabled?: boolean | undefined;
  readonly latencyMs?: number | undefined;
  readonly maxMessages?: number | undefined;
  readonly maxBytes?: number | undefined;
}

export const batching: Schema<BatchingSpec> = z.object({
  mode: toggle.optional(),
  enabled: toggle.optional(),
  latencyMs: integer(0, 65_535).optional(),
  maxMessages: integer(1).optional(),
  maxBytes: integer(1).optional(),
});

export const compression: Schema<Compression> = choice(["None", "Gzip", "Snappy", "Lz4"]);

export type PartitionStrategyName = "Default" | "Static" | "Topic" | "Property";
export const partitionStrategy: Schema<PartitionStrategyName> = choice([
  "Default",
  "Static",
  "Topic",
  "Property",
]);

export const cloudEventAttributes: Schema<Exclude<CloudEventsMode, "None">> = choice([
  "Propagate",
  "CreateOrRemap",
]);
