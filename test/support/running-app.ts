import { type LoadedApp, loadApp } from "../../functions/load-app.ts";
import { registerFunctions } from "../../functions/register-functions.ts";
import { RouteRuntime } from "../../functions/route-runtime.ts";
import { systemClock } from "../../shared/adapters/system/system-clock.ts";
import {
  blobAssetStore,
  listTopics,
  openDevice,
  openPump,
  openRecordHandler,
} from "../../shared/compose.ts";
import { appFolder, type Registered, recordingHost } from "./functions-app.ts";

/** The Functions app of a manifest, with real adapters and a host that only writes down what is registered. */
export interface RunningApp {
  readonly app: LoadedApp;
  readonly runtime: RouteRuntime;
  /** What the host would call. @throws Error when there is no function of that name */
  handlerOf(name: string): Registered["options"]["handler"];
  close(): Promise<void>;
}

/** `files` are put beside host.json and the manifest. @throws Error when the manifest is not well */
export async function startApp(
  manifest: string,
  env: Readonly<Record<string, string>> = {},
  files: Readonly<Record<string, string>> = {},
): Promise<RunningApp> {
  const hostJson = JSON.stringify({ version: "2.0", functionTimeout: "00:00:30" });
  const folder = { "host.json": hostJson, "manifests/m.yaml": manifest, ...files };
  const { root, remove } = await appFolder(folder);
  const loaded = await loadApp(root, env).finally(remove);
  if (loaded.errors.length > 0) throw new Error(loaded.errors.join("\n"));
  const { plan, lock, secrets } = loaded;
  const runtime = new RouteRuntime({
    app: loaded,
    clock: systemClock,
    openers: {
      openRecordHandler,
      openPump,
      openDevice,
      assetStore: (container) => Promise.resolve(blobAssetStore(container)),
    },
    print: () => undefined,
  });
  const host = recordingHost();
  registerFunctions(host, {
    functions: loaded.functions.functions,
    runtime,
    topicWatch: {
      ...{ plan, lock },
      listTopics: (connection) => listTopics(connection, { plan, secrets, log: () => undefined }),
    },
    view: {
      version: "0",
      startedAt: 0,
      routes: plan.routes,
      errors: [],
      statuses: () => runtime.statuses(),
      now: () => 0,
    },
  });
  return {
    ...{ app: loaded, runtime },
    handlerOf: (name) => {
      const found = host.registered.find((registered) => registered.name === name);
      if (found === undefined) throw new Error(`"${name}" is not registered`);
      return found.options.handler;
    },
    close: () => runtime.stop(),
  };
}
