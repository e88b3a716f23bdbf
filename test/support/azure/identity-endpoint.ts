import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Where managed identities are asked for: beside an app of App Service or Functions, or on a virtual machine (Instance Metadata Service). */
export type IdentityShape = "App Service" | "IMDS";

const HEADER = "the-secret-header-of-this-app";

/** A managed identity endpoint, in one of the two shapes that Azure has. */
export class IdentityEndpoint {
  /** Client ids that the app has been given; "" is the system-assigned identity. */
  readonly identities: Set<string> = new Set([""]);
  /** Resources and client ids that were asked for, in this order. */
  readonly asked: { readonly resource: string; readonly clientId: string }[] = [];
  /** Of tokens that are given out. */
  lifetimeSeconds = 86_400;
  private readonly server: Server;
  private readonly shape: IdentityShape;
  private given = 0;

  private constructor(shape: IdentityShape) {
    this.shape = shape;
    this.server = createServer((request, response) => this.answer(request, response));
  }

  static async start(shape: IdentityShape): Promise<IdentityEndpoint> {
    const endpoint = new IdentityEndpoint(shape);
    await new Promise<void>((resolve) => endpoint.server.listen(0, "127.0.0.1", resolve));
    return endpoint;
  }

  private get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The environment by which the platform tells an app of it. */
  get environment(): Record<string, string> {
    return this.shape === "IMDS"
      ? { AZURE_POD_IDENTITY_AUTHORITY_HOST: this.url }
      : { IDENTITY_ENDPOINT: `${this.url}/msi/token`, IDENTITY_HEADER: HEADER };
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const { status, body } = this.verdict(request);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  }

  private verdict(request: IncomingMessage): { status: number; body: object } {
    const { pathname, searchParams } = new URL(request.url ?? "", this.url);
    const [path, proof] =
      this.shape === "IMDS"
        ? ["/metadata/identity/oauth2/token", request.headers["metadata"] === "true"]
        : ["/msi/token", request.headers["x-identity-header"] === HEADER];
    if (pathname.replace(/\/$/, "") !== path) return { status: 404, body: {} };
    if (!proof) return refused("Header missing");
    const clientId = searchParams.get("client_id") ?? "";
    const resource = searchParams.get("resource") ?? "";
    this.asked.push({ resource, clientId });
    if (!this.identities.has(clientId)) return refused("Identity not found");
    this.given += 1;
    const body = {
      access_token: tokenOf(clientId, resource, this.given),
      expires_on: String(Math.floor(Date.now() / 1000) + this.lifetimeSeconds),
      resource,
      token_type: "Bearer",
      client_id: clientId,
    };
    return { status: 200, body };
  }
}

function refused(reason: string): { status: number; body: object } {
  return { status: 400, body: { error: "invalid_request", error_description: reason } };
}

/** What the endpoint gives out: the n-th token, for this identity and resource. */
function tokenOf(clientId: string, resource: string, n: number): string {
  return `token-${n}-of-${clientId === "" ? "the-app" : clientId}-for-${resource}`;
}
