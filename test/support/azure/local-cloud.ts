import type { IncomingMessage, RequestListener } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { SecretClientOptions } from "@azure/keyvault-secrets";
import type { Certificates } from "../certificates.ts";

/** What a service says to a request. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export type Service = (request: IncomingMessage, body: string) => Answer;

/** Names the service that is meant: by `Host` the client would want a certificate of that name. */
const HOST_HEADER = "x-azure-host";

/** The service that a request is for. */
export function hostOf(request: IncomingMessage): string {
  return String(request.headers[HOST_HEADER]);
}

/**
 * Services of Azure by their host names, on one HTTPS server of this machine. Clients of the SDK that are made with its `client` options
 * find them there; all else in them is as it is towards Azure, the challenges of Key Vault and their check included.
 */
export class LocalCloud {
  private readonly server: Server;
  private readonly certificates: Certificates;

  private constructor(services: Readonly<Record<string, Service>>, certificates: Certificates) {
    this.certificates = certificates;
    const { certificate: cert, key } = certificates.server;
    this.server = createServer({ cert, key }, listenerOf(services));
  }

  static async start(
    services: Readonly<Record<string, Service>>,
    certificates: Certificates,
  ): Promise<LocalCloud> {
    const cloud = new LocalCloud(services, certificates);
    await new Promise<void>((resolve) => cloud.server.listen(0, "127.0.0.1", resolve));
    return cloud;
  }

  /** Options of the SDK's clients that lead them here. */
  get client(): Pick<SecretClientOptions, "additionalPolicies" | "tlsOptions" | "retryOptions"> {
    const { port } = this.server.address() as AddressInfo;
    return {
      tlsOptions: { ca: this.certificates.ca },
      retryOptions: { maxRetries: 1, retryDelayInMs: 1 },
      additionalPolicies: [
        {
          position: "perRetry",
          policy: {
            name: "localCloud",
            async sendRequest(request, next) {
              const { url } = request;
              const { host, pathname, search } = new URL(url);
              request.url = `https://localhost:${port}${pathname}${search}`;
              request.headers.set(HOST_HEADER, host);
              try {
                return await next(request);
              } finally {
                request.url = url;
              }
            },
          },
        },
      ],
    };
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}

function listenerOf(services: Readonly<Record<string, Service>>): RequestListener {
  return (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const service = services[hostOf(request)];
      const answer = service?.(request, Buffer.concat(chunks).toString()) ?? { status: 404 };
      const headers = { "content-type": "application/json", ...answer.headers };
      response.writeHead(answer.status, headers).end(JSON.stringify(answer.body ?? {}));
    });
  };
}
