import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileExpression } from "../../shared/expressions/evaluator.ts";
import { functions } from "../../shared/expressions/functions.ts";
import { type Inputs, Opaque } from "../../shared/expressions/inputs.ts";
import { Failure, type Value } from "../../shared/expressions/value.ts";

const names = ["a", "b", "c", "d"];

function evaluate(text: string, inputs: Inputs): Value | Failure {
  const compiled = compileExpression(text, names.slice(0, inputs.length));
  if (!compiled.ok) throw new Error(`${compiled.problem.column}: ${compiled.problem.message}`);
  return compiled.evaluate(inputs);
}

describe("precedence and operators", () => {
  const rows: [expression: string, inputs: Inputs, result: Value][] = [
    // each group binds tighter than the next
    ["$1 * 2 ^ 3", [5n], 40],
    ["($1 * 2) ^ 3", [5n], 1000],
    ["-$1 * 2", [5n], -10n],
    ["-($1 * 2)", [5n], -10n],
    ["-3^2", [], -9],
    ["2^-1", [], 0.5],
    ["$1 + 2 * 3", [1n], 7n],
    ["($1 + 2) * 3", [1n], 9n],
    ["$1 * 2 <= $2", [2n, 4n], true],
    ["$1 > 100 && $2 > 200", [101n, 201n], true],
    ["$1 > 100 && $2 > 200", [101n, 200n], false],
    ["false && false || true", [], true],
    ["true || true && false", [], true],
    ["!true || true", [], true],
    ["!(true || true)", [], false],
    ["1 + 1 == 2 && 3 > 2", [], true],
    // from left to right
    ["10 - 4 - 3", [], 3n],
    ["100 / 10 / 5", [], 2n],
    ["100 % 7 * 2", [], 4n],
    // the choices where the documents differ: equality is weaker than order, ^ goes from left to right
    ["true == 1 < 2", [], true],
    ["2^3^2", [], 64],
    ["1 == 1.0", [], true],
    ["1 != 1.0", [], false],
    ['"a" + 1', [], "a1"],
    ['1 + "a"', [], "1a"],
    ['"a" + 1.5', [], "a1.5"],
    ['"a" + 100.0', [], "a100.0"],
    ['"a" + true', [], "atrue"],
    // whole numbers stay whole, one float makes all of them floats
    ["5/4", [], 1n],
    ["5/4.0", [], 1.25],
    ["-7/2", [], -3n],
    ["-7%2", [], -1n],
    ["7.5 % 2", [], 1.5],
    ["($1-32)*5/9", [100n], 37n],
    ["($1-32)*5/9", [100], 37.77777777777778],
    ["2^3", [], 8],
    ["1.5 + 1", [], 2.5],
    ["$1 + 1", [9_007_199_254_740_993n], 9_007_199_254_740_994n],
    ["$1 * $1", [(1n << 63n) - 1n], ((1n << 63n) - 1n) ** 2n],
    ['$1 + ", " + $2', ["Analyst", "Kent, WA"], "Analyst, Kent, WA"],
    ["($1 + $2) / 2", [0.42, 0.67], 0.545],
    // comparisons: numbers, texts, booleans
    ["1 < 1.5", [], true],
    ["9007199254740993 > 9007199254740992.0", [], true],
    ['"a" < "b"', [], true],
    ["false < true", [], true],
    ["1 >= 1", [], true],
    ["2 <= 1", [], false],
    ['"1" == 1', [], false],
    ['"a" == "a"', [], true],
    ["(1, 2) == (1, 2.0)", [], true],
    ["(1, 2) == (1, 2, 3)", [], false],
    ["() == ()", [], true],
    ["$1 == ()", [undefined], true],
    ["$1 != ()", [0n], true],
    // literals
    ["'High'", [], "High"],
    ['"a \\"b\\" \\\\ \\n"', [], 'a "b" \\ \n'],
    ["1e3", [], 1000],
    [".5 + 1.", [], 1.5],
    ["()", [], undefined],
    ["(1, 2, 3)", [], [1n, 2n, 3n]],
    ["((1, 2), 3)", [], [[1n, 2n], 3n]],
    ["($1, $2)", [1n, undefined], [1n, undefined]],
    ["((5))", [], 5n],
    ["170141183460469231731687303715884105727", [], (1n << 127n) - 1n],
    ["170141183460469231731687303715884105728", [], 2 ** 127],
  ];
  test.each(rows)("%s of %o", (expression, inputs, result) => {
    expect(evaluate(expression, inputs)).toStrictEqual(result);
  });
});

