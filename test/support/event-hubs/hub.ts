import { createHash } from "node:crypto";
import rhea, { type Message } from "rhea";

/** An event as the hub keeps it. */
export interface StoredEvent {
  readonly message: Message;
  readonly sequenceNumber: number;
  readonly offset: string;
  readonly enqueuedAt: number;
}

/** One event hub: logs of partitions, as Event Hubs numbers them. */
export class Hub {
  readonly name: string;
  readonly partitionIds: readonly string[];
  private readonly logs: StoredEvent[][];
  private readonly watchers = new Set<() => void>();
  private nextPartition = 0;

  constructor(name: string, partitions: number) {
    this.name = name;
    this.partitionIds = Array.from({ length: partitions }, (_, i) => String(i));
    this.logs = this.partitionIds.map(() => []);
  }

  /** The partition of a send: the one that is named, that of the key, or the next. */
  pick(partitionId: string | undefined, partitionKey: unknown): string {
    if (partitionId !== undefined) return partitionId;
    if (typeof partitionKey === "string") {
      const hash = createHash("sha1").update(partitionKey).digest().readUInt32BE(0);
      return String(hash % this.logs.length);
    }
    this.nextPartition += 1;
    return String((this.nextPartition - 1) % this.logs.length);
  }

  append(partitionId: string, messages: readonly Message[]): void {
    const log = this.log(partitionId);
    for (const message of messages) {
      const sequenceNumber = log.length;
      // offsets are bytes in the service: any text that grows, and never the sequence number
      const offset = String(4096 + sequenceNumber * 64);
      log.push({ message, sequenceNumber, offset, enqueuedAt: Date.now() });
    }
    for (const watcher of this.watchers) watcher();
  }

  log(partitionId: string): StoredEvent[] {
    const log = this.logs[Number(partitionId)];
    if (log === undefined) throw new Error(`The hub has no partition ${partitionId}`);
    return log;
  }

  /** Index of the first event that a receiver's filter lets through. */
  startOf(partitionId: string, filter: string): number {
    const log = this.log(partitionId);
    const match = /x-opt-(offset|sequence-number) (>=?) '(.*)'$/.exec(filter);
    if (match === null) throw new Error(`The filter is not known: ${filter}`);
    const [, by, operator, value = ""] = match;
    if (value === "@latest") return log.length;
    const at = Number(value);
    const index = log.findIndex(({ offset, sequenceNumber }) => {
      const own = by === "offset" ? Number(offset) : sequenceNumber;
      return operator === ">" ? own > at : own >= at;
    });
    return index === -1 ? log.length : index;
  }

  /** Calls `watcher` after every append until the returned function is called. */
  watch(watcher: () => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  /** Bodies as text, in the order of the partition's log. */
  texts(partitionId: string): string[] {
    return this.log(partitionId).map(({ message }) => bodyOf(message).toString());
  }
}

/** The event as a receiver gets it, with the annotations that the service adds. */
export function delivered(event: StoredEvent): Message {
  const { message, sequenceNumber, offset, enqueuedAt } = event;
  return {
    ...message,
    message_annotations: {
      ...message.message_annotations,
      "x-opt-sequence-number": rhea.types.wrap_long(sequenceNumber),
      "x-opt-offset": offset,
      "x-opt-enqueued-time": rhea.types.wrap_timestamp(enqueuedAt),
    },
  };
}

interface Section {
  readonly typecode?: number;
  readonly content?: unknown;
}

/** The bytes of a data section. */
export function bodyOf(message: Message): Buffer {
  const { content } = message.body as Section;
  return Buffer.isBuffer(content) ? content : Buffer.from(String(content));
}

const DATA_SECTION = 0x75;

/** The messages in a batch: each is a data section of the envelope. */
export function messagesOf(envelope: Message): Message[] {
  const { typecode, content } = envelope.body as Section;
  if (typecode !== DATA_SECTION) throw new Error("The batch holds no data sections");
  const parts = Array.isArray(content) ? content : [content];
  return parts.map((part) => decode(part as Buffer));
}

export function decode(bytes: Buffer): Message {
  return rhea.message.decode(bytes) as unknown as Message;
}
