import type { RecordProducer } from "../engine/ports.ts";
import { BridgeError, toBridgeError } from "../errors.ts";
import type { OutgoingRecord } from "../model/kafka-record.ts";

/**
 * A producer that connects at its first record: most routes never write a dead letter. The route runs by then, and so its connecting is
 * tried again whatever refuses it: what a start would end on may be mended.
 */
export function lazyProducer(make: () => RecordProducer): RecordProducer {
  let producer: RecordProducer | undefined;
  let started: Promise<void> | undefined;
  return {
    start: () => Promise.resolve(),
    async send(records: readonly OutgoingRecord[]): Promise<void> {
      producer ??= make();
      started ??= producer.start();
      try {
        await started;
      } catch (cause) {
        started = undefined;
        throw passing(cause);
      }
      await producer.send(records);
    },
    async stop(): Promise<void> {
      await producer?.stop();
    },
  };
}

function passing(cause: unknown): BridgeError {
  const error = toBridgeError(cause, "KAFKA_UNAVAILABLE", "Cannot connect to Kafka");
  if (error.retryable) return error;
  return new BridgeError(error.code, error.message, { cause: error, retryable: true });
}
