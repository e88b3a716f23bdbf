/**
 * Where our code meets @azure/event-hubs below its public surface: the certificates that its connections trust, and the credit of its
 * receivers. The SDK offers neither, and makes a new connection by itself after each that is lost.
 */
import type { TlsMaterial } from "../../model/endpoint.ts";

interface Receiver {
  /** Events that the service may still send unasked. */
  readonly credit: number;
  addCredit(credit: number): void;
}

interface Connection {
  readonly _connection: { readonly options: Record<string, unknown> };
  createReceiver(options: unknown): Promise<Receiver>;
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

/**
 * Holds receivers to the credit that they ask for. The SDK adds it at every read to what is still open, so that an idle hub's grows
 * without end, and a flood that follows does not fit into memory.
 */
export function boundCredit(connection: Connection): void {
  const { createReceiver } = connection;
  if (typeof createReceiver !== "function") throw notAsExpected("connection");
  connection.createReceiver = async function createBounded(this: Connection, options) {
    const receiver = await createReceiver.call(this, options);
    const add = receiver.addCredit.bind(receiver);
    receiver.addCredit = (wanted) => {
      if (typeof receiver.credit !== "number") throw notAsExpected("receiver");
      if (wanted > receiver.credit) add(wanted - receiver.credit);
    };
    return receiver;
  };
}

function notAsExpected(what: string): TypeError {
  return new TypeError(`Cannot extend the ${what} of @azure/event-hubs: it must be version 6.0.4`);
}
