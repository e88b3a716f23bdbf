import type {
  ConnectionStatus,
  Delivery,
  Subscriber,
  SubscriptionRequest,
} from "../../engine/ports.ts";
import type { BridgeError } from "../../errors.ts";
import type { Connack } from "../../wire/mqtt-control.ts";
import type { Frame } from "../../wire/mqtt-frames.ts";
import { PublishDecoder, type ReceivedPublish } from "../../wire/mqtt-publish-decoder.ts";
import type { MqttConnection } from "./mqtt-connection.ts";
import { type MqttClientOptions, MqttLink } from "./mqtt-link.ts";
import { reasonError } from "./mqtt-reason-codes.ts";
import { ReceiptOrder, type ReceivedMessage } from "./receipt-order.ts";

export interface MqttSubscriberOptions extends MqttClientOptions {
  /** Our Receive Maximum: how many QoS 1 messages may be unacknowledged; 1 to 65,535. */
  readonly receiveMaximum: number;
}

/**
 * A Subscriber over MQTT 5, as {@link Subscriber} promises. After pause() at most what one read of the network held is still delivered.
 * An unacknowledged message that the server sends again after a reconnect joins the delivery that exists already.
 */
export function mqttSubscriber(options: MqttSubscriberOptions): Subscriber {
  return new MqttSubscriber(options);
}

class MqttSubscriber implements Subscriber {
  private readonly options: MqttSubscriberOptions;
  private readonly link: MqttLink;
  private readonly decoder = new PublishDecoder();
  private readonly order = new ReceiptOrder(() => this.scheduleAcknowledgements());
  private request: SubscriptionRequest = { topicFilters: [], qos: 1 };
  private onDelivery: (delivery: Delivery) => void = () => undefined;
  private connection: MqttConnection | undefined;
  private connack: Connack | undefined;
  /** This process has subscribed, so a session that goes on needs no SUBSCRIBE. */
  private subscribed = false;
  private mayStop = false;
  private reading = true;
  private paused = false;
  private scheduled = false;
  private stopping = false;
  private receivedAt = 0;

  constructor(options: MqttSubscriberOptions) {
    this.options = options;
    this.link = new MqttLink(
      { ...options, cleanFirst: false },
      {
        connected: (connection, connack) => this.connected(connection, connack),
        ready: (connection) => this.ready(connection),
        publish: (frame) => this.received(frame),
        puback: () => this.link.breakOff(0x82, "PUBACK came though nothing was published"),
        turnEnd: () => {
          this.receivedAt = 0;
          this.applyReading();
        },
        disconnected: () => {
          this.connection = undefined;
          this.mayStop = false;
          this.order.disconnected();
        },
      },
    );
  }

  async start(
    request: SubscriptionRequest,
    onDelivery: (delivery: Delivery) => void,
  ): Promise<void> {
    this.request = request;
    this.onDelivery = onDelivery;
    await this.link.start();
  }

  pause(): void {
    this.paused = true;
    this.applyReading();
  }

  resume(): void {
    this.paused = false;
    this.applyReading();
  }

  async stop(): Promise<void> {
    this.sendAcknowledgements();
    this.stopping = true;
    await this.link.stop();
  }

  status(): ConnectionStatus {
    return this.link.status();
  }

  private connected(connection: MqttConnection, connack: Connack): void {
    this.connection = connection;
    this.connack = connack;
    this.reading = true;
    const { clientIdentifier, endpoint, log } = this.options;
    const granted = connack.sessionExpiryInterval;
    if (granted !== undefined && granted < endpoint.sessionExpiryInterval) {
      const fields = { clientIdentifier, requested: endpoint.sessionExpiryInterval, granted };
      log("warn", "The MQTT broker shortens the Session Expiry Interval", fields);
    }
    if (connack.sessionPresent) return;
    this.order.forget();
    if (!this.subscribed) return;
    const fields = { clientIdentifier };
    log("warn", "The MQTT broker has lost the session: what waited in it is gone", fields);
  }

  private async ready(connection: MqttConnection): Promise<void> {
    if (!this.subscribed || this.connack?.sessionPresent !== true) await this.subscribe(connection);
    this.subscribed = true;
    if (this.connection !== connection) return;
    // Only now: reading had to go on until SUBACK.
    this.mayStop = true;
    this.applyReading();
  }

  /**
   * Reads unless paused, or unless the broker exceeds our Receive Maximum: some do by one, some do not know it. Disconnecting them,
   * as [MQTT-3.3.4-9] allows, would only bring the same messages again; not reading bounds memory and loses nothing.
   */
  private applyReading(): void {
    const { connection, order } = this;
    if (connection === undefined) return;
    const read = !this.mayStop || !(this.paused || order.size > this.options.receiveMaximum);
    if (read === this.reading) return;
    this.reading = read;
    if (read) connection.startReading();
    else connection.stopReading();
  }

  private async subscribe(connection: MqttConnection): Promise<void> {
    const { topicFilters, qos } = this.request;
    const shared = topicFilters.find((filter) => filter.startsWith("$share/"));
    if (shared !== undefined && this.connack?.sharedSubscriptionAvailable === false) {
      const answer = { packet: "SUBACK", reasonCode: 0x9e } as const;
      throw reasonError(answer, `Cannot subscribe to "${shared}"`) as BridgeError;
    }
    const reasonCodes = await connection.subscribe(topicFilters, qos);
    for (const [index, topicFilter] of topicFilters.entries()) {
      const reasonCode = reasonCodes[index] ?? 0x80;
      const error = reasonError(
        { packet: "SUBACK", reasonCode },
        `Cannot subscribe to "${topicFilter}"`,
      );
      if (error !== undefined) throw error;
      if (reasonCode < qos) {
        const fields = { topicFilter, requested: qos, granted: reasonCode };
        this.options.log(
          "warn",
          "The MQTT broker grants a lower QoS: messages may be lost",
          fields,
        );
      }
    }
  }

  private received(frame: Frame): void {
    const received = this.decoder.decode(frame);
    if (received.kind === "fault") {
      this.options.log("error", "The MQTT broker sent a PUBLISH that breaks the protocol", {
        problem: received.problem,
      });
      this.link.breakOff(received.reasonCode, received.problem);
      return;
    }
    this.deliver(received, frame.end - frame.start);
  }

  private deliver(received: ReceivedPublish, bytes: number): void {
    if (this.receivedAt === 0) this.receivedAt = this.options.clock.now();
    if (received.dup && this.order.rejoin(received)) return;
    const message: ReceivedMessage = this.order.add(received, this.receivedAt, bytes);
    this.onDelivery(message);
  }

  private scheduleAcknowledgements(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    // Everything acknowledged together leaves in one write, and before the next send to Kafka does: a crash would double both.
    queueMicrotask(() => {
      this.scheduled = false;
      this.sendAcknowledgements();
    });
  }

  private sendAcknowledgements(): void {
    if (this.connection === undefined || this.stopping) return;
    const bytes = this.order.takeAcknowledgements();
    if (bytes === undefined) return;
    this.connection.write(bytes);
    this.applyReading();
  }
}
