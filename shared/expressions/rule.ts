import type { TransformStage } from "../model/transform.ts";
import { type CompiledExpression, compileExpression, functionNames } from "./evaluator.ts";
import { type InputReference, parseInput } from "./field-reference.ts";

/** What is wrong with a rule, and in which of its fields. */
export interface RuleProblem {
  readonly stage: TransformStage;
  readonly index: number;
  readonly field: readonly (string | number)[];
  readonly severity: "error" | "warning";
  readonly message: string;
  /** A name that is not there, and those that are. */
  readonly unknown?: Unknown;
}

interface Unknown {
  readonly name: string;
  readonly known: readonly string[];
}

/** What inputs of a stage may name. */
export interface Allowed {
  readonly wildcards: boolean;
  /** Names of datasets. */
  readonly datasets: readonly string[];
  /** The dataset that `$context` stands for by itself. */
  readonly own?: string;
}

export type Report = (problem: RuleProblem) => void;

/** Where a rule stands, and how what is wrong with it is told. */
export class RulePlace {
  readonly stage: TransformStage;
  readonly index: number;
  private readonly tell: Report;

  constructor(stage: TransformStage, index: number, tell: Report) {
    this.stage = stage;
    this.index = index;
    this.tell = tell;
  }

  report(
    severity: "error" | "warning",
    field: readonly (string | number)[],
    message: string,
    unknown?: Unknown,
  ): void {
    const { stage, index } = this;
    this.tell({ stage, index, field, severity, message, ...(unknown && { unknown }) });
  }

  /** `map[2] "cToF($1)"`: how a failure names the rule. */
  label(expression: string | undefined): string {
    const name = `${this.stage}[${this.index}]`;
    return expression === undefined ? name : `${name} ${JSON.stringify(expression)}`;
  }

  /** The inputs, or undefined when one of them is wrong. */
  inputs(texts: readonly string[], allowed: Allowed): readonly InputReference[] | undefined {
    const references = texts.flatMap((text, i) => this.input(text, ["inputs", i], allowed) ?? []);
    return references.length === texts.length ? references : undefined;
  }

  private input(
    text: string,
    field: readonly (string | number)[],
    allowed: Allowed,
  ): InputReference | undefined {
    const reference = parseInput(text);
    if (typeof reference === "string") {
      this.report("error", field, reference);
      return undefined;
    }
    if (reference.warning !== undefined) this.report("warning", field, reference.warning);
    const { source } = reference;
    if (!allowed.wildcards && "path" in source && source.path.hasWildcard) {
      this.report("error", field, `a wildcard has no place in ${this.stage}: name one field`);
      return undefined;
    }
    if (source.kind !== "context") return reference;
    const name = source.dataset ?? allowed.own;
    if (name !== undefined && (name === allowed.own || allowed.datasets.includes(name))) {
      return { ...reference, source: { ...source, dataset: name } };
    }
    const known = allowed.datasets;
    const message =
      name === undefined
        ? "$context must name a dataset: write $context(name).field"
        : `there is no dataset named ${JSON.stringify(name)}`;
    this.report("error", field, message, { name: name ?? "", known });
    return undefined;
  }

  expression(
    text: string,
    inputs: readonly InputReference[],
  ): Extract<CompiledExpression, { ok: true }> | undefined {
    const compiled = compileExpression(
      text,
      inputs.map((input) => input.text),
    );
    const at = (column: number): string => `column ${column} of ${JSON.stringify(text)}`;
    if (!compiled.ok) {
      const { column, message, unknownFunction } = compiled.problem;
      const unknown = unknownFunction && { name: unknownFunction, known: functionNames };
      this.report("error", ["expression"], `${message} (${at(column)})`, unknown || undefined);
      return undefined;
    }
    for (const { column, message } of compiled.warnings) {
      this.report("warning", ["expression"], `${message} (${at(column)})`);
    }
    return compiled;
  }
}
