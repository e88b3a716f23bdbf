import { readFileSync } from "node:fs";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type LoadedApp, loadApp } from "../../functions/load-app.ts";
import { registerFunctions } from "../../functions/register-functions.ts";
import { type Openers, RouteRuntime } from "../../functions/route-runtime.ts";
import type { HostOptions, RecordHandler } from "../../shared/compose.ts";
import type { AssetStore } from "../../shared/engine/ports.ts";
import { newCounters, type RouteStatus } from "../../shared/engine/status.ts";
import { BridgeError } from "../../shared/errors.ts";
import type { DeviceEndpoint } from "../../shared/model/device.ts";
import type { KafkaRecord } from "../../shared/model/kafka-record.ts";
import type { Route } from "../../shared/model/route.ts";
import {
  appFolder,
  connectorManifest,
  type RecordingHost,
  recordingHost,
} from "../support/functions-app.ts";
import { invocation } from "../support/invocation.ts";
import { triggerFixture } from "../support/trigger-fixture.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const HOST_JSON = JSON.stringify({ version: "2.0", functionTimeout: "00:10:00" });
const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0)) await clean();
});

interface World {
  readonly app: LoadedApp;
  readonly host: RecordingHost;
  readonly clock: VirtualClock;
  readonly runtime: RouteRuntime;
  readonly opened: { route: Route; options: HostOptions }[];
  readonly devices: { endpoint: DeviceEndpoint; options: HostOptions }[];
  /** Of which a store was asked for. */
  readonly containers: string[];
  readonly taken: KafkaRecord[];
  readonly stopped: string[];
}

const NO_ASSETS: AssetStore = {
  list: () => Promise.resolve([]),
  add: () => Promise.resolve("added"),
  remove: () => Promise.resolve(),
};

async function world(
  files: Record<string, string>,
  env: Record<string, string> = {},
  over: Partial<Openers> = {},
): Promise<World> {
  const { root, remove } = await appFolder({ "host.json": HOST_JSON, ...files });
  cleanups.push(remove);
  const app = await loadApp(root, env);
  const host = recordingHost();
  const clock = new VirtualClock();
  const opened: World["opened"] = [];
  const taken: KafkaRecord[] = [];
  const stopped: string[] = [];
  const devices: World["devices"] = [];
  const containers: string[] = [];
  const status = (route: Pick<RouteStatus, "direction"> & { name: string }): RouteStatus => ({
    route: route.name,
    direction: route.direction,
    from: "",
    to: "",
    instance: 0,
    state: "running",
    kafka: { connected: true },
    mqtt: { connected: true },
    counters: newCounters(),
  });
  const openers: Openers = {
    openRecordHandler: (route, options) => {
      opened.push({ route, options });
      return Promise.resolve({
        deliver: (records) => {
          taken.push(...records);
          return Promise.resolve();
        },
        status: () => status(route),
        stop: () => Promise.resolve(void stopped.push(route.name)),
      } satisfies RecordHandler);
    },
    openPump: (route, options) => {
      opened.push({ route, options });
      return Promise.resolve({
        status: () => status(route),
        stop: (ms) => Promise.resolve(void stopped.push(`${route.name} ${ms}`)),
      });
    },
    openDevice: (endpoint, options) => {
      devices.push({ endpoint, options });
      const route = { name: endpoint.name, direction: "mqttToMqtt" } as const;
      return Promise.resolve({
        status: () => status(route),
        stop: (ms) => Promise.resolve(void stopped.push(`${endpoint.name} ${ms}`)),
        discovered: () => ({
          endpoint: endpoint.name,
          topicFilter: "factory/+",
          assets: [],
          displaced: 0,
          limit: 10,
        }),
      });
    },
    assetStore: (container) => {
      containers.push(container);
      return Promise.resolve(NO_ASSETS);
    },
    ...over,
  };
  const runtime = new RouteRuntime({ app, openers, clock, print: () => undefined });
  registerFunctions(host, {
    functions: app.functions.functions,
    runtime,
    topicWatch: { plan: app.plan, lock: app.lock, listTopics: () => Promise.resolve([]) },
    view: {
      version: app.version,
      startedAt: 0,
      routes: app.plan.routes,
      errors: app.errors,
      statuses: () => runtime.statuses(),
      assets: () => runtime.assets(),
      now: () => clock.now(),
    },
  });
  return { app, host, clock, runtime, opened, devices, containers, taken, stopped };
}

const brokers = { kafka: "kafka.test:9092", mqtt: "mqtt.test:1883" };
const manifests = { "manifests/plant.yaml": connectorManifest(brokers) };

function handlerOf({ host }: World, name: string): (input: unknown, context: unknown) => unknown {
  const found = host.registered.find((registered) => registered.name === name);
  if (found === undefined) throw new Error(`"${name}" is not registered`);
  return found.options.handler;
}

