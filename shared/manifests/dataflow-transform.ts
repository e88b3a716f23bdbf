import type { RuleProblem } from "../expressions/rule.ts";
import { transformProblems } from "../expressions/transform.ts";
import type {
  DatasetRule,
  FilterRule,
  MapRule,
  Transform,
  TransformStage,
} from "../model/transform.ts";
import { operationsOf } from "./dataflow-operations.ts";
import { oneOf } from "./defaults.ts";
import { didYouMean } from "./nearest.ts";
import type { FieldPath } from "./problem.ts";
import { quote } from "./quote.ts";
import type { References } from "./references.ts";
import type { Resource } from "./resource.ts";
import type { DataflowSpec, DatasetSpec, FilterSpec, MapSpec } from "./schema/dataflow.ts";

/** Where datasets are looked up when nothing else is said. */
const defaultDatasets = "datasets";

/** What a flow does to its messages; not sound when it cannot be run, of which is told. */
export interface ReadTransform {
  readonly transform: Transform | undefined;
  readonly isSound: boolean;
}

/** A rule with where it stands: several operations of one flow are one transform. */
interface Placed<Rule> {
  readonly rule: Rule;
  readonly path: FieldPath;
}

interface Stages {
  readonly datasets: readonly Placed<DatasetRule>[];
  readonly filter: readonly Placed<FilterRule>[];
  readonly map: readonly Placed<MapRule>[];
  readonly schemas: readonly string[];
}

/** Reads and checks the transformations of a flow. */
export function readTransform(
  resource: Resource<DataflowSpec>,
  references: References,
): ReadTransform {
  const stages = stagesOf(resource);
  const { datasets, filter, map, schemas } = stages;
  const hasRules = datasets.length + filter.length > 0 || !map.every(({ rule }) => copiesAll(rule));
  if (!hasRules && schemas.length === 0) return { transform: undefined, isSound: true };
  const { annotations } = resource;
  const datasetsConfigMap = annotations.datasets ?? defaultDatasets;
  const [firstDataset] = datasets;
  if (firstDataset !== undefined) {
    references.use("ConfigMap", datasetsConfigMap, resource, [...firstDataset.path, "key"]);
  }
  const outputSchema = schemas.at(-1);
  const transform: Transform = {
    datasets: datasets.map(({ rule }) => rule),
    datasetsConfigMap,
    filter: filter.map(({ rule }) => rule),
    filterDrops: filterDrops(resource, filter[0]?.path),
    ...(map.length === 0 ? {} : { map: map.map(({ rule }) => rule) }),
    ...(outputSchema === undefined ? {} : { outputSchema }),
  };
  const problems = transformProblems(transform);
  for (const problem of problems) tell(resource, stages, problem);
  return { transform, isSound: problems.every(({ severity }) => severity !== "error") };
}

/** Passes every field on: the portal adds such a rule to flows that change nothing. */
function copiesAll({ inputs, output, expression = "" }: MapRule): boolean {
  return inputs.length === 1 && inputs[0] === "*" && output === "*" && expression === "";
}

function stagesOf(resource: Resource<DataflowSpec>): Stages {
  const operations = operationsOf(resource, "BuiltInTransformation").map(({ operation, path }) => ({
    settings: operation.builtInTransformationSettings ?? {},
    at: [...path, "builtInTransformationSettings"],
  }));
  const placed = <Spec, Rule>(
    stage: TransformStage,
    read: (resource: Resource, path: FieldPath, spec: Spec) => Rule,
  ): Placed<Rule>[] =>
    operations.flatMap(({ settings, at }) =>
      ((settings[stage] ?? []) as readonly Spec[]).map((spec, i) => {
        const path = [...at, stage, i];
        return { path, rule: read(resource, path, spec) };
      }),
    );
  return {
    datasets: placed("datasets", datasetRule),
    filter: placed("filter", filterRule),
    map: placed("map", mapRule),
    schemas: operations.flatMap(({ settings }) => settings.schemaRef || []),
  };
}

/** The first previews' way to say `$1 == $2` of two fields. */
const equation = /^\s*(\$(?:source|context)\b.*?)\s*==\s*(\$(?:source|context)\b.*?)\s*$/;

function datasetRule(resource: Resource, path: FieldPath, spec: DatasetSpec): DatasetRule {
  const { key: written, condition } = spec;
  const [, key = written, alias = written] = /^(.+?)\s+as\s+(\S+)$/.exec(written) ?? [];
  const sides = spec.inputs === undefined ? equation.exec(condition ?? "") : null;
  if (sides !== null) {
    return { key, name: alias, inputs: sides.slice(1), expression: "$1 == $2" };
  }
  const expression = oneOf(resource, path, { expression: spec.expression, condition }) ?? "";
  return { key, name: alias, inputs: spec.inputs ?? [], expression };
}

function filterRule(resource: Resource, path: FieldPath, spec: FilterSpec): FilterRule {
  const { expression, condition } = spec;
  return {
    inputs: spec.inputs ?? [],
    expression: oneOf(resource, path, { expression, condition }) ?? "",
  };
}

function mapRule(resource: Resource, path: FieldPath, spec: MapSpec): MapRule {
  const { expression: newer, conversion } = spec;
  const expression = oneOf(resource, path, { expression: newer, conversion });
  return {
    inputs: spec.inputs ?? [],
    output: spec.output ?? "",
    ...(expression === undefined ? {} : { expression }),
  };
}

/** Until v1 a filter said what passes; since then it says what is dropped. Whoever does not say which is told. */
function filterDrops(resource: Resource, filter: FieldPath | undefined): boolean {
  const said = resource.annotations.filterDrops;
  if (said !== undefined) return said;
  const version = resource.apiVersion.replace(/^.*\//, "");
  const drops = !/^v\d+(alpha|beta)/.test(version);
  if (filter !== undefined) {
    const what = drops ? "is dropped" : "passes";
    resource.report(
      "warning",
      filter,
      `a message for which the filter is true ${what}, as ${version} reads it: say so by the annotation isthmus.dev/filter-drops: "${drops}", or the other way round`,
    );
  }
  return drops;
}

function tell(resource: Resource, stages: Stages, problem: RuleProblem): void {
  const place = stages[problem.stage][problem.index];
  const known = problem.unknown === undefined ? "" : hintOf(problem.unknown);
  const path = [...(place?.path ?? []), ...problem.field];
  const message = `${problem.message}${known}`;
  if (problem.severity === "error") resource.report("error", path, message, "flow");
  else resource.report("warning", path, message);
}

/** Lists of names that are longer than this help nobody. */
const mostListed = 5;

function hintOf({ name, known }: NonNullable<RuleProblem["unknown"]>): string {
  const hint = didYouMean(name, known);
  if (hint !== "" || known.length === 0 || known.length > mostListed) return hint;
  return `: known are ${known.map(quote).join(", ")}`;
}
