// npm run mutate [-- NAME...]: changes the pure core in one small way at a time and expects a test to fail each time. A NAME is
// part of a source's path; without one it takes all of topics and translation.
// What survives must be listed in test/mutants-accepted.json with the reason why no test can tell it from the original.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import ts from "typescript";
import { createVitest } from "vitest/node";

const ROOT = resolve(import.meta.dirname, "..");
const AREAS = ["topics", "translate", "wire"];
/** What is taken when nothing is named. Not wire, where much survives that is there for speed alone. */
const UNNAMED = ["shared/topics/", "shared/translate/"];
const ACCEPTED = "test/mutants-accepted.json";
/** No loop of the core runs longer in a test: a mutant whose loop does has no end. */
const MOST_ITERATIONS = 300_000;

const OPERATORS = {
  "<": ["<=", ">="],
  "<=": ["<", ">"],
  ">": [">=", "<="],
  ">=": [">", "<"],
  "===": ["!=="],
  "!==": ["==="],
  "&&": ["||"],
  "||": ["&&"],
  "??": ["&&"],
  "+": ["-"],
  "-": ["+"],
  "*": ["/"],
  "/": ["*"],
  "%": ["*"],
  "**": ["*"],
  "<<": [">>"],
  ">>": ["<<"],
  "&": ["|"],
  "|": ["&"],
  "+=": ["-="],
  "-=": ["+="],
  "??=": ["="],
};

/** Texts that may stand in for this node, and so make a mutant each. */
function replacements(node, text) {
  const kind = ts.SyntaxKind;
  switch (node.kind) {
    case kind.StringLiteral:
      return [node.text === "" ? '"mutated"' : '""'];
    case kind.NoSubstitutionTemplateLiteral:
    case kind.TemplateExpression:
      return ['"mutated"'];
    case kind.NumericLiteral: {
      const value = Number(node.text);
      return [String(value + 1), `(${value - 1})`];
    }
    case kind.BigIntLiteral: {
      const value = BigInt(node.text.slice(0, -1));
      return [`${value + 1n}n`, `(${value - 1n}n)`];
    }
    case kind.TrueKeyword:
      return ["false"];
    case kind.FalseKeyword:
      return ["true"];
    case kind.PrefixUnaryExpression:
      return ["!", "-"].includes(text[0]) ? [text.slice(1)] : [];
    case kind.RegularExpressionLiteral: {
      const open = text.replace(/^\/\^/, "/");
      const endless = text.replace(/\$\/(\w*)$/, "/$1");
      return [open, endless].filter((changed) => changed !== text && !changed.startsWith("//"));
    }
    case kind.ExpressionStatement:
    case kind.ReturnStatement:
    case kind.ContinueStatement:
    case kind.BreakStatement:
      return [";"];
    default:
      return [];
  }
}

/** The node whose truth decides, if this node has one. */
function conditionOf(node) {
  if (ts.isIfStatement(node) || ts.isWhileStatement(node)) return node.expression;
  return ts.isConditionalExpression(node) || ts.isForStatement(node) ? node.condition : undefined;
}

function isLoop(node) {
  return ts.isForStatement(node) || ts.isForOfStatement(node) || ts.isWhileStatement(node);
}

function isNoCode(node) {
  return (
    ts.isTypeNode(node) ||
    ts.isImportDeclaration(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node)
  );
}

/** All mutants of one source file, and the insertions that give each of its loops an end. */
function mutantsOf(path) {
  const code = readFileSync(join(ROOT, path), "utf8");
  const source = ts.createSourceFile(path, code, ts.ScriptTarget.ES2023, true);
  const mutants = [];
  const guards = [];
  const add = (start, end, replacement) => {
    const { line, character } = source.getLineAndCharacterOfPosition(start);
    const context = code.split("\n")[line].trim();
    const change = `${code.slice(start, end).replace(/\s+/g, " ").slice(0, 60)} -> ${replacement}`;
    mutants.push({
      path,
      line: line + 1,
      column: character + 1,
      context,
      change,
      start,
      end,
      replacement,
    });
  };
  const addOperators = ({ operatorToken: operator }) => {
    for (const other of OPERATORS[operator.getText(source)] ?? []) {
      add(operator.getStart(source), operator.end, other);
    }
  };
  const addTruths = (condition) => {
    for (const truth of ["true", "false"]) add(condition.getStart(source), condition.end, truth);
  };
  const guard = (loop, start) => {
    const count = `loop${start}`;
    const body = loop.statement.getStart(source);
    guards.push([start, `{ let ${count} = 0; `]);
    guards.push([body, `{ if (++${count} > ${MOST_ITERATIONS}) throw new Error("endless"); `]);
    guards.push([loop.end, " } }"]);
  };
  const visit = (node) => {
    if (isNoCode(node)) return;
    const start = node.getStart(source);
    for (const text of replacements(node, node.getText(source))) add(start, node.end, text);
    if (ts.isBinaryExpression(node)) addOperators(node);
    const condition = conditionOf(node);
    if (condition !== undefined) addTruths(condition);
    if (isLoop(node)) guard(node, start);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return { code, guards, mutants: mutants.filter(({ change }) => !/^(.*) -> \1$/.test(change)) };
}

/** The source with one mutant in it. */
function mutated({ code, guards }, { start, end, replacement }) {
  const edits = guards
    .filter(([at]) => at <= start || at >= end)
    .map(([at, text]) => [at, at, text]);
  edits.push([start, end, replacement]);
  let result = code;
  // from the end, so that positions before it stay right; of two that start alike the insertion last
  for (const [from, to, text] of edits.sort((a, b) => b[0] - a[0] || b[1] - a[1])) {
    result = result.slice(0, from) + text + result.slice(to);
  }
  return result;
}

/** Paths that a file imports, itself and through others. */
function importsOf(path, seen = new Set()) {
  if (seen.has(path) || !existsSync(path)) return seen;
  seen.add(path);
  for (const [, from] of readFileSync(path, "utf8").matchAll(/from "(\.[^"]+)"/g)) {
    importsOf(resolve(dirname(path), from), seen);
  }
  return seen;
}

