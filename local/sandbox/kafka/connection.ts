import type { Socket } from "node:net";
import type { Api, ApiContext, Authentication } from "./api.ts";
import { APIS } from "./api-table.ts";
import type { BrokerState } from "./broker-state.ts";
import { ByteReader, MalformedRequest } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { ERROR } from "./error-codes.ts";
import { type FaultHook, type FaultPlan, planFaults } from "./faults.ts";
import { FrameSplitter } from "./frame-splitter.ts";

const API_VERSIONS = 18;
const SASL_HANDSHAKE = 17;
const SASL_AUTHENTICATE = 36;
/** What a client that has not logged in may ask. */
const BEFORE_LOGIN: readonly number[] = [API_VERSIONS, SASL_HANDSHAKE, SASL_AUTHENTICATE];
/** Frames that may wait behind the one being served before the socket is left alone. */
const MOST_WAITING = 16;

/** What a connection needs of its broker. */
export interface ConnectionHost {
  readonly state: BrokerState;
  faultHook(): FaultHook | undefined;
  closed(connection: Connection): void;
}

interface RequestHeader {
  readonly api: Api;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string | null;
}

/** One client's connection. Requests are served one after the other, as their answers must keep the order. */
export class Connection {
  private readonly socket: Socket;
  private readonly host: ConnectionHost;
  private readonly splitter: FrameSplitter;
  private readonly waiting: Buffer[] = [];
  private readonly authentication: Authentication;
  private readonly abandoned = new Set<() => void>();
  private isServing = false;

  constructor(socket: Socket, host: ConnectionHost) {
    this.socket = socket;
    this.host = host;
    const { settings } = host.state;
    this.splitter = new FrameSplitter(settings.maxRequestBytes);
    this.authentication = {
      mechanism: undefined,
      done: settings.users === undefined,
      failed: false,
    };
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.received(chunk));
    // what ends a connection is the client's affair; "close" follows
    socket.on("error", () => {});
    socket.on("close", () => {
      for (const abandon of [...this.abandoned]) abandon();
      host.closed(this);
    });
  }

  destroy(): void {
    this.socket.destroy();
  }

  private received(chunk: Buffer): void {
    try {
      this.waiting.push(...this.splitter.push(chunk));
    } catch (cause) {
      this.fail(cause);
      return;
    }
    if (this.waiting.length > MOST_WAITING) this.socket.pause();
    if (!this.isServing) void this.serveWaiting();
  }

  private async serveWaiting(): Promise<void> {
    this.isServing = true;
    try {
      for (;;) {
        const frame = this.waiting.shift();
        if (frame === undefined || this.socket.destroyed) break;
        await this.serve(frame);
        if (this.waiting.length === 0 && this.socket.isPaused()) this.socket.resume();
      }
    } catch (cause) {
      this.fail(cause);
    }
    this.isServing = false;
  }

  /** Nothing that a client sends may end more than its own connection. */
  private fail(cause: unknown): void {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const level = cause instanceof MalformedRequest ? "debug" : "error";
    this.host.state.log(level, "The sandbox Kafka broker closed a connection", { reason });
    this.destroy();
  }

  private async serve(frame: Buffer): Promise<void> {
    const reader = new ByteReader(frame);
    const header = this.readHeader(reader);
    if (header === undefined) return;
    const { api, apiVersion, correlationId, clientId } = header;
    const request = api.open(reader, apiVersion);
    const faults = planFaults(
      this.host.faultHook(),
      { apiKey: api.key, apiName: api.name, apiVersion, clientId },
      request.targets,
    );
    if (faults.delayMs > 0) await this.pause(faults.delayMs);
    if (faults.close === "before") this.destroy();
    if (faults.blackhole === "before" || this.socket.destroyed) return;
    const encode = await request.serve(this.context(header, faults));
    if (faults.close === "after") this.destroy();
    if (encode === undefined || faults.blackhole === "after" || this.socket.destroyed) return;
    const writer = new ByteWriter().int32(correlationId);
    encode(writer, { version: apiVersion, throttleTimeMs: faults.throttleTimeMs });
    await this.write(writer);
    if (faults.throttleTimeMs > 0) await this.pause(faults.throttleTimeMs);
    if (this.authentication.failed) this.socket.end();
  }

  /**
   * Request header: api_key int16, api_version int16, correlation_id int32, client_id string, and tagged fields for flexible versions.
   * Undefined when it was answered already.
   */
  private readHeader(reader: ByteReader): RequestHeader | undefined {
    const apiKey = reader.int16();
    const apiVersion = reader.int16();
    const correlationId = reader.int32();
    const clientId = reader.nullableString();
    const api = APIS.get(apiKey);
    if (api === undefined) throw new MalformedRequest(`API key ${apiKey} is not supported`);
    const isSupported = apiVersion >= api.minVersion && apiVersion <= api.maxVersion;
    if (!isSupported && apiKey === API_VERSIONS) {
      this.answerInVersion0(api, correlationId);
      return undefined;
    }
    if (!isSupported) {
      throw new MalformedRequest(`${api.name} version ${apiVersion} is not supported`);
    }
    if (!this.authentication.done && !BEFORE_LOGIN.includes(apiKey)) {
      throw new MalformedRequest(`${api.name} before SaslAuthenticate is not allowed`);
    }
    if (apiVersion >= api.flexibleFrom) skipTaggedFields(reader);
    return { api, apiVersion, correlationId, clientId };
  }

  /** A client newer than this broker learns from it which version to ask with. */
  private answerInVersion0(api: Api, correlationId: number): void {
    const writer = new ByteWriter().int32(correlationId).int16(ERROR.unsupportedVersion);
    writer.int32(1).int16(api.key).int16(api.minVersion).int16(api.maxVersion);
    void this.write(writer);
  }

  private context(header: RequestHeader, faults: FaultPlan): ApiContext {
    return {
      state: this.host.state,
      apiVersion: header.apiVersion,
      clientId: header.clientId ?? "",
      clientHost: `/${this.socket.remoteAddress ?? ""}`,
      localAddress: this.socket.localAddress ?? "",
      authentication: this.authentication,
      faults,
      onAbandon: (fn) => this.onAbandon(fn),
    };
  }

  private onAbandon(fn: () => void): () => void {
    this.abandoned.add(fn);
    return () => this.abandoned.delete(fn);
  }

  /** Resolves when the socket has room again, or is gone. */
  private write(writer: ByteWriter): Promise<void> {
    this.socket.cork();
    let hasRoom = true;
    for (const piece of writer.frame()) hasRoom = this.socket.write(piece);
    this.socket.uncork();
    if (hasRoom || this.socket.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      const undo = this.onAbandon(resolve);
      this.socket.once("drain", () => {
        undo();
        resolve();
      });
    });
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const undo: (() => void)[] = [];
      const done = (): void => {
        for (const undoOne of undo) undoOne();
        resolve();
      };
      undo.push(this.host.state.clock.after(ms, done), this.onAbandon(done));
    });
  }
}

/** Tagged fields: count, then tag, length and bytes of each. None means anything to this broker. */
function skipTaggedFields(reader: ByteReader): void {
  const count = reader.unsignedVarint();
  for (let i = 0; i < count; i += 1) {
    reader.unsignedVarint();
    reader.skip(reader.unsignedVarint());
  }
}
