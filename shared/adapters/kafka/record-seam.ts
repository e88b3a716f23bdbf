/**
 * Where our codec meets kafkajs: the bodies of Fetch responses and Produce requests are ours, the rest of the protocol is kafkajs'.
 * Its own codec keeps headers in a plain object (order between names, integer-like names and `constructor` are lost) and is slow.
 */
import { requests } from "kafkajs/src/protocol/requests/index.js";
import { decodeFetchResponse, OldFormat } from "./fetch-response.ts";
import { encodeProduceRequest, type ProduceOptions } from "./produce-request.ts";

let patched = false;

/** Puts our codec in place, once per process. @throws TypeError when kafkajs is not built as version 2.2.4 is */
export function useOurCodec(): void {
  if (patched) return;
  const { Fetch, Produce } = requests;
  if (typeof Fetch?.protocol !== "function" || typeof Produce?.protocol !== "function") {
    throw new TypeError(
      "kafkajs has no Fetch and Produce requests to replace: is it version 2.2.4?",
    );
  }
  const fetch = Fetch.protocol;
  Fetch.protocol = ({ version }) => {
    const original = fetch({ version });
    if (version < 4) return original;
    return (options) => {
      const protocol = original(options);
      const { response } = protocol;
      return {
        ...protocol,
        response: {
          parse: response.parse,
          decode: (raw) => decode(raw, version, response.decode),
        },
      };
    };
  };
  const produce = Produce.protocol;
  Produce.protocol = ({ version }) => {
    const original = produce({ version });
    if (version < 3) return original;
    return (options) => {
      const protocol = original(options);
      return { ...protocol, request: { ...protocol.request, encode: () => encode(options) } };
    };
  };
  patched = true;
}

async function decode(
  raw: Buffer,
  version: number,
  old: (raw: Buffer) => Promise<unknown>,
): Promise<unknown> {
  try {
    return decodeFetchResponse(raw, version);
  } catch (cause) {
    if (cause instanceof OldFormat) return old(raw);
    throw cause;
  }
}

/** kafkajs copies `buffer` behind its own request header, and looks at `buf` to tell that this is an encoder. */
async function encode(options: Record<string, unknown>): Promise<unknown> {
  const buffer = encodeProduceRequest(options as unknown as ProduceOptions, Date.now());
  return { buffer, buf: buffer, size: () => buffer.length };
}
