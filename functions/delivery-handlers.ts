import type { RecordHandler } from "../shared/compose.ts";
import { recordsFromEventHubsTrigger } from "../shared/translate/event-hubs-trigger.ts";
import { type DecodedBatch, recordsFromKafkaTrigger } from "../shared/translate/kafka-trigger.ts";
import { failure } from "./failure.ts";
import { type Invocation, logLine } from "./invocation-log.ts";

export interface DeliveryOptions {
  /** The topic or event hub that the function reads. */
  readonly topic?: string;
  /** How long one batch may take before it fails and the host brings it again. */
  readonly timeoutMs?: number;
}

type Deliverer = Pick<RecordHandler, "deliver">;
type Decode = (payload: unknown, metadata: unknown, topic?: string) => DecodedBatch;

export type TriggerHandler = (payload: unknown, invocation: Invocation) => Promise<void>;

const DEFAULT_TIMEOUT_MS = 60_000;
const PROBLEMS_SHOWN = 5;

/**
 * The handler of a kafkaTrigger. It resolves when all records are safe, and throws an Error when one is not or could not be read:
 * then the trigger moves no offset and brings the batch again.
 */
export function kafkaToMqttHandler(
  open: () => Promise<Deliverer>,
  options: DeliveryOptions = {},
): TriggerHandler {
  return handler(recordsFromKafkaTrigger, open, options);
}

/** The same for an eventHubTrigger. */
export function eventHubsToMqttHandler(
  open: () => Promise<Deliverer>,
  options: DeliveryOptions = {},
): TriggerHandler {
  return handler(recordsFromEventHubsTrigger, open, options);
}

function handler(
  decode: Decode,
  open: () => Promise<Deliverer>,
  { topic, timeoutMs = DEFAULT_TIMEOUT_MS }: DeliveryOptions,
): TriggerHandler {
  return async (payload, invocation) => {
    try {
      const batch = decode(payload, invocation.triggerMetadata, topic);
      report(batch, invocation);
      if (batch.records.length === 0) return;
      const deliverer = await open();
      await deliverer.deliver(batch.records, timeoutMs);
    } catch (thrown) {
      throw failure(thrown, "Cannot deliver the batch");
    }
  };
}

/** A record that cannot be read must not be passed over: better that its partition stands still and says why. */
function report({ problems }: DecodedBatch, invocation: Invocation): void {
  if (problems.length === 0) return;
  const errors = problems.filter(({ severity }) => severity === "error");
  const first = errors[0];
  if (first !== undefined) {
    const more = errors.length === 1 ? "" : ` (and ${errors.length - 1} more)`;
    throw new Error(`${first.message}${more}`);
  }
  const shown = problems.slice(0, PROBLEMS_SHOWN).map(({ message }) => message);
  invocation.warn(
    logLine("Parts of the batch were not as expected", { count: problems.length, shown }),
  );
}
