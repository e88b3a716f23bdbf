import { describe, expect, test } from "vitest";
import { UserPropertyList } from "../../shared/translate/user-property-list.ts";
import { propertiesLength } from "../../shared/wire/mqtt-publish-encoder.ts";

const LONG = "n".repeat(65_527);

describe("UserPropertyList", () => {
  test("knows how many bytes its pairs take in a PUBLISH, and nothing of what was removed", () => {
    const list = new UserPropertyList();
    expect(list.length).toBe(0);
    const length = (): number => propertiesLength({ userProperties: list.pairs });
    for (let message = 0; message < 2; message += 1) {
      list.add("name", "value");
      list.add("\u00fc", "");
      list.add("\0", "no name");
      list.add("", "no name");
      list.addBase64("binary", Uint8Array.of(0xff, 0));
      list.addBase64(LONG, Uint8Array.of(0xff));
      expect(list.length).toBe(length());
      list.clear(false);
      expect(list.length).toBe(0);
    }
  });

  test("removes a header without a name unless told to keep it (S-21, S-24)", () => {
    const list = new UserPropertyList();
    list.add("", "v");
    expect(list.removed).toEqual([{ header: "", reason: "empty_name" }]);
    list.clear(true);
    list.add("", "v");
    expect([list.pairs, list.removed]).toEqual([[["", "v"]], []]);
    list.clear(false);
    list.add("", "v");
    expect([list.pairs, list.removed]).toEqual([[], [{ header: "", reason: "empty_name" }]]);
  });
});
