import type { SourceLocation } from "../model/route.ts";
import type { Annotations } from "./annotations.ts";
import type { FieldPath, Problem, Severity } from "./problem.ts";
import type { Kind } from "./schema/kinds.ts";

/** One manifest that was read, with a way to speak about its fields. */
export interface Resource<Spec = unknown> {
  readonly kind: Kind;
  readonly name: string;
  readonly apiVersion: string;
  readonly annotations: Annotations;
  /** `spec`; of a Secret or ConfigMap, the whole resource. */
  readonly spec: Spec;
  readonly location: SourceLocation;
  /** Where a field's value stands; of a field that is not there, where the one that should hold it begins. */
  locate(path: FieldPath): SourceLocation;
  /** Adds a problem at a field of this resource. */
  report(severity: Severity, path: FieldPath, message: string, scope?: Problem["scope"]): void;
}
