/** kafkajs takes secrets once, when a client is made; this lets a client read them anew before every connection that it opens. */
import Connection from "kafkajs/src/network/connection.js";

type Prototype = (typeof Connection)["prototype"];

const hooks = new WeakMap<object, () => Promise<void>>();
const connecting = new WeakMap<Prototype, Promise<boolean>>();
let patched = false;

/**
 * Has `prepare` awaited before any connection is opened by `socketFactory`. It must not reject.
 * @throws TypeError when kafkajs is not built as version 2.2.4 is
 */
export function beforeConnecting(socketFactory: object, prepare: () => Promise<void>): void {
  if (!patched) patch(Connection.prototype);
  patched = true;
  hooks.set(socketFactory, prepare);
}

function patch(prototype: Prototype): void {
  const original = prototype.connect;
  if (typeof original !== "function") {
    throw new TypeError("Cannot extend the connections of kafkajs: it must be version 2.2.4");
  }
  prototype.connect = function connectPrepared(this: Prototype): Promise<boolean> {
    const prepare = hooks.get(this.socketFactory);
    if (prepare === undefined || this.isConnected()) return original.call(this);
    // kafkajs opens a second socket for whoever asks while the first is being opened
    const pending = connecting.get(this);
    if (pending !== undefined) return pending;
    const opened = prepare()
      .then(() => original.call(this))
      .finally(() => connecting.delete(this));
    connecting.set(this, opened);
    return opened;
  };
}
