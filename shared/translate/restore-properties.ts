import type { KafkaHeader } from "../model/kafka-record.ts";
import type { PublishProperties } from "../model/publish.ts";
import type { AmqpHeaders } from "../model/route.ts";
import { topicNameProblem } from "../topics/topic-name.ts";
import {
  CONTENT_TYPE,
  CORRELATION_DATA,
  MESSAGE_EXPIRY_INTERVAL,
  PAYLOAD_FORMAT_INDICATOR,
  RESPONSE_TOPIC,
} from "./header-names.ts";
import { headerValue } from "./header-value.ts";
import { LONGEST_TEXT } from "./user-property-list.ts";

/** The properties of a PUBLISH while they are being gathered. */
export type PropertiesInProgress = {
  -readonly [Name in keyof PublishProperties]: PublishProperties[Name];
};

const LARGEST_INTERVAL = 0xffff_ffff;

const BUILT_INS: ReadonlyMap<string, keyof PublishProperties> = new Map([
  [PAYLOAD_FORMAT_INDICATOR, "payloadFormatIndicator"],
  [MESSAGE_EXPIRY_INTERVAL, "messageExpiryInterval"],
  [RESPONSE_TOPIC, "responseTopic"],
  [CORRELATION_DATA, "correlationData"],
  [CONTENT_TYPE, "contentType"],
]);

/**
 * Takes the header as the built-in property that S-10 wrote it from (S-24). False when it is none, when there is one already, or
 * when its value is none that the property can have: then it is an ordinary header.
 */
export function restoreProperty(
  into: PropertiesInProgress,
  [name, bytes]: KafkaHeader,
  amqpHeaders: AmqpHeaders,
): boolean {
  const property = BUILT_INS.get(name);
  if (property === undefined || bytes === null || into[property] !== undefined) return false;
  if (property === "correlationData") {
    // any bytes are Correlation Data, also those that look like AMQP
    if (bytes.length > LONGEST_TEXT) return false;
    into.correlationData = bytes;
    return true;
  }
  const value = headerValue(bytes, amqpHeaders);
  return typeof value === "string" && restoreText(into, property, value);
}

function restoreText(
  into: PropertiesInProgress,
  property: keyof PublishProperties,
  value: string,
): boolean {
  switch (property) {
    case "payloadFormatIndicator":
      if (value !== "0" && value !== "1") return false;
      into.payloadFormatIndicator = value === "1" ? 1 : 0;
      return true;
    case "messageExpiryInterval":
      if (!/^\d{1,10}$/.test(value) || Number(value) > LARGEST_INTERVAL) return false;
      into.messageExpiryInterval = Number(value);
      return true;
    case "responseTopic":
      // [MQTT-3.3.2-14]: a server would close the connection for a wildcard
      if (topicNameProblem(value) !== undefined) return false;
      into.responseTopic = value;
      return true;
    default:
      into.contentType = value;
      return true;
  }
}
