import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, describe, expect, test, vi } from "vitest";
import { parseAllDocuments } from "yaml";
import { runCommand } from "../../local/commands/run.ts";
import { parseArguments } from "../../local/parse-arguments.ts";
import { loadManifests } from "../../shared/manifests/load.ts";
import type { KafkaToMqttRoute, Route } from "../../shared/model/route.ts";
import { runCli } from "../support/cli.ts";

const root = resolve(import.meta.dirname, "../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const children: { kill(signal: NodeJS.Signals): boolean }[] = [];
afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
});

/** The instructions of a Dockerfile, one line each, by the stage that they are in. */
function stages(): string[][] {
  const lines = read("Dockerfile")
    .replaceAll(/\\\n\s*/g, " ")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  const starts = lines.flatMap((line, index) => (line.startsWith("FROM ") ? [index] : []));
  return starts.map((start, index) => lines.slice(start, starts[index + 1]));
}

describe("the Dockerfile", () => {
  const [build = [], final = []] = stages();

  test("runs without a shell, a package manager or root, on a Node.js that the package allows", () => {
    expect(final[0]).toMatch(/^FROM gcr\.io\/distroless\/nodejs(\d+)-debian12:nonroot$/);
    const major = Number(/nodejs(\d+)/.exec(final[0] ?? "")?.[1]);
    const { engines } = JSON.parse(read("package.json")) as { engines: { node: string } };
    expect(major).toBeGreaterThanOrEqual(Number(/\d+/.exec(engines.node)?.[0]));
    expect(build[0]).toContain(`node:${major}-`);
    expect(final).toContain("USER 65532:65532");
    expect(final.join("\n")).not.toMatch(/^RUN /m);
  });

  test("copies what is there and let through by .dockerignore, and starts a program that the build makes", () => {
    const copied = build
      .filter((line) => line.startsWith("COPY "))
      .flatMap((line) => line.split(" ").slice(1, -1));
    const allowed = read(".dockerignore").split("\n");
    for (const path of copied) {
      expect(existsSync(join(root, path)), path).toBe(true);
      expect(
        [`!${path}`, `!${path}/`].some((line) => allowed.includes(line)),
        path,
      ).toBe(true);
    }
    const { include } = JSON.parse(read("tsconfig.build.json")) as { include: string[] };
    for (const folder of include) expect(copied).toContain(folder);
    const entry = final.find((line) => line.startsWith("ENTRYPOINT ")) ?? "";
    expect(JSON.parse(entry.slice("ENTRYPOINT ".length))).toEqual([
      "/nodejs/bin/node",
      JSON.parse(read("package.json")).bin.isthmus,
    ]);
    const command = final.find((line) => line.startsWith("CMD ")) ?? "";
    const [word, ...words] = JSON.parse(command.slice("CMD ".length)) as string[];
    expect(word).toBe("run");
    expect(parseArguments(runCommand, words).value("http")).toBe("0.0.0.0:8080");
  });

  test("runs a bridge that needs no right to write a file", async () => {
    await runCli(["--version"]);
    const flag = (name: string): string[] =>
      process.allowedNodeEnvironmentFlags.has(name) ? [name] : [];
    const permission = flag("--permission");
    const child = spawn(
      process.execPath,
      [
        ...(permission.length > 0 ? permission : ["--experimental-permission"]),
        "--allow-fs-read=*",
        "--allow-worker",
        ...flag("--allow-net"),
        "dist/local/cli.js",
        "dev",
        "--http",
        "0",
      ],
      { cwd: root, stdio: ["ignore", "pipe", "pipe"] },
    );
    children.push(child);
    const page = await new Promise<string>((found, reject) => {
      child.once("exit", (code) => reject(new Error(`It ended with ${code}`)));
      for (const stream of [child.stdout, child.stderr]) {
        createInterface({ input: stream }).on("line", (line) => {
          const url = /Status page\s+(http\S+)/.exec(line)?.[1];
          if (url !== undefined) found(url);
        });
      }
    });
    await vi.waitFor(
      async () => {
        const metrics = await (await fetch(`${page}metrics`)).text();
        const delivered = [...metrics.matchAll(/_delivered_total\{.*\} (\d+)/g)];
        expect(delivered.length).toBeGreaterThan(0);
        for (const [, count] of delivered) expect(Number(count)).toBeGreaterThan(0);
      },
      { timeout: 15_000 },
    );
    const ended = new Promise((resolve) => child.once("close", resolve));
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
  });
});

interface Container {
  readonly args: readonly string[];
  readonly env?: readonly { readonly name: string }[];
  readonly securityContext: object;
  readonly livenessProbe: { readonly httpGet: { readonly path: string } };
  readonly readinessProbe: { readonly httpGet: { readonly path: string } };
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}

interface Workload {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly replicas?: number;
    readonly template: {
      readonly spec: {
        readonly securityContext: object;
        readonly terminationGracePeriodSeconds: number;
        readonly automountServiceAccountToken: boolean;
        readonly containers: readonly Container[];
        readonly volumes: readonly { readonly name: string; readonly secret?: object }[];
      };
    };
  };
}

