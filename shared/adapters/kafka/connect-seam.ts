/**
 * Where our code meets the connections of kafkajs: it keeps what a lost one had begun to answer, and stays on one that answers no more. It
 * takes secrets once, when a client is made; here a client can read them anew before every connection that it opens.
 */
import Connection from "kafkajs/src/network/connection.js";

type Prototype = (typeof Connection)["prototype"];

const hooks = new WeakMap<object, () => Promise<void>>();
const connecting = new WeakMap<Prototype, Promise<boolean>>();

/** The length before every answer. */
const INT32_BYTES = 4;
/** Of the error that kafkajs throws when an answer is late. */
const REQUEST_TIMED_OUT = "KafkaJSRequestTimeoutError";

let patched = false;

/** Mends the connections of this process, once. @throws TypeError when kafkajs is not built as version 2.2.4 is */
export function mendConnections(): void {
  if (patched) return;
  const { prototype } = Connection;
  if (typeof prototype.connect !== "function" || typeof prototype.send !== "function") {
    throw new TypeError("Cannot extend the connections of kafkajs: it must be version 2.2.4");
  }
  forgetAtConnect(prototype);
  leaveAfterTimeout(prototype);
  prepareToConnect(prototype);
  patched = true;
}

/** Has `prepare` awaited before any connection is opened by `socketFactory`. It must not reject. {@link mendConnections} goes before. */
export function beforeConnecting(socketFactory: object, prepare: () => Promise<void>): void {
  hooks.set(socketFactory, prepare);
}

function prepareToConnect(prototype: Prototype): void {
  const original = prototype.connect;
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

/**
 * kafkajs keeps the beginning of an answer that a lost connection cut off and puts what the next connection brings behind it: answers are
 * missed until their requests time out, or the process dies of a length that is none.
 */
function forgetAtConnect(prototype: Prototype): void {
  const { connect } = prototype;
  prototype.connect = function connectAnew(this: Prototype): Promise<boolean> {
    if (!this.isConnected()) {
      this.chunks = [];
      this.bytesBuffered = 0;
      this.bytesNeeded = INT32_BYTES;
    }
    return connect.call(this);
  };
}

/**
 * kafkajs asks again on the connection on which an answer has not come in time. When that connection is half-open, none will ever come: it is
 * cut, and what was asked on it meanwhile fails at once.
 */
function leaveAfterTimeout(prototype: Prototype): void {
  const { send } = prototype;
  prototype.send = async function sendOrLeave(this: Prototype, protocol) {
    const { socket } = this;
    try {
      return await send.call(this, protocol);
    } catch (error) {
      if ((error as Error).name === REQUEST_TIMED_OUT) socket?.destroy(error as Error);
      throw error;
    }
  };
}
