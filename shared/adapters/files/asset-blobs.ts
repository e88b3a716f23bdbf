import type { AddedAsset, AssetStore } from "../../engine/ports.ts";
import { BridgeError } from "../../errors.ts";
import type { DiscoveredAsset } from "../../model/device.ts";
import { discoveredAssetFromText, discoveredAssetText } from "./discovered-asset-text.ts";

export interface BlobOptions {
  /** The blob service and a container in it: `https://<account>.blob.core.windows.net/<container>`. */
  readonly container: string;
  /** A token of the storage account. @throws BridgeError */
  token(): Promise<string>;
  readonly fetch?: typeof fetch;
}

const SUFFIX = ".json";
const AT_ONCE = 16;
const TIMEOUT_MS = 10_000;
/** Of the REST interface of Blob Storage. */
const VERSION = "2021-12-02";

/** Keeps discovered assets as DiscoveredAsset manifests in a container of Azure Blob Storage, which several apps may share. */
export function assetBlobs(options: BlobOptions): AssetStore {
  const container = new Container(options);
  return {
    async list(): Promise<readonly DiscoveredAsset[]> {
      const names = await container.names();
      const assets: DiscoveredAsset[] = [];
      for (let at = 0; at < names.length; at += AT_ONCE) {
        const some = names.slice(at, at + AT_ONCE).map((name) => container.read(name));
        for (const asset of await Promise.all(some)) if (asset !== undefined) assets.push(asset);
      }
      return assets;
    },
    async add(asset): Promise<AddedAsset> {
      const blob = `${asset.name}${SUFFIX}`;
      if (await container.create(blob, discoveredAssetText(asset))) return "added";
      const other = await container.read(blob);
      const isSame =
        other?.topic === asset.topic &&
        other.device === asset.device &&
        other.endpoint === asset.endpoint;
      return isSame ? "known" : "nameTaken";
    },
    remove: (name) => container.remove(`${name}${SUFFIX}`),
  };
}

interface Ask {
  readonly method: "GET" | "PUT" | "DELETE";
  /** After the container's address. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Statuses that are answers; any other is a fault. */
  readonly expected: readonly number[];
}

class Container {
  private readonly options: BlobOptions;

  constructor(options: BlobOptions) {
    this.options = options;
  }

  async names(): Promise<string[]> {
    const names: string[] = [];
    let marker = "";
    do {
      const path = `?restype=container&comp=list&marker=${encodeURIComponent(marker)}`;
      const answer = await this.ask({ method: "GET", path, expected: [200, 404] });
      const text = answer.status === 404 ? "" : await answer.text();
      for (const [, name = ""] of text.matchAll(/<Name>([^<]*)<\/Name>/g)) {
        if (name.endsWith(SUFFIX)) names.push(name);
      }
      marker = /<NextMarker>([^<]+)<\/NextMarker>/.exec(text)?.[1] ?? "";
    } while (marker !== "");
    return names;
  }

  /** Undefined for what went away meanwhile, and for what is no DiscoveredAsset. */
  async read(blob: string): Promise<DiscoveredAsset | undefined> {
    const path = `/${encodeURIComponent(blob)}`;
    const answer = await this.ask({ method: "GET", path, expected: [200, 404] });
    return answer.status === 404 ? undefined : discoveredAssetFromText(await answer.text());
  }

  /** False when it is there already: of two that create it, the service lets one. */
  async create(blob: string, text: string): Promise<boolean> {
    const put: Ask = {
      method: "PUT",
      path: `/${encodeURIComponent(blob)}`,
      headers: {
        "x-ms-blob-type": "BlockBlob",
        "if-none-match": "*",
        "content-type": "application/json",
      },
      body: text,
      expected: [201, 404, 409, 412],
    };
    let answer = await this.ask(put);
    if (answer.status === 404) {
      await this.ask({ method: "PUT", path: "?restype=container", expected: [201, 409] });
      answer = await this.ask({ ...put, expected: [201, 409, 412] });
    }
    return answer.status === 201;
  }

  async remove(blob: string): Promise<void> {
    const path = `/${encodeURIComponent(blob)}`;
    await this.ask({ method: "DELETE", path, expected: [202, 404] });
  }

  private async ask({ method, path, headers, body, expected }: Ask): Promise<Response> {
    const { container, token, fetch: send = fetch } = this.options;
    const authorization = `Bearer ${await token()}`;
    let answer: Response;
    try {
      answer = await send(`${container}${path}`, {
        method,
        headers: { authorization, "x-ms-version": VERSION, ...headers },
        ...(body === undefined ? {} : { body }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch (cause) {
      throw unavailable(container, reasonOf(cause), cause);
    }
    if (expected.includes(answer.status)) return answer;
    await answer.body?.cancel();
    const code = answer.headers.get("x-ms-error-code");
    throw unavailable(container, `it answered ${answer.status}${code === null ? "" : ` ${code}`}`);
  }
}

function reasonOf(cause: unknown): string {
  const { cause: inner, message } = cause as Error;
  return inner instanceof Error ? inner.message : message;
}

function unavailable(container: string, why: string, cause?: unknown): BridgeError {
  const message = `Cannot keep discovered assets in "${container}": ${why}`;
  return new BridgeError("STATE_UNAVAILABLE", message, { cause, retryable: true });
}
