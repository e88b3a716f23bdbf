import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

const PRODUCE = 0;
const FETCH = 1;
const INIT_PRODUCER_ID = 22;
const COORDINATOR_LOAD_IN_PROGRESS = 14;
const CLIENT = Buffer.from("fault-bench");
const REQUEST_MS = 15_000;

/** What goes into a request, in Kafka's own types. */
class Writer {
  private readonly parts: Buffer[] = [];

  int8(value: number): this {
    return this.raw(Buffer.from([value & 0xff]));
  }

  int16(value: number): this {
    const bytes = Buffer.allocUnsafe(2);
    bytes.writeInt16BE(value);
    return this.raw(bytes);
  }

  int32(value: number): this {
    const bytes = Buffer.allocUnsafe(4);
    bytes.writeInt32BE(value);
    return this.raw(bytes);
  }

  int64(value: number): this {
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeBigInt64BE(BigInt(value));
    return this.raw(bytes);
  }

  text(value: string): this {
    const bytes = Buffer.from(value);
    return this.int16(bytes.length).raw(bytes);
  }

  raw(bytes: Uint8Array): this {
    this.parts.push(bytes as Buffer);
    return this;
  }

  list<T>(list: readonly T[], write: (item: T) => void): this {
    this.int32(list.length);
    for (const item of list) write(item);
    return this;
  }

  bytes(): Buffer {
    return Buffer.concat(this.parts);
  }
}

class Reader {
  private readonly buffer: Buffer;
  private at: number;

  constructor(buffer: Buffer, at: number) {
    this.buffer = buffer;
    this.at = at;
  }

  skip(count: number): void {
    this.at += count;
  }

  int16(): number {
    this.at += 2;
    return this.buffer.readInt16BE(this.at - 2);
  }

  int32(): number {
    this.at += 4;
    return this.buffer.readInt32BE(this.at - 4);
  }

  int64(): number {
    this.at += 8;
    return Number(this.buffer.readBigInt64BE(this.at - 8));
  }

  text(): string {
    return this.take(this.int16()).toString();
  }

  take(length: number): Buffer {
    this.at += Math.max(0, length);
    return this.buffer.subarray(this.at - Math.max(0, length), this.at);
  }
}

export interface PartitionBatch {
  readonly topic: string;
  readonly partition: number;
  /** One record batch. */
  readonly batch: Uint8Array;
}

export interface Produced {
  readonly errorCode: number;
  readonly baseOffset: number;
}

export interface PartitionPosition {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export interface Fetched {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  readonly records: Buffer;
}

/** The request never left. */
export class NotSent extends Error {}

/** One connection to a broker that leads every partition. It ends at the first fault: a new one takes its place. */
class Connection {
  private readonly socket: Socket;
  private correlation = 0;
  private readonly waiting = new Map<number, (answer: Buffer) => void>();
  private held: Buffer[] = [];
  private heldLength = 0;
  private failure: Error | undefined;
  private established = false;
  private readonly failed: Promise<never>;

  constructor(port: number) {
    this.socket = connect({ port, host: "127.0.0.1" });
    this.socket.setNoDelay(true);
    this.socket.on("connect", () => {
      this.established = true;
    });
    this.socket.on("data", (bytes: Buffer) => this.take(bytes));
    this.failed = new Promise((_, reject) => {
      this.socket.on("error", (error) => {
        this.failure = error;
      });
      this.socket.on("close", () => {
        this.failure ??= new Error("the connection was closed");
        const { message } = this.failure;
        reject(this.established ? this.failure : new NotSent(message));
      });
    });
    this.failed.catch(() => undefined);
  }

  get isBroken(): boolean {
    return this.failure !== undefined;
  }

  close(): void {
    this.socket.destroy();
  }

  /** @throws Error when the connection ends before the answer comes */
  async request(apiKey: number, apiVersion: number, body: Buffer): Promise<Buffer> {
    this.correlation += 1;
    const id = this.correlation;
    const header = new Writer().int16(apiKey).int16(apiVersion).int32(id);
    const head = header.int16(CLIENT.length).raw(CLIENT).bytes();
    const answer = new Promise<Buffer>((resolve) => this.waiting.set(id, resolve));
    this.socket.write(
      new Writer()
        .int32(head.length + body.length)
        .raw(head)
        .raw(body)
        .bytes(),
    );
    const timer = setTimeout(() => this.socket.destroy(), REQUEST_MS);
    try {
      return await Promise.race([answer, this.failed]);
    } finally {
      clearTimeout(timer);
    }
  }

