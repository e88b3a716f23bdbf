import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { functionName } from "../../shared/plan/function-name.ts";

describe("functionName()", () => {
  test.each([
    ["connector/route", "topic-1", "connector_route_topic-1"],
    ["connector/route", "a_b", "connector_route_a_b"],
    ["connector/route", undefined, "connector_route"],
  ])("%s with %s keeps its words", (route, distinction, want) => {
    expect(functionName(route, distinction)).toBe(want);
  });

  test.each([
    ["connector/route", "plant.1", /^connector_route_plant-1_[a-z0-9]{7}$/],
    ["connector/route", "Orders", /^connector_route_orders_[a-z0-9]{7}$/],
    ["9/route", undefined, /^route_[a-z0-9]{7}$/],
    ["only", undefined, /^only_[a-z0-9]{7}$/],
    ["状态/路由", undefined, /^route_[a-z0-9]{7}$/],
    ["a".repeat(40), "b".repeat(40), /^a{40}_b{11}_[a-z0-9]{7}$/],
  ])("%s with %s loses something and is told apart by a hash", (route, distinction, want) => {
    expect(functionName(route, distinction)).toMatch(want);
  });

  const route = fc.tuple(fc.string(), fc.string()).map((parts) => parts.join("/"));

  test("is always legal, at most 60 long, and the same again", () => {
    fc.assert(
      fc.property(route, fc.option(fc.string(), { nil: undefined }), (name, distinction) => {
        const made = functionName(name, distinction);
        expect(made).toMatch(/^[A-Za-z][A-Za-z0-9_-]*$/);
        expect(made.length).toBeLessThanOrEqual(60);
        expect(functionName(name, distinction)).toBe(made);
      }),
    );
  });

  test("two topics of a route never share a name", () => {
    const topic = fc.stringMatching(/^[A-Za-z0-9._-]{1,80}$/);
    fc.assert(
      fc.property(topic, topic, (a, b) => {
        fc.pre(a !== b);
        expect(functionName("c/r", a)).not.toBe(functionName("c/r", b));
      }),
    );
  });
});
