import { readdir, readFile, realpath } from "node:fs/promises";
import { join } from "node:path";
import { BridgeError } from "../errors.ts";
import { environmentName, environmentPart } from "../manifests/environment-name.ts";
import type { KeyValueMap } from "../manifests/key-values.ts";
import type { KeyVaultReader, KeyVaultRef, SecretStore } from "../model/secret-store.ts";

type Kind = "Secret" | "ConfigMap";

export interface SecretStoreOptions {
  /** What the manifests hold themselves: looked at first. */
  readonly manifests: { readonly secrets: KeyValueMap; readonly configMaps: KeyValueMap };
  /** Where Secrets and ConfigMaps are mounted, as `<folder>/<name>/<key>`. */
  readonly folder?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Reads one file; rejects with code ENOENT when there is none. */
  readonly readFile?: (path: string) => Promise<Uint8Array>;
  /** The names in a folder; rejects with code ENOENT when there is none. */
  readonly readFolder?: (path: string) => Promise<readonly string[]>;
  /** Reads an object of Azure Key Vault. */
  readonly keyVault?: KeyVaultReader;
}

/** Keys as Kubernetes and the documents spell them; the environment knows capitals and `_` only. */
const usualKeys = [
  "username",
  "password",
  "token",
  "tls.crt",
  "tls.key",
  "ca.crt",
  "client_cert.pem",
  "client_key.pem",
  "client_intermediate_certs.pem",
];

/**
 * Finds values by the order of S-3: manifest, folder, environment, key by key, so that one place may complete another.
 * Every call reads anew, so that a rotated secret is seen. Values appear in no error.
 */
export function secretStore(options: SecretStoreOptions): SecretStore {
  return {
    secret: (name) => allValues(options, "Secret", name),
    async configMap(name) {
      const values = await allValues(options, "ConfigMap", name);
      if (values === undefined) return undefined;
      const decoder = new TextDecoder();
      return new Map([...values].map(([key, value]) => [key, decoder.decode(value)]));
    },
    async value(ref) {
      if (ref.from === "keyVault") return await fromKeyVault(options, ref);
      const value = (await allValues(options, "Secret", ref.name))?.get(ref.key);
      if (value !== undefined) return value;
      const what = `key "${ref.key}" of Secret "${ref.name}"`;
      throw new BridgeError(
        "SECRET_MISSING",
        `Cannot find ${what}: ${lookedIn(options, "Secret", ref.name, ref.key)}`,
      );
    },
  };
}

/** The places of S-3 for one Secret or ConfigMap, in words, to end an error with. */
function lookedIn(
  options: Pick<SecretStoreOptions, "folder">,
  kind: Kind,
  name: string,
  key: string = "<key>",
): string {
  const folder =
    options.folder === undefined
      ? "no folder of mounted secrets is set"
      : join(options.folder, name, key);
  const suffix = key === "<key>" ? "<KEY>" : environmentPart(key);
  return `it is in no ${kind} of the manifests, not in a file (${folder}), and not in the environment (${environmentName(kind, name)}_${suffix})`;
}

async function allValues(
  options: SecretStoreOptions,
  kind: Kind,
  name: string,
): Promise<ReadonlyMap<string, Uint8Array> | undefined> {
  const { secrets, configMaps } = options.manifests;
  const values = new Map([
    ...fromEnvironment(options, kind, name),
    ...(await fromFolder(options, name)),
    ...((kind === "Secret" ? secrets : configMaps).get(name) ?? []),
  ]);
  return values.size === 0 ? undefined : values;
}

function fromEnvironment(
  options: SecretStoreOptions,
  kind: Kind,
  name: string,
): Map<string, Uint8Array> {
  const prefix = `${environmentName(kind, name)}_`;
  const values = new Map<string, Uint8Array>();
  for (const [variable, text] of Object.entries(options.environment)) {
    if (!variable.startsWith(prefix) || text === undefined || text === "") continue;
    const suffix = variable.slice(prefix.length);
    const key = usualKeys.find((usual) => environmentPart(usual) === suffix);
    values.set(key ?? suffix.toLowerCase(), new TextEncoder().encode(text));
  }
  return values;
}

/** Against a version that is removed while it is read. */
const READ_ATTEMPTS = 5;
const readBytes = async (path: string): Promise<Uint8Array> => new Uint8Array(await readFile(path));
const absent: ReadonlySet<unknown> = new Set(["ENOENT", "ENOTDIR", "EISDIR"]);

async function fromFolder(
  options: SecretStoreOptions,
  name: string,
): Promise<Map<string, Uint8Array>> {
  const { folder } = options;
  // A name from a manifest must not lead out of the folder.
  if (folder === undefined || !/^[\w-][\w.-]*$/.test(name)) return new Map();
  const home = join(folder, name);
  let values = new Map<string, Uint8Array>();
  let version = await mountedVersion(home);
  for (let attempt = 0; attempt < READ_ATTEMPTS; attempt += 1) {
    values = await filesOf(version ?? home, options);
    const now = await mountedVersion(home);
    if (now === version) break;
    version = now;
  }
  return values;
}

/**
 * Kubernetes keeps a mounted Secret in a folder that a link `..data` leads to, and changes it by leading the link elsewhere. Read where the
 * link led at one moment, a user name is never put together with the password of another version. Undefined where there is no such link.
 */
async function mountedVersion(home: string): Promise<string | undefined> {
  return await realpath(join(home, "..data")).catch(() => undefined);
}

async function filesOf(
  home: string,
  { readFile: read = readBytes, readFolder = readdir }: SecretStoreOptions,
): Promise<Map<string, Uint8Array>> {
  const values = new Map<string, Uint8Array>();
  for (const key of await orNothing(readFolder(home), [], home)) {
    if (key.startsWith("..")) continue;
    const path = join(home, key);
    const value = await orNothing<Uint8Array | undefined>(read(path), undefined, path);
    if (value !== undefined) values.set(key, value);
  }
  return values;
}

async function orNothing<T>(reading: Promise<T>, nothing: T, path: string): Promise<T> {
  try {
    return await reading;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (absent.has(code)) return nothing;
    throw new BridgeError("SECRET_MISSING", `Cannot read "${path}": ${code ?? "unknown reason"}`, {
      cause,
    });
  }
}

async function fromKeyVault(options: SecretStoreOptions, ref: KeyVaultRef): Promise<Uint8Array> {
  const what = `${ref.kind} "${ref.name}" of Key Vault "${ref.vault}"`;
  if (options.keyVault === undefined) {
    throw new BridgeError(
      "SECRET_MISSING",
      `Cannot read ${what}: this host has no access to Key Vault`,
    );
  }
  try {
    return await options.keyVault(ref, (name) => allValues(options, "Secret", name));
  } catch (cause) {
    if (cause instanceof BridgeError) throw cause;
    throw new BridgeError("SECRET_MISSING", `Cannot read ${what}`, { cause, retryable: true });
  }
}
