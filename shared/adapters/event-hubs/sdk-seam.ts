/**
 * Where our code meets @azure/event-hubs below its public surface: the certificates that its connections trust, and when one is
 * lost. The SDK tells of neither, and makes a new connection by itself after each that is lost.
 */
import type { TlsMaterial } from "../../model/endpoint.ts";

interface Connection {
  readonly _connection: { readonly options: Record<string, unknown> };
  on(event: "disconnected", listener: () => void): void;
}

interface Context {
  readonly connection: Connection;
  refreshConnection(): void;
}

/** Has `prepare` called with every connection of this client, before it opens. @throws TypeError when the SDK is not built as version 6.0.4 is */
export function onEveryConnection(client: object, prepare: (connection: Connection) => void): void {
  const context = (client as { _context?: Context })._context;
  if (typeof context?.refreshConnection !== "function") throw notAsExpected("context");
  prepare(context.connection);
  const { refreshConnection } = context;
  context.refreshConnection = function refreshPrepared(this: Context): void {
    refreshConnection.call(this);
    prepare(this.connection);
  };
}

/** Trusts these certificates instead of the system's. Host names are verified all the same. */
export function trust({ ca }: TlsMaterial): (connection: Connection) => void {
  return ({ _connection: connection }) => {
    if (typeof connection?.options !== "object") throw notAsExpected("connection");
    Object.assign(connection.options, {
      minVersion: "TLSv1.2",
      rejectUnauthorized: true,
      ...(ca === undefined ? {} : { ca: [...ca] }),
    });
  };
}

function notAsExpected(what: string): TypeError {
  return new TypeError(`Cannot extend the ${what} of @azure/event-hubs: it must be version 6.0.4`);
}
