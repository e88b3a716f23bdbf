import type { KafkaRecord } from "../../shared/model/kafka-record.ts";
import type { Fate, FateKind } from "./fate.ts";
import type { Life, World } from "./world.ts";

interface Known {
  readonly id: string;
  readonly offset: bigint;
  readonly fate: Fate;
  /** In which lives of the host it was made safe: acknowledged, dead-lettered, expired or filtered. */
  readonly safeIn: Set<Life>;
  /** Positions among all acceptances of its partition. */
  readonly acceptedAt: number[];
  isDeadLettered: boolean;
  isExpired: boolean;
  wasRefused: boolean;
}

interface Partition {
  readonly records: Known[];
  committed: bigint;
  acceptances: number;
}

/** Everything that can be seen of the bridge from outside, held to S-50 to S-54. */
export class KafkaToMqttHistory {
  readonly violations: string[] = [];
  /** Set where a host hands a batch over again: what was acknowledged in this life must not be published again then. */
  isRemembered = false;
  /** What a crash may double: so many, at any time, were published by one life of the host and are not committed. */
  maxUncommitted: number = Number.POSITIVE_INFINITY;
  private readonly uncommitted = new Map<Life, Set<string>>();
  private readonly leaving = new Set<number>();
  private readonly world: World;
  private readonly partitions = new Map<number, Partition>();
  private readonly records = new Map<string, Known>();

  constructor(world: World) {
    this.world = world;
  }

  produced(record: KafkaRecord, id: string, fate: Fate): void {
    const known: Known = {
      ...{ id, offset: record.offset, fate },
      ...{ safeIn: new Set<Life>(), acceptedAt: [] },
      ...{ isDeadLettered: false, isExpired: false, wasRefused: false },
    };
    this.records.set(id, known);
    this.partition(record.partition).records.push(known);
  }

  violation(text: string): void {
    this.world.note(`VIOLATION ${text}`);
    this.violations.push(text);
  }

  committed(partition: number): bigint {
    return this.partition(partition).committed;
  }

  fate(id: string): FateKind {
    return this.known(id).fate.kind;
  }

  hasExpired(id: string): boolean {
    return this.world.now >= this.known(id).fate.expiresAt;
  }

  published(life: Life, id: string): void {
    if (this.isRemembered && this.known(id).safeIn.has(life)) {
      this.violation(`${id} was published again after its acknowledgement`);
    }
    if (this.hasExpired(id)) this.violation(`${id} was published after it had expired`);
    this.checkExposure(life, id);
    const fate = this.fate(id);
    if (fate === "rejected" || fate === "filtered") {
      this.violation(`${id} was published and should be ${fate}`);
    }
  }

  assigned(partition: number): void {
    this.leaving.delete(partition);
  }

  /** The partition goes to another: what was published of it is doubled by that, and not by a crash. */
  givenUp(life: Life, partition: number): void {
    this.leaving.add(partition);
    const exposed = this.uncommitted.get(life);
    for (const id of exposed ?? []) if (partitionOf(id) === partition) exposed?.delete(id);
  }

  private checkExposure(life: Life, id: string): void {
    if (this.leaving.has(partitionOf(id))) return;
    const exposed = this.uncommitted.get(life) ?? new Set<string>();
    this.uncommitted.set(life, exposed.add(id));
    for (const one of exposed) {
      if (this.known(one).offset < this.committed(partitionOf(one))) exposed.delete(one);
    }
    if (exposed.size > this.maxUncommitted) {
      this.violation(`${id} makes ${exposed.size} that are published and not committed`);
    }
  }

  accepted(id: string): void {
    const known = this.known(id);
    const partition = this.partition(partitionOf(id));
    if (known.offset < partition.committed) {
      this.violation(`${id} was delivered again after its commit`);
    }
    known.acceptedAt.push(partition.acceptances++);
  }

  refused(id: string): void {
    this.known(id).wasRefused = true;
  }

  safe(life: Life, id: string): void {
    this.known(id).safeIn.add(life);
  }

  deadLettered(id: string): void {
    this.known(id).isDeadLettered = true;
  }

  expired(life: Life, id: string): void {
    const known = this.known(id);
    known.isExpired = true;
    known.safeIn.add(life);
  }

  commit(life: Life, partition: number, offset: bigint): void {
    const { records, committed } = this.partition(partition);
    if (offset < committed) this.violation(`partition ${partition} was committed backwards`);
    for (const known of records) {
      if (known.offset < committed || known.offset >= offset) continue;
      if (!known.safeIn.has(life)) this.violation(`${known.id} was committed before it was safe`);
    }
    this.partition(partition).committed = offset;
    this.world.note(`partition ${partition} is committed to ${offset}`);
  }

  /** True when every record has ended and is committed. */
  get isComplete(): boolean {
    for (const { records, committed } of this.partitions.values()) {
      const last = records.at(-1);
      if (last !== undefined && committed <= last.offset) return false;
    }
    return true;
  }

  /** What can only be said at the end. */
  finish(mayDouble: boolean): void {
    if (!this.isComplete) this.violation("not everything was committed in the end");
    for (const { records } of this.partitions.values()) {
      for (const known of records) this.checkEnd(known, mayDouble);
      this.checkOrder(records);
    }
  }

  private checkEnd(known: Known, mayDouble: boolean): void {
    const deliveries = known.acceptedAt.length;
    const { id, fate } = known;
    const wasDelivered = deliveries > 0;
    const isRight = {
      delivered: wasDelivered && !known.isDeadLettered,
      expiring: wasDelivered || known.isExpired,
      filtered: !wasDelivered && !known.isDeadLettered,
      rejected: !wasDelivered && known.isDeadLettered,
      forbidden: !wasDelivered && known.isDeadLettered,
    }[fate.kind];
    if (!isRight) {
      this.violation(
        `${id} (${fate.kind}) was delivered ${deliveries} times, ${known.isDeadLettered ? "" : "not "}dead-lettered`,
      );
    }
    if (deliveries > 1 && !mayDouble) this.violation(`${id} was doubled without a fault`);
  }

  /** The last word of a partition is its last; the first words are in order too, but for those refused at first. */
  private checkOrder(records: readonly Known[]): void {
    let last = -1;
    let first = -1;
    for (const { id, acceptedAt, wasRefused, isExpired } of records) {
      // delivered once and then, when it was to be delivered again with its neighbours, too old
      if (isExpired) continue;
      const [at] = acceptedAt;
      const end = acceptedAt.at(-1);
      if (at === undefined || end === undefined) continue;
      if (end < last) this.violation(`${id} was delivered before its predecessor at last`);
      last = end;
      if (wasRefused) continue;
      if (at < first) this.violation(`${id} was delivered before its predecessor`);
      first = at;
    }
  }

  private known(id: string): Known {
    const known = this.records.get(id);
    if (known === undefined) throw new RangeError(`Nobody produced ${id}`);
    return known;
  }

  private partition(partition: number): Partition {
    let found = this.partitions.get(partition);
    if (found === undefined) {
      found = { records: [], committed: 0n, acceptances: 0 };
      this.partitions.set(partition, found);
    }
    return found;
  }
}

function partitionOf(id: string): number {
  return Number(id.slice(0, id.indexOf("/")));
}
