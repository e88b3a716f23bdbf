import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { assetFolder } from "../../../shared/adapters/files/asset-folder.ts";
import { compileManifests } from "../../../shared/manifests/compile.ts";
import type { DiscoveredAsset } from "../../../shared/model/device.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "isthmus-assets-"));
});
afterEach(() => rm(folder, { recursive: true }));

const asset: DiscoveredAsset = {
  name: "robot-abcd",
  topic: "factory/robot",
  device: "d",
  endpoint: "e",
  firstSeen: 1_795_248_000_123,
};

describe("assetFolder()", () => {
  test("keeps what was added, over instances of it", async () => {
    const store = assetFolder(join(folder, "new", "deep"));
    expect(await store.list()).toEqual([]);
    expect(await store.add(asset)).toBe("added");
    expect(await store.add({ ...asset, firstSeen: 5 })).toBe("known");
    expect(await store.add({ ...asset, topic: "other/robot" })).toBe("nameTaken");
    expect(await store.add({ ...asset, device: "other" })).toBe("nameTaken");
    expect(await assetFolder(join(folder, "new", "deep")).list()).toEqual([asset]);
    await store.remove(asset.name);
    await store.remove(asset.name);
    expect(await store.list()).toEqual([]);
  });

  test("writes manifests that can be read as such", async () => {
    await assetFolder(folder).add(asset);
    const text = await readFile(join(folder, "robot-abcd.json"), "utf8");
    const { problems, assets } = compileManifests([{ path: "m", text }]);
    expect(problems).toEqual([]);
    expect(assets).toMatchObject([
      {
        kind: "DiscoveredAsset",
        name: "robot-abcd",
        deviceRef: { deviceName: "d", endpointName: "e" },
        datasets: [{ name: "factory/robot", dataSource: "factory/robot" }],
      },
    ]);
  });

  test("one of many who add one name at once has it, and nothing is left lying about", async () => {
    const stores = Array.from({ length: 20 }, () => assetFolder(folder));
    const answers = await Promise.all(
      stores.map((store, i) => store.add({ ...asset, topic: `t/${i % 2}` })),
    );
    expect(answers.filter((answer) => answer === "added")).toHaveLength(1);
    expect(await readdir(folder)).toEqual(["robot-abcd.json"]);
  });

  test("leaves out what is no discovered asset", async () => {
    const texts = [
      "",
      "{",
      "5",
      "{}",
      '{"metadata":{"name":"x"},"spec":{"datasets":[{"dataSource":"a"}]}}',
    ];
    for (const [i, text] of texts.entries()) await writeFile(join(folder, `${i}.json`), text);
    await writeFile(join(folder, "readme.txt"), "x");
    const store = assetFolder(folder);
    await store.add(asset);
    expect(await store.list()).toEqual([asset]);
    expect(await store.add({ ...asset, name: "0" })).toBe("nameTaken");
  });

  test("says so when it cannot write, list or remove", async () => {
    const file = join(folder, "file");
    await writeFile(file, "");
    const store = assetFolder(file);
    const error = { code: "STATE_UNAVAILABLE", retryable: true };
    await expect(store.add(asset)).rejects.toMatchObject(error);
    await expect(store.list()).rejects.toMatchObject(error);
    await mkdir(join(folder, "robot-abcd.json"));
    await expect(assetFolder(folder).remove("robot-abcd")).rejects.toMatchObject(error);
  });
});
