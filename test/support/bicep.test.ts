// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Bicep writes its templates so
import { describe, expect, test } from "vitest";
import { type Deployment, deployBicep } from "./bicep/deploy.ts";
import { BicepError } from "./bicep/syntax.ts";

function deploy(
  main: string,
  more: Readonly<Record<string, string>> = {},
  parameters: Readonly<Record<string, unknown>> = {},
): Deployment {
  const files = new Map(Object.entries({ "main.bicep": main, ...more }));
  return deployBicep({
    files,
    main: "main.bicep",
    parameters,
    scope: { subscriptionId: "s", group: "g" },
  });
}

const resultOf = (expression: string): unknown =>
  deploy(`output it object = { is: ${expression} }`).outputs["it"];

const expressions: { bicep: string; want: unknown }[] = [
  { bicep: "'a${1}b'", want: "a1b" },
  { bicep: "'it\\'s \\${x}'", want: "it's ${x}" },
  { bicep: "empty('') ? 'none' : 'some'", want: "none" },
  { bicep: "true && !(1 > 2)", want: true },
  { bicep: "{ a: 1 }.?b ?? 'default'", want: "default" },
  { bicep: "{ a: { b: 2 } }['a'].b", want: 2 },
  { bicep: "map(['a', 'b'], (one, i) => '${one}${i}')", want: ["a0", "b1"] },
  { bicep: "flatten(map([[1], [2]], one => one))", want: [1, 2] },
  { bicep: "filter([1, 2, 3], n => n > 1)", want: [2, 3] },
  { bicep: "contains({ Key: 1 }, 'key')", want: true },
  { bicep: "union(['a'], ['b', 'a'])", want: ["a", "b"] },
  { bicep: "last(split('a/b/c', '/'))", want: "c" },
  { bicep: "cidrSubnet('10.20.0.0/24', 27, 2)", want: "10.20.0.64/27" },
  { bicep: "[\n  'a'\n  'b', 'c'\n]", want: ["a", "b", "c"] },
  {
    bicep: "resourceId('Microsoft.Network/virtualNetworks/subnets', 'v', 'n')",
    want: "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/n",
  },
];

const VAULT = "resource v 'Microsoft.KeyVault/vaults@2024-11-01'";
const MODULE = { "m.bicep": "param size int\noutput id string = 'it'\n" };

const mistakes: { name: string; bicep: string; says: RegExp }[] = [
  {
    name: "a name that is not declared",
    bicep: "output x string = y",
    says: /:1: "y" is not decl/,
  },
  {
    name: "a value that depends on itself",
    bicep: "var a = b\nvar b = a\noutput x string = a",
    says: /itself/,
  },
  {
    name: "a function that is not known",
    bicep: "output x string = nope()",
    says: /function "nope"/,
  },
  { name: "a parameter of another type", bicep: "param n int = 'one'", says: /n is no int/ },
  { name: "a parameter above its limit", bicep: "@maxValue(3)\nparam n int = 4", says: /above 3/ },
  {
    name: "a parameter that is not allowed",
    bicep: "@allowed(['a'])\nparam n string = 'b'",
    says: /not allowed/,
  },
  { name: "a parameter that is missing", bicep: "param n int", says: /"n" is missing/ },
  { name: "a type that is not declared", bicep: "param n thing = {}", says: /type "thing"/ },
  {
    name: "a resource that is deployed twice",
    bicep: `${VAULT} = { name: 'a' }\n${VAULT.replace(" v ", " w ")} = { name: 'a' }`,
    says: /there twice/,
  },
  {
    name: "a child of another type",
    bicep: `${VAULT} existing = { name: 'a' }\nresource c 'Microsoft.Web/sites/config@2024-11-01' = { parent: v, name: 'x' }`,
    says: /no child/,
  },
  {
    name: "a name that does not fit its type",
    bicep: `${VAULT} = { name: 'a/b' }`,
    says: /does not fit/,
  },
  {
    name: "an output of what is not deployed",
    bicep:
      "module m 'm.bicep' = if (false) { name: 'm', params: { size: 1 } }\noutput x string = m!.outputs.id",
    says: /not deployed/,
  },
  {
    name: "an output that a module has not",
    bicep:
      "module m 'm.bicep' = { name: 'm', params: { size: 1 } }\noutput x string = m.outputs.nope",
    says: /no "nope"/,
  },
  {
    name: "a parameter that a module has not",
    bicep: "module m 'm.bicep' = { name: 'm', params: { size: 1, more: 2 } }",
    says: /m\.bicep:1: has no param "more"/,
  },
  { name: "text without an end", bicep: "var a = 'b\n", says: /no end/ },
  { name: "two values on a line", bicep: "var a = 1 2", says: /new line/ },
  { name: "items that nothing separates", bicep: "var a = [1 2]", says: /expected ","/ },
  {
    name: "a version that is none",
    bicep: "resource v 'Microsoft.KeyVault/vaults@now' = { name: 'a' }",
    says: /no version/,
  },
];

describe("deployBicep()", () => {
  test.each(expressions)("$bicep", ({ bicep, want }) => {
    expect(resultOf(bicep)).toEqual({ is: want });
  });

  test.each(mistakes)("finds $name", ({ bicep, says }) => {
    expect(() => deploy(`${bicep}\n`, MODULE)).toThrow(BicepError);
    expect(() => deploy(`${bicep}\n`, MODULE)).toThrow(says);
  });

  test("lists resources with their ids, each of a loop, none whose condition is false, and what extends them", () => {
    const { resources } = deploy(
      `
param names string[]
resource vaults 'Microsoft.KeyVault/vaults@2024-11-01' = [
  for (name, i) in names: if (name != 'b') {
    name: name
    properties: { number: i }
  }
]
resource lock 'Microsoft.Authorization/locks@2020-05-01' = {
  name: 'keep'
  scope: vaults[2]
}
`,
      {},
      { names: ["a", "b", "c"] },
    );
    const vault = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults";
    expect(resources).toMatchObject([
      { id: `${vault}/a`, body: { name: "a", properties: { number: 0 } } },
      { id: `${vault}/c`, body: { name: "c", properties: { number: 2 } } },
      {
        id: `${vault}/c/providers/Microsoft.Authorization/locks/keep`,
        scope: `${vault}/c`,
        declared: "main.bicep lock",
      },
    ]);
  });

  test("what only Azure knows is the path to it", () => {
    const { outputs } = deploy(
      `${VAULT} = { name: 'a' }\noutput x string = '<\${v.properties.vaultUri}>'\n`,
    );
    expect(outputs["x"]).toMatch(/^<<.*vaults\/a\.properties\.vaultUri>>$/);
  });
});
