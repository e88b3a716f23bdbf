const UINT32 = 0x1_0000_0000n;

function isInt32(value: unknown): value is number {
  return Number.isInteger(value) && value === (Number(value) | 0);
}

/**
 * A 64-bit integer as a Functions worker hands it over: a number, digits, or `{low, high, unsigned}` with two signed 32-bit halves.
 * Undefined for everything else, and for numbers beyond 2^53, which have lost digits.
 */
export function integerFromTrigger(value: unknown): bigint | undefined {
  if (typeof value === "bigint") return value;
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  if (typeof value === "string") return /^-?\d{1,19}$/.test(value) ? BigInt(value) : undefined;
  if (typeof value !== "object" || value === null) return undefined;
  const { low, high, unsigned } = value as Readonly<Record<string, unknown>>;
  if (!isInt32(low) || !isInt32(high)) return undefined;
  const joined = BigInt(high) * UINT32 + BigInt(low >>> 0);
  return unsigned === true ? BigInt.asUintN(64, joined) : joined;
}
