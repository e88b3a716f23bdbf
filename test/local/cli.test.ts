import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli } from "../support/cli.ts";
import { backFlow, flowManifests } from "../support/cli-manifests.ts";
import { leftOutName } from "../support/left-out.ts";

const folder = mkdtempSync(join(tmpdir(), "isthmus-cli-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
/** Writes a manifest to a file of its own and gives its path. */
function file(text: string | Uint8Array, name = `${files++}.yaml`): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** No line of output may look like a part of a stack. */
function expectNoStack(text: string): void {
  expect(text).not.toMatch(/^\s+at .*[(:]|node_modules|node:internal/m);
}

describe("words that are not understood", () => {
  test.each([
    { words: [], want: "isthmus: No command given: see isthmus --help" },
    { words: ["vaildate"], want: 'isthmus: Unknown command "vaildate": did you mean validate?' },
    {
      words: ["serve-all-things"],
      want: 'isthmus: Unknown command "serve-all-things": the commands are run, dev, validate, plan, translate',
    },
    { words: ["--versoin"], want: 'isthmus: Unknown option "--versoin": the commands are' },
    {
      words: ["run", "--htp", "1"],
      want: 'isthmus: Unknown option "--htp" of isthmus run: did you mean --http?',
    },
    {
      words: ["run", "--http", "here", "-f", "x"],
      want: 'isthmus: Option --http must be HOST:PORT, as 127.0.0.1:8080: "here"',
    },
    {
      words: ["run", "--log-level", "loud", "-f", "x"],
      want: 'isthmus: Option --log-level must be one of debug, info, warn, error: "loud"',
    },
    {
      words: ["run", "--drain", "soon", "-f", "x"],
      want: 'isthmus: Option --drain must be a number from 0 to 3600: "soon"',
    },
    {
      words: ["run"],
      want: "isthmus: No manifests given: name a file or a folder with -f PATH",
    },
    {
      words: ["validate", "examples"],
      want: 'isthmus: Unexpected argument "examples" of isthmus validate: manifests are given as -f examples',
    },
    {
      words: ["translate", "-f", "examples/factory"],
      want: "isthmus: No route given: name it with --route NAME",
    },
  ])("isthmus $words says so in one line and ends with 1", async ({ words, want }) => {
    const { code, stdout, stderr } = await runCli(words);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr.startsWith(want)).toBe(true);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  });
});

test.each(["run", "dev", "validate", "plan", "translate"])(
  "isthmus %s --help prints its usage and ends with 0",
  async (command) => {
    const long = await runCli([command, "--help"]);
    const before = await runCli(["help", command]);
    expect(long.code).toBe(0);
    expect(long.stdout.startsWith(`Usage: isthmus ${command}`)).toBe(true);
    expect(before.stdout).toBe(long.stdout);
  },
);

test("isthmus --version prints the version of the package", async () => {
  const { code, stdout } = await runCli(["--version"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

describe("bad manifests: one clear message each, no stack, exit code 1 (spec: Command line)", () => {
  const empty = join(folder, "empty");
  beforeAll(() => mkdirSync(empty));

  const cases = [
    {
      name: "an unknown kind",
      path: () => file(flowManifests().replace("kind: Dataflow\n", "kind: Dataflwo\n")),
      want: /:25:7: error: "Dataflwo" is not a kind of .*did you mean Dataflow\?/,
    },
    {
      name: "a wrong value of an enumeration",
      path: () => file(flowManifests({ operationType: "Sauce" })),
      want: /: error: "Sauce" is not allowed: use Source, .*did you mean Source\?/,
    },
    {
      name: "QoS 2 (S-5)",
      path: () => file(flowManifests({ mqttSettings: "qos: 2" })),
      want: /: error: QoS 2 is not supported: use 0 or 1/,
    },
    {
      name: "routes that feed themselves (S-7)",
      path: () => file(flowManifests() + backFlow("factory/machines", "machines")),
      want: /: error: these routes feed themselves: flow -> mqtt:factory\/machines -> back -> kafka:machines -> flow/,
    },
    {
      name: "a file that is not there",
      path: () => join(folder, "absent.yaml"),
      want: /absent\.yaml:1:1: error: cannot be read: there is no such file or folder/,
    },
    {
      name: "a file that is no text",
      path: () => file(Uint8Array.of(0xff, 0xfe, 0)),
      want: /: error: cannot be read: it is not UTF-8 text/,
    },
    {
      name: "an empty folder",
      path: () => empty,
      want: /empty:1:1: error: there is no manifest in this folder/,
    },
  ];

  test.each(cases)("isthmus validate: $name", async ({ path, want }) => {
    const { code, stdout, stderr } = await runCli(["validate", "-f", path()]);
    expect(code).toBe(1);
    expect(stdout).toMatch(want);
    expect(stdout.trimEnd().split("\n")).toHaveLength(1);
    expect(stderr).toMatch(/^\d routes?, 1 error, 0 warnings\n$/);
  });

  test.each(cases)("isthmus run: $name", async ({ path, want }) => {
    const { code, stdout, stderr } = await runCli(["run", "-f", path()]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(want);
    expect(stderr).toContain("isthmus: 1 error in the manifests, as told above [MANIFEST_INVALID]");
    expectNoStack(stderr);
  });

  const isRoot = process.getuid?.() === 0;
  const unreadable = "a file that may not be read";
  test.skipIf(isRoot)(
    isRoot ? leftOutName(unreadable, ["root may read every file"]) : unreadable,
    async () => {
      const path = file(flowManifests());
      chmodSync(path, 0o000);
      const { code, stdout } = await runCli(["validate", "-f", path]);
      expect(code).toBe(1);
      expect(stdout).toMatch(/: error: cannot be read: permission is denied/);
    },
  );

  test("manifests without a route", async () => {
    const path = file("apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\ndata: { b: c }\n");
    const { code, stderr } = await runCli(["run", "-f", path]);
    expect(code).toBe(1);
    expect(stderr).toContain(`isthmus: There is no route in ${path}`);
  });
});

describe("what cannot start: one clear message, no stack, exit code 2 (spec: Command line)", () => {
  const quick = ["--start-timeout", "1", "--log-level", "error"];
  let refusing: Server;
  let address = "";

  beforeAll(async () => {
    // an MQTT 5 broker that answers any CONNECT with CONNACK, Reason Code 0x86 [MQTT-3.2.2-7]
    refusing = createServer((socket) => {
      socket.once("data", () => socket.end(Uint8Array.of(0x20, 3, 0, 0x86, 0)));
      socket.on("error", () => socket.destroy());
    });
    await new Promise<void>((settle) => refusing.listen(0, "127.0.0.1", settle));
    address = `127.0.0.1:${(refusing.address() as AddressInfo).port}`;
  });
  afterAll(() => new Promise((settle) => refusing.close(settle)));

  test("a missing secret, named with the places that were looked at (S-3)", async () => {
    const kafkaAuthentication =
      "{ method: Sasl, saslSettings: { saslType: ScramSha256, secretRef: not-there } }";
    const path = file(flowManifests({ kafkaAuthentication }));
    const { code, stderr } = await runCli(["run", "-f", path, ...quick]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^isthmus: Cannot find Secret "not-there".*\[SECRET_MISSING\]$/m);
    expectNoStack(stderr);
  });

  test("a broker that refuses the credentials", async () => {
    const path = file(flowManifests({ mqttHost: address }));
    const { code, stderr } = await runCli(["run", "-f", path, ...quick]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^isthmus: .*\[MQTT_AUTHENTICATION_FAILED\]$/m);
    expectNoStack(stderr);
  });

  test("a broker that is not there", async () => {
    const { code, stderr } = await runCli(["run", "-f", file(flowManifests()), ...quick]);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^isthmus: Cannot start route "flow": MQTT did not answer within 1 s: .*ECONNREFUSED.*\[MQTT_UNAVAILABLE\]$/m,
    );
    expectNoStack(stderr);
  });

  test("an HTTP port that is in use", async () => {
    const path = file(flowManifests());
    const { code, stderr } = await runCli(["run", "-f", path, "--http", address, ...quick]);
    expect(code).toBe(2);
    expect(stderr).toBe(`isthmus: Cannot serve HTTP on "${address}": the port is in use\n`);
  });

  test("all routes in several worker threads", async () => {
    const path = file(
      `${flowManifests().replace("spec:\n  operations", "spec:\n  profileRef: wide\n  operations")}
---
apiVersion: connectivity.iotoperations.azure.com/v1
kind: DataflowProfile
metadata: { name: wide }
spec: { instanceCount: 2 }
`,
    );
    const { code, stderr } = await runCli(["run", "-f", path, ...quick]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^isthmus: Cannot start route "flow".*\[MQTT_UNAVAILABLE\]$/m);
    expectNoStack(stderr);
  });
});