describe("functions", () => {
  const rows: [expression: string, inputs: Inputs, result: Value][] = [
    ["min(2, 3, 1)", [], 1n],
    ["max(2, 3, 1)", [], 3n],
    ["min($1)", [[2.34, 12.3, 32.4]], 2.34],
    ["max($1)", [[1n, 2.5]], 2.5],
    ["min(7)", [], 7n],
    ["if($1 > 100, 'high', 'normal')", [101n], "high"],
    ["if($1 > 100, 'high', 'normal')", [100n], "normal"],
    ["if($1 > 5, true, false)", [6n], true],
    // the branch not taken is not evaluated
    ["if($2 == (), $1, $1 * $2)", [5n, undefined], 5n],
    ["if($2 == (), $1, $1 * $2)", [5n, 3n], 15n],
    ["if($1 == (), $2, $1)", [undefined, 70_000n], 70_000n],
    ["false && $1 > 5", [undefined], false],
    ["true || $1 > 5", [undefined], true],
    ['len("Azure")', [], 5n],
    ["len(1, 2, 3)", [], 3n],
    ["len($1)", [[1n, 2n]], 2n],
    ["len('é𝄞')", [], 2n],
    ["floor(2.9)", [], 2n],
    ["floor(-2.1)", [], -3n],
    ["round(2.5)", [], 3n],
    ["round(-2.5)", [], -3n],
    ["round(0.49999999999999994)", [], 0n],
    ["ceil(2.1)", [], 3n],
    ["ceil(5)", [], 5n],
    ["floor(1e300)", [], 1e300],
    ["round_n(3.14159, 2)", [], 3.14],
    ["round_n(1.005, 2)", [], 1.01],
    ["round_n(-2.675, 2)", [], -2.68],
    ["round_n(1e-9, 3)", [], 0],
    ["round_n(1e30, 3)", [], 1e30],
    ["round_n(7, 2)", [], 7],
    ["scale($1, 0, 10, 0, 100)", [5n], 50],
    ["scale(20, 0, 10, 0, 100)", [], 200],
    ["scale($1, 0, 4095, 0, 100)", [4095n], 100],
    ["cToF(100)", [], 212],
    ["fToC(212)", [], 100],
    ["psiToBar(10)", [], 0.689476],
    ["barToPsi(0.0689476)", [], 1],
    ["inToCm(2)", [], 5.08],
    ["cmToIn(2.54)", [], 1],
    ["ftToM(10)", [], 3.048],
    ["mToFt(0.3048)", [], 1],
    ["lbToKg(1)", [], 0.453592],
    ["kgToLb(0.453592)", [], 1],
    ["galToL(1)", [], 3.78541],
    ["lToGal(3.78541)", [], 1],
    ["math::abs(-5)", [], 5n],
    ["abs($1 - $2)", [0.25, 0.5], 0.25],
    ["math::sqrt(16)", [], 4],
    ["math::sqrt(-1)", [], Number.NaN],
    ["math::cbrt(27)", [], 3],
    ["math::ln(1)", [], 0],
    ["math::log2(8)", [], 3],
    ["math::log10(1000)", [], 3],
    ["math::log(8, 2)", [], 3],
    ["math::exp(0)", [], 1],
    ["math::exp2(3)", [], 8],
    ["math::pow(2, 10)", [], 1024],
    ["math::cos(0)", [], 1],
    ["math::sin(0)", [], 0],
    ["math::tan(0)", [], 0],
    ["math::acos(1)", [], 0],
    ["math::asin(0)", [], 0],
    ["math::atan(0)", [], 0],
    ["math::atan2(0, 1)", [], 0],
    ["math::hypot(3, 4)", [], 5],
    ["str::to_lowercase('AbC')", [], "abc"],
    ["str::to_uppercase('AbC')", [], "ABC"],
    ["str::trim('  a b ')", [], "a b"],
    ["str::from(100.0)", [], "100.0"],
    ["str::from(12345678901234567890)", [], "12345678901234567890"],
    ["str::from((1, 'a', ()))", [], "(1, a, ())"],
    ["str::from(true)", [], "true"],
    ["str::substring('Azure', 1, 3)", [], "zu"],
    ["str::substring('Azure', 2)", [], "ure"],
    ["str::substring('é𝄞x', 1, 2)", [], "𝄞"],
    ["contains((1, 2, 3), 2)", [], true],
    ["contains($1, 'x')", [["a", "b"]], false],
    ["contains_any((1, 2), (5, 2))", [], true],
    ["contains_any((1, 2), (5, 6))", [], false],
    ["typeof('a')", [], "string"],
    ["typeof(1.0)", [], "float"],
    ["typeof(1)", [], "int"],
    ["typeof(true)", [], "boolean"],
    ["typeof((1, 2))", [], "tuple"],
    ["typeof(())", [], "empty"],
  ];
  test.each(rows)("%s of %o", (expression, inputs, result) => {
    const value = evaluate(expression, inputs);
    // libraries differ in the last digit
    const isExact = typeof result !== "number" || Number.isNaN(result);
    if (isExact) expect(value).toStrictEqual(result);
    else expect(value).toBeCloseTo(result, 12);
  });

  test("each of them is in the table above", () => {
    const called = rows.flatMap(([expression]) => expression.match(/[\w:]+(?=\()/g) ?? []);
    expect([...functions.keys()].filter((name) => !called.includes(name))).toEqual([]);
  });
});

describe("bad data is a value that says what, where and of which type, never the data", () => {
  const rows: [expression: string, inputs: Inputs, reason: string][] = [
    ["$1 * 2", ["21"], '"*" needs numbers: $1 (a) is a string, "2" is an int'],
    ["$1 * 2", [undefined], '"*" needs numbers: $1 (a) is missing, "2" is an int'],
    ["$1 + 1", [undefined], '"+" needs numbers or strings: $1 (a) is missing, "1" is an int'],
    ["'a' + ()", [], `"+" needs numbers or strings: "'a'" is a string, "()" is missing`],
    ["$1 + $2 * 2", [1n, true], '"*" needs numbers: $2 (b) is a boolean, "2" is an int'],
    [
      "$1 < $2",
      [1n, "2"],
      '"<" needs two of one kind to compare: $1 (a) is an int, $2 (b) is a string',
    ],
    ["$1 && true", [1n], '"&&" needs booleans: $1 (a) is an int, "true" is a boolean'],
    ["false || $1", ["x"], '"||" needs booleans: "false" is a boolean, $1 (a) is a string'],
    ["!$1", [0n], '"!" needs a boolean: $1 (a) is an int'],
    ["-$1", ["1"], '"-" needs a number: $1 (a) is a string'],
    ["if($1, 1, 2)", [1n], '"if" needs a boolean as its condition: $1 (a) is an int'],
    ["$1 / 0", [1n], '"/" divides by zero'],
    ["$1 / 0.0", [1], '"/" divides by zero'],
    ["$1 % 0", [1n], '"%" divides by zero'],
    ["$1 * $1", [(1n << 127n) - 1n], '"*" of integers exceeds 128 bits'],
    ["-$1", [-(1n << 127n)], '"-" of integers exceeds 128 bits'],
    ["abs($1)", [-(1n << 127n)], "abs(value): the result exceeds 128 bits"],
    ["$1 + $1", ["x".repeat(1 << 25)], '"+" makes a text of more than 67108863 characters'],
    ["cToF($1)", ["hot"], "cToF(value) needs numbers: $1 (a) is a string"],
    ["min($1)", [[]], "min(values): the array must not be empty"],
    [
      "max($1, 2)",
      ["3"],
      'max(values) needs numbers, or one array of numbers: $1 (a) is a string, "2" is an int',
    ],
    ["floor($1)", ["1"], "floor(value) needs a number: $1 (a) is a string"],
    ["len($1)", [5n], "len(value) needs a string or an array: $1 (a) is an int"],
    ["str::trim($1)", [5n], "str::trim(string) needs a string: $1 (a) is an int"],
    [
      "str::substring($1, 0, 9)",
      ["short"],
      "str::substring(string, start, end): start and end must lie within the text, and start before end",
    ],
    [
      "str::substring($1, 0, 1)",
      [5n],
      'str::substring(string, start, end) needs a string, a start and an end: $1 (a) is an int, "0" is an int, "1" is an int',
    ],
    [
      "str::substring($1, 0.5)",
      ["x"],
      'str::substring(string, start, end) needs a string and whole numbers: $1 (a) is a string, "0.5" is a float',
    ],
    [
      "round_n($1, 16)",
      [1],
      'round_n(value, decimals) needs a number and how many decimals, from 0 to 15: $1 (a) is a float, "16" is an int',
    ],
    [
      "scale($1, 5, 5, 0, 1)",
      [1],
      "scale(value, srcLo, srcHi, dstLo, dstHi): the source range must not be empty",
    ],
    [
      "contains($1, 1)",
      ["1"],
      'contains(tuple, value) needs an array and a value: $1 (a) is a string, "1" is an int',
    ],
    [
      "contains_any($1, 1)",
      [[1n]],
      'contains_any(tuple, candidates) needs two arrays: $1 (a) is a tuple, "1" is an int',
    ],
    ["math::abs($1)", [true], "math::abs(value) needs a number: $1 (a) is a boolean"],
    [
      "($1, $2 + 1)",
      [1n, undefined],
      '"+" needs numbers or strings: $2 (b) is missing, "1" is an int',
    ],
    ["typeof($1)", [new Opaque("an object")], "$1 (a) is an object, which expressions cannot use"],
    ["1 + $1", [new Opaque("an object")], "$1 (a) is an object, which expressions cannot use"],
    ["($1 + 1) && true", [1n], '"&&" needs booleans: "($1 + 1)" is an int, "true" is a boolean'],
  ];
  test.each(rows)("%s: %#", (expression, inputs, reason) => {
    expect(evaluate(expression, inputs)).toEqual(new Failure(reason));
  });
});

describe("compileExpression() says what is wrong with a text, and at which column", () => {
  const rows: [expression: string, column: number, message: string][] = [
    ["", 1, "the expression is empty"],
    ["1 +", 4, "the expression ends too early"],
    ["(1, 2", 6, 'a bracket is open: close it with ")"'],
    ["1)", 2, '")" has no place here: an operator is expected before it'],
    ["1, 2", 2, '"," has no place here: write a tuple in brackets, as in ($1, $2)'],
    ["1 2", 3, '"2" has no place here: an operator is expected before it'],
    ["* 2", 1, '"*" has no place here: a value is expected'],
    ["$1 = 2", 4, '"=" has no place here: write "==" to compare'],
    ["$1 & $2", 4, '"&" has no place here: write "&&" for and'],
    ["$1 | $2", 4, '"|" has no place here: write "||" for or'],
    ["$1 and $2", 4, '"and" is not an operator: write "&&"'],
    ["$1 OR $2", 4, '"OR" is not an operator: write "||"'],
    ["not $1", 1, '"not" is not an operator: write "!"'],
    [
      "$1 > 1 ? 2 : 3",
      8,
      '"?" has no place here: write if(condition, a, b) to choose; "? $last" belongs to an input',
    ],
    ["$0", 1, '"$0" is not a variable: the inputs are $1, $2 and so on'],
    ["$x", 1, '"$x" is not a variable: the inputs are $1, $2 and so on'],
    ["$1 + $3", 6, "there is no $3: there are 2 inputs"],
    [
      "temperature > 5",
      1,
      '"temperature" is neither a value nor a call: put text in double quotes, and list a field under "inputs" to use it as $1',
    ],
    ["1 + flor(2)", 5, 'there is no function "flor"'],
    ["cToF(1, 2)", 1, "cToF(value) takes 1 argument: there are 2"],
    [
      "str::substring('a')",
      1,
      "str::substring(string, start, end) takes 2 to 3 arguments: there is 1",
    ],
    ["if(true, 1)", 1, "if(condition, a, b) takes 3 arguments: there are 2"],
    ...["average", "sum", "count", "first", "last", "avg"].map((name): [string, number, string] => [
      `${name}($1)`,
      1,
      `"${name}" gathers over time, which only data flow graphs do`,
    ]),
    // names of drafts, without their prefix
    ["sqrt($1)", 1, 'there is no function "sqrt"'],
    ["uppercase($1)", 1, 'there is no function "uppercase"'],
    ["str::regex_replace($1, 'a', 'b')", 1, '"str::regex_replace" is for data flow graphs only'],
    ["str::regex_matches($1, 'a')", 1, '"str::regex_matches" is for data flow graphs only'],
    ['"abc', 1, 'this text has no end: close it with "'],
    ['"a\\x"', 3, '"\\x" is not an escape: write "\\\\" for a backslash'],
    [
      "@temperature",
      1,
      '"@" has no place here: list the field under "inputs" and write $1, $2 … here',
    ],
    ["1; 2", 2, '";" has no place here: an expression is one formula: take it away'],
    ["[1, 2]", 1, '"[" has no place here: a tuple is written with round brackets: (1, 2, 3)'],
    ["1 + 𝄞", 5, '"𝄞" has no place here'],
    [`${"(".repeat(200)}1${")".repeat(200)}`, 101, "brackets are nested deeper than 100"],
    [" ".repeat(4001), 4001, "an expression may have 4000 characters: this one has 4001"],
  ];
  test.each(rows)("%s", (expression, column, message) => {
    expect(compileExpression(expression, ["a", "b"])).toMatchObject({
      ok: false,
      problem: { column, message },
    });
  });

  test.each([
    ["2^3^2", '"2^3" is reckoned first: write brackets to say so'],
    ["$1 == $2 < 3", '"$2 < 3" is reckoned first: write brackets to say so'],
    ["1 < 2 < 3", '"1 < 2" is reckoned first: write brackets to say so'],
  ])("%s is read in one of two ways, and said so", (expression, message) => {
    const compiled = compileExpression(expression, ["a", "b"]);
    expect(compiled).toMatchObject({ ok: true, warnings: [{ message }] });
  });

  test.each(["(2^3)^2", "1 + 2 + 3", "$1 == ($2 < 3)", "1 < 2 && 2 < 3", "2 ^ 3 * 2 ^ 2"])(
    "%s can be read in one way only",
    (expression) => {
      expect(compileExpression(expression, ["a", "b"])).toMatchObject({ ok: true, warnings: [] });
    },
  );
});

describe("evaluation is total", () => {
  const value: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 2 },
      fc.bigInt({ min: -(1n << 127n), max: (1n << 127n) - 1n }),
      fc.double(),
      fc.string({ unit: "grapheme" }),
      fc.boolean(),
      fc.constant(undefined),
      fc.array(tie("value"), { maxLength: 3 }),
    ),
  })).value;
  const input = fc.oneof(value, fc.constant(new Opaque("an object")));
  const operators = ["+", "-", "*", "/", "%", "^", "<", ">", "<=", ">=", "==", "!=", "&&", "||"];
  const calls = ["if", ...functions.keys()];
  const expression: fc.Arbitrary<string> = fc.letrec<{ node: string }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.constantFrom("$1", "$2", "1", "2.5", "0", '"a"', "true", "()"),
      fc.tuple(tie("node"), fc.constantFrom(...operators), tie("node")).map((all) => all.join(" ")),
      fc.tuple(fc.constantFrom("-", "!"), tie("node")).map((all) => all.join("")),
      tie("node").map((node) => `(${node})`),
      fc.tuple(tie("node"), tie("node")).map(([a, b]) => `(${a}, ${b})`),
      fc
        .tuple(fc.constantFrom(...calls), fc.array(tie("node"), { minLength: 1, maxLength: 5 }))
        .map(([name, args]) => {
          const entry = functions.get(name);
          const most = Math.min(entry?.most ?? 3, 5);
          const least = entry?.least ?? 3;
          const filled = Array.from({ length: Math.max(least, Math.min(args.length, most)) });
          return `${name}(${filled.map((_, i) => args[i % args.length]).join(", ")})`;
        }),
    ),
  })).node;

  test("of any expression with any inputs: a value or a failure", () => {
    fc.assert(
      fc.property(expression, fc.array(input, { minLength: 2, maxLength: 2 }), (text, inputs) => {
        const compiled = compileExpression(text, ["a", "b"]);
        if (!compiled.ok) throw new Error(compiled.problem.message);
        const result = compiled.evaluate(inputs);
        if (result instanceof Failure) return;
        expect(["bigint", "number", "string", "boolean", "undefined", "object"]).toContain(
          typeof result,
        );
        // the same again: nothing is remembered, and the inputs are as they were
        expect(compiled.evaluate(inputs)).toStrictEqual(result);
      }),
      { numRuns: 2000 },
    );
  });

  test("of any text: an expression, or a problem that stands within it", () => {
    const pieces = fc.constantFrom(
      ...operators,
      ...calls,
      "$1",
      "$9",
      "(",
      ")",
      ",",
      '"',
      "'",
      "\\",
      " ",
      "1",
      ".",
      "and",
      "constructor",
      "__proto__",
      "é",
    );
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(pieces, { maxLength: 30 }).map((all) => all.join("")),
    );
    fc.assert(
      fc.property(text, (source) => {
        const compiled = compileExpression(source, ["a"]);
        if (compiled.ok) return;
        expect(compiled.problem.message).not.toBe("");
        expect(compiled.problem.column).toBeGreaterThanOrEqual(1);
        expect(compiled.problem.column).toBeLessThanOrEqual(source.length + 1);
      }),
      { numRuns: 2000 },
    );
  });

  test.each(["constructor", "toString", "__proto__", "globalThis", "process", "require"])(
    "%s is nothing an expression can reach",
    (name) => {
      expect(compileExpression(name, []).ok).toBe(false);
      expect(compileExpression(`${name}(1)`, []).ok).toBe(false);
    },
  );
});
