/** What every test of the MQTT adapters needs around them. */
import type { Clock, Log, Publisher, PublishReceipt } from "../../shared/engine/ports.ts";
import type { BridgeError } from "../../shared/errors.ts";
import type { MqttEndpoint } from "../../shared/model/endpoint.ts";
import type { Publish } from "../../shared/model/publish.ts";

export function endpointAt(port: number, over: Partial<MqttEndpoint> = {}): MqttEndpoint {
  return {
    host: "127.0.0.1",
    port,
    protocol: "Mqtt",
    credential: { kind: "none" },
    keepAlive: 60,
    sessionExpiryInterval: 300,
    maxInflightMessages: 100,
    ...over,
  };
}

export interface LogEntry {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export function memoryLog(): { readonly log: Log; readonly entries: LogEntry[] } {
  const entries: LogEntry[] = [];
  return {
    entries,
    log: (level, message, fields = {}) => entries.push({ level, message, fields }),
  };
}

/** A real clock whose waits pass `factor` times faster; `waits` are the milliseconds that were asked for. */
export function quickClock(factor = 50): Clock & { readonly waits: number[] } {
  const waits: number[] = [];
  return {
    waits,
    now: () => Date.now(),
    after(ms, fn): () => void {
      waits.push(ms);
      const timer = setTimeout(fn, ms / factor);
      return () => clearTimeout(timer);
    },
    random: () => 0.5,
    newId: () => "id",
  };
}

/** Collects receipts: `outcomes[i]` is how message i ended. */
export class Receipts {
  readonly outcomes: (BridgeError | "ok" | undefined)[] = [];
  settled = 0;
  private waiting: (() => void)[] = [];

  for(index: number): PublishReceipt {
    this.outcomes[index] = undefined;
    return {
      settle: (outcome): void => {
        if (this.outcomes[index] !== undefined) throw new Error(`Message ${index} settled twice`);
        this.outcomes[index] = outcome ?? "ok";
        this.settled += 1;
        for (const resolve of this.waiting.splice(0)) resolve();
      },
    };
  }

  async until(count: number): Promise<void> {
    while (this.settled < count) {
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }
}

/** Publishes all messages as fast as there is room, from the call of `go` on; `go` is meant to be onRoom too. */
export function feeder(
  publisher: () => Publisher,
  messages: readonly Publish[],
  receipts: Receipts,
): () => void {
  let next = 0;
  return () => {
    const port = publisher();
    while (next < messages.length && port.room > 0) {
      const index = next;
      next += 1;
      port.publish(messages[index] as Publish, receipts.for(index));
    }
    port.flush();
  };
}
