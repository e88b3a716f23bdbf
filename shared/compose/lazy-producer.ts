import type { RecordProducer } from "../engine/ports.ts";
import type { OutgoingRecord } from "../model/kafka-record.ts";

/** A producer that connects at its first record: most routes never write a dead letter. */
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
        throw cause;
      }
      await producer.send(records);
    },
    async stop(): Promise<void> {
      await producer?.stop();
    },
  };
}
