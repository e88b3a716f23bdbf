import * as z from "zod";
import { anyText, ignored, resourceName, type Schema } from "./leaf.ts";

export interface Metadata {
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly annotations?: Readonly<Record<string, unknown>> | undefined;
}

/** What every resource begins with. Fields that a cluster writes are read and have no effect. */
export const metadata: Schema<Metadata> = z.object({
  name: resourceName,
  namespace: anyText.optional(),
  annotations: z.record(z.string(), z.unknown()).optional(),
  labels: ignored,
  creationTimestamp: ignored,
  deletionTimestamp: ignored,
  finalizers: ignored,
  generateName: ignored,
  generation: ignored,
  managedFields: ignored,
  ownerReferences: ignored,
  resourceVersion: ignored,
  selfLink: ignored,
  uid: ignored,
});
