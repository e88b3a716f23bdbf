import { BridgeError, toBridgeError } from "../errors.ts";
import type { OutgoingRecord } from "../model/kafka-record.ts";
import { type Backoff, backoff } from "./backoff.ts";
import { Pause } from "./pause.ts";
import type { Clock, Log, RecordProducer } from "./ports.ts";

export interface DeadLettersOptions {
  readonly producer: RecordProducer;
  readonly clock: Clock;
  readonly log: Log;
}

interface Waiting {
  readonly letter: OutgoingRecord;
  resolve(): void;
  reject(error: BridgeError): void;
}

/**
 * Where messages go that can never be delivered (S-54).
 * Letters that come while one batch is written go together in the next, so that a flood of poison stays cheap.
 */
export class DeadLetters {
  private readonly options: DeadLettersOptions;
  private readonly wait: Backoff;
  private queue: Waiting[] = [];
  private writing = false;
  private stopped = false;
  private readonly between: Pause;

  constructor(options: DeadLettersOptions) {
    this.options = options;
    this.wait = backoff(options.clock);
    this.between = new Pause(options.clock);
  }

  /** Resolves when the letter is as safe as a record can be; rejects, not retryable, when it can never be written. */
  write(letter: OutgoingRecord): Promise<void> {
    if (this.stopped) return Promise.reject(stopping());
    return new Promise<void>((resolve, reject) => {
      this.queue.push({ letter, resolve, reject });
      void this.drain();
    });
  }

  /** Gives up what is not written: whoever waits is told STOPPED and must not acknowledge. */
  stop(): void {
    this.stopped = true;
    this.between.end();
    for (const waiting of this.queue) waiting.reject(stopping());
    this.queue = [];
  }

  private async drain(): Promise<void> {
    if (this.writing) return;
    this.writing = true;
    while (this.queue.length > 0) {
      const batch = this.queue;
      this.queue = [];
      await this.writeBatch(batch);
    }
    this.writing = false;
  }

  private async writeBatch(batch: readonly Waiting[]): Promise<void> {
    while (!this.stopped) {
      const error = await this.attempt(batch);
      if (error === undefined) {
        this.wait.reset();
        for (const waiting of batch) waiting.resolve();
        return;
      }
      if (!error.retryable) {
        await this.isolate(batch, error);
        return;
      }
      if (!this.stopped) await this.pause(error);
    }
    for (const waiting of batch) waiting.reject(stopping());
  }

  private async attempt(batch: readonly Waiting[]): Promise<BridgeError | undefined> {
    try {
      await this.options.producer.send(batch.map((waiting) => waiting.letter));
      return undefined;
    } catch (cause) {
      return toBridgeError(cause, "KAFKA_UNAVAILABLE", "Cannot write a dead letter");
    }
  }

  /** One letter that can never be written must not take its neighbours with it. */
  private async isolate(batch: readonly Waiting[], error: BridgeError): Promise<void> {
    const [only] = batch;
    if (batch.length === 1 && only !== undefined) {
      const message = `Cannot write a dead letter to "${only.letter.topic}": ${error.message}`;
      only.reject(new BridgeError("DEAD_LETTER_FAILED", message, { cause: error }));
      return;
    }
    for (const waiting of batch) await this.writeBatch([waiting]);
  }

  private pause(error: BridgeError): Promise<void> {
    const ms = this.wait.next(error.retryAfterMs);
    this.options.log("warn", "Dead letters not written yet, trying again", {
      code: error.code,
      error: error.message,
      waitMs: Math.round(ms),
    });
    return this.between.lasting(ms);
  }
}

function stopping(): BridgeError {
  return new BridgeError("STOPPED", "Cannot write a dead letter: the route is stopping", {
    retryable: true,
  });
}
