import { describe, expect, test } from "vitest";
import { memoByTopic } from "../../shared/translate/topic-memo.ts";

/** A memo that counts how often it had to make something. */
function counted(): { get: (topic: string) => object; made: () => number } {
  let made = 0;
  const get = memoByTopic((topic) => {
    made += 1;
    return { topic };
  });
  return { get, made: () => made };
}

describe("memoByTopic()", () => {
  test("makes once for each topic, and the right one", () => {
    const { get, made } = counted();
    expect([get("a"), get("b"), get("a"), get("__proto__")]).toEqual([
      { topic: "a" },
      { topic: "b" },
      { topic: "a" },
      { topic: "__proto__" },
    ]);
    expect(made()).toBe(3);
  });

  test("keeps topics of up to 256 characters", () => {
    const { get, made } = counted();
    for (const length of [256, 256, 257, 257]) get("x".repeat(length));
    expect(made()).toBe(3);
  });

  test("keeps 1,000 topics and starts anew with the next, so that memory stays bounded", () => {
    const { get, made } = counted();
    const topics = Array.from({ length: 1000 }, (_, i) => `t${i}`);
    for (const topic of [...topics, ...topics]) get(topic);
    expect(made()).toBe(1000);
    get("one more");
    get("t0");
    expect(made()).toBe(1002);
  });
});
