/** What holds where a manifest says nothing; docs/manifests.md lists each. */
import type { Batching } from "../model/route.ts";
import type { FieldPath } from "./problem.ts";
import type { Resource } from "./resource.ts";
import type { BatchingSpec } from "./schema/kafka-settings.ts";

export const defaultDeadLetterTopic = "isthmus.dead-letter";
/** Seconds. */
export const defaultKeepAlive = 60;
/** Seconds. */
export const defaultSessionExpiry = 600;
export const defaultMaxInflight = 100;
export const defaultQos = 1;

/** S-16, with the two spellings of S-2; `enabled` is what holds when neither is given. */
export function batchingOf(
  resource: Resource,
  path: FieldPath,
  spec: BatchingSpec = {},
  enabled: boolean = false,
): Batching {
  if (spec.mode !== undefined && spec.enabled !== undefined && spec.mode !== spec.enabled) {
    resource.report(
      "error",
      [...path, "enabled"],
      '"enabled" and "mode" contradict each other: keep one',
    );
  }
  return {
    enabled: spec.mode ?? spec.enabled ?? enabled,
    latencyMs: spec.latencyMs ?? 5,
    maxMessages: spec.maxMessages ?? 100_000,
    maxBytes: spec.maxBytes ?? 1_000_000,
  };
}

/** Of two spellings of one setting, the one that is given; both with different values is an error. */
export function oneOf(
  resource: Resource,
  section: FieldPath,
  spellings: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const given = Object.entries(spellings).filter(([, value]) => value !== undefined);
  const [first] = given;
  for (const [field, value] of given.slice(1)) {
    if (first !== undefined && value !== first[1]) {
      const fields = `"${first[0]}" and "${field}"`;
      resource.report(
        "error",
        [...section, ...field.split(".")],
        `${fields} name different things: keep one`,
      );
    }
  }
  return first?.[1];
}