describe("registerFunctions()", () => {
  test("registers one function per topic, the pump and the HTTP functions; connects to nothing", async () => {
    const { app, host, opened } = await world(manifests);
    expect(app.errors).toEqual([]);
    expect(host.registered.map(({ name, via }) => [name, via])).toEqual([
      ["plant_down_commands", "generic"],
      ["plant_up", "timer"],
      ["healthz", "http"],
      ["readyz", "http"],
      ["metrics", "http"],
      ["status", "http"],
    ]);
    expect(host.registered[0]?.options).toMatchObject({
      trigger: { type: "kafkaTrigger", topic: "commands", cardinality: "MANY", dataType: "binary" },
      retry: { strategy: "exponentialBackoff", maxRetryCount: -1 },
    });
    expect(host.setups).toEqual([{ capabilities: { IncludeEmptyEntriesInMessagePayload: true } }]);
    expect(opened).toEqual([]);
  });

  test("with a lock each topic of an expression has its function, and a timer watches (S-30)", async () => {
    const found = await world({
      "manifests/plant.yaml": connectorManifest({ ...brokers, kafkaTopic: '"^line-.*$"' }),
      "isthmus.lock.json": JSON.stringify({
        version: 1,
        routes: { "plant/down": { pattern: "^line-.*$", topics: ["line-1", "line-2"] } },
      }),
    });
    expect(found.app.errors).toEqual([]);
    const names = found.host.registered.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(["plant_down_line-1", "plant_down_line-2", "plant_up", "topic-watch"]),
    );
  });

  test("a batch goes through one handler per route and process, opened by the first", async () => {
    const found = await world(manifests);
    const { payload, triggerMetadata } = triggerFixture("kafka-many");
    const handler = handlerOf(found, "plant_down_commands");
    await handler(payload, invocation(triggerMetadata));
    await handler(payload, invocation(triggerMetadata));
    expect(found.taken).toHaveLength(8);
    expect(found.taken[0]?.topic).toBe("commands");
    expect(found.opened.map(({ route }) => route.name)).toEqual(["plant/down"]);
    expect(found.runtime.statuses().map(({ route }) => route)).toEqual(["plant/down"]);
  });

  test("an Event Hubs route gets its headers decoded: S-22 is not applied twice", async () => {
    const manifest = connectorManifest(brokers)
      .replace("endpoint: kafka.test:9092", "endpoint: contoso.servicebus.windows.net:9093")
      .replace(
        "tls: { tlsEnabled: false }",
        "tls: { tlsEnabled: true }\n    authentication: { enabled: true, authType: { systemAssignedManagedIdentity: {} } }",
      )
      .replace(
        "name: plant-topics",
        'name: plant-topics, annotations: { isthmus.dev/amqp-headers: "Always" }',
      );
    const found = await world({ "manifests/plant.yaml": manifest });
    expect(found.app.errors).toEqual([]);
    const { payload, triggerMetadata } = triggerFixture("event-hubs-many");
    await handlerOf(found, "plant_down_commands")(payload, invocation(triggerMetadata));
    expect(found.opened[0]?.route).toMatchObject({ amqpHeaders: "Never" });
    expect(found.taken.map(({ offset }) => offset)).toEqual([17n, 18n, 19n]);
  });

  test("a pump is held until before functionTimeout, as one subscriber, and let go at the end (S-55)", async () => {
    const found = await world(manifests);
    const pump = handlerOf(found, "plant_up");
    const hold = Promise.resolve(pump({}, invocation()));
    await found.clock.advance(8 * 60_000);
    expect(found.runtime.statuses().map(({ route }) => route)).toEqual(["plant/up"]);
    expect(found.opened[0]?.options.instance).toBe(0);
    await found.clock.advance(60_000);
    await expect(hold).resolves.toBeUndefined();
    expect(found.stopped).toEqual(["plant/up 10000"]);
  });

  test("subscribers of a shared group are functions with one subscriber each (S-33)", async () => {
    const more = `    - mqttToKafka:
        name: shared
        mqttTopic: shared/#
        kafkaTopic: telemetry
        qos: 1
        sharedSubscription: { groupName: g, groupMinimumShareNumber: 3 }
`;
    const found = await world({ "manifests/plant.yaml": connectorManifest({ ...brokers, more }) });
    const names = found.host.registered.map(({ name }) => name);
    const shared = names.filter((name) => name.startsWith("plant_shared"));
    expect(shared).toHaveLength(3);
    for (const name of shared) {
      void Promise.resolve(handlerOf(found, name)({}, invocation()));
    }
    await found.clock.advance(1000);
    const seen = found.opened.map(({ route, options }) => [
      options.instance,
      route.instances,
      route.direction === "mqttToKafka" && route.sharedSubscription?.minimumShareNumber,
    ]);
    expect(seen).toEqual([
      [0, 3, 3],
      [1, 3, 3],
      [2, 3, 3],
    ]);
    await found.runtime.stop();
  });

  test("appTerminate drains pumps and handlers within the host's 5 s (S-55)", async () => {
    const found = await world(manifests);
    const { payload, triggerMetadata } = triggerFixture("kafka-many");
    const deliver = handlerOf(found, "plant_down_commands");
    await deliver(payload, invocation(triggerMetadata));
    const hold = Promise.resolve(handlerOf(found, "plant_up")({}, invocation()));
    await found.clock.advance(1000);
    expect(found.host.terminateHooks).toHaveLength(1);
    await found.host.terminateHooks[0]?.({});
    await hold;
    expect(found.stopped.sort()).toEqual(["plant/down", "plant/up 4000"]);
    const after = Promise.resolve(deliver(payload, invocation(triggerMetadata)));
    await expect(after).rejects.toThrow("shutting down");
  });

  test("a route that cannot open fails its invocation with an Error", async () => {
    const error = new BridgeError("MQTT_UNAVAILABLE", "Cannot start", { retryable: true });
    const found = await world(manifests, {}, { openRecordHandler: () => Promise.reject(error) });
    const { payload, triggerMetadata } = triggerFixture("kafka-many");
    const handler = handlerOf(found, "plant_down_commands");
    const call = Promise.resolve(handler(payload, invocation(triggerMetadata)));
    await expect(call).rejects.toThrow("Cannot start [MQTT_UNAVAILABLE]");
  });

  test("the memory budget is shared among the routes of the app (S-53)", async () => {
    const found = await world(manifests);
    const { payload, triggerMetadata } = triggerFixture("kafka-many");
    await handlerOf(found, "plant_down_commands")(payload, invocation(triggerMetadata));
    expect(found.opened[0]?.options.memoryBudgetBytes).toBe(128 * 1024 * 1024);
  });
});