function filesIn(folder, ending) {
  return readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith(ending))
    .map((name) => `${folder}/${name}`);
}

/** The test named after a source first: nearly every mutant dies there. Of the others the smallest, which are the fastest. */
function testsOf(path) {
  const all = AREAS.flatMap((area) => filesIn(`test/${area}`, ".test.ts"));
  const own = path.replace(/^shared/, "test").replace(/\.ts$/, ".test.ts");
  const size = (test) => (test === own ? 0 : statSync(join(ROOT, test)).size);
  return all
    .filter((test) => importsOf(join(ROOT, test)).has(join(ROOT, path)))
    .sort((a, b) => size(a) - size(b));
}

/** Behind a module's path: which source is changed, and by which of its mutants. */
const MARK = /^(.*)\?mutant=([^,]+),(\d+)$/;
let running;

/** Every module of the core is loaded once for each mutant, under a name of its own: one process tests them all. */
const plugin = {
  name: "mutants",
  enforce: "pre",
  resolveId(source, importer) {
    const mark = MARK.exec(importer ?? "");
    if (mark === null || !source.startsWith(".")) return undefined;
    return `${resolve(dirname(mark[1]), source)}?mutant=${mark[2]},${mark[3]}`;
  },
  transform(code, id) {
    const [, path, source, index] = MARK.exec(id) ?? [];
    if (path === undefined) return undefined;
    if (path.endsWith(".test.ts")) return STOP_AT_FIRST_FAILURE + code;
    return path === join(ROOT, source) ? mutated(running, running.mutants[index]) : undefined;
  },
};

const STOP_AT_FIRST_FAILURE = `import { beforeEach as stopBeforeEach } from "vitest";
import { configureGlobal as configureFastCheck } from "fast-check";
// the same draws for every mutant and at every run: what survives today survives tomorrow
configureFastCheck({ seed: 1 });
let hasFailed = false;
stopBeforeEach((context) => {
  if (hasFailed) context.skip();
  context.onTestFailed(() => { hasFailed = true; });
});
`;

async function survivorsOf(vitest, path) {
  running = { path, ...mutantsOf(path) };
  const { mutants } = running;
  // the last one changes nothing: if it dies too, the deaths of the others say nothing
  mutants.push({ start: 0, end: 0, replacement: "" });
  let alive = mutants.map((_, index) => index);
  const [project] = vitest.projects;
  for (const test of testsOf(path)) {
    if (alive.length === 1) break;
    const specifications = alive.map((index) =>
      project.createSpecification(`${join(ROOT, test)}?mutant=${path},${index}`),
    );
    const { testModules } = await vitest.runTestSpecifications(specifications);
    // vitest also lists what it ran for other sources before
    const killed = new Set(
      testModules
        .filter((module) => module.state() === "failed")
        .map((module) => MARK.exec(module.moduleId))
        .filter(([, , source]) => source === path)
        .map(([, , , index]) => Number(index)),
    );
    alive = alive.filter((index) => !killed.has(index));
    if (!alive.includes(mutants.length - 1)) throw new Error(`${path}: its tests fail unchanged`);
  }
  return { all: mutants.length - 1, alive: alive.slice(0, -1).map((index) => mutants[index]) };
}

const names = process.argv.length > 2 ? process.argv.slice(2) : UNNAMED;
const sources = AREAS.flatMap((area) => filesIn(`shared/${area}`, ".ts")).filter((path) =>
  names.some((name) => path.includes(name)),
);
const accepted = JSON.parse(readFileSync(join(ROOT, ACCEPTED), "utf8"));
const vitest = await createVitest(
  "test",
  {
    root: ROOT,
    config: false,
    watch: false,
    include: ["test/**/*.test.ts"],
    pool: "threads",
    maxWorkers: 1,
    isolate: false,
    testTimeout: 60_000,
    reporters: [{}],
  },
  { plugins: [plugin], configFile: false },
);
let unexpected = 0;
let total = 0;
for (const path of sources) {
  const began = performance.now();
  const { all, alive } = await survivorsOf(vitest, path);
  const known = accepted.filter((entry) => entry.path === path);
  const isKnown = (mutant) =>
    known.some(({ context, change }) => context === mutant.context && change === mutant.change);
  const strangers = alive.filter((mutant) => !isKnown(mutant));
  unexpected += strangers.length;
  total += all;
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(
    `${path}: ${all} mutants, ${all - alive.length} killed, ${alive.length - strangers.length} accepted, ${strangers.length} survived (${seconds} s)`,
  );
  for (const { line, column, context, change } of strangers) {
    console.log(`  ${path}:${line}:${column}: ${change}\n    ${context}`);
  }
}
await vitest.close();
console.log(`${total} mutants in ${sources.length} files, ${unexpected} survived unexpectedly`);
process.exitCode = unexpected > 0 ? 1 : 0;
