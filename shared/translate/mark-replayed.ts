import type { OutgoingRecord } from "../model/kafka-record.ts";
import type { Publish } from "../model/publish.ts";
import type { Translation } from "../model/translation.ts";
import { REPLAYED } from "./replay-mark.ts";
import { utf8FromText } from "./utf8.ts";

/** The same message with a User Property at the end that says how often it was dead-lettered before. */
export function replayedPublish(
  translation: Translation<Publish>,
  attempts: number,
): Translation<Publish> {
  if (translation.kind !== "translated") return translation;
  const { message } = translation;
  const { userProperties } = message.properties;
  const properties = {
    ...message.properties,
    userProperties: [...userProperties, [REPLAYED, String(attempts)] as const],
  };
  return { ...translation, message: { ...message, properties } };
}

/** The same record with a header at the end that says how often it was dead-lettered before. */
export function replayedRecord(
  translation: Translation<OutgoingRecord>,
  attempts: number,
): Translation<OutgoingRecord> {
  if (translation.kind !== "translated") return translation;
  const { message } = translation;
  const headers = [...message.headers, [REPLAYED, utf8FromText(String(attempts))] as const];
  return { ...translation, message: { ...message, headers } };
}
