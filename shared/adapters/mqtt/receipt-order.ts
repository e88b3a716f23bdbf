import type { Delivery } from "../../engine/ports.ts";
import type { Publish } from "../../model/publish.ts";
import { PacketBuffer } from "../../wire/mqtt-packet-buffer.ts";
import type { ReceivedPublish } from "../../wire/mqtt-publish-decoder.ts";

/** A received message and its place in the order of receipt. */
export class ReceivedMessage implements Delivery {
  readonly publish: Publish;
  readonly receivedAt: number;
  readonly bytes: number;
  readonly packetIdentifier: number;
  acknowledged = false;
  /** The QoS 1 message received after this one on the same connection. */
  next: ReceivedMessage | undefined;
  private readonly onAcknowledged: () => void;

  constructor(
    received: ReceivedPublish,
    receivedAt: number,
    bytes: number,
    onAcknowledged: () => void,
  ) {
    this.publish = received.publish;
    this.packetIdentifier = received.packetIdentifier;
    this.receivedAt = receivedAt;
    this.bytes = bytes;
    this.onAcknowledged = onAcknowledged;
    this.next = undefined;
  }

  acknowledge(): void {
    this.acknowledged = true;
    if (this.packetIdentifier !== 0) this.onAcknowledged();
  }
}

/**
 * The unacknowledged QoS 1 messages of one session. PUBACKs leave in the order of receipt [MQTT-4.6.0-2]: an acknowledged message waits
 * for those before it.
 */
export class ReceiptOrder {
  private readonly onAcknowledged: () => void;
  private readonly packets = new PacketBuffer();
  private first: ReceivedMessage | undefined;
  private last: ReceivedMessage | undefined;
  private count = 0;
  /** Messages of earlier connections for which no PUBACK left: the server will send them again, by Packet Identifier. */
  private readonly earlier = new Map<number, ReceivedMessage>();

  /** `onAcknowledged` is called at every acknowledgement: {@link takeAcknowledgements} may have something then. */
  constructor(onAcknowledged: () => void) {
    this.onAcknowledged = onAcknowledged;
  }

  /** How many messages of this connection await their PUBACK. */
  get size(): number {
    return this.count;
  }

  add(received: ReceivedPublish, receivedAt: number, bytes: number): ReceivedMessage {
    const message = new ReceivedMessage(received, receivedAt, bytes, this.onAcknowledged);
    if (message.packetIdentifier !== 0) this.append(message);
    return message;
  }

  /** True when `received`, which has DUP set, is a message that was delivered before and takes its new place in the order. */
  rejoin(received: ReceivedPublish): boolean {
    const { earlier } = this;
    const known = earlier.get(received.packetIdentifier);
    if (known === undefined) return false;
    earlier.delete(received.packetIdentifier);
    // A server that dropped the old message (it expired, say) may have given its identifier to another one.
    if (!sameMessage(known.publish, received.publish)) return false;
    this.append(known);
    if (known.acknowledged) this.onAcknowledged();
    return true;
  }

  /** PUBACKs for the acknowledged messages before the first that is not, or undefined when there are none. */
  takeAcknowledgements(): Buffer | undefined {
    let message = this.first;
    while (message?.acknowledged === true) {
      this.packets.puback(message.packetIdentifier);
      this.count -= 1;
      const { next } = message;
      message.next = undefined;
      message = next;
    }
    this.first = message;
    if (message === undefined) this.last = undefined;
    return this.packets.length > 0 ? this.packets.take() : undefined;
  }

  /** The connection is gone: what had no PUBACK will come again if the session goes on. */
  disconnected(): void {
    let message = this.first;
    while (message !== undefined) {
      this.earlier.set(message.packetIdentifier, message);
      const { next } = message;
      message.next = undefined;
      message = next;
    }
    this.first = undefined;
    this.last = undefined;
    this.count = 0;
  }

  /** The session is gone, and with it the meaning of all Packet Identifiers. */
  forget(): void {
    this.earlier.clear();
  }

  private append(message: ReceivedMessage): void {
    // A new message under an identifier of an earlier one: the server has forgotten that one.
    this.earlier.delete(message.packetIdentifier);
    if (this.last === undefined) this.first = message;
    else this.last.next = message;
    this.last = message;
    this.count += 1;
  }
}

function sameMessage(a: Publish, b: Publish): boolean {
  return a.topicName === b.topicName && Buffer.compare(a.payload, b.payload) === 0;
}
