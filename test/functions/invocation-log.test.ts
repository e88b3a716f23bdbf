import { expect, test } from "vitest";
import { InvocationLog } from "../../functions/invocation-log.ts";
import { invocation } from "../support/invocation.ts";

test("lines go to the invocation under way, and elsewhere between invocations", async () => {
  const elsewhere: string[] = [];
  const place = new InvocationLog((level, line) => elsewhere.push(`${level} ${line}`));
  const [first, second] = [invocation(), invocation()];
  place.log("info", "before");
  await place.during(first, async () => {
    place.log("warn", "one", { offset: 5n, cause: new Error("reset") });
    await place.during(second, () => {
      place.log("debug", "two");
      return Promise.resolve();
    });
    place.log("error", "three");
  });
  place.log("info", "after");
  expect(first.lines).toEqual(['warn one {"offset":"5","cause":"reset"}', "error three"]);
  expect(second.lines).toEqual(["debug two"]);
  expect(elsewhere).toEqual(["info before", "info after"]);
});

test("an invocation that fails is no place for lines any more", async () => {
  const elsewhere: string[] = [];
  const place = new InvocationLog((level, line) => elsewhere.push(`${level} ${line}`));
  const only = invocation();
  const failing = place.during(only, () => Promise.reject(new Error("broken")));
  await expect(failing).rejects.toThrow("broken");
  place.log("info", "after");
  expect([only.lines, elsewhere]).toEqual([[], ["info after"]]);
});
