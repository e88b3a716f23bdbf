import { BridgeError } from "../errors.ts";
import type { Trace } from "../expressions/trace.ts";
import { compileTransform, type RunTransform } from "../expressions/transform.ts";
import type { Route } from "../model/route.ts";
import type { SecretStore } from "../model/secret-store.ts";

/**
 * The transform of a route, compiled with the datasets it asks for; undefined for a route that has none.
 * @throws BridgeError SECRET_MISSING when a dataset is not there, MANIFEST_INVALID when it is no JSON.
 */
export async function routeTransform(
  { name, transform }: Route,
  store: Pick<SecretStore, "configMap">,
  trace?: Trace,
): Promise<RunTransform | undefined> {
  if (transform === undefined) return undefined;
  const { datasets, datasetsConfigMap } = transform;
  const texts = new Map<string, string>();
  const found = datasets.length === 0 ? undefined : await store.configMap(datasetsConfigMap);
  for (const { key } of datasets) {
    const text = found?.get(key);
    if (text === undefined) {
      throw new BridgeError(
        "SECRET_MISSING",
        `Cannot open route "${name}": the dataset "${key}" is not in the ConfigMap "${datasetsConfigMap}"`,
      );
    }
    texts.set(key, text);
  }
  try {
    return compileTransform(transform, texts, trace);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new BridgeError("MANIFEST_INVALID", `Cannot open route "${name}": ${cause.message}`, {
      cause,
    });
  }
}
