import { Opaque } from "../expressions/inputs.ts";
import type { MessageView } from "../expressions/scope.ts";
import type { KafkaRecord } from "../model/kafka-record.ts";
import type { Publish } from "../model/publish.ts";
import type { AmqpHeaders } from "../model/route.ts";
import { CONTENT_TYPE, KEY, TIMESTAMP } from "./header-names.ts";
import { headerValue } from "./header-value.ts";
import { textFromUtf8 } from "./utf8.ts";

const NO_TEXT = new Opaque("bytes that are no text");

/** A record as a transform sees it: headers as text, and its key and timestamp by the names of S-20. */
export function recordView(
  record: KafkaRecord,
  payload: Uint8Array,
  amqpHeaders: AmqpHeaders,
): MessageView {
  const property = (name: string): string | Opaque | undefined => {
    const bytes = record.headers.find(([known]) => known === name)?.[1];
    if (bytes !== undefined && bytes !== null) {
      const value = headerValue(bytes, amqpHeaders);
      return typeof value === "string" ? value : NO_TEXT;
    }
    if (name === KEY)
      return record.key === null ? undefined : (textFromUtf8(record.key) ?? NO_TEXT);
    return name === TIMESTAMP && record.timestamp >= 0 ? String(record.timestamp) : undefined;
  };
  return {
    payload,
    topic: record.topic,
    get contentType(): string | undefined {
      const found = property(CONTENT_TYPE) ?? property("content-type");
      return typeof found === "string" ? found : undefined;
    },
    property,
  };
}

/** A message as a transform sees it. */
export function publishView({ payload, topicName, properties }: Publish): MessageView {
  return {
    payload,
    topic: topicName,
    contentType: properties.contentType,
    property: (wanted) => properties.userProperties.find(([name]) => name === wanted)?.[1],
  };
}
