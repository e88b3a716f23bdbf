import type { Reporter, TestCase, TestModule } from "vitest/node";
import { reasonLeftOut } from "./left-out.ts";

/** Says at the end of a run what did not run, and why: whole suites, and single tests. */
export class LeftOutReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const lines = modules.flatMap((module) => [...suitesOf(module), ...testsOf(module)]);
    if (lines.length > 0) console.log(["", "Left out:", ...lines, ""].join("\n"));
  }
}

function suitesOf(module: TestModule): string[] {
  return [...module.children.allSuites()].flatMap((suite) => {
    const reason = reasonLeftOut(suite.name);
    if (reason === undefined) return [];
    const count = [...suite.children.allTests()].length;
    const name = suite.name.slice(0, suite.name.lastIndexOf(" [left out:"));
    return [`  ${module.relativeModuleId}, ${name}: ${count} skipped: ${reason}`];
  });
}

function testsOf(module: TestModule): string[] {
  return [...module.children.allTests("skipped")]
    .filter((test) => !isInSuiteLeftOut(test))
    .map((test) => {
      const result = test.result();
      const reason =
        (result.state === "skipped" ? result.note : undefined) ??
        reasonLeftOut(test.name) ??
        "no reason given";
      return `  ${module.relativeModuleId}, ${test.name.replace(/ \[left out:.*$/, "")}: skipped: ${reason}`;
    });
}

function isInSuiteLeftOut(test: TestCase): boolean {
  for (let at = test.parent; at.type === "suite"; at = at.parent) {
    if (reasonLeftOut(at.name) !== undefined) return true;
  }
  return false;
}