const K8S = "infra/kubernetes";

function documents(file: string): unknown[] {
  return parseAllDocuments(read(join(K8S, file))).map((document) => {
    if (document.errors.length > 0) throw new Error(`${file}: ${document.errors.join("; ")}`);
    return document.toJS();
  });
}

const kustomization = documents("kustomization.yaml")[0] as {
  resources: string[];
  configMapGenerator: { name: string; files: string[] }[];
};
const everything = kustomization.resources.flatMap(documents) as (Workload & {
  readonly spec: Record<string, unknown>;
})[];
const workloads: readonly Workload[] = everything.filter(({ kind }) =>
  ["Deployment", "StatefulSet"].includes(kind),
);

/** The routes of the manifests that a workload is given. */
async function routesOf(name: string): Promise<readonly Route[]> {
  const map = kustomization.configMapGenerator.find((one) => one.name === `${name}-manifests`);
  const paths = (map?.files ?? []).map((file) => join(root, K8S, file));
  const { plan, problems } = await loadManifests(paths);
  expect(problems.filter(({ severity }) => severity !== "note")).toEqual([]);
  return plan.routes;
}

describe("infra/kubernetes", () => {
  test("is two workloads, one for each direction", async () => {
    expect(workloads.map(({ kind, metadata }) => [kind, metadata.name])).toEqual([
      ["Deployment", "from-kafka"],
      ["StatefulSet", "from-mqtt"],
    ]);
    const directions = await Promise.all(
      workloads.map(async ({ metadata }) =>
        (await routesOf(metadata.name)).map(({ direction }) => direction),
      ),
    );
    expect(directions).toEqual([["kafkaToMqtt"], ["mqttToKafka"]]);
  });

  test.each(workloads.map((workload) => ({ name: workload.metadata.name, workload })))(
    "$name runs as the restricted policy asks, and drains before it is ended (S-55)",
    ({ workload }) => {
      const { spec } = workload.spec.template;
      const [container] = spec.containers;
      if (container === undefined) throw new Error("There is no container");
      expect(spec.securityContext).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: "RuntimeDefault" },
      });
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
      expect(spec.automountServiceAccountToken).toBe(false);
      expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(10);
      expect(container.livenessProbe.httpGet.path).toBe("/healthz");
      expect(container.readinessProbe.httpGet.path).toBe("/readyz");
    },
  );

  test.each(workloads.map((workload) => ({ name: workload.metadata.name, workload })))(
    "$name is started with options that there are, and mounts what they name",
    async ({ name, workload }) => {
      const { containers, volumes } = workload.spec.template.spec;
      const [{ args, volumeMounts } = { args: [], volumeMounts: [] }] = containers;
      const [command, ...words] = args;
      expect(command).toBe("run");
      const given = parseArguments(runCommand, words);
      const mounted = volumeMounts.map(({ mountPath }) => mountPath);
      expect(mounted).toContain(given.value("file"));
      const secrets = mounted.flatMap((path) =>
        path.startsWith(`${given.value("secrets")}/`) ? [path.split("/").at(-1)] : [],
      );
      expect(volumes.filter(({ secret }) => secret).map((v) => v.name)).toEqual(secrets);
      for (const route of await routesOf(name)) expect(route.instances).toBeGreaterThan(0);
    },
  );

  test("each pod that subscribes is an instance of the manifests, and there are as many as these ask for (S-33)", async () => {
    const [, fromMqtt] = workloads;
    const [container] = fromMqtt?.spec.template.spec.containers ?? [];
    expect(container?.args).toEqual(expect.arrayContaining(["--instance", "$(INSTANCE)"]));
    expect(container?.env?.map(({ name }) => name)).toEqual(["INSTANCE"]);
    for (const route of await routesOf("from-mqtt")) {
      expect(route).toMatchObject({
        instances: fromMqtt?.spec.replicas,
        sharedSubscription: { minimumShareNumber: fromMqtt?.spec.replicas },
      });
    }
  });

  test("KEDA scales by the consumer group and topic that the manifests read", async () => {
    const scaled = everything.find(({ kind }) => kind === "ScaledObject");
    if (scaled === undefined) throw new Error("There is no ScaledObject");
    const { triggers, scaleTargetRef } = scaled.spec as unknown as {
      triggers: { type: string; metadata: Record<string, string> }[];
      scaleTargetRef: { name: string };
    };
    expect(scaleTargetRef.name).toBe("from-kafka");
    const [route] = (await routesOf("from-kafka")) as KafkaToMqttRoute[];
    expect(triggers).toMatchObject([
      {
        type: "kafka",
        metadata: {
          consumerGroup: route?.consumerGroupId,
          topic: route?.topics.map((t) => (t.kind === "name" ? t.topic : ""))[0],
        },
      },
    ]);
    expect(workloads[0]?.spec).not.toHaveProperty("replicas");
  });
});
