/**
 * Stands in for the Functions worker: provides @azure/functions-core the way the worker does, loads an app's entry point, tells its
 * parent what was registered, and invokes functions when told to. Arguments: the entry point.
 */
import Module from "node:module";
import { pathToFileURL } from "node:url";

const functions = new Map();
const hooks = { appStart: [], appTerminate: [] };
let model;
const core = {
  version: "3.0.0",
  log: () => undefined,
  setProgrammingModel: (given) => {
    model = given;
  },
  registerFunction: (metadata, callback) => functions.set(metadata.name, { metadata, callback }),
  registerHook: (name, callback) => {
    hooks[name]?.push(callback);
    return { dispose: () => undefined };
  },
};

const original = Module.prototype.require;
Module.prototype.require = function require(name) {
  return name === "@azure/functions-core" ? core : original.call(this, name);
};

const started = performance.now();
await import(pathToFileURL(process.argv[2]).href);
const loadMs = performance.now() - started;
process.send({
  kind: "registered",
  loadMs,
  capabilities: await model.getCapabilities({}),
  hooks: Object.fromEntries(Object.entries(hooks).map(([name, list]) => [name, list.length])),
  functions: [...functions.values()].map(({ metadata }) => metadata),
});

function typedData(value) {
  if (Array.isArray(value) && value.every((item) => item?.base64 !== undefined)) {
    return { collectionBytes: { bytes: value.map(({ base64 }) => Buffer.from(base64, "base64")) } };
  }
  return { json: JSON.stringify(value) };
}

/** Through the library's own model, so that names are written as it writes them and failures are what it takes for one. */
async function invoke({ name, payload, triggerMetadata }) {
  const { metadata, callback } = functions.get(name);
  const [binding] = Object.entries(metadata.bindings).find(([, b]) => b.type.endsWith("Trigger"));
  const invocation = model.getInvocationModel({
    invocationId: "1",
    metadata,
    request: {
      inputData: [{ name: binding, data: typedData(payload) }],
      triggerMetadata: Object.fromEntries(
        Object.entries(triggerMetadata).map(([key, value]) => [
          key,
          { json: JSON.stringify(value) },
        ]),
      ),
    },
    log: () => undefined,
  });
  const { context, inputs } = await invocation.getArguments();
  await invocation.invokeFunction(context, inputs, callback);
}

process.on("message", async (message) => {
  try {
    if (message.kind === "terminate") {
      for (const hook of hooks.appTerminate) await hook({ hookData: {}, appHookData: {} });
    } else {
      await invoke(message);
    }
    process.send({ kind: "done", id: message.id });
  } catch (error) {
    // the worker takes undefined and null for success
    const failed = error !== undefined && error !== null;
    process.send({
      kind: failed ? "failed" : "done",
      id: message.id,
      isError: error instanceof Error,
      message: String(error?.message),
    });
  }
});
process.on("unhandledRejection", (error) => {
  process.send({ kind: "unhandled", message: String(error) });
});
