import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { assetBlobs } from "../../../shared/adapters/files/asset-blobs.ts";
import type { AssetStore } from "../../../shared/engine/ports.ts";
import type { DiscoveredAsset } from "../../../shared/model/device.ts";

/** Blob Storage as far as it is used: one container, which is not there at first. Two names to a page. */
class BlobServer {
  readonly blobs = new Map<string, string>();
  hasContainer = false;
  /** Answers this status to everything. */
  refuses: number | undefined;
  readonly tokens = new Set<string | undefined>();

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://x");
    const body = await text(request);
    this.tokens.add(request.headers.authorization);
    const end = (status: number, answer = ""): void => {
      response.writeHead(status, status >= 400 ? { "x-ms-error-code": "SomeCode" } : {});
      response.end(answer);
    };
    if (this.refuses !== undefined) return end(this.refuses);
    const blob = decodeURIComponent(pathname.replace(/^\/assets\/?/, ""));
    if (blob !== "") return end(...this.ofBlob(request, blob, body));
    if (request.method === "GET") {
      if (!this.hasContainer) return end(404);
      return end(200, this.page(Number(searchParams.get("marker") ?? 0)));
    }
    end(this.hasContainer ? 409 : 201);
    this.hasContainer = true;
  }

  private ofBlob(
    { method, headers }: IncomingMessage,
    blob: string,
    body: string,
  ): [number, string?] {
    const found = this.blobs.get(blob);
    if (method === "GET") return found === undefined ? [404] : [200, found];
    if (method === "DELETE") return [this.blobs.delete(blob) ? 202 : 404];
    if (!this.hasContainer) return [404];
    if (headers["x-ms-blob-type"] !== "BlockBlob") return [400];
    if (headers["if-none-match"] === "*" && found !== undefined) return [409];
    this.blobs.set(blob, body);
    return [201];
  }

  private page(from: number): string {
    const names = [...this.blobs.keys()].map((name) => `<Blob><Name>${name}</Name></Blob>`);
    const next =
      from + 2 < names.length ? `<NextMarker>${from + 2}</NextMarker>` : "<NextMarker />";
    return `<EnumerationResults><Blobs>${names.slice(from, from + 2).join("")}</Blobs>${next}</EnumerationResults>`;
  }
}

const asset: DiscoveredAsset = {
  name: "robot-abcd",
  topic: "factory/robot",
  device: "d",
  endpoint: "e",
  firstSeen: 1_795_248_000_123,
};

let server: Server;
let service: BlobServer;
let store: AssetStore;

beforeEach(async () => {
  service = new BlobServer();
  server = createServer((request, response) => void service.answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  store = storeAt((server.address() as AddressInfo).port);
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function storeAt(port: number): AssetStore {
  return assetBlobs({
    container: `http://127.0.0.1:${port}/assets`,
    token: () => Promise.resolve("secret"),
  });
}

describe("assetBlobs() (S-60)", () => {
  test("keeps what was added, in a container that it makes, and never writes over another's", async () => {
    expect(await store.list()).toEqual([]);
    expect(await store.add(asset)).toBe("added");
    expect(await store.add({ ...asset, firstSeen: 5 })).toBe("known");
    expect(await store.add({ ...asset, topic: "other/robot" })).toBe("nameTaken");
    expect(await store.add({ ...asset, endpoint: "other" })).toBe("nameTaken");
    expect(await store.list()).toEqual([asset]);
    expect(service.tokens).toEqual(new Set(["Bearer secret"]));
    await store.remove(asset.name);
    await store.remove(asset.name);
    expect(await store.list()).toEqual([]);
  });

  test("lists all pages, without what is no discovered asset", async () => {
    for (const name of ["a", "b", "c", "d", "e"]) await store.add({ ...asset, name });
    service.blobs.set("broken.json", "{");
    service.blobs.set("notes.txt", "hello");
    expect((await store.list()).map(({ name }) => name)).toEqual(["a", "b", "c", "d", "e"]);
  });

  test("lets one of two apps that find a topic at the same time add it", async () => {
    const outcomes = await Promise.all([store.add(asset), store.add(asset)]);
    expect(outcomes.sort()).toEqual(["added", "known"]);
  });

  test("says what the service answers, without the token, and that it may pass", async () => {
    service.refuses = 403;
    for (const deed of [() => store.list(), () => store.add(asset), () => store.remove("x")]) {
      await expect(deed()).rejects.toMatchObject({
        code: "STATE_UNAVAILABLE",
        retryable: true,
        message: expect.stringMatching(
          /^Cannot keep discovered assets in ".*": it answered 403 SomeCode$/,
        ),
      });
    }
  });

  test("says why the service cannot be reached", async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await expect(store.list()).rejects.toMatchObject({
      code: "STATE_UNAVAILABLE",
      message: expect.stringContaining("ECONNREFUSED"),
    });
  });
});
