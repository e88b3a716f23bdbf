import type { AmqpHeaders } from "../model/route.ts";
import { amqpValue } from "./amqp-value.ts";
import { LONGEST_TEXT } from "./user-property-list.ts";
import { textFromUtf8 } from "./utf8.ts";

/** A header's value as text, AMQP-encoded values decoded (S-22); its bytes when they are no text that MQTT can carry. */
export function headerValue(bytes: Uint8Array, amqpHeaders: AmqpHeaders): string | Uint8Array {
  if (amqpHeaders !== "Never") {
    const value = amqpValue(bytes, amqpHeaders === "Always");
    if (value !== undefined) return value;
  }
  // what is too long is not worth decoding: it is removed whatever it says
  return bytes.length > LONGEST_TEXT ? bytes : (textFromUtf8(bytes) ?? bytes);
}
