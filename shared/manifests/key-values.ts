import type { Reading } from "./read-resources.ts";
import type { Resource } from "./resource.ts";
import type { KeyValues } from "./schema/kubernetes.ts";

/** Values of Secrets or ConfigMaps: name, then key. */
export type KeyValueMap = ReadonlyMap<string, ReadonlyMap<string, Uint8Array>>;

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Decodes the values of every Secret or ConfigMap that was read. Messages name the key, never the value. */
export function keyValuesOf(reading: Reading, kind: "Secret" | "ConfigMap"): KeyValueMap {
  const all = new Map<string, ReadonlyMap<string, Uint8Array>>();
  for (const resource of reading.resources) {
    if (resource.kind === kind) all.set(resource.name, decode(resource as Resource<KeyValues>));
  }
  return all;
}

function decode(resource: Resource<KeyValues>): Map<string, Uint8Array> {
  const { data = {}, stringData = {}, binaryData = {} } = resource.spec;
  const values = new Map<string, Uint8Array>();
  const encoded = resource.kind === "Secret" ? data : binaryData;
  const encodedField = resource.kind === "Secret" ? "data" : "binaryData";
  const plain = resource.kind === "Secret" ? stringData : data;
  const plainField = resource.kind === "Secret" ? "stringData" : "data";
  for (const [key, value] of Object.entries(encoded)) {
    const text = typeof value === "string" ? value.replace(/\s/g, "") : "!";
    if (base64.test(text)) values.set(key, new Uint8Array(Buffer.from(text, "base64")));
    else resource.report("error", [encodedField, key], encodedProblem(resource.kind));
  }
  for (const [key, value] of Object.entries(plain)) {
    if (typeof value === "string") values.set(key, new TextEncoder().encode(value));
    else resource.report("error", [plainField, key], "the value is not text: put it in quotes");
  }
  return values;
}

function encodedProblem(kind: string): string {
  const elsewhere = kind === "Secret" ? "stringData" : "data";
  return `the value is not Base64: encode it, or move it to ${elsewhere}, which takes plain text`;
}
