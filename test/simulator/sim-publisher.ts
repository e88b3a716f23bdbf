import type { Publisher, PublishOutcome, PublishReceipt } from "../../shared/engine/ports.ts";
import { BridgeError } from "../../shared/errors.ts";
import type { Publish } from "../../shared/model/publish.ts";
import type { Faults } from "./faults.ts";
import type { KafkaToMqttHistory } from "./kafka-to-mqtt-history.ts";
import { idOf } from "./sim-producer.ts";
import type { Life, World } from "./world.ts";

interface Pending {
  readonly id: string;
  readonly receipt: PublishReceipt;
}

/** What the broker knows of its clients: the newest connection of a Client Identifier ends the one before. */
export class SimBroker {
  current: SimPublisher | undefined;
}

export interface SimPublisherOptions {
  readonly life: Life;
  readonly broker: SimBroker;
  readonly history: KafkaToMqttHistory;
  readonly faults: Faults;
  readonly window: number;
  readonly isForbidden: (id: string) => boolean;
}

/** One MQTT connection: it breaks, refuses, and acknowledges late and in any order. */
export class SimPublisher implements Publisher {
  private readonly options: SimPublisherOptions;
  private pending: Pending[] = [];
  private isOnline = false;
  private connection = 0;
  private receiveMaximum = 0;
  private lastArrival = 0;
  private lastAck = 0;
  private onRoom: () => void = () => undefined;
  private onEmpty: () => void = () => undefined;

  constructor(options: SimPublisherOptions) {
    this.options = options;
  }

  async start(onRoom: () => void): Promise<void> {
    await this.world.wait(1);
    this.onRoom = onRoom;
    this.options.broker.current = this;
    this.connect();
    this.cutLater();
  }

  get room(): number {
    return this.isOnline ? Math.max(0, this.receiveMaximum - this.pending.length) : 0;
  }

  publish(message: Publish, receipt: PublishReceipt): void {
    const { life, history } = this.options;
    const id = idOf({ value: message.payload });
    life.effect(`publishes ${id}`, () => {
      if (this.room <= 0) history.violation(`${id} was published without room`);
      history.published(life, id);
      const entry = { id, receipt };
      this.pending.push(entry);
      this.transmit(entry);
    });
  }

  flush(): void {}

  async stop(deadlineMs: number): Promise<void> {
    if (this.pending.length > 0) {
      await Promise.race([
        new Promise<void>((resolve) => {
          this.onEmpty = resolve;
        }),
        this.world.wait(deadlineMs),
      ]);
    }
    this.connection += 1;
    this.isOnline = false;
    const stopped = new BridgeError("STOPPED", "Stopped", { retryable: true });
    for (const { receipt } of this.pending.splice(0)) receipt.settle(stopped);
  }

  private get world(): World {
    return this.options.life.world;
  }

  private connect(): void {
    const { life, window } = this.options;
    if (!life.alive || this.options.broker.current !== this) return;
    this.connection += 1;
    this.isOnline = true;
    this.receiveMaximum = this.world.hasFaults ? this.world.random.whole(1, window) : window;
    this.world.note(`${life.name} is connected, window ${this.receiveMaximum}`);
    for (const entry of this.pending) this.transmit(entry);
    if (this.room > 0) this.onRoom();
  }

  private cutLater(): void {
    const every = this.options.faults.cutsEveryMs;
    if (every === Number.POSITIVE_INFINITY) return;
    this.world.after(every * (0.5 + this.options.life.random()), () => {
      if (!this.world.hasFaults || !this.options.life.alive) return;
      this.world.note(`${this.options.life.name} is cut off`);
      this.connection += 1;
      this.isOnline = false;
      this.world.after(this.options.life.random() * 50, () => this.connect());
      this.cutLater();
    });
  }

  /** Bytes that were written arrive in their order, even when their writer has died meanwhile. */
  private transmit(entry: Pending): void {
    if (!this.isOnline) return;
    const { connection } = this;
    this.lastArrival = Math.max(
      this.lastArrival + 0.01,
      this.world.now + this.options.life.random() * 5,
    );
    this.world.after(this.lastArrival - this.world.now, () => {
      if (connection === this.connection && this.options.broker.current === this) {
        this.arrive(entry);
      }
    });
  }

  private arrive(entry: Pending): void {
    const { connection } = this;
    const { life, faults } = this.options;
    const outcome = this.verdict(entry);
    const soonest = this.world.now + life.random() * 5;
    if (!faults.disorder) this.lastAck = Math.max(this.lastAck + 0.01, soonest);
    this.world.after((faults.disorder ? soonest : this.lastAck) - this.world.now, () => {
      if (connection === this.connection && life.alive) this.acknowledged(entry, outcome);
    });
  }

  private verdict({ id }: Pending): PublishOutcome {
    const { life, faults, history, isForbidden } = this.options;
    if (isForbidden(id)) return new BridgeError("MQTT_NOT_AUTHORIZED", "Not authorized");
    if (this.world.fault(faults.refusals)) {
      this.world.note(`the broker refuses ${id} for now`);
      history.refused(id);
      return new BridgeError("MQTT_BUSY", "Quota exceeded", { retryable: true });
    }
    this.world.note(`the broker has ${id} of ${life.name}`);
    history.accepted(id);
    return undefined;
  }

  private acknowledged(entry: Pending, outcome: PublishOutcome): void {
    const { life, history } = this.options;
    const hadNoRoom = this.room === 0;
    this.pending.splice(this.pending.indexOf(entry), 1);
    if (outcome === undefined) history.safe(life, entry.id);
    entry.receipt.settle(outcome);
    if (hadNoRoom && this.room > 0) this.onRoom();
    if (this.pending.length === 0) this.onEmpty();
  }
}
