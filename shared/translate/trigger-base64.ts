const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const VALUES: Uint8Array = new Uint8Array(128).fill(255);
for (const [i, letter] of [...ALPHABET].entries()) VALUES[letter.charCodeAt(0)] = i;

/** The bytes of canonical, padded Base64, as .NET writes it; undefined for any other text. */
export function bytesFromBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined;
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  let at = 0;
  const whole = padding === 0 ? text.length : text.length - 4;
  for (let i = 0; i < whole; i += 4) {
    const group = groupAt(text, i, 4);
    if (group < 0) return undefined;
    bytes[at] = group >> 16;
    bytes[at + 1] = group >> 8;
    bytes[at + 2] = group;
    at += 3;
  }
  if (padding === 0) return bytes;
  const group = groupAt(text, whole, 4 - padding);
  // bits that are left over must be zero, or two texts would mean the same bytes
  if (group < 0 || (group & (padding === 2 ? 0xffff : 0xff)) !== 0) return undefined;
  bytes[at] = group >> 16;
  if (padding === 1) bytes[at + 1] = group >> 8;
  return bytes;
}

/** 24 bits of up to four digits, the missing ones zero; negative when one is no digit. */
function groupAt(text: string, at: number, digits: number): number {
  let group = 0;
  for (let i = 0; i < 4; i += 1) {
    const value = i < digits ? (VALUES[text.charCodeAt(at + i)] ?? 255) : 0;
    if (value === 255) return -1;
    group = (group << 6) | value;
  }
  return group;
}
