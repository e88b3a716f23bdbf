import type { Fate, FateKind } from "./fate.ts";
import type { Life, World } from "./world.ts";

interface Known {
  readonly id: string;
  readonly topicName: string;
  readonly fate: Fate;
  /** In which lives of the host it was made safe: taken by Kafka, dead-lettered, expired or filtered. */
  readonly safeIn: Set<Life>;
  /** Positions in Kafka. */
  readonly appendedAt: number[];
  isDeadLettered: boolean;
  isExpired: boolean;
  /** The broker has its PUBACK, and will never deliver it again. */
  isAcknowledged: boolean;
}

/** Everything that can be seen of the bridge from outside, held to S-50, S-51 and S-54. */
export class MqttToKafkaHistory {
  readonly violations: string[] = [];
  /** What a crash may double: so many, at any time, were written by one life of the host and not acknowledged to MQTT by it. */
  maxUnacknowledged: number = Number.POSITIVE_INFINITY;
  private readonly unacknowledged = new Map<Life, Set<string>>();
  private readonly world: World;
  private readonly messages = new Map<string, Known>();
  private appends = 0;

  constructor(world: World) {
    this.world = world;
  }

  published(id: string, topicName: string, fate: Fate): void {
    this.messages.set(id, {
      ...{ id, topicName, fate, safeIn: new Set(), appendedAt: [] },
      ...{ isDeadLettered: false, isExpired: false, isAcknowledged: false },
    });
  }

  violation(text: string): void {
    this.world.note(`VIOLATION ${text}`);
    this.violations.push(text);
  }

  fate(id: string): FateKind {
    return this.known(id).fate.kind;
  }

  hasExpired(id: string): boolean {
    return this.world.now >= this.known(id).fate.expiresAt;
  }

  sending(id: string): void {
    if (this.hasExpired(id)) this.violation(`${id} was sent after it had expired`);
    const fate = this.fate(id);
    if (fate === "rejected" || fate === "filtered") {
      this.violation(`${id} was sent and should be ${fate}`);
    }
  }

  appended(life: Life, id: string): void {
    const known = this.known(id);
    if (known.isAcknowledged) this.violation(`${id} was sent again after its acknowledgement`);
    known.appendedAt.push(this.appends++);
    const exposed = this.unacknowledged.get(life) ?? new Set<string>();
    this.unacknowledged.set(life, exposed.add(id));
    if (exposed.size > this.maxUnacknowledged) {
      this.violation(`${id} makes ${exposed.size} that are written and not acknowledged`);
    }
  }

  safe(life: Life, id: string): void {
    this.known(id).safeIn.add(life);
  }

  deadLettered(id: string): void {
    this.known(id).isDeadLettered = true;
  }

  expired(life: Life, id: string): void {
    this.known(id).isExpired = true;
    this.safe(life, id);
  }

  acknowledging(life: Life, id: string): void {
    this.unacknowledged.get(life)?.delete(id);
    if (!this.known(id).safeIn.has(life)) {
      this.violation(`${id} was acknowledged before it was safe`);
    }
  }

  acknowledged(id: string): void {
    this.known(id).isAcknowledged = true;
  }

  get isComplete(): boolean {
    for (const { isAcknowledged } of this.messages.values()) if (!isAcknowledged) return false;
    return true;
  }

  /** What can only be said at the end. */
  finish(mayDouble: boolean): void {
    if (!this.isComplete) this.violation("not everything was acknowledged in the end");
    for (const known of this.messages.values()) this.checkEnd(known, mayDouble);
    this.checkOrder();
  }

  private checkEnd({ id, fate, appendedAt, ...known }: Known, mayDouble: boolean): void {
    const wasDelivered = appendedAt.length > 0;
    const isRight = {
      delivered: wasDelivered && !known.isDeadLettered,
      expiring: wasDelivered || known.isExpired,
      filtered: !wasDelivered && !known.isDeadLettered,
      rejected: !wasDelivered && known.isDeadLettered,
      forbidden: !wasDelivered && known.isDeadLettered,
    }[fate.kind];
    if (!isRight) {
      const letter = known.isDeadLettered ? "dead-lettered" : "not dead-lettered";
      this.violation(`${id} (${fate.kind}) was sent ${appendedAt.length} times, ${letter}`);
    }
    if (appendedAt.length > 1 && !mayDouble) this.violation(`${id} was doubled without a fault`);
  }

  /** Per MQTT topic the first words are in order, and so are the last (S-50). */
  private checkOrder(): void {
    const ends = new Map<string, { first: number; last: number }>();
    for (const { id, topicName, appendedAt, isExpired } of this.messages.values()) {
      const [first] = appendedAt;
      const last = appendedAt.at(-1);
      // too old when it was to be sent again with its neighbours
      if (first === undefined || last === undefined || isExpired) continue;
      const before = ends.get(topicName) ?? { first: -1, last: -1 };
      if (first < before.first || last < before.last) {
        this.violation(`${id} was written before its predecessor of ${topicName}`);
      }
      ends.set(topicName, { first, last });
    }
  }

  private known(id: string): Known {
    const known = this.messages.get(id);
    if (known === undefined) throw new RangeError(`Nobody published ${id}`);
    return known;
  }
}