describe("loadApp()", () => {
  const http = ["healthz", "readyz", "metrics", "status"];

  test.each([
    { name: "no manifests", files: {}, says: /manifests:1:1: error: .*no such file/ },
    {
      name: "a wrong value",
      files: { "manifests/a.yaml": connectorManifest(brokers).replace("qos: 1", "qos: 2") },
      says: /QoS 2/,
    },
    { name: "no YAML", files: { "manifests/a.yaml": "a: [" }, says: /error/ },
    {
      name: "a broken lock",
      files: { ...manifests, "isthmus.lock.json": "{" },
      says: /isthmus.lock.json.*--resolve/,
    },
  ])(
    "with $name the app still has its HTTP functions, which tell of it",
    async ({ files, says }) => {
      const { app, host } = await world(files as Record<string, string>);
      expect(app.errors.join("\n")).toMatch(says);
      const names = host.registered.map(({ name }) => name);
      expect(names).toEqual(expect.arrayContaining(http));
      const readyz = host.registered.find(({ name }) => name === "readyz")?.options.handler;
      expect(readyz?.({}, {})).toMatchObject({ status: 503 });
    },
  );

  test("ISTHMUS_MANIFESTS names another folder", async () => {
    const files = { "conf/plant.yaml": connectorManifest(brokers) };
    const { app } = await world(files, { ISTHMUS_MANIFESTS: "conf" });
    expect(app.errors).toEqual([]);
    expect(app.plan.routes).toHaveLength(2);
  });

  test("a topic named like an environment variable is an error that names both", async () => {
    const { app } = await world(manifests, { COMMANDS: "x" });
    expect(app.errors.join("\n")).toContain('topic "commands"');
  });
});

describe("a Device (S-60)", () => {
  const files = {
    "manifests/device.yaml": readFileSync("examples/kafka-source/3-device.yaml", "utf8"),
  };
  const account = {
    AzureWebJobsStorage__accountName: "plantstorage",
    ISTHMUS_LOCAL_BROKER: "mqtt://b:1883",
  };

  test("is one timer that holds its endpoint open, with its assets in the app's storage account", async () => {
    const found = await world(files, account);
    expect(found.app.errors).toEqual([]);
    const name = "kafka-incoming_mqtt";
    expect(found.host.registered[0]).toMatchObject({ name, via: "timer" });
    expect(found.app.functions.alwaysReady).toEqual([`function:${name}`]);
    expect(found.runtime.assets()).toEqual({ endpoints: [], imported: new Set() });
    const context = invocation();
    const held = handlerOf(found, name)({}, context) as Promise<void>;
    await vi.waitFor(() => expect(found.runtime.statuses()).toHaveLength(1));
    expect(found.containers).toEqual(["https://plantstorage.blob.core.windows.net/isthmus-assets"]);
    expect(found.devices).toMatchObject([
      { endpoint: { name: "kafka-incoming/mqtt" }, options: { assetStore: NO_ASSETS } },
    ]);
    expect(found.runtime.assets()?.endpoints).toHaveLength(1);
    await found.runtime.stop();
    await held;
    expect(found.stopped).toEqual(["kafka-incoming/mqtt 4000"]);
  });

  test("needs the name of the storage account", async () => {
    const found = await world(files, { ISTHMUS_LOCAL_BROKER: "mqtt://b:1883" });
    const context = invocation();
    const held = handlerOf(found, "kafka-incoming_mqtt")({}, context);
    await expect(held).rejects.toThrow("AzureWebJobsStorage__accountName");
  });
});
