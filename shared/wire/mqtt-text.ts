const CACHED_LENGTH = 64;
const SLOTS = 1024;

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads MQTT UTF-8 Encoded Strings. Short ASCII texts, such as topic names and the names of user properties, repeat from
 * message to message: they are looked up in a small table instead of being made anew.
 */
export class TextReader {
  private readonly table: (string | undefined)[] = new Array<string | undefined>(SLOTS).fill(
    undefined,
  );

  /** The text of `bytes[start..end)`, or undefined when it is not UTF-8 or holds U+0000 [MQTT-1.5.4-1] [MQTT-1.5.4-2]. */
  read(bytes: Buffer, start: number, end: number): string | undefined {
    const length = end - start;
    if (length > CACHED_LENGTH) return readAny(bytes, start, end);
    let hash = length;
    for (let at = start; at < end; at += 1) {
      const byte = bytes[at] as number;
      if (byte > 127 || byte === 0) return readAny(bytes, start, end);
      hash = (Math.imul(hash, 31) + byte) | 0;
    }
    const slot = (hash ^ (hash >>> 10)) & (SLOTS - 1);
    const known = this.table[slot];
    if (known !== undefined && known.length === length && sameAscii(known, bytes, start)) {
      return known;
    }
    const text = bytes.toString("latin1", start, end);
    this.table[slot] = text;
    return text;
  }
}

function sameAscii(text: string, bytes: Buffer, start: number): boolean {
  for (let i = 0; i < text.length; i += 1) {
    if (text.charCodeAt(i) !== bytes[start + i]) return false;
  }
  return true;
}

function readAny(bytes: Buffer, start: number, end: number): string | undefined {
  const text = bytes.toString("utf8", start, end);
  if (text.includes("\0")) return undefined;
  // Lenient decoding turns whatever is malformed into U+FFFD: only texts that hold one need the strict, slower check.
  if (text.includes("\uFFFD") && !isUtf8(bytes.subarray(start, end))) return undefined;
  return text;
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    strictUtf8.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

const LOOP_LENGTH = 40;

/** Bytes of `text` as UTF-8, or -1 when it holds U+0000 or is longer than the 65,535 bytes an MQTT string may have. */
export function textLength(text: string): number {
  const { length } = text;
  if (length <= LOOP_LENGTH) {
    let i = 0;
    while (i < length) {
      const code = text.charCodeAt(i);
      if (code > 127 || code === 0) break;
      i += 1;
    }
    if (i === length) return length;
  }
  if (text.includes("\0")) return -1;
  const bytes = Buffer.byteLength(text);
  return bytes > 65_535 ? -1 : bytes;
}

/** Writes `text` with its two-byte length at `offset`; returns the offset after it. {@link textLength} must have accepted it. */
export function writeText(target: Buffer, offset: number, text: string): number {
  const { length } = text;
  const start = offset + 2;
  if (length <= LOOP_LENGTH) {
    let i = 0;
    while (i < length) {
      const code = text.charCodeAt(i);
      if (code > 127) break;
      target[start + i] = code;
      i += 1;
    }
    if (i === length) {
      target[offset] = length >>> 8;
      target[offset + 1] = length & 255;
      return start + length;
    }
  }
  const bytes = target.write(text, start, "utf8");
  target[offset] = bytes >>> 8;
  target[offset + 1] = bytes & 255;
  return start + bytes;
}

/** Control characters and noncharacters: allowed, advised against, and a reason to close the connection [MQTT-1.5.4]. U+0000 is not allowed at all. */
const DISCOURAGED = /[\p{Cc}\p{Noncharacter_Code_Point}]/u;

/** Whether a server may close the connection on this text alone, though it is legal. */
export function isDiscouraged(text: string): boolean {
  return DISCOURAGED.test(text);
}