  private take(bytes: Buffer): void {
    this.held.push(bytes);
    this.heldLength += bytes.length;
    for (;;) {
      const size = this.nextSize();
      if (size === undefined || this.heldLength < size + 4) return;
      const all = this.held.length === 1 ? (this.held[0] as Buffer) : Buffer.concat(this.held);
      const rest = all.subarray(size + 4);
      this.held = rest.length > 0 ? [rest] : [];
      this.heldLength = rest.length;
      const answer = all.subarray(4, size + 4);
      const id = answer.readInt32BE(0);
      this.waiting.get(id)?.(answer);
      this.waiting.delete(id);
    }
  }

  private nextSize(): number | undefined {
    if (this.heldLength < 4) return undefined;
    if ((this.held[0] as Buffer).length < 4) this.held = [Buffer.concat(this.held)];
    return (this.held[0] as Buffer).readInt32BE(0);
  }
}

/** Produce and Fetch in one version each, to one broker: what the ends of the bridge need of Kafka's protocol. */
export class KafkaWire {
  private readonly port: number;
  private connection: Connection | undefined;

  constructor(port: number) {
    this.port = port;
  }

  close(): void {
    this.connection?.close();
  }

  /** @throws Error when it is not known what became of the batches; answers come in the order of the batches */
  async produce(batches: readonly PartitionBatch[]): Promise<Produced[]> {
    const body = new Writer().int16(-1).int16(-1).int32(10_000);
    body.list(batches, ({ topic, partition, batch }) =>
      body.text(topic).int32(1).int32(partition).int32(batch.length).raw(batch),
    );
    const answer = await this.request(PRODUCE, 7, body.bytes());
    const results = new Map<string, Produced>();
    const reader = new Reader(answer, 4);
    for (let topics = reader.int32(); topics > 0; topics -= 1) {
      const topic = reader.text();
      for (let count = reader.int32(); count > 0; count -= 1) {
        const partition = reader.int32();
        const errorCode = reader.int16();
        results.set(`${partition} ${topic}`, { errorCode, baseOffset: reader.int64() });
        reader.skip(16);
      }
    }
    return batches.map(({ topic, partition }) => {
      const result = results.get(`${partition} ${topic}`);
      if (result === undefined) throw new Error(`No answer for partition ${partition} of ${topic}`);
      return result;
    });
  }

  /** The id of an idempotent producer, which begins at epoch 0. */
  async producerId(): Promise<bigint> {
    const body = new Writer().int16(-1).int32(0).bytes();
    for (;;) {
      const reader = new Reader(await this.request(INIT_PRODUCER_ID, 1, body), 8);
      const errorCode = reader.int16();
      if (errorCode === 0) return BigInt(reader.int64());
      if (errorCode !== COORDINATOR_LOAD_IN_PROGRESS) throw new Error(`No id: error ${errorCode}`);
      await pause(50);
    }
  }

  async fetch(positions: readonly PartitionPosition[], waitMs: number): Promise<Fetched[]> {
    const body = new Writer()
      .int32(-1)
      .int32(waitMs)
      .int32(1)
      .int32(8 * 1024 * 1024);
    body.int8(0).int32(0).int32(-1);
    body.list(positions, ({ topic, partition, offset }) =>
      body
        .text(topic)
        .int32(1)
        .int32(partition)
        .int32(-1)
        .int64(offset)
        .int64(-1)
        .int32(1024 * 1024),
    );
    body.int32(0).text("");
    const reader = new Reader(await this.request(FETCH, 11, body.bytes()), 4);
    reader.skip(10);
    const fetched: Fetched[] = [];
    for (let topics = reader.int32(); topics > 0; topics -= 1) {
      const topic = reader.text();
      for (let count = reader.int32(); count > 0; count -= 1)
        fetched.push(partitionOf(topic, reader));
    }
    return fetched;
  }

  private async request(apiKey: number, apiVersion: number, body: Buffer): Promise<Buffer> {
    if (this.connection === undefined || this.connection.isBroken) {
      this.connection = new Connection(this.port);
    }
    return this.connection.request(apiKey, apiVersion, body);
  }
}

function partitionOf(topic: string, reader: Reader): Fetched {
  const partition = reader.int32();
  const errorCode = reader.int16();
  reader.skip(24);
  reader.skip(Math.max(0, reader.int32()) * 16);
  reader.skip(4);
  return { topic, partition, errorCode, records: reader.take(reader.int32()) };
}
