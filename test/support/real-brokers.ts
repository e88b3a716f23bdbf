import { describe } from "vitest";
import { leftOutName, missingVariable } from "./left-out.ts";
import { findProgram } from "./programs.ts";
import type { BrokerVariable } from "./test-brokers.ts";

/** What a suite cannot do without: the address of a broker, or a program. */
export type Need = BrokerVariable | "java" | "kcat" | "mosquitto" | "mosquitto_pub";

/**
 * A suite against real brokers. Where something that it needs is not there it is skipped as a whole, with the reason in its name.
 * For files named `*.real.test.ts` and those in test/e2e: only for them are brokers brought up.
 */
export function describeReal(name: string, needs: readonly Need[], suite: () => void): void {
  const reasons = [...new Set(needs.flatMap(reasonMissing))];
  const title = reasons.length === 0 ? name : leftOutName(name, reasons);
  describe.skipIf(reasons.length > 0)(title, suite);
}

/** The value of a variable that the suite named among its needs. For tests and hooks, not for the body of the suite. */
export function brokerAddress(variable: BrokerVariable): string {
  const value = process.env[variable];
  if (value === undefined) throw new Error(`${variable} is not among the needs of this suite`);
  return value;
}

function reasonMissing(need: Need): string[] {
  if (!need.startsWith("ISTHMUS_")) {
    return findProgram(need) === undefined ? [`${need} is not on PATH`] : [];
  }
  if (process.env[need] !== undefined) return [];
  const broker = need.startsWith("ISTHMUS_TEST_MQTT") ? "mosquitto" : "kafka";
  return [process.env[missingVariable(broker)] ?? `${need} is not set`];
}
