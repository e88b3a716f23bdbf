import type { RuleProblem } from "../../shared/expressions/rule.ts";
import type { MessageView } from "../../shared/expressions/scope.ts";
import { type Transformed, transformProblems } from "../../shared/expressions/transform.ts";
import type { Transform } from "../../shared/model/transform.ts";

/** A transform that does nothing, with some of its stages. */
export function transformOf(stages: Partial<Transform>): Transform {
  return { datasets: [], datasetsConfigMap: "datasets", filter: [], filterDrops: true, ...stages };
}

/** A message whose payload is this text. */
export function messageOfText(text: string, given: Partial<MessageView> = {}): MessageView {
  return {
    payload: new TextEncoder().encode(text),
    topic: "plant/oven",
    contentType: undefined,
    property: () => undefined,
    ...given,
  };
}

/** The payload as text, or the outcome where there is none. */
export function payloadText(outcome: Transformed): unknown {
  if (outcome.kind === "filtered") return "filtered";
  if (outcome.kind === "rejected") return `${outcome.code}: ${outcome.reason}`;
  return outcome.payload === undefined ? "kept" : new TextDecoder().decode(outcome.payload);
}

/** `map[0].output: error: …`, as people would see it. */
export function problemLines(stages: Partial<Transform>): string[] {
  return transformProblems(transformOf(stages)).map(line);
}

function line({ stage, index, field, severity, message }: RuleProblem): string {
  const path = field.map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`)).join("");
  return `${stage}[${index}]${path}: ${severity}: ${message}`;
}
