import { formatProblem } from "../manifests/problem.ts";
import type { AppSetting, FunctionPlan, PlannedFunction, RoleAssignment } from "./function-plan.ts";

function valueText(value: unknown): string {
  return Array.isArray(value) ? value.join(", ") : String(value);
}

function functionLines(planned: PlannedFunction): string[] {
  const { name, kind, purpose, trigger, retry, settings } = planned;
  const binding = Object.entries(trigger)
    .filter(([key]) => key !== "type")
    .map(([key, value]) => `      ${key}: ${valueText(value)}`);
  const retried =
    retry === undefined
      ? []
      : [
          `      retry: ${retry.strategy}, maxRetryCount ${retry.maxRetryCount}, ${retry.minimumInterval.seconds} s to ${retry.maximumInterval.seconds} s`,
        ];
  const needs = settings.length === 0 ? [] : [`      settings: ${settings.join(", ")}`];
  return [`  ${name}  (${kind})`, `      ${purpose}`, ...binding, ...retried, ...needs];
}

function settingLines({ name, description, secret, required, value }: AppSetting): string[] {
  const marks = [secret ? "secret" : "", required ? "" : "optional"].filter((mark) => mark !== "");
  const mark = marks.length === 0 ? "" : `  (${marks.join(", ")})`;
  const shown = secret || value === undefined ? "" : ` = ${value}`;
  return [`  ${name}${shown}${mark}`, `      ${description}`];
}

function roleLines({ role, roleId, scope, reason, routes }: RoleAssignment): string[] {
  const users = routes.length === 0 ? "" : `: ${routes.join(", ")}`;
  return [
    `  ${role}  ${roleId}`,
    `      on ${scope.kind} ${scope.name}`,
    `      ${reason}${users}`,
  ];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [title, ...lines, ""];
}

/** The plan as people read it. Holds no secret: only names of settings, and values that are none. */
export function formatPlan(plan: FunctionPlan): string {
  const groups = plan.consumerGroups.map(
    ({ namespace, eventHub, consumerGroup }) => `  ${namespace}/${eventHub}: ${consumerGroup}`,
  );
  return [
    ...section(`Functions (${plan.functions.length})`, plan.functions.flatMap(functionLines)),
    ...section(`App settings (${plan.settings.length})`, plan.settings.flatMap(settingLines)),
    ...section(`Roles of the app's identity (${plan.roles.length})`, plan.roles.flatMap(roleLines)),
    ...section("Consumer groups to create in Event Hubs", groups),
    ...section(
      "Always ready on Flex Consumption",
      plan.alwaysReady.map((name) => `  ${name} = 1`),
    ),
    ...section(
      "Notes",
      plan.notes.map((note) => `  ${note}`),
    ),
    ...section(
      "Problems",
      plan.problems.map((problem) => `  ${formatProblem(problem)}`),
    ),
  ].join("\n");
}
