import type { Problem } from "../manifests/problem.ts";
import type { PlannedFunction } from "./function-plan.ts";

const LOOKED_UP = ["topic", "consumerGroup", "brokerList"];

/**
 * A Kafka trigger takes a text that is also the name of an app setting or environment variable for that setting's value,
 * without regard to case: topic "home" would become the value of HOME. Says which functions that would happen to.
 */
export function shadowedNames(
  functions: readonly PlannedFunction[],
  environment: Iterable<string>,
): Problem[] {
  const names = new Set([...environment].map((name) => name.toLowerCase()));
  return functions
    .filter(({ kind }) => kind === "kafkaTrigger")
    .flatMap(({ name, trigger }) =>
      LOOKED_UP.flatMap((field): Problem[] => {
        const value = trigger[field];
        if (typeof value !== "string" || !names.has(value.toLowerCase())) return [];
        return [
          {
            severity: "error",
            location: { file: name, line: 1, column: 1 },
            path: field,
            message: `Function "${name}" would not use ${field} "${value}" but the value of the app setting or environment variable of that name: rename either`,
            scope: "flow",
          },
        ];
      }),
    );
}
