/**
 * How many bytes `text` takes as UTF-8, or undefined when MQTT 5 forbids the text at any length: it holds U+0000 [MQTT-1.5.4-2]
 * or half of a surrogate pair [MQTT-1.5.4-1].
 */
export function utf8Length(text: string): number | undefined {
  let bytes = text.length;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit === 0) return undefined;
    if (unit < 0x80) continue;
    bytes += 1;
    if (unit < 0x800) continue;
    bytes += 1;
    if (unit < 0xd800 || unit > 0xdfff) continue;
    if (unit > 0xdbff || !isLowSurrogate(text.charCodeAt(i + 1))) return undefined;
    // four bytes from two units: two counted with the length, one and one above
    i += 1;
  }
  return bytes;
}

/** Past the end of a text the unit is NaN, which is none. */
function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
