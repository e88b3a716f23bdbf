import { BridgeError, toBridgeError } from "../errors.ts";
import type { OutgoingRecord } from "../model/kafka-record.ts";
import { type Backoff, backoff } from "./backoff.ts";
import type { Clock, Log, RecordProducer } from "./ports.ts";

/** Where messages go that can never be delivered (S-54). */
export interface DeadLetters {
  /** Resolves when the letter is as safe as a record can be; rejects, not retryable, when it can never be written. */
  write(letter: OutgoingRecord): Promise<void>;
  stop(): void;
}

interface Waiting {
  readonly letter: OutgoingRecord;
  resolve(): void;
  reject(error: BridgeError): void;
}

export interface DeadLettersOptions {
  readonly producer: RecordProducer;
  readonly clock: Clock;
  readonly log: Log;
}

/** Letters that come while one batch is written go together in the next, so that a flood of poison stays cheap. */
export function deadLetters(options: DeadLettersOptions): DeadLetters {
  const wait = backoff(options.clock);
  let queue: Waiting[] = [];
  let writing = false;
  let stopped = false;
  let cancelWait: (() => void) | undefined;

  async function drain(): Promise<void> {
    if (writing) return;
    writing = true;
    while (queue.length > 0 && !stopped) {
      const batch = queue;
      queue = [];
      await writeBatch(batch);
    }
    writing = false;
  }

  async function writeBatch(batch: Waiting[]): Promise<void> {
    while (!stopped) {
      const error = await attempt(batch);
      if (error === undefined) {
        wait.reset();
        for (const waiting of batch) waiting.resolve();
        return;
      }
      if (!error.retryable) {
        await isolate(batch, error);
        return;
      }
      await pause(wait, error);
    }
    const error = new BridgeError("STOPPED", "Cannot write a dead letter: the route is stopping");
    for (const waiting of batch) waiting.reject(error);
  }

  async function attempt(batch: Waiting[]): Promise<BridgeError | undefined> {
    try {
      await options.producer.send(batch.map((waiting) => waiting.letter));
      return undefined;
    } catch (cause) {
      return toBridgeError(cause, "KAFKA_UNAVAILABLE", "Cannot write a dead letter");
    }
  }

  /** One letter that can never be written must not take its neighbours with it. */
  async function isolate(batch: Waiting[], error: BridgeError): Promise<void> {
    const [only] = batch;
    if (batch.length === 1 && only !== undefined) {
      only.reject(
        new BridgeError("DEAD_LETTER_FAILED", `Cannot write a dead letter: ${error.message}`, {
          cause: error,
        }),
      );
      return;
    }
    for (const waiting of batch) await writeBatch([waiting]);
  }

  function pause(timing: Backoff, error: BridgeError): Promise<void> {
    const ms = timing.next(error.retryAfterMs);
    options.log("warn", "Dead letter not written yet, trying again", {
      code: error.code,
      error: error.message,
      waitMs: Math.round(ms),
    });
    return new Promise((resolve) => {
      const cancel = options.clock.after(ms, resolve);
      cancelWait = () => {
        cancel();
        resolve();
      };
    });
  }

  return {
    write: (letter) =>
      new Promise<void>((resolve, reject) => {
        queue.push({ letter, resolve, reject });
        void drain();
      }),
    stop(): void {
      stopped = true;
      cancelWait?.();
      const error = new BridgeError("STOPPED", "Cannot write a dead letter: the route is stopping");
      for (const waiting of queue) waiting.reject(error);
      queue = [];
    },
  };
}
