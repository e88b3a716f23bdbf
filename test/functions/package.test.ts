import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadManifests } from "../../shared/manifests/load.ts";
import { planFunctions } from "../../shared/plan/functions-plan.ts";
import { connectorManifest } from "../support/functions-app.ts";
import { type LoadedWorker, loadInWorker } from "../support/functions-worker.ts";
import { triggerFixture } from "../support/trigger-fixture.ts";
import { unzip } from "../support/unzip.ts";

const run = promisify(execFile);
const project = fileURLToPath(new URL("../..", import.meta.url));
const built = existsSync(join(project, "dist/shared/plan/functions-plan.js"));
const why = built ? "" : " [left out: dist is not there, run npm run build]";

function packageApp(cwd: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
  return run(process.execPath, [join(project, "scripts/package.mjs"), ...args], { cwd });
}

async function unpack(archive: Buffer, into: string): Promise<Map<string, Buffer>> {
  const files = unzip(archive);
  for (const [name, bytes] of files) {
    await mkdir(dirname(join(into, name)), { recursive: true });
    await writeFile(join(into, name), bytes);
  }
  return files;
}

describe.skipIf(!built)(`npm run package${why}`, () => {
  let work: string;
  let output: string;
  let files: Map<string, Buffer>;
  let worker: LoadedWorker;

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), "isthmus-package-test-"));
    const more = `    - mqttToKafka: { name: squeezed, mqttTopic: s/#, kafkaTopic: telemetry, qos: 1 }
  compression: snappy
`;
    const manifest = connectorManifest({
      // nothing listens there: what opens fails at once
      kafka: "127.0.0.1:9",
      mqtt: "127.0.0.1:9",
      kafkaTopic: '"^line-.*$"',
      more,
    });
    await mkdir(join(work, "manifests"));
    await writeFile(join(work, "manifests/plant.yaml"), manifest);
    const routes = { "plant/down": { pattern: "^line-.*$", topics: ["line-1", "line-2"] } };
    await writeFile(join(work, "isthmus.lock.json"), JSON.stringify({ version: 1, routes }));
    output = (await packageApp(work, "-o", "first.zip")).stdout;
    files = await unpack(await readFile(join(work, "first.zip")), join(work, "app"));
    worker = await loadInWorker(join(work, "app", main()), {
      cwd: join(work, "app"),
      env: { AzureFunctionsJobHost__functionTimeout: "00:00:04" },
    });
  }, 120_000);

  afterAll(async () => {
    await worker?.close();
    await rm(work, { recursive: true, force: true });
  });

  const main = (): string => JSON.parse(String(files.get("package.json"))).main as string;

  test("is one zip with host.json, code, manifests, lock file and the native codec of the route", () => {
    const names = [...files.keys()];
    expect(names).toEqual([...names].sort());
    expect(names).toEqual(
      expect.arrayContaining([
        "host.json",
        "isthmus.lock.json",
        "manifests/plant.yaml",
        "package.json",
        main(),
        "THIRD-PARTY-LICENSES.txt",
        "node_modules/snappy/package.json",
      ]),
    );
    expect(names.some((name) => name.startsWith("node_modules/lz4-napi/"))).toBe(false);
    expect(output).toMatch(/first\.zip: \d+ functions, \d+ files, \d+ KiB; loads in \d+ ms/);
  });

  test("is the same, byte for byte, when made again", async () => {
    await packageApp(work, "-o", "second.zip");
    const [first, second] = await Promise.all(
      ["first.zip", "second.zip"].map((name) => readFile(join(work, name))),
    );
    expect(first?.equals(second ?? Buffer.alloc(0))).toBe(true);
  });

  test("loads alone in an empty folder and registers a function per topic, the pumps and the HTTP functions", () => {
    expect(worker.functions.map(({ name }) => name).sort()).toEqual([
      "healthz",
      "metrics",
      "plant_down_line-1",
      "plant_down_line-2",
      "plant_squeezed",
      "plant_up",
      "readyz",
      "status",
      "topic-watch",
    ]);
    const reader = worker.functions.find(({ name }) => name === "plant_down_line-1");
    expect(Object.values(reader?.bindings ?? {})).toMatchObject([
      {
        type: "kafkaTrigger",
        direction: "in",
        topic: "line-1",
        brokerList: "127.0.0.1:9",
        cardinality: "MANY",
        dataType: "binary",
      },
    ]);
    expect(reader?.retryOptions).toMatchObject({
      retryStrategy: "exponentialBackoff",
      maxRetryCount: -1,
      minimumInterval: { seconds: 1 },
      maximumInterval: { seconds: 60 },
    });
    expect(worker.capabilities).toMatchObject({ IncludeEmptyEntriesInMessagePayload: "true" });
    expect(worker.hooks).toEqual({ appStart: 0, appTerminate: 1 });
  });

  test.each([
    { name: "Event Hubs and Event Grid", folder: "examples/event-hubs" },
    { name: "a connector", folder: "examples/factory/alerts-and-commands.yaml" },
  ])(
    "as a folder with $name, loads alone and registers what is planned",
    async ({ folder }) => {
      const out = join(work, "folder");
      await mkdir(join(out, "dist"), { recursive: true });
      await writeFile(join(out, ".funcignore"), "kept");
      await writeFile(join(out, "dist/old.js"), "of the package before");
      await writeFile(join(work, "empty.json"), '{"version":1,"routes":{}}');
      const options = ["-f", join(project, folder), "--lock", "empty.json", "--folder", out];
      await packageApp(work, ...options);
      expect(await readFile(join(out, ".funcignore"), "utf8")).toBe("kept");
      expect(existsSync(join(out, "dist/old.js"))).toBe(false);
      const { plan } = await loadManifests([join(project, folder)]);
      const planned = planFunctions(plan).functions.map(({ name }) => name);
      const other = await loadInWorker(join(out, main()), { cwd: out, env: {} });
      try {
        expect(other.functions.map(({ name }) => name).sort()).toEqual(planned.sort());
        expect(planned.length).toBeGreaterThan(4);
      } finally {
        await other.close();
      }
    },
    60_000,
  );

  test("is below 3 MB zipped, and what a start has to compile is a small part of it", async () => {
    expect((await stat(join(work, "first.zip"))).size).toBeLessThan(3_000_000);
    // the locales of a library, or a client that only a route needs, would make it more
    expect(files.get(main())?.length).toBeLessThan(600_000);
  });

  test("an invocation that cannot reach its broker fails with an Error, and leaves no promise behind (S-50)", async () => {
    const { payload, triggerMetadata } = triggerFixture("kafka-many");
    const outcome = await worker.invoke("plant_down_line-1", payload, triggerMetadata);
    expect(outcome).toMatchObject({ kind: "failed", isError: true });
    expect(outcome.message).toMatch(/plant\/down|127\.0\.0\.1/);
    expect(worker.unhandled).toEqual([]);
  }, 60_000);

  test("terminating with nothing open succeeds", async () => {
    expect(await worker.terminate()).toEqual({ kind: "done", id: 2 });
  });

  test("manifests with errors are not packaged, and the reason is one line with its place", async () => {
    await mkdir(join(work, "wrong"), { recursive: true });
    const manifest = connectorManifest({ kafka: "a:1", mqtt: "b:1" }).replace("qos: 1", "qos: 2");
    await writeFile(join(work, "wrong/m.yaml"), manifest);
    const failing = packageApp(work, "-f", "wrong", "-o", "never.zip");
    await expect(failing).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /wrong\/m\.yaml:\d+:\d+: error: .*QoS 2[\s\S]*nothing was packaged/,
      ),
    });
    expect(existsSync(join(work, "never.zip"))).toBe(false);
  });
});
