import type { Delivery, Subscriber, SubscriptionRequest } from "../../shared/engine/ports.ts";
import type { Publish } from "../../shared/model/publish.ts";
import type { Faults } from "./faults.ts";
import type { MqttToKafkaHistory } from "./mqtt-to-kafka-history.ts";
import { idOf } from "./sim-producer.ts";
import type { Life, World } from "./world.ts";

/** A persistent session in the broker: what it has not been told to forget. */
export class SimSession {
  current: SimSubscriber | undefined;
  /** In the order of their publication; acknowledged ones are gone. */
  readonly messages: Publish[] = [];

  publish(message: Publish): void {
    this.messages.push(message);
    this.current?.more();
  }

  forget(message: Publish): void {
    const index = this.messages.indexOf(message);
    if (index >= 0) this.messages.splice(index, 1);
  }
}

export interface SimSubscriberOptions {
  readonly life: Life;
  readonly session: SimSession;
  readonly history: MqttToKafkaHistory;
  readonly faults: Faults;
  /** How many unacknowledged messages the broker delivers. */
  readonly most: number;
}

/** A subscriber whose connection breaks: whatever is not acknowledged then comes again, in the old order. */
export class SimSubscriber implements Subscriber {
  private readonly options: SimSubscriberOptions;
  private onDelivery: (delivery: Delivery) => void = () => undefined;
  private connection = 0;
  private isOnline = false;
  private isPaused = false;
  private isDelivering = false;
  private lastAck = 0;
  /** Delivered over this connection and not acknowledged. */
  private readonly outstanding = new Set<Publish>();

  constructor(options: SimSubscriberOptions) {
    this.options = options;
  }

  async start(
    _request: SubscriptionRequest,
    onDelivery: (delivery: Delivery) => void,
  ): Promise<void> {
    await this.world.wait(1);
    this.onDelivery = onDelivery;
    this.options.session.current = this;
    this.connect();
    this.cutLater();
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    this.more();
  }

  /** DISCONNECT follows the last PUBACK on the same connection. */
  async stop(): Promise<void> {
    this.isOnline = false;
    await this.world.wait(4);
    this.connection += 1;
  }

  /** Delivers one message after the other, as far as the broker goes. */
  more(): void {
    const { life, most } = this.options;
    const isHeld = this.isPaused || this.outstanding.size >= most;
    if (!this.isOnline || isHeld || this.isDelivering) return;
    const next = this.options.session.messages.find((message) => !this.outstanding.has(message));
    if (next === undefined) return;
    const { connection } = this;
    this.isDelivering = true;
    this.world.after(life.random() * 2, () => {
      if (connection !== this.connection || !life.alive || !this.isOnline) return;
      this.isDelivering = false;
      this.deliver(next);
      this.more();
    });
  }

  private get world(): World {
    return this.options.life.world;
  }

  private deliver(message: Publish): void {
    const { connection } = this;
    const { history, life } = this.options;
    let isDone = false;
    this.outstanding.add(message);
    this.world.note(`${life.name} receives ${idOf({ value: message.payload })}`);
    this.onDelivery({
      publish: message,
      receivedAt: this.world.now,
      bytes: message.payload.length + 20,
      acknowledge: () => {
        if (isDone) history.violation("a delivery was acknowledged twice");
        isDone = true;
        this.acknowledge(message, connection);
      },
    });
  }

  private acknowledge(message: Publish, connection: number): void {
    const { life, history, session } = this.options;
    const id = idOf({ value: message.payload });
    life.effect(`acknowledges ${id}`, () => {
      history.acknowledging(life, id);
      this.lastAck = Math.max(this.lastAck + 0.001, this.world.now + life.random() * 3);
      this.world.after(this.lastAck - this.world.now, () => {
        if (connection !== this.connection || session.current !== this) return;
        history.acknowledged(id);
        session.forget(message);
        this.outstanding.delete(message);
        if (life.alive) this.more();
      });
    });
  }

  private connect(): void {
    const { life, session } = this.options;
    if (!life.alive || session.current !== this) return;
    this.connection += 1;
    this.isOnline = true;
    this.isDelivering = false;
    this.outstanding.clear();
    this.world.note(`${life.name} is connected`);
    this.more();
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
}
