import type { Reporter, TestModule } from "vitest/node";
import { reasonLeftOut } from "./left-out.ts";

/** Says at the end of a run which suites against real brokers did not run, and why. */
export class LeftOutReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const lines = modules.flatMap(linesOf);
    if (lines.length > 0) console.log(["", "Left out:", ...lines, ""].join("\n"));
  }
}

function linesOf(module: TestModule): string[] {
  return [...module.children.allSuites()].flatMap((suite) => {
    const reason = reasonLeftOut(suite.name);
    if (reason === undefined) return [];
    const count = [...suite.children.allTests()].length;
    const name = suite.name.slice(0, suite.name.lastIndexOf(" [left out:"));
    return [`  ${module.relativeModuleId}, ${name}: ${count} skipped: ${reason}`];
  });
}
