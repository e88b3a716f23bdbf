import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  parseTopicTemplate,
  type RenderedTopic,
  renderTopicTemplate,
} from "../../shared/topics/topic-template.ts";
import { variable } from "../support/translations.ts";

function render(template: string, topic: string, separator: "." | "/"): RenderedTopic {
  const parsed = parseTopicTemplate(template);
  if (!parsed.ok) throw new Error(parsed.reason);
  return renderTopicTemplate(parsed.template, topic, separator);
}

describe("renderTopicTemplate()", () => {
  const cases: { template: string; from: string; separator: "." | "/"; topic: string }[] = [
    { template: "static", from: "a/b", separator: "/", topic: "static" },
    { template: "", from: "a", separator: "/", topic: "" },
    {
      template: `factory/${variable("inputTopic")}`,
      from: "f-1",
      separator: ".",
      topic: "factory/f-1",
    },
    { template: variable("inputTopic"), from: "/a//b/", separator: "/", topic: "/a//b/" },
    { template: variable("inputTopic.1"), from: "a/b", separator: "/", topic: "a" },
    {
      template: `${variable("inputTopic.2")}-${variable("inputTopic.1")}`,
      from: "a/b",
      separator: "/",
      topic: "b-a",
    },
    { template: variable("inputTopic.2"), from: "a.b.c", separator: ".", topic: "b" },
    { template: variable("inputTopic.1"), from: "a.b", separator: "/", topic: "a.b" },
    { template: variable("inputTopic.1"), from: "a/b", separator: ".", topic: "a/b" },
    { template: variable("inputTopic.1"), from: "//a/b//", separator: "/", topic: "a" },
    { template: variable("inputTopic.2"), from: "//a/b//", separator: "/", topic: "b" },
    { template: variable("inputTopic.1"), from: "..a.b", separator: ".", topic: "a" },
    { template: variable("inputTopic.1"), from: "/a/b/", separator: "/", topic: "a" },
    {
      template: variable("inputTopic.12"),
      from: "a/a/a/a/a/a/a/a/a/a/a/l",
      separator: "/",
      topic: "l",
    },
    {
      template: `$${variable("inputTopic")}`,
      from: "a",
      separator: "/",
      topic: variable("inputTopic"),
    },
    {
      template: "factory/$inputTopic.2",
      from: "a",
      separator: "/",
      topic: "factory/$inputTopic.2",
    },
    { template: "a$", from: "x", separator: "/", topic: "a$" },
    { template: "$$x", from: "x", separator: "/", topic: "$$x" },
    { template: "{inputTopic}", from: "x", separator: "/", topic: "{inputTopic}" },
    {
      template: `$\u{1f600}${variable("inputTopic")}`,
      from: "x",
      separator: "/",
      topic: "$\u{1f600}x",
    },
  ];
  test.each(cases)("makes $topic of $from by $template (S-31)", (given) => {
    expect(render(given.template, given.from, given.separator)).toEqual({
      ok: true,
      topic: given.topic,
    });
  });

  test.each([
    ["inputTopic.3", "a/b", "/", 3],
    ["inputTopic.2", "a//b", "/", 2],
    ["inputTopic.2", "a/", "/", 2],
    ["inputTopic.3", "/a/b//", "/", 3],
    ["inputTopic.1", "///", "/", 1],
    ["inputTopic.1", "", "/", 1],
    ["inputTopic.2", "a/b", ".", 2],
  ] as const)("has no segment for %s of %j, never an empty level (S-31)", (name, from, sep, n) => {
    expect(render(`x/${variable(name)}`, from, sep)).toEqual({
      ok: false,
      reason: `Topic "${from}" has no segment ${n}`,
    });
  });

  test("is total over any topic, and a segment never holds the separator (S-31)", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 5 }), (topic, n) => {
        const rendered = render(variable(`inputTopic.${n}`), topic, "/");
        if (rendered.ok) expect(rendered.topic).toMatch(/^[^/]+$/);
        else expect(rendered.reason).toContain(`has no segment ${n}`);
      }),
    );
  });
});

describe("outputTopic", () => {
  const render = (template: string, outputTopic?: string): RenderedTopic => {
    const parsed = parseTopicTemplate(template);
    if (!parsed.ok) throw new Error(parsed.reason);
    return renderTopicTemplate(parsed.template, "a.b", ".", outputTopic);
  };
  const template = `${variable("inputTopic.2")}/${variable("outputTopic")}`;

  test("is what a map wrote as the topic, and otherwise the input's", () => {
    expect(render(template, "x/y")).toEqual({ ok: true, topic: "b/x/y" });
    expect(render(template)).toEqual({ ok: true, topic: "b/a.b" });
  });
});

describe("parseTopicTemplate()", () => {
  test.each([
    "inputTopic.0",
    "inputTopic.",
    "inputTopic.1.2",
    "inputTopic.-1",
    "inputTopic.x",
    "InputTopic",
    "topic",
    "",
    " inputTopic",
    "${inputTopic",
    "inputTopic ",
  ])("refuses the unknown variable %j and names what is allowed (S-31)", (name) => {
    const text = `a/${variable(name)}/b`;
    expect(parseTopicTemplate(text)).toEqual({
      ok: false,
      reason: `Topic template "${text}" must not contain "${variable(name)}": allowed are "${variable("inputTopic")}", "${variable("inputTopic.N")}" with N from 1, "${variable("outputTopic")}", and "$$\{" for the text "$\{"`,
    });
  });

  test("refuses a variable without its end (S-31)", () => {
    expect(parseTopicTemplate("a/${inputTopic")).toMatchObject({
      ok: false,
      reason: expect.stringContaining('must not contain "${inputTopic"'),
    });
  });

  test("joins texts, so that a template without variables is one text", () => {
    expect(parseTopicTemplate("a$b$${c")).toEqual({
      ok: true,
      template: { parts: ["a$b${c"] },
    });
  });
});
