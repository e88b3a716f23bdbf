import { describe, expect, test } from "vitest";
import { compileTransform } from "../../shared/expressions/transform.ts";
import type { MapRule } from "../../shared/model/transform.ts";
import { messageOfText, payloadText, problemLines, transformOf } from "../support/transforms.ts";

type Row = [inputs: string[], output: string, expression?: string];

function rules(rows: readonly Row[]): MapRule[] {
  return rows.map(([inputs, output, expression]) =>
    expression === undefined ? { inputs, output } : { inputs, output, expression },
  );
}

function mapped(rows: readonly Row[], payload: string): unknown {
  const run = compileTransform(transformOf({ map: rules(rows) }), new Map());
  return payloadText(run(messageOfText(payload)));
}

const colours = {
  Saturation: { Max: 0.42, Min: 0.67, Mid: { Avg: 0.51, Mean: 0.56 } },
  Brightness: { Max: 0.78, Min: 0.93, Mid: { Avg: 0.81, Mean: 0.82 } },
};
const limits = '{"Temperature":{"Max":85,"Min":62},"Pressure":{"Max":15,"Min":14}}';

describe("a map", () => {
  const rows: { name: string; map: Row[]; from: string; to: string }[] = [
    {
      name: "moves, renames, merges and leaves out fields",
      map: [
        [["Name"], "Employee.Name"],
        [["Birth Date"], "Employee.Date of Birth"],
        [["Position", "Office"], "Employment.Position", '$1 + ", " + $2'],
      ],
      from: '{"Name":"Grace Owens","Birth Date":"19840202","Position":"Analyst","Office":"Kent, WA"}',
      to: '{"Employee":{"Name":"Grace Owens","Date of Birth":"19840202"},"Employment":{"Position":"Analyst, Kent, WA"}}',
    },
    {
      name: "copies numbers as they are written, and objects, arrays and null as they are",
      map: [
        [["a"], "x.a"],
        [["b"], "x.b"],
        [["c"], "c"],
        [["d"], "d"],
        [["e"], "e"],
      ],
      from: '{"a":100.0,"b":12345678901234567890123,"c":{"y":[1.50,{}]},"d":[1,"2"],"e":null}',
      to: '{"x":{"a":100.0,"b":12345678901234567890123},"c":{"y":[1.50,{}]},"d":[1,"2"],"e":null}',
    },
    {
      name: "writes nothing for a field that is not there",
      map: [[["a"], "b"]],
      from: "{}",
      to: "{}",
    },
    {
      name: "writes nothing for the empty value",
      map: [[["a"], "b", "if($1 == 1, (), $1)"]],
      from: '{"a":1}',
      to: "{}",
    },
    {
      name: "takes an empty expression for a copy",
      map: [[["a"], "b", ""]],
      from: '{"a":1}',
      to: '{"b":1}',
    },
    {
      name: "writes constants",
      map: [[[], "BaseSalary", "78000"]],
      from: "{}",
      to: '{"BaseSalary":78000}',
    },
    {
      name: "makes arrays, with null for what is missing",
      map: [[["minimum", "maximum", "mean"], "stats", "($1, $2, $3)"]],
      from: '{"minimum":1,"maximum":2.50}',
      to: '{"stats":[1,2.5,null]}',
    },
    {
      name: "reads arrays",
      map: [[["Measurements"], "Measurement", "min($1)"]],
      from: '{"Measurements":[2.34,12.3,32.4]}',
      to: '{"Measurement":2.34}',
    },
    {
      name: "divides whole numbers to a whole number",
      map: [[["t"], "c", "($1-32)*5/9"]],
      from: '{"t":100}',
      to: '{"c":37}',
    },
    {
      name: "divides floats to a float, also round ones",
      map: [[["t"], "c", "($1-32)*5/9"]],
      from: '{"t":100.0}',
      to: '{"c":37.77777777777778}',
    },
    {
      name: "writes a round float with its point",
      map: [[["t"], "t", "$1 * 2"]],
      from: '{"t":1.0}',
      to: '{"t":2.0}',
    },
    {
      name: "lets the later of two rules write a field",
      map: [
        [["a"], "x"],
        [["b"], "x"],
      ],
      from: '{"a":1,"b":2}',
      to: '{"x":2}',
    },
    {
      name: "makes way for an object",
      map: [
        [["a"], "x"],
        [["b"], "x.y"],
      ],
      from: '{"a":1,"b":2}',
      to: '{"x":{"y":2}}',
    },
    {
      name: "adds to an object that it copied, and not to the one that came",
      map: [
        [["o"], "p"],
        [["b"], "p.y"],
        [["o"], "q"],
      ],
      from: '{"o":{"x":1},"b":2}',
      to: '{"p":{"x":1,"y":2},"q":{"x":1}}',
    },
    {
      name: "treats __proto__ as any other field",
      map: [
        [["__proto__.a"], "__proto__.b"],
        [["constructor"], "c"],
      ],
      from: '{"__proto__":{"a":1}}',
      to: '{"__proto__":{"b":1}}',
    },
    {
      name: "flattens what a wildcard at the end stands for",
      map: [
        [["Sensors.*"], "*"],
        [["Metadata.*"], "*"],
      ],
      from: '{"Sensors":{"Temperature":72.5,"Pressure":14.7},"Metadata":{"LineId":"Line-3"}}',
      to: '{"Temperature":72.5,"Pressure":14.7,"LineId":"Line-3"}',
    },
    {
      name: "wraps everything",
      map: [[["*"], "Telemetry.*"]],
      from: '{"a":{"b":1},"c":{}}',
      to: '{"Telemetry":{"a":{"b":1},"c":{}}}',
    },
    {
      name: "follows the first input's wildcard in the others",
      map: [[["*.Max", "*.Min"], "Averaged.*", "($1 + $2) / 2"]],
      from: '{"Temperature":{"Max":85.3,"Min":62.1},"Pressure":{"Max":15.2,"Min":14.1}}',
      to: '{"Averaged":{"Temperature":73.7,"Pressure":14.649999999999999}}',
    },
    {
      name: "skips what another input has not",
      map: [[["*.Max", "*.Min", "*.Avg"], "C.*", "($1, $2, $3)"]],
      from: JSON.stringify(colours),
      to: "{}",
    },
    {
      name: "matches across levels when the paths say so",
      map: [[["*.Max", "*.Min", "*.Mid.Avg", "*.Mid.Mean"], "C.*", "($1, $2, $3, $4)"]],
      from: JSON.stringify(colours),
      to: '{"C":{"Saturation":[0.42,0.67,0.51,0.56],"Brightness":[0.78,0.93,0.81,0.82]}}',
    },
    {
      name: "matches one or more levels",
      map: [[["*.v"], "o.*"]],
      from: '{"v":0,"a":{"v":1,"b":{"v":2}}}',
      to: '{"o":{"a":{"b":2}}}',
    },
    {
      name: "matches between fields",
      map: [[["a.*.v"], "o.*"]],
      from: '{"a":{"v":0,"x":{"v":1},"y":{"z":{"v":2}}}}',
      to: '{"o":{"x":1,"y":{"z":2}}}',
    },
    {
      name: "lets a fixed input stand beside a wildcard",
      map: [[["limit", "*.Max"], "o.*", "$2 > $1"]],
      from: `{"limit":20,${limits.slice(1)}`,
      to: '{"o":{"Temperature":true,"Pressure":false}}',
    },
    {
      name: "applies a second rule on the same inputs too",
      map: [
        [["*.Max", "*.Min"], "Stats.*.Avg", "($1 + $2) / 2"],
        [["*.Max", "*.Min"], "Stats.*.Range", "abs($1 - $2)"],
      ],
      from: limits,
      to: '{"Stats":{"Temperature":{"Avg":73,"Range":23},"Pressure":{"Avg":14,"Range":1}}}',
    },
    {
      name: "lets a more specific rule take the place of a wildcard's, also with another output",
      map: [
        [["*.Max", "*.Min"], "Averaged.*", "($1 + $2) / 2"],
        [["Pressure.Max", "Pressure.Min"], "Averaged.PressureAdj", "($1 + $2 + 1.0) / 2"],
      ],
      from: limits,
      to: '{"Averaged":{"Temperature":73,"PressureAdj":15.0}}',
    },
    {
      name: "applies both when the specific rule comes first",
      map: [
        [["Pressure.Max", "Pressure.Min"], "PressureAdj", "$1 + $2"],
        [["*.Max", "*.Min"], "Averaged.*", "($1 + $2) / 2"],
      ],
      from: limits,
      to: '{"PressureAdj":29,"Averaged":{"Temperature":73,"Pressure":14}}',
    },
    {
      name: "applies both when the specific rule reads other fields",
      map: [
        [["*"], "*"],
        [["a", "b"], "sum", "$1 + $2"],
      ],
      from: '{"a":1,"b":2}',
      to: '{"a":1,"b":2,"sum":3}',
    },
    {
      name: "overrides one field of a copy of all",
      map: [
        [["*"], "*"],
        [["temperature"], "temperature", "cToF($1)"],
      ],
      from: '{"temperature":100,"humidity":5}',
      to: '{"humidity":5,"temperature":212.0}',
    },
    {
      name: "renames one object of a copy of all",
      map: [
        [["*"], "*"],
        [["a"], "b"],
      ],
      from: '{"a":{"x":1},"c":2}',
      to: '{"c":2,"b":{"x":1}}',
    },
    {
      name: "takes fields out of a copy of all, wherever the rule stands",
      map: [
        [["secret", "deep.key"], ""],
        [["*"], "*"],
      ],
      from: '{"secret":"x","deep":{"key":1,"rest":2},"only":{"a":1}}',
      to: '{"deep":{"rest":2},"only":{"a":1}}',
    },
    {
      name: "leaves no empty object where all fields were taken out",
      map: [
        [["*"], "*"],
        [["a.b"], ""],
      ],
      from: '{"a":{"b":1},"c":{}}',
      to: '{"c":{}}',
    },
    {
      name: "takes out what a wildcard of two inputs would read",
      map: [
        [["*.Max", "*.Min"], "o.*", "$1 - $2"],
        [["Pressure.Max", "Pressure.Min"], ""],
      ],
      from: limits,
      to: '{"o":{"Temperature":23}}',
    },
    {
      name: "does not take away what a rule names",
      map: [
        [["a"], "b"],
        [["a"], ""],
      ],
      from: '{"a":1}',
      to: '{"b":1}',
    },
    {
      name: "lets a narrower wildcard take the place of a wider one",
      map: [
        [["*"], "*"],
        [["Sensors.*"], "S.*"],
      ],
      from: '{"Sensors":{"t":1,"p":{"q":2}},"x":3}',
      to: '{"x":3,"S":{"t":1,"p":{"q":2}}}',
    },
    {
      name: "takes out by a narrower wildcard",
      map: [
        [["*"], "*"],
        [["Sensors.*"], ""],
      ],
      from: '{"Sensors":{"t":1},"x":3}',
      to: '{"x":3}',
    },
    {
      name: "copies everything to the payload also when something stands there",
      map: [
        [[], "a", "1"],
        [["*"], "*"],
      ],
      from: '{"b":2}',
      to: '{"a":1,"b":2}',
    },
    {
      name: "keeps the payload's bytes when all is copied",
      map: [[["*"], "*"]],
      from: "no JSON",
      to: "kept",
    },
    {
      name: "keeps them also when metadata is written",
      map: [
        [["*"], "*"],
        [["$metadata.topic"], "$metadata.user_property.from"],
      ],
      from: "no JSON",
      to: "kept",
    },
    {
      name: "writes every match of a wildcard to the one output there is",
      map: [[["*.Max"], "peak"]],
      from: limits,
      to: '{"peak":15}',
    },
    {
      name: "ignores a byte order mark",
      map: [[["a"], "a"]],
      from: '\uFEFF{"a":1}',
      to: '{"a":1}',
    },
  ];
  test.each(rows)("$name", ({ map, from, to }) => {
    expect(mapped(map, from)).toBe(to);
  });

  test.each<[string, Row[], string, string]>([
    [
      "text that is no JSON",
      [[["a"], "a"]],
      "temp=5",
      "PAYLOAD_NOT_JSON: The payload is not JSON: unexpected text at character 1",
    ],
    [
      "nothing",
      [[["a"], "a"]],
      "",
      "PAYLOAD_NOT_JSON: The payload is not JSON: the text ends too early at character 1",
    ],
    [
      "JSON without fields",
      [[["a"], "a"]],
      "[1]",
      "PAYLOAD_NOT_JSON: The payload is JSON, but no object: it has no fields to name",
    ],
    [
      "a field of the wrong type",
      [[["t"], "f", "cToF($1)"]],
      '{"t":"hot"}',
      'EXPRESSION_FAILED: map[0] "cToF($1)" -> "f": cToF(value) needs numbers: $1 (t) is a string',
    ],
    [
      "a missing field in a calculation",
      [
        [[], "x", "1"],
        [["t"], "f", "$1 * 2"],
      ],
      "{}",
      'EXPRESSION_FAILED: map[1] "$1 * 2" -> "f": "*" needs numbers: $1 (t) is missing, "2" is an int',
    ],
    [
      "an object in an expression",
      [[["o"], "f", "$1"]],
      '{"o":{}}',
      'EXPRESSION_FAILED: map[0] "$1" -> "f": $1 (o) is an object, which expressions cannot use',
    ],
    [
      "an array of objects in an expression",
      [[["o"], "f", "len($1)"]],
      '{"o":[{}]}',
      'EXPRESSION_FAILED: map[0] "len($1)" -> "f": $1 (o) is an array with objects, which expressions cannot use',
    ],
    [
      "a result that is no number",
      [[["o"], "f", "math::sqrt($1)"]],
      '{"o":-1}',
      'EXPRESSION_FAILED: map[0] "math::sqrt($1)" -> "f": the result is not a number (NaN), which JSON cannot hold',
    ],
    [
      "an infinite result",
      [[["o"], "f", "($1, 2)"]],
      '{"o":1e999}',
      'EXPRESSION_FAILED: map[0] "($1, 2)" -> "f": the result is infinite, which JSON cannot hold',
    ],
    [
      "one match of a wildcard",
      [[["*.v"], "*", "$1 + 1"]],
      '{"a":{"v":1},"b":{"v":true}}',
      'EXPRESSION_FAILED: map[0] "$1 + 1" -> "*": "+" needs numbers or strings: $1 (*.v) is a boolean, "1" is an int',
    ],
  ])("rejects a message for %s", (_, map, from, reason) => {
    expect(mapped(map, from)).toBe(reason);
  });

  test("says of a copy of all with excluded fields that the payload is no JSON", () => {
    expect(
      mapped(
        [
          [["*"], "*"],
          [["a"], ""],
        ],
        "x",
      ),
    ).toMatch("PAYLOAD_NOT_JSON");
    expect(mapped([[["*.a"], "*"]], "x")).toMatch("PAYLOAD_NOT_JSON");
    expect(mapped([[["b.*", "c.*"], "*", "1"]], '{"b":{"x":1}}')).toBe("{}");
  });
});

