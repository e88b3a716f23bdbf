import { murmur2 } from "../wire/kafka-murmur2.ts";

const LETTERS = 26;
const SUFFIXES = LETTERS ** 4;
/** A Kubernetes name has at most 253 characters; the suffix needs five. */
const LONGEST_LEVEL = 200;
const encoder = new TextEncoder();

/** What tells topics of different brokers apart. */
export interface AssetOrigin {
  readonly device: string;
  readonly endpoint: string;
  readonly topic: string;
}

/**
 * The name of the asset that is found at a topic: its level `assetLevel` (from 1), made fit for a Kubernetes name, and four letters.
 * The letters follow from the topic, so that every restart and every instance finds the same; where two topics would have one name,
 * the next `attempt` gives other letters.
 */
export function assetName(origin: AssetOrigin, assetLevel: number, attempt: number): string {
  const level = origin.topic.split("/")[assetLevel - 1] ?? "";
  const plain = level
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]+/g, "-")
    .slice(0, LONGEST_LEVEL)
    .replaceAll(/^[.-]+|[.-]+$/g, "");
  const key = [origin.device, origin.endpoint, origin.topic, String(attempt)].join("\n");
  let number = (murmur2(encoder.encode(key)) >>> 0) % SUFFIXES;
  let suffix = "";
  for (let i = 0; i < 4; i += 1) {
    suffix += String.fromCharCode(97 + (number % LETTERS));
    number = Math.floor(number / LETTERS);
  }
  return `${plain === "" ? "asset" : plain}-${suffix}`;
}
