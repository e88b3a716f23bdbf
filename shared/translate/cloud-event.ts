import type { UserProperty } from "../model/publish.ts";
import type { CloudEventsMode, CloudEventsPrefix } from "../model/route.ts";
import { rfc3339 } from "./rfc3339.ts";

/** What is generated for an event that lacks it (S-40). */
export interface CloudEventDefaults {
  readonly mode: CloudEventsMode;
  /** `aio://<target name>` */
  readonly source: string;
  /** False: attributes of CloudEvents travel, ordinary headers and user properties do not. */
  readonly copyOthers: boolean;
}

/** What of one message goes into generated attributes. */
export interface EventOccasion {
  /** The topic that the message is sent to. */
  readonly subject: string;
  readonly now: number;
  newId(): string;
  /** What a map made of the payload, where there is one: it wins over what the event says. */
  readonly output?: {
    readonly contentType: string | undefined;
    readonly schema: string | undefined;
  };
  /** Names that go out in any case: a map wrote them. */
  readonly written?: ReadonlySet<string>;
}

/** A message's User Properties, and its Content Type when the event has a datacontenttype. */
export interface MqttCloudEvent {
  readonly pairs: readonly UserProperty[];
  readonly contentType: string | undefined;
}

const REQUIRED = ["specversion", "type", "source", "id"] as const;
const WELL_KNOWN: ReadonlySet<string> = new Set([
  ...REQUIRED,
  "subject",
  "time",
  "datacontenttype",
  "dataschema",
]);
const DATA_CONTENT_TYPE = "datacontenttype";
const DATA_SCHEMA = "dataschema";
/** The Kafka header for datacontenttype, and for the media type of structured mode (CE-Kafka 3.2.1, 3.3). */
const CONTENT_TYPE_HEADER = "content-type";

/** Structured or batched mode: the attributes are in the payload (CE-MQTT 3). */
function isStructured(contentType: string | undefined): boolean {
  return contentType?.toLowerCase().startsWith("application/cloudevents") ?? false;
}

/**
 * The attribute that a header or User Property stands for: behind a prefix any legal attribute name (CE 1.0: small letters and digits),
 * without one the well-known names. Only MQTT gives extension attributes no prefix either (CE-MQTT 3.1.3.1).
 */
function attributeOf(name: string, bareExtensions: boolean): string | undefined {
  const isPrefixed = name.startsWith("ce_") || name.startsWith("ce-");
  const attribute = isPrefixed ? name.slice(3) : name;
  if (isPrefixed || bareExtensions) return /^[a-z0-9]+$/.test(attribute) ? attribute : undefined;
  return WELL_KNOWN.has(attribute) ? attribute : undefined;
}

function attributeNames(pairs: readonly UserProperty[]): Set<string> {
  const names = new Set<string>();
  for (const [name] of pairs) {
    const attribute = attributeOf(name, false);
    if (attribute !== undefined) names.add(attribute);
  }
  return names;
}

function isComplete(attributes: ReadonlySet<string>): boolean {
  return REQUIRED.every((name) => attributes.has(name));
}

/** The attributes that CreateOrRemap generates where they are missing, in the order of the documents' table. */
function missingAttributes(
  present: ReadonlySet<string>,
  defaults: CloudEventDefaults,
  occasion: EventOccasion,
): UserProperty[] {
  const generated: UserProperty[] = [];
  const add = (name: string, value: string | undefined): void => {
    if (value !== undefined) generated.push([name, value]);
  };
  if (!present.has("specversion")) add("specversion", "1.0");
  if (!present.has("type")) add("type", "ms.aio-dataflow.telemetry");
  if (!present.has("source")) add("source", defaults.source);
  if (!present.has("id")) add("id", occasion.newId());
  if (!present.has("subject")) add("subject", occasion.subject);
  if (!present.has("time")) add("time", rfc3339(occasion.now));
  return generated;
}

/** Whether a header or User Property that is no attribute goes out. */
type Travels = (pair: UserProperty) => boolean;

function travelling({ copyOthers }: CloudEventDefaults, { written }: EventOccasion): Travels {
  return ([name]) => copyOthers || written?.has(name) === true;
}

interface Remapped {
  readonly pairs: UserProperty[];
  readonly dataContentType: string | undefined;
}

