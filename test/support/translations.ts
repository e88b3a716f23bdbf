import { expect } from "vitest";
import type { KafkaHeader, KafkaRecord } from "../../shared/model/kafka-record.ts";
import type { Translation, TranslationContext } from "../../shared/model/translation.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** 2026-11-21T08:00:00Z, when every record and message of these tests was written. */
export const WRITTEN = 1_795_248_000_000;

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

export function bytes(...values: number[]): Uint8Array {
  return Uint8Array.from(values);
}

/** A record in which only what a test is about is named. */
export function recordOf(over: Partial<KafkaRecord> = {}): KafkaRecord {
  return {
    topic: "source",
    partition: 0,
    offset: 7n,
    timestamp: WRITTEN,
    key: null,
    value: utf8("21.5"),
    headers: [],
    ...over,
  };
}

/** Headers from texts, bytes and nulls. */
export function headersOf(
  ...headers: readonly (readonly [string, string | Uint8Array | null])[]
): KafkaHeader[] {
  return headers.map(([name, value]) => [name, typeof value === "string" ? utf8(value) : value]);
}

/** The same, read back for comparison: what is no text stays bytes. */
export function textsOf(headers: readonly KafkaHeader[]): (readonly [string, string])[] {
  return headers.map(([name, value]) => [name, value === null ? "null" : decoder.decode(value)]);
}

/** Handed on `afterMs` after {@link WRITTEN}. */
export function contextAt(afterMs = 0): TranslationContext {
  return { now: WRITTEN + afterMs, newId: () => "0b0f1e62-0000-4000-8000-000000000001" };
}

/** The message of a translation that must have succeeded. */
export function messageOf<T>(translation: Translation<T>): T {
  expect(translation.kind).toBe("translated");
  return (translation as Extract<Translation<T>, { kind: "translated" }>).message;
}

/** A variable of a topic template, `${name}`. */
export function variable(name: string): string {
  return `$\{${name}}`;
}
