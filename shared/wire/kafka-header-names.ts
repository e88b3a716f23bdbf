/**
 * Header names repeat from record to record: a small memory of them spares most of the work of turning bytes into text and back.
 * It forgets by overwriting, so that names that never repeat cost no memory.
 */
const SLOTS = 256;
const LONGEST = 64;

interface Known {
  readonly bytes: Uint8Array;
  readonly text: string;
}

const known: (Known | undefined)[] = new Array<Known | undefined>(SLOTS);
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The UTF-8 text of `bytes[start, end)`; what is no UTF-8 becomes U+FFFD. */
export function headerNameAt(bytes: Uint8Array, start: number, end: number): string {
  const length = end - start;
  if (length > LONGEST || length === 0) return decode(bytes, start, end);
  const slot =
    (length * 31 + (bytes[start] as number) * 7 + (bytes[end - 1] as number) * 17) & (SLOTS - 1);
  const found = known[slot];
  if (found !== undefined && equal(found.bytes, bytes, start, length)) return found.text;
  const text = decode(bytes, start, end);
  known[slot] = { bytes: bytes.slice(start, end), text };
  return text;
}

function decode(bytes: Uint8Array, start: number, end: number): string {
  return decoder.decode(bytes.subarray(start, end));
}

function equal(name: Uint8Array, bytes: Uint8Array, start: number, length: number): boolean {
  if (name.length !== length) return false;
  for (let i = 0; i < length; i += 1) if (name[i] !== bytes[start + i]) return false;
  return true;
}

const encoded = new Map<string, Uint8Array>();
const encoder = new TextEncoder();

/** The UTF-8 bytes of a header name. Not to be changed by the caller. */
export function headerNameBytes(name: string): Uint8Array {
  let bytes = encoded.get(name);
  if (bytes !== undefined) return bytes;
  bytes = encoder.encode(name);
  if (name.length > LONGEST) return bytes;
  if (encoded.size >= SLOTS) encoded.clear();
  encoded.set(name, bytes);
  return bytes;
}