/** Every attribute under its new name where it stood, and datacontenttype, which is written elsewhere, taken out. */
function remap(
  pairs: readonly UserProperty[],
  prefix: CloudEventsPrefix | "",
  options: { readonly bareExtensions: boolean; readonly travels: Travels },
): Remapped {
  const remapped: UserProperty[] = [];
  let dataContentType: string | undefined;
  for (const pair of pairs) {
    const attribute = attributeOf(pair[0], options.bareExtensions);
    if (attribute === DATA_CONTENT_TYPE) dataContentType ??= pair[1];
    else if (attribute !== undefined) remapped.push([prefix + attribute, pair[1]]);
    else if (options.travels(pair)) remapped.push(pair);
  }
  return { pairs: remapped, dataContentType };
}

/** Whether a Kafka header can be part of a CloudEvent: nothing else travels when copying is off. */
export function isCloudEventHeader(name: string): boolean {
  return name === CONTENT_TYPE_HEADER || attributeOf(name, false) !== undefined;
}

/**
 * The headers of a Kafka record as the User Properties and Content Type of an MQTT CloudEvent. What is no CloudEvent, and is not to
 * become one, stays as it is (S-41).
 */
export function cloudEventToMqtt(
  headers: UserProperty[],
  defaults: CloudEventDefaults,
  occasion: EventOccasion,
): MqttCloudEvent {
  const travels = travelling(defaults, occasion);
  const header = headers.find(([name]) => name === CONTENT_TYPE_HEADER);
  const others = headers.filter((pair) => pair !== header);
  if (isStructured(header?.[1])) {
    return { pairs: others.filter(travels), contentType: header?.[1] };
  }
  const present = attributeNames(headers);
  const complete = isComplete(present);
  if (!complete && defaults.mode !== "CreateOrRemap") {
    return { pairs: headers.filter(travels), contentType: undefined };
  }
  const { pairs, dataContentType } = remap(others, "", { bareExtensions: false, travels });
  if (!complete) pairs.push(...missingAttributes(present, defaults, occasion));
  setSchema(pairs, DATA_SCHEMA, occasion);
  return { pairs, contentType: occasion.output?.contentType ?? header?.[1] ?? dataContentType };
}

/**
 * The User Properties of a message as the headers of a Kafka CloudEvent, `content-type` first. What is no CloudEvent, and is not to
 * become one, stays as it is (S-41).
 */
export function cloudEventToKafka(
  message: MqttCloudEvent,
  prefix: CloudEventsPrefix,
  defaults: CloudEventDefaults,
  occasion: EventOccasion,
): UserProperty[] {
  const travels = travelling(defaults, occasion);
  const asItIs = message.pairs.filter(travels);
  if (message.contentType !== undefined && isStructured(message.contentType)) {
    return [[CONTENT_TYPE_HEADER, message.contentType], ...asItIs];
  }
  const present = attributeNames(message.pairs);
  const complete = isComplete(present);
  if (!complete && defaults.mode !== "CreateOrRemap") return [...asItIs];
  const remapped = remap(message.pairs, prefix, { bareExtensions: complete, travels });
  const contentType =
    occasion.output?.contentType ?? message.contentType ?? remapped.dataContentType;
  const headers = [...contentTypeHeaders(contentType, prefix), ...remapped.pairs];
  if (!complete) {
    for (const [name, value] of missingAttributes(present, defaults, occasion)) {
      headers.push([prefix + name, value]);
    }
  }
  setSchema(headers, prefix + DATA_SCHEMA, occasion);
  return headers;
}

/** `dataschema` is that of the payload that goes out. */
function setSchema(pairs: UserProperty[], name: string, { output }: EventOccasion): void {
  if (output?.schema === undefined) return;
  const at = pairs.findIndex(([known]) => known === name);
  if (at < 0) pairs.push([name, output.schema]);
  else pairs[at] = [name, output.schema];
}

/** The binding has `content-type` alone; the documents' tables, whose prefix is `ce-`, have `ce-datacontenttype` besides. */
function contentTypeHeaders(
  dataContentType: string | undefined,
  prefix: CloudEventsPrefix,
): UserProperty[] {
  if (dataContentType === undefined) return [];
  const header: UserProperty = [CONTENT_TYPE_HEADER, dataContentType];
  return prefix === "ce_" ? [header] : [header, [prefix + DATA_CONTENT_TYPE, dataContentType]];
}
