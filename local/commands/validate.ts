import { hasErrors } from "../../shared/manifests/compile.ts";
import { formatProblem, type Problem } from "../../shared/manifests/problem.ts";
import { type Arguments, type Command, LOCAL_BROKER_OPTION, MANIFEST_OPTIONS } from "../command.ts";
import { load } from "../manifests.ts";
import { complain, print, type Shell } from "../shell.ts";

function amount(n: number, one: string): string {
  return `${n} ${one}${n === 1 ? "" : "s"}`;
}

function summary(routes: number, problems: readonly Problem[]): string {
  const of = (severity: Problem["severity"]): number =>
    problems.filter((problem) => problem.severity === severity).length;
  return [
    amount(routes, "route"),
    amount(of("error"), "error"),
    amount(of("warning"), "warning"),
  ].join(", ");
}

function forPrograms({ severity, location, path, message }: Problem): object {
  return { severity, ...location, path, message };
}

async function validate(args: Arguments, shell: Shell): Promise<number> {
  const { plan, problems } = await load(args);
  if (args.flag("json")) {
    print(shell, JSON.stringify(problems.map(forPrograms), null, 2));
  } else {
    for (const problem of problems) print(shell, formatProblem(problem));
    complain(shell, summary(plan.routes.length, problems));
  }
  return hasErrors(problems) ? 1 : 0;
}

/** `isthmus validate`: every problem of all manifests in one run. */
export const validateCommand: Command = {
  name: "validate",
  summary: "Checks manifests and says what is wrong, where, and what is allowed.",
  usage: "validate -f PATH... [--strict] [--json]",
  options: {
    ...MANIFEST_OPTIONS,
    strict: { type: "boolean", text: "count warnings as errors" },
    ...LOCAL_BROKER_OPTION,
    json: { type: "boolean", text: "print an array of problems for programs" },
  },
  notes: [
    "Each problem is one line: FILE:LINE:COLUMN: error|warning|note: MESSAGE (FIELD).",
    "Exit code: 0, or 1 with errors.",
  ],
  run: validate,
};
