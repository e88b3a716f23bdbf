import { setTimeout as wait } from "node:timers/promises";
import type { Log } from "../../engine/ports.ts";
import { BridgeError } from "../../errors.ts";
import { kafkaError } from "./kafka-errors.ts";

export interface ConnectLoop {
  connect(): Promise<void>;
  /** What fails, for people: "Cannot connect to Kafka at …". */
  readonly doing: string;
  readonly log: Log;
  stopped(): boolean;
  failed(error: BridgeError): void;
}

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 15_000;

/** Tries until it is connected. @throws BridgeError when it never can be, or when it was stopped meanwhile */
export async function untilConnected(loop: ConnectLoop): Promise<void> {
  let ceiling = FIRST_WAIT_MS;
  while (!loop.stopped()) {
    try {
      await loop.connect();
      return;
    } catch (cause) {
      const error = kafkaError(cause, loop.doing);
      loop.failed(error);
      if (!error.retryable) throw error;
      loop.log("warn", "Kafka cannot be reached yet, trying again", {
        code: error.code,
        error: error.message,
      });
    }
    await wait(ceiling / 2 + (Math.random() * ceiling) / 2, undefined, { ref: false });
    ceiling = Math.min(ceiling * 2, LONGEST_WAIT_MS);
  }
  throw new BridgeError("STOPPED", `${loop.doing}: it was stopped`, { retryable: true });
}
