import type { AmqpHeaders, CloudEventsMode, CloudEventsPrefix } from "../model/route.ts";
import { kafkaTopicProblem } from "../topics/kafka-topic.ts";
import { didYouMean } from "./nearest.ts";
import type { FieldPath, Severity } from "./problem.ts";
import { quote } from "./quote.ts";
import { cloudEventAttributes } from "./schema/kafka-settings.ts";
import type { Kind } from "./schema/kinds.ts";
import { checked, choice, reference, type Schema } from "./schema/leaf.ts";

/** Our own settings of a resource (S-6). */
export interface Annotations {
  readonly amqpHeaders?: AmqpHeaders;
  readonly binaryHeaders?: "Remove" | "Base64";
  readonly cloudEventAttributes?: Exclude<CloudEventsMode, "None">;
  readonly cloudEventsPrefix?: CloudEventsPrefix;
  readonly datasets?: string;
  readonly deadLetterTopic?: string;
  readonly filterDrops?: boolean;
  readonly maxInflightMessages?: number;
  /** Bytes. */
  readonly memoryBudget?: number;
  readonly mqttSecret?: string;
  readonly protocol?: "Kafka" | "Amqp";
  readonly restoreMqttProperties?: boolean;
  readonly retain?: boolean;
}

interface AnnotationRow {
  readonly property: keyof Annotations;
  readonly schema: Schema<unknown>;
  /** Where it has an effect. */
  readonly kinds: readonly Kind[];
}

export const annotationPrefix = "isthmus.dev/";

const kafkaConnections: readonly Kind[] = ["KafkaConnector", "DataflowEndpoint"];
const flows: readonly Kind[] = ["KafkaConnectorTopicMap", "Dataflow"];
const both: readonly Kind[] = [...kafkaConnections, ...flows];

const yes: Schema<unknown> = choice(["true", "false"]).transform((value) => value === "true");

const number: Schema<unknown> = checked((value) =>
  /^\d{1,5}$/.test(value) && Number(value) >= 1 && Number(value) <= 65_535
    ? undefined
    : `${quote(value)} is not allowed: use a whole number, between 1 and 65535`,
).transform(Number);

const units: Readonly<Record<string, number>> = { "": 1, Ki: 1024, Mi: 1024 ** 2, Gi: 1024 ** 3 };

const bytes: Schema<unknown> = checked((value) =>
  /^[1-9]\d{0,11}(Ki|Mi|Gi)?$/.test(value)
    ? undefined
    : `${quote(value)} is not allowed: use bytes, for example 256Mi`,
).transform((value) => Number.parseInt(value, 10) * (units[value.replace(/^\d+/, "")] ?? 1));

/** S-40: the one setting whose separator is its meaning. */
const prefix: Schema<unknown> = checked((value) =>
  value === "ce_" || value === "ce-" ? undefined : `${quote(value)} is not allowed: use ce_ or ce-`,
);

/** Every annotation of ours by its name after `isthmus.dev/`. */
export const annotationRows: Readonly<Record<string, AnnotationRow>> = {
  "amqp-headers": {
    property: "amqpHeaders",
    schema: choice(["Auto", "Always", "Never"]),
    kinds: both,
  },
  "binary-headers": {
    property: "binaryHeaders",
    schema: choice(["Remove", "Base64"]),
    kinds: both,
  },
  "cloud-event-attributes": {
    property: "cloudEventAttributes",
    schema: cloudEventAttributes,
    kinds: both,
  },
  "cloudevents-prefix": { property: "cloudEventsPrefix", schema: prefix, kinds: both },
  datasets: { property: "datasets", schema: reference, kinds: ["Dataflow"] },
  "dead-letter-topic": {
    property: "deadLetterTopic",
    schema: checked(kafkaTopicProblem),
    kinds: both,
  },
  "filter-drops": { property: "filterDrops", schema: yes, kinds: ["Dataflow"] },
  "max-inflight-messages": { property: "maxInflightMessages", schema: number, kinds: both },
  "memory-budget": { property: "memoryBudget", schema: bytes, kinds: [...both, "DataflowProfile"] },
  "mqtt-secret": { property: "mqttSecret", schema: reference, kinds: kafkaConnections },
  protocol: { property: "protocol", schema: choice(["Kafka", "Amqp"]), kinds: kafkaConnections },
  "restore-mqtt-properties": { property: "restoreMqttProperties", schema: yes, kinds: both },
  retain: { property: "retain", schema: yes, kinds: both },
};

/** Reads the annotations of one resource; those of others are left alone. */
export function readAnnotations(
  kind: Kind,
  annotations: Readonly<Record<string, unknown>>,
  report: (severity: Severity, path: FieldPath, message: string) => void,
): Annotations {
  const read: Partial<Record<keyof Annotations, unknown>> = {};
  for (const [name, value] of Object.entries(annotations)) {
    if (!name.startsWith(annotationPrefix)) continue;
    const path = ["metadata", "annotations", name];
    const short = name.slice(annotationPrefix.length);
    const row = Object.hasOwn(annotationRows, short) ? annotationRows[short] : undefined;
    if (row === undefined) {
      const hint = didYouMean(short, Object.keys(annotationRows));
      report("error", path, `${quote(name)} is not a known annotation${hint}`);
      continue;
    }
    if (typeof value !== "string") {
      report("warning", path, `write ${quote(String(value))} in quotes: annotations are text`);
    }
    if (!row.kinds.includes(kind)) {
      report(
        "warning",
        path,
        `${quote(name)} has no effect on a ${kind}: it belongs on ${row.kinds.join(", ")}`,
      );
    }
    const result = row.schema.safeParse(String(value));
    if (result.success) read[row.property] = result.data;
    else report("error", path, result.error.issues[0]?.message ?? "is not allowed");
  }
  return read as Annotations;
}
