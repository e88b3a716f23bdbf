import { BridgeError, toBridgeError } from "../errors.ts";
import { replayMarks } from "../translate/replay-mark.ts";
import { type Backoff, backoff } from "./backoff.ts";
import type { StoredLetter } from "./dead-letter-log.ts";
import { Pause } from "./pause.ts";
import type { Clock, Log, RecordProducer } from "./ports.ts";

export interface ReplayMarksOptions {
  readonly producer: RecordProducer;
  readonly clock: Clock;
  readonly log: Log;
  /** Called when the marks of these letters are safe. */
  readonly onMarked: (letters: readonly StoredLetter[]) => void;
  /** Called when marks can never be written. */
  readonly onFailed: (error: BridgeError) => void;
}

/** Writes down, in the dead-letter topic itself, which letters were sent again. What comes during one write goes together in the next. */
export class ReplayMarks {
  private readonly options: ReplayMarksOptions;
  private readonly wait: Backoff;
  private queue: StoredLetter[] = [];
  private writing: Promise<void> | undefined;
  private stopped = false;
  private readonly between: Pause;

  constructor(options: ReplayMarksOptions) {
    this.options = options;
    this.wait = backoff(options.clock);
    this.between = new Pause(options.clock);
  }

  /** Only after what became of the letter's message was acknowledged. */
  add(letter: StoredLetter): void {
    this.queue.push(letter);
    this.writing ??= this.drain();
  }

  /** Resolves when all that was added is written, or given up after `deadlineMs`. */
  async stop(deadlineMs: number): Promise<void> {
    let cancel: () => void = () => undefined;
    const late = new Promise<void>((resolve) => {
      cancel = this.options.clock.after(deadlineMs, resolve);
    });
    await Promise.race([this.writing, late]);
    cancel();
    this.stopped = true;
    this.between.end();
  }

  private async drain(): Promise<void> {
    // what is settled in the same turn goes together
    await Promise.resolve();
    while (this.queue.length > 0 && !this.stopped) {
      const batch = this.queue;
      this.queue = [];
      await this.write(batch);
    }
    this.writing = undefined;
  }

  private async write(letters: readonly StoredLetter[]): Promise<void> {
    const { producer, onMarked, onFailed } = this.options;
    const marks = marksOf(letters);
    while (!this.stopped) {
      try {
        await producer.send(marks);
        this.wait.reset();
        onMarked(letters);
        return;
      } catch (cause) {
        const error = toBridgeError(cause, "KAFKA_UNAVAILABLE", "Cannot mark dead letters");
        if (!error.retryable) {
          this.stopped = true;
          onFailed(notMarked(error, letters));
          return;
        }
        await this.pause(error);
      }
    }
  }

  private pause(error: BridgeError): Promise<void> {
    const ms = this.wait.next(error.retryAfterMs);
    this.options.log("warn", "Dead letters that were sent again are not marked yet, trying again", {
      code: error.code,
      error: error.message,
      waitMs: Math.round(ms),
    });
    return this.between.lasting(ms);
  }
}

function marksOf(letters: readonly StoredLetter[]): ReturnType<typeof replayMarks> {
  const places = new Map<string, { topic: string; partition: number; offsets: bigint[] }>();
  for (const { topic, partition, offset } of letters) {
    const key = `${partition} ${topic}`;
    let place = places.get(key);
    if (place === undefined) {
      place = { topic, partition, offsets: [] };
      places.set(key, place);
    }
    place.offsets.push(offset);
  }
  return [...places.values()].flatMap(({ topic, partition, offsets }) =>
    replayMarks(topic, partition, offsets),
  );
}

function notMarked(error: BridgeError, letters: readonly StoredLetter[]): BridgeError {
  return new BridgeError(
    "DEAD_LETTER_FAILED",
    `Cannot mark ${letters.length} dead letters in "${letters[0]?.topic}" as sent again: ${error.message}`,
    { cause: error },
  );
}
