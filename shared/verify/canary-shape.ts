import type { KafkaHeader } from "../model/kafka-record.ts";
import type { Publish } from "../model/publish.ts";

/** What of a message is compared: its payload, and all that goes with it, in order. */
export interface CanaryShape {
  readonly payload: Uint8Array | null;
  readonly fields: readonly CanaryField[];
}

type Value = Uint8Array | string | null;
type CanaryField = readonly [name: string, value: Value];

export function recordShape(record: {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly KafkaHeader[];
}): CanaryShape {
  const fields: CanaryField[] = [["key", record.key]];
  for (const [name, value] of record.headers) fields.push([`header "${name}"`, value]);
  return { payload: record.value, fields };
}

export function publishShape({ payload, properties }: Publish): CanaryShape {
  const { userProperties, correlationData, ...rest } = properties;
  const { payloadFormatIndicator, messageExpiryInterval, responseTopic, contentType } = rest;
  const fields: CanaryField[] = [
    ["Payload Format Indicator", numberText(payloadFormatIndicator)],
    ["Message Expiry Interval", numberText(messageExpiryInterval)],
    ["Response Topic", responseTopic ?? null],
    ["Correlation Data", correlationData ?? null],
    ["Content Type", contentType ?? null],
  ];
  for (const [name, value] of userProperties) fields.push([`User Property "${name}"`, value]);
  return { payload, fields };
}

/** Which fields differ between two shapes of equally many: those that depend on the moment. */
export function differingFields(one: CanaryShape, other: CanaryShape): ReadonlySet<number> {
  const differing = new Set<number>();
  for (const [index, [, value]] of one.fields.entries()) {
    if (!isSame(value, other.fields[index]?.[1] ?? null)) differing.add(index);
  }
  return differing;
}

/** How `got` differs from what was expected, or undefined. Of the fields `volatile` only the names are compared. */
export function shapeProblem(
  expected: CanaryShape,
  got: CanaryShape,
  volatile: ReadonlySet<number>,
): string | undefined {
  const count = Math.max(expected.fields.length, got.fields.length);
  for (let index = 0; index < count; index += 1) {
    const wanted = expected.fields[index];
    const here = got.fields[index];
    if (wanted === undefined) return `${here?.[0]} should not be there`;
    if (here === undefined) return `${wanted[0]} is missing`;
    if (wanted[0] !== here[0]) return `${here[0]} stands where ${wanted[0]} should`;
    if (!volatile.has(index) && !isSame(wanted[1], here[1])) return `${wanted[0]} is not as sent`;
  }
  return isSame(expected.payload, got.payload) ? undefined : "the payload is not as sent";
}

function numberText(value: number | undefined): string | null {
  return value === undefined ? null : String(value);
}

function isSame(one: Value, other: Value): boolean {
  if (one === other) return true;
  if (one === null || other === null) return false;
  if (typeof one === "string" || typeof other === "string" || one.length !== other.length) {
    return false;
  }
  for (let i = 0; i < one.length; i += 1) if (one[i] !== other[i]) return false;
  return true;
}
