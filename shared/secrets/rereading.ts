import { type BridgeError, toBridgeError } from "../errors.ts";
import type { KafkaEndpoint, MqttEndpoint } from "../model/endpoint.ts";

export interface Rereading<E> {
  /** Reads the endpoint with its secrets. */
  read(): Promise<E>;
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Told when other secrets were read than the time before. */
  changed(): void;
  /** Told when they could not be read: those of the last time are used on. */
  failed(error: BridgeError): void;
}

/** A process opens several connections at once: one reading serves them all. */
const FRESH_MS = 1000;

/**
 * Reads an endpoint, and gives it a `reread` that reads its secrets anew. Where that fails, be it that a file is being replaced at this
 * moment, the last good ones stay: they may still serve, and the next connection reads again. @throws what the first `read` throws
 */
export async function rereading<E extends KafkaEndpoint | MqttEndpoint>(
  options: Rereading<E>,
): Promise<E> {
  const first = await options.read();
  let last: E = { ...first, reread };
  let readAt = options.now();
  let reading: Promise<E> | undefined;

  async function read(): Promise<E> {
    try {
      const next = await options.read();
      // functions, which give tokens, are asked at every use: JSON leaves them out
      if (JSON.stringify(last) !== JSON.stringify(next)) options.changed();
      last = { ...next, reread };
    } catch (cause) {
      options.failed(toBridgeError(cause, "SECRET_MISSING", "Cannot read the secrets anew"));
    }
    readAt = options.now();
    reading = undefined;
    return last;
  }

  function reread(): Promise<E> {
    if (Math.abs(options.now() - readAt) < FRESH_MS) return Promise.resolve(last);
    reading ??= read();
    return reading;
  }

  return last;
}
