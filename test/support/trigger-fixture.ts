import { readFileSync } from "node:fs";

export interface TriggerFixture {
  readonly payload: unknown;
  readonly triggerMetadata: Record<string, unknown>;
}

function revive(_key: string, value: unknown): unknown {
  const written = value as { type?: unknown; data?: unknown } | null;
  return written?.type === "Buffer" && Array.isArray(written.data)
    ? Buffer.from(written.data as number[])
    : value;
}

/** An invocation as the worker hands it over, from test/fixtures/triggers. */
export function triggerFixture(name: string): TriggerFixture {
  const path = new URL(`../fixtures/triggers/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(path, "utf8"), revive) as TriggerFixture;
}
