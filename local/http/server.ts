import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { BridgeError } from "../../shared/errors.ts";
import { type HttpAddress, isLoopback } from "./address.ts";
import { type Page, type PageSource, pageFor, textPage } from "./pages.ts";

export interface HttpServer {
  /** Where it listens; the port is the real one when 0 was asked for. */
  readonly address: HttpAddress;
  stop(): Promise<void>;
}

/** The host name of a Host header, without its port. */
function hostName(header: string | undefined): string {
  return (header ?? "").replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
}

/**
 * A page on the web may point its own name at 127.0.0.1 and read what this machine serves (DNS rebinding): on loopback
 * the pages for people answer only to names of loopback.
 */
function isRebound(request: IncomingMessage, bound: string, path: string): boolean {
  const forPeople = path === "/" || path === "/status.json" || path === "/assets.json";
  return forPeople && isLoopback(bound) && !isLoopback(hostName(request.headers.host));
}

function answer(request: IncomingMessage, source: PageSource, bound: string): Page {
  const path = (request.url ?? "/").replace(/[?#].*$/s, "");
  if (request.method !== "GET" && request.method !== "HEAD") {
    return textPage(405, "Only GET and HEAD are answered", { allow: "GET, HEAD" });
  }
  if (isRebound(request, bound, path)) {
    return textPage(403, "This page answers to localhost only");
  }
  return pageFor(path, source) ?? textPage(404, "No such page: / has links to all");
}

function send(request: IncomingMessage, response: ServerResponse, page: Page): void {
  const body = Buffer.from(page.body);
  response.writeHead(page.status, { ...page.headers, "content-length": body.length });
  response.end(request.method === "HEAD" ? undefined : body);
}

function listen(server: Server, { host, port }: HttpAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const why =
        cause.code === "EADDRINUSE"
          ? "the port is in use"
          : cause.code === "EACCES"
            ? "the port is not allowed to this user"
            : cause.message;
      const message = `Cannot serve HTTP on "${host}:${port}": ${why}`;
      reject(new BridgeError("USAGE", message, { cause }));
    });
    server.listen({ host, port }, resolve);
  });
}

/** Answers with the pages, as a server that is bound to `host`; does not listen yet. */
export function createHttpServer(host: string, source: PageSource): Server {
  return createServer({ requestTimeout: 10_000 }, (request, response) => {
    try {
      send(request, response, answer(request, source, host));
    } catch {
      send(request, response, textPage(500, "The page could not be made"));
    }
  });
}

/** Serves the pages until stopped. @throws BridgeError when the address cannot be listened on. */
export async function startHttp(address: HttpAddress, source: PageSource): Promise<HttpServer> {
  const server = createHttpServer(address.host, source);
  await listen(server, address);
  const { port } = server.address() as AddressInfo;
  return {
    address: { host: address.host, port },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
