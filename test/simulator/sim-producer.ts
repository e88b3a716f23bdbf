import type { RecordProducer } from "../../shared/engine/ports.ts";
import { BridgeError } from "../../shared/errors.ts";
import type { OutgoingRecord } from "../../shared/model/kafka-record.ts";
import type { Faults } from "./faults.ts";
import type { Life } from "./world.ts";

export interface SimProducerOptions {
  readonly life: Life;
  readonly faults: Faults;
  /** The broker has written these. */
  appended(ids: readonly string[]): void;
  /** The producer is about to be told so. */
  safe(ids: readonly string[]): void;
  /** Refused for good, now. */
  isForbidden(id: string): boolean;
  /** A look at what is handed over, before anything happens to it. */
  sending?(ids: readonly string[]): void;
}

/** Every message of a simulation carries its identity as its value. */
export function idOf(record: { readonly value: Uint8Array | null }): string {
  return Buffer.from(record.value ?? []).toString();
}

/** A producer whose requests and answers get lost, each of them alone, and whose partitions refuse what is sent, each for itself. */
export class SimProducer implements RecordProducer {
  private readonly options: SimProducerOptions;

  constructor(options: SimProducerOptions) {
    this.options = options;
  }

  async start(): Promise<void> {
    await this.options.life.world.wait(1);
  }

  send(records: readonly OutgoingRecord[]): Promise<void> {
    const { life, sending } = this.options;
    const ids = records.map(idOf);
    return new Promise((resolve, reject) => {
      life.effect(`sends ${ids.join(" ")}`, () => {
        sending?.(ids);
        life.world.after(life.random() * 8, () => this.arrive(ids, resolve, reject));
      });
    });
  }

  async stop(): Promise<void> {}

  private arrive(
    ids: readonly string[],
    resolve: () => void,
    reject: (error: BridgeError) => void,
  ): void {
    const { life, faults, isForbidden, appended, safe } = this.options;
    const { world } = life;
    const answer = (fn: () => void): void => {
      world.after(life.random() * 4, () => {
        if (life.alive) fn();
      });
    };
    if (world.fault(faults.lostSends)) {
      answer(() => reject(unavailable("The request was lost")));
      return;
    }
    const refused = refusals(ids, isForbidden, () => world.fault(faults.partlySent));
    const taken = ids.filter((id) => !refused.has(partitionOf(id)));
    if (taken.length > 0) {
      world.note(`Kafka has ${taken.join(" ")}`);
      appended(taken);
      if (world.fault(faults.unknownSends)) {
        answer(() => reject(unavailable("The answer was lost")));
        return;
      }
    }
    const places = ids.flatMap((id, at) => (refused.has(partitionOf(id)) ? [] : [at]));
    answer(() => {
      safe(taken);
      if (refused.size === 0) resolve();
      else reject(refusalOf(refused, new Set(places)));
    });
  }
}

/** Each topic of a simulation is a partition of its own. */
function partitionOf(id: string): string {
  return id.split(" ", 1)[0] as string;
}

/** The partitions that do not take what is sent to them, and whether for good. */
function refusals(
  ids: readonly string[],
  isForbidden: (id: string) => boolean,
  isDown: () => boolean,
): ReadonlyMap<string, "for good" | "for now"> {
  const refused = new Map<string, "for good" | "for now">();
  for (const id of ids) if (isForbidden(id)) refused.set(partitionOf(id), "for good");
  const partitions = new Set(ids.map(partitionOf));
  if (partitions.size < 2) return refused;
  for (const name of partitions) if (!refused.has(name) && isDown()) refused.set(name, "for now");
  return refused;
}

function refusalOf(
  refused: ReadonlyMap<string, "for good" | "for now">,
  written: ReadonlySet<number>,
): BridgeError {
  const forGood = [...refused.values()].includes("for good");
  return forGood
    ? new BridgeError("KAFKA_MESSAGE_TOO_LARGE", "Too large", { written })
    : new BridgeError("KAFKA_UNAVAILABLE", "No leader", { retryable: true, written });
}

export function unavailable(message: string): BridgeError {
  return new BridgeError("KAFKA_UNAVAILABLE", message, { retryable: true });
}