describe("what is wrong with a map is told by rule and field", () => {
  test.each<[string, Row[], string[]]>([
    [
      "two inputs without an expression",
      [[["a", "b"], "c"]],
      [
        "map[0].inputs: error: the rule has 2 inputs and no expression: give an expression that makes one value of them",
      ],
    ],
    [
      "no input and no expression",
      [[[], "c"]],
      [
        "map[0].inputs: error: the rule has no input and no expression: give an expression that makes one value of them",
      ],
    ],
    [
      "an output's wildcard without an input's",
      [[["a"], "c.*"]],
      [
        'map[0].output: error: the output has a wildcard and no input has one: what "*" stands for comes from an input',
      ],
    ],
    [
      "an input's wildcard without an output's",
      [[["*.a"], "c"]],
      [
        "map[0].output: warning: an input has a wildcard and the output has none: each match writes the same field, and the last one stays",
      ],
    ],
    [
      "an expression that takes a field out",
      [
        [["*"], "*"],
        [["a"], "", "$1"],
      ],
      [
        "map[1].expression: error: a rule with an empty output takes fields out: it has no expression",
      ],
    ],
    [
      "only metadata written",
      [[["a"], "$metadata.header.a"]],
      [
        "map[0]: warning: the map writes no field of the payload, which becomes {}: to keep all fields, begin with inputs: ['*'] and output: '*'",
      ],
    ],
    [
      "a wrong path",
      [[["a*"], "c"]],
      [
        'map[0].inputs[0]: error: "a*" mixes a wildcard with text: "*" stands for whole fields only',
      ],
    ],
    [
      "a wrong output",
      [[["a"], "$context(x).y"]],
      [
        "map[0].output: error: $context(…) can be read only: an output is a field of the payload, or $metadata.…",
      ],
    ],
    [
      "a wrong expression",
      [[["a"], "c", "$2"]],
      ['map[0].expression: error: there is no $2: there is 1 input (column 1 of "$2")'],
    ],
    [
      "an ambiguous expression",
      [[["a"], "c", "2^3^$1"]],
      [
        'map[0].expression: warning: "2^3" is reckoned first: write brackets to say so (column 2 of "2^3^$1")',
      ],
    ],
    [
      "a dataset that is not there",
      [[["$context(permission).x"], "c"]],
      ['map[0].inputs[0]: error: there is no dataset named "permission"'],
    ],
    [
      "a dataset without a name",
      [[["$context.x"], "c"]],
      ["map[0].inputs[0]: error: $context must name a dataset: write $context(name).field"],
    ],
    [
      "a misspelt prefix",
      [[["$topic"], "c"]],
      [
        'map[0].inputs[0]: warning: "$topic" is read as a field of the payload: the prefixes are $source, $metadata and $context(name)',
      ],
    ],
  ])("%s", (_, map, lines) => {
    expect(problemLines({ map: rules(map) })).toEqual(lines);
  });

  test("and a map with an error cannot be compiled", () => {
    const transform = transformOf({ map: rules([[["a", "b"], "c"]]) });
    expect(() => compileTransform(transform, new Map())).toThrow(RangeError);
  });
});
