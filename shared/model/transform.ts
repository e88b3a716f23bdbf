/** One rule of a stage as the manifest has it: `$1`, `$2` … in the expression are the inputs in order. */
export interface TransformRule {
  readonly inputs: readonly string[];
  readonly expression?: string;
}

/** Writes one field of the payload or of the metadata; an empty output takes the inputs' fields out. */
export interface MapRule extends TransformRule {
  readonly output: string;
}

/** Finds the record that `$context(name)` stands for: the first for which the expression is true. */
export interface DatasetRule extends TransformRule {
  /** Where its records are looked up. */
  readonly key: string;
  readonly name: string;
  readonly expression: string;
}

export interface FilterRule extends TransformRule {
  readonly expression: string;
}

/** What a route does to its messages before they are translated: datasets, then filter, then map. */
export interface Transform {
  readonly datasets: readonly DatasetRule[];
  /** The ConfigMap in which the keys of the datasets are looked up. */
  readonly datasetsConfigMap: string;
  readonly filter: readonly FilterRule[];
  /** Whether a message for which a filter is true is dropped, or is one that passes. */
  readonly filterDrops: boolean;
  /** Undefined: the payload stays as it is. */
  readonly map?: readonly MapRule[];
  /** The schema of what the map writes, for CloudEvents. */
  readonly outputSchema?: string;
}

export type TransformStage = "datasets" | "filter" | "map";

/** What happens to the User Properties or headers of every message that goes out, after all else. */
export type HeaderAction =
  | {
      readonly action: "AddIfNotPresent" | "AddOrReplace";
      readonly name: string;
      readonly value: string;
    }
  | { readonly action: "Remove"; readonly name: string };
