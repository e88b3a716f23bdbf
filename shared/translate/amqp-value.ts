import { decimalText } from "./amqp-decimal.ts";
import { rfc3339 } from "./rfc3339.ts";
import { textFromUtf8 } from "./utf8.ts";

type Decode = (content: DataView) => string | undefined;

interface FixedWidth {
  readonly width: number;
  readonly decode: Decode;
}

const fixed = (width: number, decode: Decode): FixedWidth => ({ width, decode });
const constant = (text: string): FixedWidth => fixed(0, () => text);

/** AMQP 1.0, part 1, section 1.6: every constructor of a primitive of fixed width. */
const FIXED: ReadonlyMap<number, FixedWidth> = new Map([
  [0x40, constant("")], // null: as a null header (S-21)
  [0x41, constant("true")],
  [0x42, constant("false")],
  [0x43, constant("0")], // uint0
  [0x44, constant("0")], // ulong0
  [0x50, fixed(1, (v) => String(v.getUint8(0)))], // ubyte
  [0x51, fixed(1, (v) => String(v.getInt8(0)))], // byte
  [0x52, fixed(1, (v) => String(v.getUint8(0)))], // smalluint
  [0x53, fixed(1, (v) => String(v.getUint8(0)))], // smallulong
  [0x54, fixed(1, (v) => String(v.getInt8(0)))], // smallint
  [0x55, fixed(1, (v) => String(v.getInt8(0)))], // smalllong
  [0x56, fixed(1, booleanText)],
  [0x60, fixed(2, (v) => String(v.getUint16(0)))], // ushort
  [0x61, fixed(2, (v) => String(v.getInt16(0)))], // short
  [0x70, fixed(4, (v) => String(v.getUint32(0)))], // uint
  [0x71, fixed(4, (v) => String(v.getInt32(0)))], // int
  [0x72, fixed(4, (v) => floatText(v.getFloat32(0)))],
  [0x73, fixed(4, charText)],
  [0x74, fixed(4, (v) => decimalText(bytesOf(v), 4))],
  [0x80, fixed(8, (v) => String(v.getBigUint64(0)))], // ulong
  [0x81, fixed(8, (v) => String(v.getBigInt64(0)))], // long
  [0x82, fixed(8, (v) => String(v.getFloat64(0)))], // double
  [0x83, fixed(8, (v) => rfc3339(Number(v.getBigInt64(0))))],
  [0x84, fixed(8, (v) => decimalText(bytesOf(v), 8))],
  [0x94, fixed(16, (v) => decimalText(bytesOf(v), 16))],
  [0x98, fixed(16, uuidText)],
]);

interface VariableWidth {
  /** Bytes of the length that stands before the content. */
  readonly lengthWidth: 1 | 4;
  /** A binary that is no text is still a value; a string that is no UTF-8 is none. */
  readonly isBinary: boolean;
}

/** The same of variable width: binary, string and symbol. */
const VARIABLE: ReadonlyMap<number, VariableWidth> = new Map([
  [0xa0, { lengthWidth: 1, isBinary: true }],
  [0xa1, { lengthWidth: 1, isBinary: false }],
  [0xa3, { lengthWidth: 1, isBinary: false }],
  [0xb0, { lengthWidth: 4, isBinary: true }],
  [0xb1, { lengthWidth: 4, isBinary: false }],
  [0xb3, { lengthWidth: 4, isBinary: false }],
]);

const FIRST_THAT_BEGINS_NO_TEXT = 0x80;

/**
 * A header value that holds exactly one AMQP 1.0 primitive, to its last byte (S-22): its text, or the bytes of a binary that are
 * no text. Undefined for anything else. Without `always`, only constructors from 0x80 on count: no UTF-8 text begins with those.
 */
export function amqpValue(bytes: Uint8Array, always: boolean): string | Uint8Array | undefined {
  const code = bytes[0] ?? 0;
  if (!always && code < FIRST_THAT_BEGINS_NO_TEXT) return undefined;
  const fixedWidth = FIXED.get(code);
  if (fixedWidth !== undefined) {
    const { width, decode } = fixedWidth;
    if (bytes.length !== 1 + width) return undefined;
    return decode(new DataView(bytes.buffer, bytes.byteOffset + 1, width));
  }
  const variable = VARIABLE.get(code);
  const content = variable && contentAfterLength(bytes, variable.lengthWidth);
  if (content === undefined) return undefined;
  return textFromUtf8(content) ?? (variable?.isBinary ? content : undefined);
}

/** The bytes of exactly one AMQP 1.0 binary, string or symbol, whatever they are; undefined for anything else. */
export function amqpBytes(bytes: Uint8Array): Uint8Array | undefined {
  const variable = VARIABLE.get(bytes[0] ?? 0);
  return variable && contentAfterLength(bytes, variable.lengthWidth);
}

/** What follows the constructor and the length, when it is exactly as long as the length says. */
function contentAfterLength(bytes: Uint8Array, lengthWidth: 1 | 4): Uint8Array | undefined {
  const start = 1 + lengthWidth;
  let length = 0;
  for (const byte of bytes.subarray(1, start)) length = length * 256 + byte;
  return bytes.length === start + length ? bytes.subarray(start) : undefined;
}

function bytesOf(view: DataView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function booleanText(view: DataView): string | undefined {
  const byte = view.getUint8(0);
  if (byte > 1) return undefined;
  return byte === 1 ? "true" : "false";
}

/** The shortest decimal that is read back as the same float: 11.9, not 11.899999618530273. */
function floatText(value: number): string {
  for (let precision = 1; precision < 9; precision += 1) {
    const short = Number(value.toPrecision(precision));
    if (Math.fround(short) === value) return String(short);
  }
  return String(Number(value.toPrecision(9)));
}

/** UTF-32BE; surrogates and U+0000 are no characters that MQTT allows. */
function charText(view: DataView): string | undefined {
  const code = view.getUint32(0);
  if (code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return undefined;
  return String.fromCodePoint(code);
}

function uuidText(view: DataView): string {
  const hex = Array.from(bytesOf(view), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
